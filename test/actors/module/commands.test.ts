// What the module's machine makes of a command, by its event and its context alone.

import { test } from "tap";
import { asked, HEATER, LAMPS, moduleDesk } from "./module-on-desk.ts";

const set = (level: number, more: object = {}): { readonly type: "light.set"; readonly output: string; readonly level: number } => ({
  type: "light.set",
  output: "left",
  level,
  ...more,
});

test("V1. A desired value is one command: confirmed by status it is gone", async (t) => {
  const desk = await moduleDesk();
  await desk.fact(LAMPS, { type: "module.seen" });
  const command = await asked(desk, LAMPS, set(80, { deadlineMs: 400, ttlMs: 3_000, command: "lamp.set" }));
  t.match(desk.transmissions, [{ class: "state", key: "1", as: "light.set", command: "lamp.set", output: "left", value: 80, deadlineMs: 400, since: Number }]);
  t.match(desk.context(LAMPS), { outputs: { left: { state: "pending", desired: { key: "1", value: 80 } } } });
  t.equal(command.answer, undefined, "its sender waits for the module's own word");
  await desk.fact(LAMPS, { type: "output.confirmed", output: "left", key: "1" });
  t.match(command.answer, { kind: "replied", value: { outcome: "confirmed", output: "left", value: 80 } });
  t.match(desk.context(LAMPS), { outputs: { left: { state: "settled", desired: undefined, last: { command: "lamp.set", outcome: "confirmed" } } } });
  await desk.system.stop();
});

test("V1. A desired value whose time ends is gone, and its sender is told", async (t) => {
  const desk = await moduleDesk();
  await desk.fact(LAMPS, { type: "module.seen" });
  const command = await asked(desk, LAMPS, set(80, { ttlMs: 3_000 }));
  await desk.clock.advance(3_100);
  t.match(command.answer, { kind: "unknown", reason: /time ended/ });
  t.match(desk.context(LAMPS), { outputs: { left: { state: "unknown", last: { outcome: "expired" } } } });
  await desk.fact(LAMPS, { type: "output.confirmed", output: "left", key: "1" });
  t.match(desk.context(LAMPS), { outputs: { left: { last: { outcome: "expired" } } } }, "a late word changes nothing");
  await desk.system.stop();
});

test("V1, V3. No value that the bus reported is kept in the context", async (t) => {
  const desk = await moduleDesk();
  await desk.fact(LAMPS, { type: "module.seen" });
  desk.reported = { value: 173, ageMs: 12 };
  await asked(desk, LAMPS, set(80));
  await desk.fact(LAMPS, { type: "output.reported", output: "left" });
  t.notMatch(JSON.stringify(desk.context(LAMPS)), /173/);
  await desk.system.stop();
});

test("V2. A toggle needs a status that the door found fresh, and is alone on its output", async (t) => {
  const desk = await moduleDesk();
  await desk.fact(LAMPS, { type: "module.seen" });
  const on = { type: "relay.set", output: "left", on: true };
  desk.reported = null;
  t.match((await asked(desk, LAMPS, on)).answer, { kind: "refused" });
  desk.reported = { value: 0, ageMs: 20 };
  await asked(desk, LAMPS, on);
  t.match((await asked(desk, LAMPS, on)).answer, { kind: "refused" }, "one is outstanding");
  t.match(desk.transmissions, [{ class: "once", value: 1 }], "a toggle's row is its attempt mark (F1)");
  t.equal(desk.transmissions.length, 1);
  await desk.fact(LAMPS, { type: "output.contended", output: "left", key: "1" });
  t.match(desk.context(LAMPS), { outputs: { left: { state: "contended", turn: 2 } } });
  await desk.system.stop();
});

test("what is so already is answered and not sent", async (t) => {
  const desk = await moduleDesk();
  await desk.fact(LAMPS, { type: "module.seen" });
  desk.reported = { value: 80, ageMs: 20 };
  t.match((await asked(desk, LAMPS, set(80))).answer, { kind: "replied", value: { outcome: "confirmed" } });
  t.same(desk.transmissions, []);
  await desk.system.stop();
});

test("X1. A guard that is false or unknown keeps every command out, also one that would change nothing", async (t) => {
  const desk = await moduleDesk();
  await desk.fact(LAMPS, { type: "module.seen" });
  for (const open of [false, undefined]) {
    desk.guardOpen = open;
    for (const value of [0, 80]) {
      desk.reported = { value, ageMs: 5 };
      t.match((await asked(desk, LAMPS, set(80))).answer, { kind: "refused", guard: { condition: "parked", open } });
    }
  }
  desk.guardOpen = true;
  desk.reported = { value: 0, ageMs: 5 };
  await asked(desk, LAMPS, set(80));
  t.equal(desk.transmissions.length, 1);
  await desk.system.stop();
});

test("V3. A no at the hand-over comes back as an input, with the guard's report", async (t) => {
  const desk = await moduleDesk();
  await desk.fact(LAMPS, { type: "module.seen" });
  desk.outcome = { kind: "refused", reason: "its guard parked is not true now", guard: { condition: "parked", open: false, reads: [] } };
  const command = await asked(desk, LAMPS, set(80));
  t.match(command.answer, { kind: "refused", reason: /parked/, guard: { condition: "parked", open: false } });
  t.match(desk.context(LAMPS), { outputs: { left: { state: "unknown", last: { outcome: "refused" } } } });
  await desk.system.stop();
});

test("F1. A hand-over of unknown outcome leaves the command waiting for a status or its end", async (t) => {
  const desk = await moduleDesk();
  await desk.fact(LAMPS, { type: "module.seen" });
  desk.outcome = { kind: "unknown", reason: "no echo" };
  const command = await asked(desk, LAMPS, set(80));
  t.match(desk.context(LAMPS), { outputs: { left: { state: "unknown", desired: { value: 80 } } } });
  t.equal(command.answer, undefined);
  await desk.fact(LAMPS, { type: "output.unconfirmed", output: "left", key: "1", reason: "no status showed it" });
  t.match(command.answer, { kind: "unknown", reason: /no status/ });
  t.equal(desk.transmissions.length, 1);
  await desk.system.stop();
});

test("F1. What no status can confirm ends with the word of its hand-over, its reason told to the sender; the output is unknown until its module reports", async (t) => {
  const desk = await moduleDesk();
  await desk.fact(LAMPS, { type: "module.seen" });
  desk.outcome = { kind: "unknown", reason: "stopped half way: sending on can0 is muted" };
  const command = await asked(desk, LAMPS, { type: "output.identify", output: "left" });
  t.match(command.answer, { kind: "unknown", reason: "stopped half way: sending on can0 is muted" });
  t.match(desk.context(LAMPS), {
    outputs: { left: { state: "unknown", desired: undefined, last: { command: "output.identify", outcome: "unknown", reason: "stopped half way: sending on can0 is muted" } } },
  });
  await desk.clock.advance(60_000);
  t.match(desk.context(LAMPS), { outputs: { left: { state: "unknown", last: { outcome: "unknown" } } } }, "its time ends nothing any more");
  await desk.fact(LAMPS, { type: "output.reported", output: "left" });
  t.match(desk.context(LAMPS), { outputs: { left: { state: "settled", turn: 0, last: { outcome: "unknown" } } } });
  t.equal(desk.transmissions.length, 1);
  await desk.system.stop();
});

test("O2. A request made against an older change of hand is superseded; one that has seen it is taken", async (t) => {
  const desk = await moduleDesk();
  await desk.fact(LAMPS, { type: "module.seen" });
  await desk.fact(LAMPS, { type: "output.reported", output: "left", foreign: true });
  t.match((await asked(desk, LAMPS, set(80, { against: 0 }))).answer, { kind: "replied", value: { outcome: "superseded" } });
  t.same(desk.transmissions, []);
  await asked(desk, LAMPS, set(80, { against: 1 }));
  t.equal(desk.transmissions.length, 1);
  await desk.system.stop();
});

test("O2. A newer command takes over from the one in force, whose sender is told", async (t) => {
  const desk = await moduleDesk();
  await desk.fact(LAMPS, { type: "module.seen" });
  const first = await asked(desk, LAMPS, set(10));
  const second = await asked(desk, LAMPS, set(20));
  t.match(first.answer, { kind: "replied", value: { outcome: "superseded", value: 10 } });
  await desk.fact(LAMPS, { type: "output.confirmed", output: "left", key: "1" });
  t.equal(second.answer, undefined, "the older one's confirmation is not its");
  await desk.fact(LAMPS, { type: "output.confirmed", output: "left", key: "2" });
  t.match(second.answer, { kind: "replied", value: { outcome: "confirmed", value: 20 } });
  await desk.system.stop();
});

test("outputs do not disturb each other, and an output that there is not takes nothing", async (t) => {
  const desk = await moduleDesk();
  await desk.fact(LAMPS, { type: "module.seen" });
  await asked(desk, LAMPS, set(10));
  await asked(desk, LAMPS, { ...set(20), output: "right" });
  t.match(desk.context(LAMPS), { outputs: { left: { desired: { value: 10 } }, right: { desired: { value: 20 } } } });
  for (const output of ["middle", "__proto__", "constructor"]) t.match((await asked(desk, LAMPS, { ...set(20), output })).answer, { kind: "refused" }, output);
  await desk.system.stop();
});

test("only a module that is there takes commands", async (t) => {
  const desk = await moduleDesk();
  t.match((await asked(desk, LAMPS, set(10))).answer, { kind: "refused", accepts: [] }, "never seen");
  await desk.fact(LAMPS, { type: "module.seen" });
  await desk.fact(LAMPS, { type: "module.silenced" });
  t.match((await asked(desk, LAMPS, set(10))).answer, { kind: "refused" }, "silent");
  await desk.fact(LAMPS, { type: "module.excused", why: "the bus is down" });
  t.match((await asked(desk, LAMPS, set(10))).answer, { kind: "refused" }, "not expected");
  t.same(desk.transmissions, []);
  await desk.system.stop();
});

test("a set point is its owner's: the request names a value, the owner's broadcast confirms it", async (t) => {
  const desk = await moduleDesk();
  await desk.fact(HEATER, { type: "module.seen" });
  const request = await asked(desk, HEATER, { type: "climate.setpoint.request", value: 21.5 });
  t.match(desk.transmissions, [{ class: "state", as: "climate.setpoint.request", output: "setpoint", value: 21.5 }]);
  await desk.fact(HEATER, { type: "output.confirmed", output: "setpoint", key: "1" });
  t.match(request.answer, { kind: "replied", value: { outcome: "confirmed", output: "setpoint", value: 21.5 } });
  t.match((await asked(desk, LAMPS, { type: "climate.setpoint.request", value: 21.5 })).answer, { kind: "invalid" }, "no other module has one");
  await desk.system.stop();
});

test("V1. What is confirmed is what the module reports: a status that is coarser than the command, or near the wish, answers with its own value", async (t) => {
  const desk = await moduleDesk();
  await desk.fact(HEATER, { type: "module.seen" });
  const request = await asked(desk, HEATER, { type: "climate.setpoint.request", value: 21.3 });
  await desk.fact(HEATER, { type: "output.confirmed", output: "setpoint", key: "1", value: 21.5 });
  t.match(request.answer, { kind: "replied", value: { outcome: "confirmed", output: "setpoint", value: 21.5 } });
  t.match(desk.context(HEATER), { outputs: { setpoint: { stands: 21.5 } } });
  desk.reported = { value: 21.5, ageMs: 5 };
  await asked(desk, HEATER, { type: "climate.setpoint.request", value: 21.53 });
  t.match(desk.transmissions, [{ value: 21.3 }, { value: 21.53 }], "near is not the same: it is sent, and the module decides");
  await desk.fact(HEATER, { type: "output.confirmed", output: "setpoint", key: "2", value: 21.5 });
  desk.reported = { value: 21.500000000000004, ageMs: 5 };
  t.match((await asked(desk, HEATER, { type: "climate.setpoint.request", value: 21.5 })).answer, { value: { outcome: "confirmed", value: 21.5 } }, "it is so already");
  t.equal(desk.transmissions.length, 2);
  await desk.system.stop();
});

test("F1, F2. After a crash what was handed over is not sent again; the command keeps its end", async (t) => {
  const desk = await moduleDesk();
  await desk.fact(LAMPS, { type: "module.seen" });
  desk.reported = { value: 0, ageMs: 10 };
  void desk.ask(LAMPS, { type: "relay.set", output: "left", on: true, ttlMs: 5_000 }, "k");
  await desk.clock.advance(1);
  t.equal(desk.transmissions.length, 1);
  // No stop: the process is gone.
  const again = await moduleDesk(desk.disk, desk.clock);
  t.same(again.transmissions, []);
  t.match(again.context(LAMPS), { outputs: { left: { desired: { value: 1 } } } });
  await again.clock.advance(6_000);
  t.match(again.context(LAMPS), { outputs: { left: { last: { outcome: "expired" } } } });
  t.match(again.system.taken(LAMPS.split("/module")[0] as never, "k"), { outcome: { kind: "accepted" }, answer: { kind: "unknown" } });
  await again.system.stop();
});
