// What a restart keeps and what it forgets: desired values are watched again, reported ones are unknown, nothing is sent for what was before.

import { test } from "tap";
import { turnTherma } from "../turned-therma.ts";
import { commandFrames, type Desk, desk, rigOn, running, trailer } from "./desk.ts";

const TORRENT = "demo/vehicle/trailer-01/module/torrent-0";
const SWITCHBACK = "demo/vehicle/trailer-01/module/switchback-0";
const THERMA = "demo/vehicle/trailer-01/module/therma";
const warmer = { type: "climate.setpoint.request", value: 23.5 };

/** A node whose frame for `warmer` was on the bus, whose module has said nothing since. */
async function stoppedMidway(): Promise<{ readonly at: Desk; readonly rig: ReturnType<typeof rigOn> }> {
  const at = desk();
  const rig = rigOn(at);
  const car = await trailer(at, rig);
  rig.mute("therma");
  await running(at, car.node.system.tell(THERMA, warmer, { id: "warmer" }));
  await at.clock.advance(100);
  await car.node.stop();
  return { at, rig };
}

test("F1, F2. A node restarted with a toggle that was handed over sends nothing, and the command ends by what its module shows then", async (t) => {
  const at = desk();
  const rig = rigOn(at);
  let car = await trailer(at, rig);
  rig.setFault("switchback-0", "ignores-commands");
  await running(at, car.node.system.tell(SWITCHBACK, { type: "relay.set", output: "pump", on: true }, { id: "r1" }));
  await at.clock.advance(100);
  t.same(commandFrames(rig), ["25:0000"]);
  await car.node.stop();
  car = await trailer(at, rig);
  t.match(car.module("switchback-0").context, { outputs: { pump: { desired: undefined, last: { outcome: "unknown", reason: /showed 0 / } } } });
  await at.clock.advance(6_000);
  t.same(commandFrames(rig), ["25:0000"]);
  t.match(
    await running(at, car.node.system.ask(SWITCHBACK, { type: "relay.set", output: "pump", on: true }, { id: "r1", withinMs: 1_000 })),
    { kind: "unknown" },
    "the same id has its one outcome",
  );
  t.same(commandFrames(rig), ["25:0000"]);
  await car.node.stop();
});

test("V1. A value still wanted after a restart is confirmed by fresh status", async (t) => {
  const at = desk();
  const rig = rigOn(at);
  let car = await trailer(at, rig);
  rig.mute("torrent-0");
  await running(at, car.node.system.tell(TORRENT, { type: "light.set", output: "galley", level: 44 }));
  await at.clock.advance(50);
  t.equal((rig.moduleState("torrent-0")["outputs"] as number[])[0], 44);
  await car.node.stop();
  rig.unmute("torrent-0");
  car = await trailer(at, rig);
  t.match(car.module("torrent-0").context, { outputs: { galley: { state: "settled", last: { outcome: "confirmed" } } } });
  t.same(commandFrames(rig), ["15:002c"]);
  await car.node.stop();
});

test("F1, F2, V1. A set point that its module ignored is unknown soon after a restart, and stays so when somebody else sets the same value", async (t) => {
  const at = desk();
  const rig = rigOn(at);
  let car = await trailer(at, rig);
  rig.setFault("therma", "ignores-commands");
  await running(at, car.node.system.tell(THERMA, warmer, { id: "warmer" }));
  await at.clock.advance(100);
  t.same(commandFrames(rig), ["41:00eb"]);
  await car.node.stop();
  rig.setFault("therma", "ignores-commands", false);
  car = await trailer(at, rig);
  const unknown = { setpoint: { state: "settled", desired: undefined, last: { outcome: "unknown", reason: /showed 20 / } } };
  t.match(car.module("therma").context, { outputs: unknown });
  t.match(await running(at, car.node.system.ask(THERMA, warmer, { id: "warmer", withinMs: 1_000 })), { kind: "unknown", reason: /^the node stopped before it was confirmed/ });
  turnTherma(rig, 23.5);
  await at.clock.advance(1_500);
  t.match(car.module("therma").context, { outputs: { setpoint: { last: { outcome: "unknown" }, stands: 23.5 } } });
  t.match(await running(at, car.node.system.ask(THERMA, warmer, { id: "warmer", withinMs: 1_000 })), { kind: "unknown" });
  t.same(commandFrames(rig), ["41:00eb"]);
  await car.node.stop();
});

test("F1, V1. A set point whose frame was on the bus before the node stopped is confirmed by what its module says first", async (t) => {
  const { at, rig } = await stoppedMidway();
  rig.unmute("therma");
  const car = await trailer(at, rig);
  t.match(await running(at, car.node.system.ask(THERMA, warmer, { id: "warmer", withinMs: 1_000 })), { kind: "replied", value: { outcome: "confirmed", value: 23.5 } });
  t.same(commandFrames(rig), ["41:00eb"]);
  await car.node.stop();
});

test("F1, F2. A set point whose frame never left is unknown after a restart, and not confirmed by what somebody else has set meanwhile", async (t) => {
  const at = desk();
  const rig = rigOn(at);
  let car = await trailer(at, rig);
  car.source.send = () => new Promise(() => undefined);
  await running(at, car.node.system.tell(THERMA, warmer, { id: "warmer" }));
  await at.clock.advance(100);
  t.match(car.module("therma").context, { outputs: { setpoint: { state: "pending" } } });
  await running(at, car.node.stop());
  turnTherma(rig, 23.5);
  await at.clock.advance(100);
  car = await trailer(at, rig);
  t.match(await running(at, car.node.system.ask(THERMA, warmer, { id: "warmer", withinMs: 1_000 })), {
    kind: "unknown",
    reason: "the node stopped before it was known whether its frame was on the bus",
  });
  t.match(car.module("therma").context, { outputs: { setpoint: { state: "settled", desired: undefined, last: { outcome: "unknown" } } } });
  t.same(commandFrames(rig), []);
  await car.node.stop();
});

test("F2. A set point is unknown soon after a restart although its module says nothing any more", async (t) => {
  const { at, rig } = await stoppedMidway();
  const car = await trailer(at, rig);
  t.match(car.module("therma").context, { outputs: { setpoint: { state: "pending" } } });
  t.match(await running(at, car.node.system.ask(THERMA, warmer, { id: "warmer", withinMs: 5_000 }), 5_000), {
    kind: "unknown",
    reason: "no status showed the wanted value in time",
  });
  await car.node.stop();
});

test("F1, F2. A node that stops in the middle of a show says so when it is back, and sends nothing for it", async (t) => {
  const at = desk();
  const rig = rigOn(at);
  let car = await trailer(at, rig);
  const show = { type: "output.identify", output: "galley" };
  await running(at, car.node.system.tell(TORRENT, show, { id: "show" }));
  await at.clock.advance(100);
  t.same(commandFrames(rig), ["15:00ff"]);
  await car.node.stop();
  car = await trailer(at, rig);
  const why = /^the node stopped before it was confirmed/;
  t.match(car.module("torrent-0").context, { outputs: { galley: { state: "settled", desired: undefined, last: { outcome: "unknown", reason: why } } } });
  t.match(await running(at, car.node.system.ask(TORRENT, show, { id: "show", withinMs: 1_000 }), 1_000), { kind: "unknown", reason: why });
  await at.clock.advance(12_000);
  t.same(commandFrames(rig), ["15:00ff"]);
  await car.node.stop();
});

test("O1, F1. A node restarted with a command past its time sends nothing", async (t) => {
  const at = desk();
  const rig = rigOn(at);
  let car = await trailer(at, rig);
  // Committed, and the process ends before the frame could be handed over.
  const bus = car.source;
  bus.send = () => new Promise(() => undefined);
  await running(at, car.node.system.tell(TORRENT, { type: "light.set", output: "galley", level: 60 }));
  await at.clock.advance(100);
  t.match(car.module("torrent-0").context, { outputs: { galley: { state: "pending" } } });
  const stopping = car.node.stop();
  await running(at, stopping);
  at.clock.jump(60_000);
  await at.clock.advance(60_000);
  car = await trailer(at, rig);
  await at.clock.advance(12_000);
  t.same(commandFrames(rig), []);
  t.match(car.module("torrent-0").context, { outputs: { galley: { last: { outcome: "unknown" } } } });
  await car.node.stop();
});

test("V1. What the bus reported is unknown after a start until it reports again", async (t) => {
  const at = desk();
  const rig = rigOn(at);
  let car = await trailer(at, rig);
  t.match(car.module("torrent-0"), { state: { presence: "present" }, context: { outputs: { galley: { state: "settled" } } } });
  await car.node.stop();
  rig.powerOff("torrent-0");
  car = await trailer(at, rig);
  t.match(car.module("torrent-0").context, { outputs: { galley: { state: "unknown" }, porch: { state: "unknown" } } });
  t.notMatch(car.module("torrent-0").state, { presence: "present" }, "nor is it there because it was there before");
  t.equal(car.node.signals.signals(car.node.vehicle)?.find(({ name }) => name === "torrent-0.galley")?.value, undefined);
  await at.clock.advance(3_000);
  t.match(car.module("torrent-0").state, { presence: "silent" });
  await car.node.stop();
});

test("V1. A bus that was down makes what it reported unknown", async (t) => {
  const at = desk();
  const car = await trailer(at);
  car.source.setState({ kind: "down", reason: "unplugged" });
  await at.clock.advance(300);
  t.match(car.module("torrent-0").context, { outputs: { galley: { state: "unknown" } } });
  t.ok(car.node.signals.signals(car.node.vehicle)?.every(({ quality }) => quality === "unknown"));
  car.source.setState({ kind: "up" });
  await at.clock.advance(1_500);
  t.match(car.module("torrent-0").context, { outputs: { galley: { state: "settled" } } });
  await car.node.stop();
});

test("the vehicle's file may change between two runs: modules, outputs and buses follow it", async (t) => {
  const at = desk();
  const rig = rigOn(at);
  let car = await trailer(at, rig);
  await running(at, car.node.system.ask(TORRENT, { type: "light.set", output: "galley", level: 3 }, { withinMs: 5_000 }));
  await car.node.stop();
  const { readFileSync } = await import("node:fs");
  const { VEHICLES } = await import("./desk.ts");
  const model = readFileSync(`${VEHICLES}trailcurrent-trailer.yaml`, "utf8")
    .replace("outputs: { 1: galley, 2: porch, 3: bed }", "outputs: { 1: galley, 4: stairs }")
    .replace(/ {2}reservoir: { use: .*\n/, "")
    .replace(/ {2}Water\..*\n/g, "");
  at.files.set(`${VEHICLES}trailcurrent-trailer@3.yaml`, model);
  at.files.set(`${VEHICLES}trailer-01.yaml`, readFileSync(`${VEHICLES}trailer-01.yaml`, "utf8").replace(/ {2}reservoir: .*\n/, ""));
  car = await trailer(at, rig);
  t.same(Object.keys((car.module("torrent-0").context as { outputs: object }).outputs).sort(), ["galley", "stairs"]);
  t.throws(() => car.module("reservoir"));
  t.match(await running(at, car.node.system.ask(TORRENT, { type: "light.set", output: "stairs", level: 8 }, { withinMs: 5_000 })), { kind: "replied" });
  t.match(await running(at, car.node.system.ask(TORRENT, { type: "light.set", output: "porch", level: 8 }, { withinMs: 5_000 })), { kind: "refused" });
  const { revision } = car.vehicle();
  await at.clock.advance(10_000);
  t.ok(car.vehicle().revision - revision <= 2, "and nothing is told again and again");
  await car.node.stop();
});
