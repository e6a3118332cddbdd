// Presence, health, identity of a module, and what its vehicle makes of them.

import { test } from "tap";
import { parseAddress } from "../../../runtime/index.ts";
import { LAMPS, moduleDesk, VEHICLE } from "./module-on-desk.ts";

test("presence: unseen, present, silent, not expected, and back", async (t) => {
  const desk = await moduleDesk();
  t.match(desk.state(LAMPS), { presence: "unseen", lifecycle: "in service", health: "ok" });
  await desk.fact(LAMPS, { type: "module.seen" });
  t.match(desk.state(LAMPS), { presence: "present" });
  await desk.fact(LAMPS, { type: "module.silenced" });
  t.match(desk.state(LAMPS), { presence: "silent" });
  t.match(desk.context(VEHICLE), { silent: ["lamps"] });
  t.match(desk.state(VEHICLE), { health: "degraded" });
  await desk.fact(LAMPS, { type: "module.excused", why: "the bus can0 is down" });
  t.match(desk.state(LAMPS), { presence: "not expected" });
  t.match(desk.context(LAMPS), { excuse: "the bus can0 is down" });
  t.match(desk.context(VEHICLE), { silent: [] }, "silence does not count then");
  await desk.fact(LAMPS, { type: "module.expected" });
  t.match(desk.state(LAMPS), { presence: "unseen" });
  t.match(desk.context(LAMPS), { excuse: null });
  await desk.system.stop();
});

test("health: the worst fault that stands decides, in the module and in the vehicle", async (t) => {
  const desk = await moduleDesk();
  await desk.fact(VEHICLE, { type: "bus.changed", bus: "can0", state: "awake" });
  const raise = (code: string, health: string): Promise<void> => desk.fact(LAMPS, { type: "fault.raised", code, health, title: "t" });
  await raise("a", "degraded");
  t.match([desk.state(LAMPS), desk.state(VEHICLE)], [{ health: "degraded" }, { health: "degraded" }]);
  await raise("b", "faulted");
  t.match([desk.state(LAMPS), desk.state(VEHICLE)], [{ health: "faulted" }, { health: "faulted" }]);
  await desk.fact(LAMPS, { type: "fault.cleared", code: "b" });
  t.match([desk.state(LAMPS), desk.state(VEHICLE)], [{ health: "degraded" }, { health: "degraded" }]);
  await desk.fact(LAMPS, { type: "fault.cleared", code: "a" });
  t.match([desk.state(LAMPS), desk.state(VEHICLE)], [{ health: "ok" }, { health: "ok" }]);
  t.match(desk.context(LAMPS), { faults: {} });
  await desk.system.stop();
});

test("a repeated fact makes no turn of its own kind", async (t) => {
  const desk = await moduleDesk();
  await desk.fact(LAMPS, { type: "module.seen" });
  const revision = desk.system.read(VEHICLE)?.revision;
  await desk.fact(LAMPS, { type: "module.seen" });
  await desk.fact(LAMPS, { type: "fault.cleared", code: "none" });
  t.equal(desk.system.read(VEHICLE)?.revision, revision);
  await desk.system.stop();
});

test("identity and description are attributes that stay over a restart", async (t) => {
  const desk = await moduleDesk();
  await desk.fact(LAMPS, { type: "module.identified", part: "mac:0A1E05", firmware: "1.4.2" });
  await desk.fact(LAMPS, { type: "module.described", bus: "can1", moduleType: null, outputs: ["left", "step"], offers: { "light.set": "light.set" } });
  await desk.system.stop();
  const again = await moduleDesk(desk.disk, desk.clock);
  t.match(again.context(LAMPS), { part: "mac:0A1E05", firmware: "1.4.2", bus: "can1", moduleType: null });
  t.same(Object.keys((again.context(LAMPS) as { outputs: object }).outputs), ["left", "step"]);
  await again.system.stop();
});

test("D4. A sender is shown the commands that the vehicle's file lists, under their names there, once the module is present", async (t) => {
  const desk = await moduleDesk();
  const shown = (): readonly string[] | undefined => desk.system.read(parseAddress(LAMPS))?.accepts;
  t.same(shown(), [], "not seen yet");
  await desk.fact(LAMPS, { type: "module.seen" });
  t.same(shown(), ["light.set", "door.light"]);
  await desk.fact(LAMPS, { type: "module.described", bus: "can0", moduleType: null, outputs: ["left"], offers: {} });
  t.same(shown(), [], "the file lists none any more, or its bus is listen-only");
  await desk.system.stop();
});

test("V1. An output of which nothing is known any more is unknown; a command in force stays", async (t) => {
  const desk = await moduleDesk();
  await desk.fact(LAMPS, { type: "module.seen" });
  await desk.fact(LAMPS, { type: "output.reported", output: "left" });
  t.match(desk.context(LAMPS), { outputs: { left: { state: "settled", turn: 0 } } });
  await desk.fact(LAMPS, { type: "output.forgotten", output: "left" });
  t.match(desk.context(LAMPS), { outputs: { left: { state: "unknown", turn: 0 } } });
  void desk.ask(LAMPS, { type: "light.set", output: "left", level: 9 });
  await desk.clock.advance(1);
  await desk.fact(LAMPS, { type: "output.forgotten", output: "left" });
  t.match(desk.context(LAMPS), { outputs: { left: { state: "pending", desired: { value: 9 } } } });
  await desk.system.stop();
});
