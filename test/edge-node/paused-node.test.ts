// A node that was stopped, or kept from running, does not take its own absence for the silence of others.

import { test } from "tap";
import { createHearing } from "../../edge-node/hearing.ts";
import { createListening } from "../../protocols/can/index.ts";
import { type Desk, desk, running, type Trailer, trailer } from "./desk.ts";
import { PausedClock } from "./paused-clock.ts";

const TORRENT = "demo/vehicle/trailer-01/module/torrent-0";
const LIGHT = (level: number): { readonly type: string; readonly output: string; readonly level: number } => ({ type: "light.set", output: "galley", level });

interface Pausable {
  readonly at: Desk;
  readonly car: Trailer;
  /** Types of the facts that were journaled. */
  readonly facts: string[];
  /** Stops the node for `ms`. @returns lets it read what the bus said meanwhile, all of it or nothing */
  readonly pauseFor: (ms: number) => Promise<(isKept: boolean) => void>;
  readonly presence: () => unknown;
}

async function pausable(): Promise<Pausable> {
  const at = desk();
  const clock = new PausedClock(at.clock);
  const ports = at.ports();
  at.ports = () => ({ ...ports, clock });
  const car = await trailer(at);
  const facts: string[] = [];
  car.node.system.watch((change) => {
    for (const input of change.record?.inputs ?? []) if (input.kind === "message") facts.push(input.event.type);
  });
  return {
    at,
    car,
    facts,
    pauseFor: async (ms) => {
      clock.pause();
      const read = car.source.hold();
      await at.clock.advance(ms);
      clock.goOn();
      return (isKept) => {
        if (!isKept) car.source.hold()();
        else read();
      };
    },
    presence: () => (car.module("torrent-0").state as { readonly presence: string }).presence,
  };
}

test("a node that was stopped for 6 s takes a command at once: its own pause is no silence of a module, whether the frames of the pause are kept or lost", async (t) => {
  for (const isKept of [true, false]) {
    const { at, car, facts, pauseFor, presence } = await pausable();
    const read = await pauseFor(6_000);
    const asked = car.node.system.ask(TORRENT, LIGHT(9), { withinMs: 2_000 });
    read(isKept);
    t.match(await running(at, asked), { kind: "replied", value: { outcome: "confirmed" } }, `kept: ${String(isKept)}`);
    await at.clock.advance(3_000);
    t.equal(presence(), "present");
    for (const untrue of ["module.silenced", "module.excused", "output.forgotten"]) t.notOk(facts.includes(untrue), untrue);
    await car.node.stop();
  }
});

test("a module that fell silent while its node was stopped is shown silent once the node has listened for its time, and the refusal says so", async (t) => {
  const { at, car, pauseFor, presence } = await pausable();
  car.rig.mute("torrent-0");
  (await pauseFor(6_000))(true);
  await at.clock.advance(700);
  t.equal(presence(), "present", "it has been listened to for less than a second");
  await at.clock.advance(600);
  t.equal(presence(), "silent");
  const refused = { kind: "refused", guard: { condition: "torrent-0 not silent", open: false, reads: [{ signal: "torrent-0", value: undefined, ageMs: Number }] } };
  t.match(await running(at, car.node.system.ask(TORRENT, LIGHT(9), { withinMs: 2_000, id: "k" })), refused);
  car.rig.unmute("torrent-0");
  await at.clock.advance(1_000);
  t.match(await running(at, car.node.system.ask(TORRENT, LIGHT(9), { withinMs: 2_000, id: "k" })), refused, "the same id has one answer");
  t.match(await running(at, car.node.system.ask(TORRENT, LIGHT(9), { withinMs: 2_000 })), { kind: "replied" });
  await car.node.stop();
});

test("the time of a pause is counted once, by whoever notices it first; a node that is always late concludes late, not never", (t) => {
  const listening = createListening();
  const hearing = createHearing(listening);
  hearing.attend(10_000);
  t.equal(listening.listenedMs(0, 10_000), 10_000, "nobody attended yet: nothing is known of a pause");
  t.ok(hearing.beat(10_000));
  t.ok(hearing.beat(10_050));
  hearing.attend(16_050);
  t.equal(listening.listenedMs(10_000, 16_050), 50);
  t.notOk(hearing.beat(16_060), "what waits is read first");
  t.ok(hearing.beat(16_110));
  t.equal(listening.listenedMs(10_000, 16_110), 110);
  t.equal(listening.listenedMs(13_000, 16_110), 60, "a frame of the middle of the pause was heard");
  t.equal(listening.reachedMs(10_000, 1_000), 17_000);
  t.same(
    [17_000, 18_000, 19_000, 20_000].map((ms) => hearing.beat(ms)),
    [false, true, false, true],
  );
  hearing.rest();
  hearing.attend(60_000);
  t.equal(listening.listenedMs(20_000, 60_000), 40_000, "nobody had to pass here");
  t.end();
});
