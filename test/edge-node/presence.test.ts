// Who speaks and who has fallen silent, told to the modules' actors in time and never one message per frame.

import { test } from "tap";
import { createEdgeNode } from "../../edge-node/index.ts";
import type { EdgeNode } from "../../edge-node/index.ts";
import type { CanFrame } from "../../protocols/can/index.ts";
import { createVirtualBus } from "../../protocols/virtual-can/index.ts";
import { type Desk, desk, rigOn, running, trailer, VEHICLES, viewOf } from "./desk.ts";

function presence(node: EdgeNode, module: string): unknown {
  return (viewOf(node, `${node.vehicle}/module/${module}`).state as { presence: string }).presence;
}

/** Sends frames in turn, each with its period, until `untilMs` of the clock. */
async function speak(at: Desk, bus: ReturnType<typeof createVirtualBus>, talkers: readonly { readonly frame: CanFrame; readonly everyMs: number }[], forMs: number): Promise<void> {
  for (let ms = 0; ms < forMs; ms += 10) {
    const due = talkers.filter(({ everyMs }) => Math.floor(ms / everyMs) !== Math.floor((ms - 10) / everyMs));
    if (due.length > 0) bus.inject(due.map(({ frame }) => frame));
    await at.clock.advance(10);
  }
}

test("a silent module of the trailer is shown silent in time, and present when it is back", async (t) => {
  const at = desk();
  const car = await trailer(at);
  t.equal(presence(car.node, "torrent-0"), "present");
  car.rig.mute("torrent-0");
  await at.clock.advance(900);
  t.equal(presence(car.node, "torrent-0"), "present", "33 ms periods: silent after 1 s");
  await at.clock.advance(300);
  t.equal(presence(car.node, "torrent-0"), "silent");
  t.match(car.vehicle(), { state: { health: "degraded" }, context: { silent: ["torrent-0"] } });
  t.equal(presence(car.node, "torrent-1"), "present");
  car.rig.unmute("torrent-0");
  await at.clock.advance(300);
  t.equal(presence(car.node, "torrent-0"), "present");
  t.match(car.vehicle(), { state: { health: "ok" }, context: { silent: [] } });
  await car.node.stop();
});

test("a silent control unit of the car is shown silent in time", async (t) => {
  const at = desk();
  const bus = createVirtualBus({ clock: at.clock, name: "can0" });
  const node = createEdgeNode({ vehicle: `${VEHICLES}rav4-01.yaml`, data: "memory", buses: { can0: () => bus.attach({ mode: "listen-only" }) } }, at.ports());
  await running(at, node.start());
  const engine = { frame: { id: 0x1c4, data: new Uint8Array(8) }, everyMs: 20 };
  const brakes = { frame: { id: 0xaa, data: new Uint8Array(8) }, everyMs: 10 };
  const steering = { frame: { id: 0x25, data: new Uint8Array(8) }, everyMs: 10 };
  await speak(at, bus, [engine, brakes, steering], 500);
  t.same([presence(node, "engine"), presence(node, "brakes"), presence(node, "steering")], ["present", "present", "present"]);
  await speak(at, bus, [brakes, steering], 1_200);
  t.same([presence(node, "engine"), presence(node, "brakes"), presence(node, "steering")], ["silent", "present", "present"]);
  await node.stop();
});

test("a silent control unit of the truck is shown silent in time, by a period that was learnt", async (t) => {
  const at = desk();
  const can1 = createVirtualBus({ clock: at.clock, name: "can1" });
  const can2 = createVirtualBus({ clock: at.clock, name: "can2" });
  const node = createEdgeNode({ vehicle: `${VEHICLES}truck-01.yaml`, data: "memory", buses: { can1: () => can1.attach(), can2: () => can2.attach() } }, at.ports());
  await running(at, node.start());
  const engine = { frame: { id: 0x0cf00400, extended: true, data: new Uint8Array(8) }, everyMs: 20 };
  const gnss = { frame: { id: 3, data: new Uint8Array(8) }, everyMs: 1_000 };
  const both = async (engines: readonly (typeof engine)[], receivers: readonly (typeof gnss)[], forMs: number): Promise<void> => {
    for (let ms = 0; ms < forMs; ms += 1_000) {
      if (receivers.length > 0) can2.inject([gnss.frame]);
      await speak(at, can1, engines, 1_000);
    }
  };
  await both([engine], [gnss], 2_000);
  t.same([presence(node, "engine"), presence(node, "aftertreatment"), presence(node, "gnss")], ["present", "unseen", "present"]);
  await both([engine], [], 4_000);
  t.equal(presence(node, "gnss"), "present", "5 s by the file");
  await both([engine], [], 2_000);
  t.equal(presence(node, "gnss"), "silent");
  await both([], [gnss], 2_000);
  t.same([presence(node, "engine"), presence(node, "gnss")], ["silent", "present"]);
  await node.stop();
});

test("a bus that goes down is one fact: its modules are not expected, and none is called silent", async (t) => {
  const at = desk();
  const car = await trailer(at);
  const facts: string[] = [];
  car.node.system.watch((change) => {
    for (const input of change.record?.inputs ?? []) if (input.kind === "message") facts.push(input.event.type);
  });
  car.source.setState({ kind: "down", reason: "unplugged" });
  await at.clock.advance(10_000);
  t.match(car.vehicle(), { state: { health: "degraded" }, context: { buses: { can0: "down" }, silent: [] } });
  t.equal(presence(car.node, "torrent-0"), "not expected");
  t.match(car.module("torrent-0").context, { excuse: /can0 is down/ });
  t.notOk(facts.includes("module.silenced"));
  t.equal(facts.filter((type) => type === "bus.changed").length, 1);
  t.equal(facts.filter((type) => type === "module.excused").length, 9, "once each");
  car.source.setState({ kind: "up" });
  await at.clock.advance(2_000);
  t.match(car.vehicle(), { state: { health: "ok" }, context: { buses: { can0: "awake" } } });
  t.equal(presence(car.node, "torrent-0"), "present");
  await car.node.stop();
});

test("a module that never speaks is silent once it had the time to", async (t) => {
  const at = desk();
  const rig = rigOn(at);
  rig.unplug("therma");
  const car = await trailer(at, rig);
  t.equal(presence(car.node, "therma"), "unseen");
  await at.clock.advance(3_000);
  t.equal(presence(car.node, "therma"), "silent");
  await car.node.stop();
});

test("V3. A value is not an event: a busy bus wakes no actor, and no value stands in a context or a journal", async (t) => {
  const at = desk();
  const car = await trailer(at);
  const { revision } = car.vehicle();
  car.rig.changeWorld({ co2Ppm: 900, cabinC: 25, freshPercent: 10 });
  await at.clock.advance(10_000);
  t.equal(car.vehicle().revision, revision, "6,000 frames, no turn");
  const entries = JSON.stringify([
    ...(await car.node.system.history(car.vehicle().address, { limit: 500, order: "oldest-first" })).items,
    ...[...car.node.system.views()].map(({ context }) => context),
  ]);
  t.notMatch(entries, /temperature|900|co2/i);
  const fresh = car.node.signals.signals(car.node.vehicle)?.find(({ name }) => name === "Cabin.CarbonDioxide");
  t.match(fresh, { quality: "good", unit: "ppm", simulated: true });
  await car.node.stop();
});
