// Faults, motion, identity: what the bus shows, as facts with states of their own.

import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "tap";
import { desk, rigOn, running, startedAgain, trailer, VEHICLES, viewOf } from "./desk.ts";

test("a fault that a module reports stands while it stands, and makes the vehicle's health", async (t) => {
  const at = desk();
  const car = await trailer(at);
  car.rig.changeWorld({ coPpm: 120 });
  await at.clock.advance(2_500);
  t.match(car.module("borealis"), { state: { health: "degraded" }, context: { faults: { "borealis.co-warning": { health: "degraded" } } } });
  t.match(car.vehicle(), { state: { health: "degraded" }, context: { unwell: { borealis: "degraded" } } });
  car.rig.changeWorld({ coPpm: 300 });
  await at.clock.advance(2_500);
  t.match(car.module("borealis").state, { health: "faulted" });
  t.match(car.vehicle().state, { health: "faulted" });
  car.rig.changeWorld({ coPpm: 1 });
  await at.clock.advance(2_500);
  t.match(car.module("borealis"), { state: { health: "ok" }, context: { faults: {} } });
  t.match(car.vehicle().state, { health: "ok" });
  await car.node.stop();
});

test("a fault that stood before a restart stands until the module takes it back", async (t) => {
  const at = desk();
  const rig = rigOn(at);
  rig.changeWorld({ coPpm: 300 });
  let car = await trailer(at, rig);
  await at.clock.advance(2_000);
  t.match(car.module("borealis").state, { health: "faulted" });
  await car.node.stop();
  rig.changeWorld({ coPpm: 1 });
  rig.mute("borealis");
  car = await trailer(at, rig);
  t.match(car.module("borealis").state, { health: "faulted" });
  rig.unmute("borealis");
  await at.clock.advance(2_500);
  t.match(car.module("borealis"), { state: { health: "ok" }, context: { faults: {} } });
  await car.node.stop();
});

test("motion is parked by the file's condition, moving by speed, unknown without it", async (t) => {
  const at = desk();
  const rig = rigOn(at, ["bearing", "aftline"]);
  const car = await trailer(at, rig);
  t.match(car.vehicle().state, { motion: "unknown" }, "standing still is not parked yet");
  rig.drive(50);
  await at.clock.advance(2_500);
  t.match(car.vehicle().state, { motion: "moving" });
  rig.park();
  await at.clock.advance(60_000);
  t.match(car.vehicle().state, { motion: "moving" }, "a stop at a traffic light is not parking");
  await at.clock.advance(65_000);
  t.match(car.vehicle().state, { motion: "parked" });
  rig.mute("bearing");
  await at.clock.advance(10_000);
  t.match(car.vehicle().state, { motion: "unknown" });
  await car.node.stop();
});

test("V1. A restart does not carry motion over: a vehicle that drove before it and stands after it is not moving", async (t) => {
  const at = desk();
  const rig = rigOn(at, ["bearing", "aftline"]);
  const before = await trailer(at, rig);
  rig.drive(50);
  await at.clock.advance(2_500);
  t.match(before.vehicle().state, { motion: "moving" });
  await before.node.stop();
  rig.park();
  // Its speed is known before the node's first look at it, as that of a recording which begins with a standing vehicle.
  const { node } = await startedAgain(at, rig, { commitMs: 0, loadMs: 2_500 });
  const motion = () => (viewOf(node, node.vehicle).state as { readonly motion: string }).motion;
  await at.clock.advance(5_000);
  t.equal(motion(), "unknown");
  await at.clock.advance(125_000);
  t.equal(motion(), "parked");
  rig.drive(50);
  await at.clock.advance(5_000);
  t.equal(motion(), "moving");
  rig.park();
  rig.mute("bearing");
  await at.clock.advance(10_000);
  rig.unmute("bearing");
  await at.clock.advance(5_000);
  t.equal(motion(), "unknown", "nor does a gap");
  await running(at, node.stop());
});

test("a part says who it is when it boots, and its place keeps that", async (t) => {
  const at = desk();
  const files = t.testdir();
  for (const folder of ["vehicles", "data"]) cpSync(join(VEHICLES, "..", folder), join(files, folder), { recursive: true });
  const vehicle = join(files, "vehicles/trailer-01.yaml");
  const whole = readFileSync(vehicle, "utf8");
  writeFileSync(vehicle, whole.replace(/^ {2}borealis: .*\n/m, ""));
  t.not(readFileSync(vehicle, "utf8"), whole);
  const car = await trailer(at, rigOn(at), { vehicle });
  car.rig.reboot("torrent-0");
  await at.clock.advance(1_000);
  t.match(car.module("torrent-0").context, { part: "mac:0A1E05", firmware: "1.4.2" });
  t.match(car.module("borealis").context, { part: null, firmware: null }, "the file names no part for this place");
  await car.node.stop();
  const again = await trailer(at, car.rig, { vehicle });
  t.match(again.module("torrent-0").context, { part: "mac:0A1E05", firmware: "1.4.2" }, "an attribute, not a value of the bus");
  await again.node.stop();
});

test("a watch tells the vehicle's actor at its declared rate", async (t) => {
  const at = desk();
  const rig = rigOn(at, ["bearing", "aftline", "solstice"]);
  const car = await trailer(at, rig);
  let told = 0;
  const notify = car.node.system.notify.bind(car.node.system);
  car.node.system.notify = (to, event, reads) => {
    if (event.type === "signal.changed") told++;
    return notify(to, event, reads);
  };
  for (let second = 0; second < 20; second++) {
    rig.plugTrailer(second % 2 === 0);
    await at.clock.advance(200);
    rig.plugTrailer(second % 2 === 1);
    await at.clock.advance(300);
  }
  t.ok(told >= 5 && told <= 12, `Tow.Connected changed 40 times in 10 s, at most once a second was told: ${String(told)}`);
  await car.node.stop();
});

test("simulated hardware says so up to the vehicle's state", async (t) => {
  const at = desk();
  const car = await trailer(at);
  t.match(car.vehicle().context, { simulated: true });
  t.ok(car.node.signals.signals(car.node.vehicle)?.every(({ simulated }) => simulated));
  await running(at, car.node.stop());
});
