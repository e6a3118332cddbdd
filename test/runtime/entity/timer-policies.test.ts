// What becomes of timers whose time passed while nobody watched the clock (rules K1; promise S7).

import { test } from "tap";

import { actorType, entityType, type EntityType, now, reducer } from "../../../runtime/actor/index.ts";
import { parseAddress } from "../../../runtime/index.ts";
import type { TimerPolicy } from "../../../runtime/entity/contract.ts";
import { hosting } from "../system/hosting.ts";
import { EntityHost, EPOCH, words } from "../entity-host.ts";
import { assign, machine } from "../xstate/loose.ts";

const EVERY_MS = 100;

/** Notes when it ticks, by the state's own `after`. */
function ticking(policy: TimerPolicy, everyMs = EVERY_MS): EntityType {
  const behaviour = machine(
    {
      context: { ticks: [] },
      initial: "on",
      states: {
        on: { after: { EVERY: { target: "on", reenter: true, actions: assign({ ticks: ({ context, self }) => [...context.ticks, now(self as never) - EPOCH] }) } } },
      },
    },
    { delays: { EVERY: everyMs } },
  );
  const root = actorType({ name: "ticking", version: 1, messages: words(), behaviour: behaviour as never, timers: { EVERY: policy } });
  return entityType({ root, durability: "events", placement: "vehicle" });
}

const ticks = (host: EntityHost): unknown => (host.context() as { readonly ticks: unknown }).ticks;

/** Takes what is due, again and again, until nothing is. */
function takeDue(host: EntityHost, watchedSince: number): void {
  for (let count = 0; count < 100; count++) {
    const [due] = host.entity.due({ now: host.now, elapsed: host.elapsed, watchedSince });
    if (due === undefined) return;
    host.take(due);
  }
  throw new Error("timers without end");
}

/** Ticks at 100 and 200 in time; then no power from 250 to 770. */
function lived(policy: TimerPolicy): EntityHost {
  const host = new EntityHost(ticking(policy));
  host.advance(200);
  host.now += 50;
  host.elapsed += 50;
  host.restart();
  host.now += 520;
  takeDue(host, host.now);
  return host;
}

const stories: readonly (readonly [TimerPolicy, string, readonly number[], number | undefined, number | undefined])[] = [
  ["remaining", "waits out what remained", [100, 200], 50, undefined],
  ["absolute", "fires once, late, and counts from then", [100, 200, 770], undefined, 100],
  ["skip", "fires for none that was missed and keeps its rhythm", [100, 200], undefined, 30],
  [{ each: 10 }, "fires for each that was missed and keeps its rhythm", [100, 200, 770, 770, 770, 770, 770], undefined, 30],
  [{ each: 2 }, "fires for as many missed ones as it may and keeps its rhythm", [100, 200, 770, 770], undefined, 30],
  [{ each: 1 }, "fires once for all that were missed and keeps its rhythm", [100, 200, 770], undefined, 30],
];

for (const [policy, what, expected, elapsedLeft, wallLeft] of stories) {
  test(`K1. ${JSON.stringify(policy)}: a timer whose times passed without power ${what}`, (t) => {
    const host = lived(policy);
    t.same(ticks(host), expected);
    const { elapsed, wall } = host.entity.nextTimer();
    t.equal(elapsed === undefined ? undefined : elapsed - host.elapsed, elapsedLeft);
    t.equal(wall === undefined ? undefined : wall - host.now, wallLeft);
    t.same(host.restart({ by: "journal" }).divergences, [], "and a replay comes to the same");
    t.same(ticks(host), expected);
    t.end();
  });
}

test("K1. a timer with a rhythm does not drift, and a stall of the node is caught up with as its policy says", (t) => {
  for (const [policy, expected] of [
    ["skip", [110, 210, 660, 700]],
    [{ each: 2 }, [110, 210, 660, 660, 660, 700]],
    ["absolute", [110, 210, 660]],
  ] as const) {
    const host = new EntityHost(ticking(policy));
    const at = (ms: number): void => {
      host.now = EPOCH + ms;
      takeDue(host, EPOCH);
    };
    for (const ms of [110, 210, 220, 660, 700]) at(ms);
    t.same(ticks(host), expected, JSON.stringify(policy));
  }
  t.end();
});

test("K1. a timer more than a minute late was missed, whatever kept it", (t) => {
  const host = new EntityHost(ticking("skip"));
  host.now = EPOCH + 60_050;
  t.match(host.entity.due({ now: host.now, elapsed: 0, watchedSince: 0 }), [{ kind: "timer" }]);
  t.equal((host.entity.due({ now: host.now, elapsed: 0, watchedSince: 0 })[0] as { missed?: true }).missed, undefined);
  host.now += 100;
  t.match(host.entity.due({ now: host.now, elapsed: 0, watchedSince: 0 }), [{ missed: true }]);
  t.end();
});

test("K1, P2. a rhythm whose period is too short to be added to a time goes on, late or not, as one of none", (t) => {
  for (const everyMs of [Number.MIN_VALUE, 1e-300, 1e-9, 0])
    for (const policy of ["skip", { each: 1 }] as const) {
      const host = new EntityHost(ticking(policy, everyMs));
      for (const ms of [10, 20, 500]) {
        host.now = EPOCH + ms;
        const [due] = host.entity.due({ now: host.now, elapsed: 0, watchedSince: EPOCH });
        if (due !== undefined) host.take(due);
      }
      const what = `${JSON.stringify(policy)}, every ${String(everyMs)} ms`;
      t.same(ticks(host), [10, 20, 500], what);
      t.ok((host.entity.nextTimer().wall ?? Number.NaN) <= host.now, what);
      // Missed.
      host.now += 120_000;
      const [due] = host.entity.due({ now: host.now, elapsed: 0, watchedSince: host.now });
      if (due !== undefined) host.take(due);
      t.same(ticks(host), policy === "skip" ? [10, 20, 500] : [10, 20, 500, 120_500], what);
      t.not(host.entity.nextTimer().wall, Number.POSITIVE_INFINITY, what);
    }
  t.end();
});

test("K1, P3. a rhythm behind whose next time the wall clock was set back by more than a period goes on with the first time that lies ahead, and fires for none before", (t) => {
  for (const policy of ["skip", { each: 2 }] as const)
    for (const [backMs, next] of [
      [3_610_000, -3_480_000],
      [3_600_000, -3_420_000],
      [62_001, 60_000],
    ] as const) {
      const host = new EntityHost(ticking(policy, 60_000));
      host.advance(120_000);
      host.now -= backMs;
      const what = `${JSON.stringify(policy)}, ${String(backMs)} ms`;
      const { setBackBefore } = host.entity.nextTimer();
      t.ok(setBackBefore !== undefined && setBackBefore > host.now, what);
      t.same(host.entity.due({ now: host.now, elapsed: host.elapsed, wallTrusted: false }), [], "K1. a clock that is not trusted was not set back");
      takeDue(host, host.now);
      t.same(ticks(host), [60_000, 120_000], what);
      t.equal((host.entity.nextTimer().wall ?? 0) - EPOCH, next, what);
      const waitMs = next - (host.now - EPOCH);
      host.advance(waitMs - 1);
      t.same(ticks(host), [60_000, 120_000], what);
      host.advance(60_001);
      t.same(ticks(host), [60_000, 120_000, next, next + 60_000], what);
      t.same(host.restart({ by: "journal" }).divergences, [], "and a replay comes to the same");
      t.same(ticks(host), [60_000, 120_000, next, next + 60_000], what);
    }
  t.end();
});

test("K1, P3. where the clock was set back by less than a period, in small steps, or for a timer without rhythm, what is armed stands", (t) => {
  for (const [policy, everyMs, backMs] of [
    ["skip", 60_000, 1_999],
    [{ each: 2 }, 100, 1_999],
    ["absolute", 60_000, 3_600_000],
    ["remaining", 60_000, 3_600_000],
    ["skip", 1e16, 3_600_000],
    ["skip", 1e19, 3_600_000],
    ["skip", 0.1, 1_000],
  ] as const) {
    const host = new EntityHost(ticking(policy, everyMs));
    const { elapsed, wall } = host.entity.nextTimer();
    host.now -= backMs;
    const what = `${JSON.stringify(policy)}, every ${String(everyMs)} ms`;
    t.ok((host.entity.nextTimer().setBackBefore ?? Number.NEGATIVE_INFINITY) <= host.now, what);
    t.same(host.entity.due({ now: host.now, elapsed: host.elapsed }), [], what);
    t.match(host.entity.nextTimer(), { elapsed, wall }, what);
  }
  t.end();
});

test("K1, P3. a clock that comes back before a rhythm was put right lets it fire in time, not before", (t) => {
  for (const policy of ["skip", { each: 2 }] as const) {
    const host = new EntityHost(ticking(policy, 60_000));
    host.now -= 3_600_000;
    const [due] = host.entity.due({ now: host.now, elapsed: 0 });
    t.match(due, { kind: "timer", missed: true });
    host.now += 3_600_000;
    if (due !== undefined) host.take(due);
    t.same(ticks(host), []);
    host.advance(60_000);
    t.same(ticks(host), [60_000], JSON.stringify(policy));
  }
  t.end();
});

test("K1, P2, P3. a period too short to be added to a time goes on at once where the clock was set back", (t) => {
  for (const everyMs of [0, 1e-300, 1e-9])
    for (const policy of ["skip", { each: 1 }] as const) {
      const host = new EntityHost(ticking(policy, everyMs));
      host.now -= 3_600_000;
      for (let count = 0; count < 2; count++) {
        const [due] = host.entity.due({ now: host.now, elapsed: 0, watchedSince: host.now });
        if (due !== undefined) host.take(due);
      }
      t.same(ticks(host), [-3_600_000], `${JSON.stringify(policy)}, every ${String(everyMs)} ms`);
    }
  t.end();
});

test("K1. an unknown delay, a policy of a reducer's type and a count that is none are refused", (t) => {
  const behaviour = machine({ initial: "on", states: { on: { after: { EVERY: "on" } } } }, { delays: { EVERY: 1 } });
  const make =
    (timers: Readonly<Record<string, TimerPolicy>>, of: object = behaviour) =>
    (): unknown =>
      actorType({ name: "ticking", version: 1, messages: words(), behaviour: of as never, timers });
  t.throws(make({ NEVER: "skip" }), { code: "DROVER_TYPE_INVALID", message: /"NEVER"/ });
  for (const each of [0, 1.5, Number.NaN]) t.throws(make({ EVERY: { each } }), { code: "DROVER_TYPE_INVALID", message: /EVERY.each/ });
  t.throws(make({ EVERY: "skip" }, reducer({ initial: () => 0, step: (state) => state })), { code: "DROVER_TYPE_INVALID", message: /reducer/ });
  t.end();
});

test("K1. a reducer that arms with what is no policy has failed, and says what it gave", async (t) => {
  const messages = words("ARM");
  for (const [policy, problem] of [
    ["skipp", /^policy of the timer "beat": the text "skipp" stands here .*did you mean "skip"\?\)$/],
    [null, /^policy of the timer "beat": nothing stands here /],
    [{ each: 0 }, /^policy of the timer "beat"\.each: the number 0 stands here /],
    [{ each: -1 }, /^policy of the timer "beat"\.each: the number -1 stands here /],
  ] as const) {
    const behaviour = reducer<number, { readonly type: string }>({
      initial: () => 0,
      step: (armed, _, turn) => {
        turn.arm("beat", 60_000, { type: "ARM" }, { policy: policy as never });
        return armed + 1;
      },
    });
    const { system } = await hosting({ types: [entityType({ root: actorType({ name: "beating", version: 1, messages, behaviour }), durability: "events", placement: "cloud" })] });
    const one = parseAddress("acme/beating/one");
    await system.activate(one, { input: undefined });
    const told = await system.tell(one, { type: "ARM" });
    t.equal(told.kind, "refused");
    t.match("reason" in told ? told.reason.replace("set aside after 3 failures: ", "") : "", problem);
    t.equal(system.read(one)?.context, 0);
    await system.stop();
  }
});

test("K1. a node knows what it has not watched: the time before its start, before its clock was trusted, and what the clock jumped over", async (t) => {
  const beat = reducer<{ readonly beats: number }, { readonly type: string }>({
    initial: (_, turn) => {
      turn.arm("beat", 60_000, { type: "BEAT" }, { policy: "skip" });
      return { beats: 0 };
    },
    step: ({ beats }, _, turn) => {
      turn.arm("beat", 60_000, { type: "BEAT" }, { policy: "skip" });
      return { beats: beats + 1 };
    },
  });
  const types = [entityType({ root: actorType({ name: "beating", version: 1, messages: words("BEAT"), behaviour: beat }), durability: "events", placement: "cloud" })];
  const ACTOR = "acme/beating/one" as never;
  const first = await hosting({ types });
  const { clock, disk } = first;
  const beats = (host: typeof first): unknown => (host.system.read(ACTOR)?.context as { readonly beats: number } | undefined)?.beats;
  await first.system.activate(ACTOR, { input: undefined });
  await clock.advance(121_000);
  t.equal(beats(first), 2);
  await first.system.stop();
  await clock.advance(200_000);
  const second = await hosting({ types, disk, clock });
  await second.system.activate(ACTOR, { input: undefined });
  await clock.advance(1_000);
  t.equal(beats(second), 2, "what passed without it is skipped");
  await clock.advance(40_000);
  t.equal(beats(second), 3, "and the rhythm goes on, 360 s after its beginning");
  clock.jump(3_600_000);
  await clock.advance(119_000);
  t.equal(beats(second), 4, "the hour that was jumped over is skipped, once the clock was looked at; then the rhythm of minutes goes on");
  await second.system.stop();
});
