// The vehicle's own machine: motion, buses and their mute, what its file says.

import { test } from "tap";
import { asked, moduleDesk, VEHICLE } from "../module/module-on-desk.ts";

test("motion follows what is observed, and is unknown when nobody knows", async (t) => {
  const desk = await moduleDesk();
  t.match(desk.state(VEHICLE), { motion: "unknown" });
  for (const motion of ["moving", "parked", "unknown", "parked", "moving", "unknown"]) {
    await desk.fact(VEHICLE, { type: "motion.observed", motion });
    t.match(desk.state(VEHICLE), { motion });
  }
  await desk.system.stop();
});

test("X1. A muted bus stays muted over a restart, by whose word and since when", async (t) => {
  const desk = await moduleDesk();
  t.match((await asked(desk, VEHICLE, { type: "bus.mute", bus: "can0", reason: "wiring" })).answer, { kind: "replied", value: { muted: ["can0"] } });
  t.match((await asked(desk, VEHICLE, { type: "bus.mute", bus: "__proto__" })).answer, { kind: "refused" });
  await desk.system.stop();
  const again = await moduleDesk(desk.disk, desk.clock);
  t.match(again.context(VEHICLE), { muted: { can0: { reason: "wiring", since: Number } } });
  t.match((await asked(again, VEHICLE, { type: "bus.unmute", bus: "can0" })).answer, { kind: "replied", value: { muted: [] } });
  await again.system.stop();
});

test("a bus that is down degrades the vehicle; the file's buses replace those that were", async (t) => {
  const desk = await moduleDesk();
  t.match(desk.state(VEHICLE), { health: "degraded" }, "nothing is up yet");
  await desk.fact(VEHICLE, { type: "bus.changed", bus: "can0", state: "awake" });
  t.match(desk.state(VEHICLE), { health: "ok" });
  await desk.fact(VEHICLE, { type: "vehicle.described", model: "van", buses: ["can0", "can1"], simulated: true });
  t.match(desk.context(VEHICLE), { model: "van", simulated: true, buses: { can0: "awake", can1: "down" } });
  await desk.fact(VEHICLE, { type: "vehicle.described", model: "van", buses: ["can0"], simulated: true });
  t.match([desk.context(VEHICLE), desk.state(VEHICLE)], [{ buses: { can0: "awake" } }, { health: "ok" }]);
  await desk.system.stop();
});

test("L2. The loss of its store is told in its state; the vehicle is degraded until somebody acknowledges it, and what was lost stays to be read", async (t) => {
  const desk = await moduleDesk();
  await desk.fact(VEHICLE, { type: "bus.changed", bus: "can0", state: "awake" });
  t.match(desk.state(VEHICLE), { health: "ok" });
  t.match((await asked(desk, VEHICLE, { type: "store.acknowledge" })).answer, { kind: "refused" }, "there is nothing");
  t.match(desk.context(VEHICLE), { storeLoss: null });
  await desk.fact(VEHICLE, { type: "store.moved-aside", reason: "page 3 is damaged" });
  t.match(desk.context(VEHICLE), { storeLoss: { reason: "page 3 is damaged", at: Number }, losses: { journal: { reason: "page 3 is damaged" } } });
  await desk.fact(VEHICLE, { type: "store.moved-aside", what: "telemetry", at: 5, reason: "no header" });
  t.match(
    [desk.context(VEHICLE), desk.state(VEHICLE)],
    [{ storeLoss: { reason: "page 3 is damaged" }, losses: { telemetry: { at: 5, reason: "no header" } } }, { health: "degraded" }],
  );
  t.match((await asked(desk, VEHICLE, { type: "store.acknowledge" })).answer, { kind: "replied", value: { acknowledged: ["journal", "telemetry"] } });
  t.match([desk.context(VEHICLE), desk.state(VEHICLE)], [{ storeLoss: { reason: "page 3 is damaged" } }, { health: "ok" }]);
  t.same((desk.context(VEHICLE) as { readonly losses: unknown }).losses, {});
  await desk.system.stop();
});

test("no door takes what only the node says", async (t) => {
  const desk = await moduleDesk();
  for (const type of ["motion.observed", "bus.changed", "store.moved-aside", "vehicle.described", "module.changed"])
    t.match((await asked(desk, VEHICLE, { type, motion: "parked", bus: "can0", state: "awake", reason: "x" })).answer, { kind: "invalid" }, type);
  await desk.system.stop();
});
