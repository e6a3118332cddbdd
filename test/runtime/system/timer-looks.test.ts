// When timers are looked at, and by which clocks: what is due is handed over once, what is far is looked at now and then, and a clock that is not trusted is not asked all the time (rules K1).

import { test } from "tap";
import type { Input } from "../../../runtime/entity/contract.ts";
import { ManualClock, memoryStore, settle } from "../../../runtime/simulation/index.ts";
import { type HostedClock, openHostedClock } from "../../../runtime/system/hosted-clock.ts";
import { Timers, type TimerSource } from "../../../runtime/system/timers.ts";

type Fired = Extract<Input, { kind: "timer" }>;

const MINUTE_MS = 60_000;
const fired = (timer: string, generation = 1): Fired => ({ kind: "timer", timer, generation });

interface Stand {
  readonly clock: ManualClock;
  readonly hosted: HostedClock;
  readonly timers: Timers;
  readonly source: TimerSource;
  readonly handedOver: string[];
  /** Looks for what is due, by their times. */
  readonly looks: number[];
  isTrusted: boolean;
}

/** @param armed by name: when it is due on its clock, ms from the beginning */
async function stand(armed: Record<string, { readonly elapsed: number } | { readonly wall: number }>): Promise<Stand> {
  const clock = new ManualClock();
  const store = memoryStore();
  await store.open();
  const hosted = await openHostedClock(clock, store);
  const began = clock.now();
  const earliest = (which: "elapsed" | "wall"): number | undefined => {
    const due = Object.values(armed).flatMap((row) => (which in row ? [(row as Record<string, number>)[which] as number] : []));
    return due.length === 0 ? undefined : Math.min(...due) + (which === "wall" ? began : 0);
  };
  const handedOver: string[] = [];
  const looks: number[] = [];
  const source: TimerSource = {
    nextTimer: () => ({ elapsed: earliest("elapsed"), wall: earliest("wall") }),
    due: ({ now, elapsed, wallTrusted }) => {
      looks.push(clock.monotonic());
      return Object.entries(armed).flatMap(([name, row]) => (("elapsed" in row ? row.elapsed <= elapsed : wallTrusted && row.wall + began <= now) ? [fired(name)] : []));
    },
  };
  const made: Stand = {
    clock,
    hosted,
    source,
    handedOver,
    looks,
    isTrusted: true,
    timers: new Timers({ clock, hosted, wallTrusted: () => made.isTrusted }, ({ timer }) => void handedOver.push(timer)),
  };
  return made;
}

test("K1. a timer that lies hours ahead fires at its time, though nothing happens until then: it is looked at each minute", async (t) => {
  for (const which of ["elapsed", "wall"] as const) {
    const due = { far: { [which]: 200 * MINUTE_MS } } as unknown as Parameters<typeof stand>[0];
    const { clock, timers, source, handedOver, looks } = await stand(due);
    timers.rearm(source);
    await clock.advance(200 * MINUTE_MS - 1);
    t.same(handedOver, [], which);
    await clock.advance(1);
    t.same(handedOver, ["far"], which);
    t.equal(looks.length, 200, which);
  }
});

test("K1. a wall clock that is set forward is noticed within a minute", async (t) => {
  const { clock, timers, source, handedOver } = await stand({ far: { wall: 200 * MINUTE_MS } });
  timers.rearm(source);
  await clock.advance(MINUTE_MS / 2);
  clock.jump(300 * MINUTE_MS);
  await clock.advance(MINUTE_MS / 2);
  t.same(handedOver, ["far"]);
});

test("K1, S5. while the wall clock is not trusted a timer on it does not fire, and is looked at once a minute only, however long it has been due", async (t) => {
  const made = await stand({ wall: { wall: 1_000 } });
  made.isTrusted = false;
  made.timers.rearm(made.source);
  await made.clock.advance(10 * MINUTE_MS);
  t.same(made.handedOver, []);
  t.ok(made.looks.length <= 10, `${String(made.looks.length)} looks in ten minutes`);
  made.isTrusted = true;
  await made.clock.advance(MINUTE_MS);
  t.same(made.handedOver, ["wall"]);
});

test("S7, S5. what was handed over and waits for its turn is not handed over again, however often others' commits arm anew; once its turn is committed a next arming is", async (t) => {
  const rows: Record<string, { elapsed: number }> = { one: { elapsed: 1_000 }, two: { elapsed: 1_000 } };
  const { clock, timers, source, handedOver } = await stand(rows);
  timers.rearm(source);
  await clock.advance(1_000);
  t.same(handedOver, ["one", "two"]);
  for (let commits = 0; commits < 5; commits++) {
    timers.rearm(source);
    await clock.advance(1);
  }
  t.same(handedOver, ["one", "two"]);
  timers.consumed(fired("one"));
  timers.rearm(source);
  await clock.advance(1);
  t.same(handedOver, ["one", "two", "one"], "one that is due again, under the same arming, is another firing");
  timers.stop();
  rows["three"] = { elapsed: 1_000 };
  await clock.advance(MINUTE_MS);
  t.equal(handedOver.length, 3, "and after a stop nothing is");
});

test("K1, K2. the wall clock has been watched since the start, since it is trusted, and since a correction of more than two seconds", async (t) => {
  const { clock, hosted } = await stand({});
  const began = clock.now();
  t.equal(hosted.watchedSince(true), began);
  await clock.advance(5_000);
  t.equal(hosted.watchedSince(true), began);
  for (const small of [2_000, -2_000, 1_999]) {
    clock.jump(small);
    t.equal(hosted.watchedSince(true), began, `${String(small)} ms are a correction in a small step`);
  }
  for (const jump of [2_001, -2_001, 7_200_000]) {
    clock.jump(jump);
    const now = clock.now();
    t.equal(hosted.watchedSince(true), now, `${String(jump)} ms`);
    await clock.advance(1_000);
    t.equal(hosted.watchedSince(true), now);
  }
  const before = hosted.watchedSince(false);
  t.equal(hosted.watchedSince(false), before);
  await clock.advance(9_000);
  t.equal(hosted.watchedSince(true), clock.now(), "trusted from here on");
  await clock.advance(9_000);
  t.equal(hosted.watchedSince(true), clock.now() - 9_000);
});

test("K1. a beat that is written behind a commit which carried more puts hosted time right within 250 ms", async (t) => {
  const clock = new ManualClock();
  const store = memoryStore();
  await store.open();
  const hosted = await openHostedClock(clock, store);
  const written: number[] = [];
  const set = store.values.set.bind(store.values);
  let finish: (() => Promise<void>) | undefined;
  let isSlow = true;
  Object.assign(store.values, {
    set: async (key: string, value: Uint8Array) => {
      if (isSlow)
        await new Promise<void>((resolve) => {
          finish = async () => {
            resolve();
            await settle();
          };
        });
      written.push(Number(new TextDecoder().decode(value)));
      await set(key, value);
    },
  });
  await clock.advance(10_000);
  t.equal(written.length, 0, "a beat is under way, with the time at which it began");
  const rider = hosted.ride();
  t.equal(Number(new TextDecoder().decode(rider?.value.value)), 10_000);
  rider?.kept();
  isSlow = false;
  await finish?.();
  t.same(written, [250], "what the commit had carried is put back");
  await clock.advance(250);
  t.same(written, [250, 10_250]);
  await hosted.stop();
});
