// Commands on the trailer's outputs, from the door to the module's own status, on the simulated rig in virtual time.

import { test } from "tap";
import { form } from "../forms.ts";
import type { Answer } from "../../runtime/index.ts";
import { commandFrames, type Desk, desk, running, type Trailer, trailer } from "./desk.ts";

const TORRENT = "demo/vehicle/trailer-01/module/torrent-0";
const SWITCHBACK = "demo/vehicle/trailer-01/module/switchback-0";
const THERMA = "demo/vehicle/trailer-01/module/therma";

function ask(
  at: Desk,
  { node }: Trailer,
  to: string,
  event: { readonly type: string; readonly [field: string]: unknown },
  more: { readonly id?: string; readonly author?: string } = {},
): Promise<Answer> {
  return running(at, node.system.ask(to, event, { withinMs: 9_000, ...more }), 10_000);
}

function outputs(
  of: Trailer,
  module: string,
): Readonly<Record<string, { readonly state: string; readonly turn: number; readonly desired?: unknown; readonly last?: { readonly outcome: string } }>> {
  return (of.module(module).context as { outputs: never }).outputs;
}

test("light.set changes the lamp and answers after the module's own status frame", async (t) => {
  const at = desk();
  const car = await trailer(at);
  t.same(await ask(at, car, TORRENT, { type: "light.set", output: "galley", level: 120 }), { kind: "replied", value: { outcome: "confirmed", output: "galley", value: 120 } });
  t.same(car.rig.moduleState("torrent-0")["outputs"], [120, 0, 0, 0, 0, 0, 0, 0]);
  t.same(commandFrames(car.rig), ["15:0078"]);
  t.match(outputs(car, "torrent-0")["galley"], { state: "settled", last: { outcome: "confirmed" } });
  await car.node.stop();
});

test("sent twice with one id a command acts once and answers the same; another body under the id is refused", async (t) => {
  const at = desk();
  const car = await trailer(at);
  const first = await ask(at, car, TORRENT, { type: "light.set", output: "galley", level: 50 }, { id: "k1" });
  t.same(await ask(at, car, TORRENT, { type: "light.set", output: "galley", level: 50 }, { id: "k1" }), first);
  t.match(await ask(at, car, TORRENT, { type: "light.set", output: "galley", level: 51 }, { id: "k1" }), { kind: "id-reused" });
  t.same(commandFrames(car.rig), ["15:0032"]);
  await car.node.stop();
});

test("a command that finds the output so already is confirmed without a frame", async (t) => {
  const at = desk();
  const car = await trailer(at);
  t.match(await ask(at, car, TORRENT, { type: "light.set", output: "galley", level: 0 }), { kind: "replied", value: { outcome: "confirmed" } });
  t.same(commandFrames(car.rig), []);
  await car.node.stop();
});

test("V1, X1. A set point between two steps of what the frame can say is refused; what is confirmed is the module's own value", async (t) => {
  const at = desk();
  const car = await trailer(at);
  const request = (value: number): Promise<unknown> => ask(at, car, THERMA, { type: "climate.setpoint.request", value });
  t.match(await request(21.5), { kind: "replied", value: { outcome: "confirmed", value: 21.5 } });
  const frames = commandFrames(car.rig);
  for (const value of [21.537, 21.53, 21.54, 21.4999, 21.501])
    t.match(await request(value), { kind: "invalid", problems: [{ path: "/value", message: /between two steps of 0\.1: 21\.[45] or 21\.[56] can be set/ }] }, String(value));
  t.same(commandFrames(car.rig), frames, "nothing was sent");
  t.match(await request(21.5), { kind: "replied", value: { outcome: "confirmed", value: 21.5 } }, "it is so already");
  t.match(await request(21.400000000000002), { kind: "replied", value: { outcome: "confirmed", value: 21.400000000000002 } }, "what arithmetic leaves is no other step");
  for (const value of [5, 35, 19.9, 7.1, 30.3]) t.match(await request(value), { kind: "replied", value: { outcome: "confirmed", value } }, String(value));
  t.match(outputs(car, "therma")["setpoint"], { stands: 30.3, last: { outcome: "confirmed" } });
  await car.node.stop();
});

test("V2, S8. A relay is toggled once, on a fresh status, and confirmed by a status at least a period after our frame", async (t) => {
  const at = desk();
  const car = await trailer(at);
  const before = at.clock.monotonic();
  t.match(await ask(at, car, SWITCHBACK, { type: "relay.set", output: "pump", on: true }), { kind: "replied", value: { outcome: "confirmed", value: 1 } });
  t.ok(at.clock.monotonic() - before >= 33, "not by the status that was on its way");
  t.match(await ask(at, car, SWITCHBACK, { type: "relay.set", output: "pump", on: true }), { kind: "replied", value: { outcome: "confirmed" } });
  t.same(commandFrames(car.rig), ["25:0000"], "the second found it so");
  t.match(await ask(at, car, SWITCHBACK, { type: "relay.set", output: "pump", on: false }), { kind: "replied", value: { outcome: "confirmed", value: 0 } });
  t.same(commandFrames(car.rig), ["25:0000", "25:0000"]);
  await car.node.stop();
});

test("V2. While a toggle waits for its answer no other leaves for that relay", async (t) => {
  const at = desk();
  const car = await trailer(at);
  car.rig.setFault("switchback-0", "ignores-commands");
  const waiting = car.node.system.ask(SWITCHBACK, { type: "relay.set", output: "pump", on: true }, { withinMs: 9_000 });
  await at.clock.advance(200);
  t.match(await ask(at, car, SWITCHBACK, { type: "relay.set", output: "pump", on: true }), { kind: "refused" });
  t.match(await running(at, waiting), { kind: "unknown", reason: /no status/ });
  t.same(commandFrames(car.rig), ["25:0000"], "one frame, and none again");
  await car.node.stop();
});

test("V2, S8. Without an answer nothing is sent again: the outcome is unknown, and the next status tells how the relay stands", async (t) => {
  const at = desk();
  const car = await trailer(at);
  car.rig.setFault("switchback-0", "toggles-twice");
  t.match(await ask(at, car, SWITCHBACK, { type: "relay.set", output: "pump", on: true }), { kind: "unknown" });
  await at.clock.advance(3_000);
  t.same(commandFrames(car.rig), ["25:0000"]);
  t.match(outputs(car, "switchback-0")["pump"], { state: "settled", last: { outcome: "unknown" } });
  t.notOk(outputs(car, "switchback-0")["pump"]?.desired, "nothing is wanted any more");
  await car.node.stop();
});

test("V2. A foreign toggle between our frame and its answer makes the command contended", async (t) => {
  const at = desk();
  const car = await trailer(at);
  const waiting = car.node.system.ask(SWITCHBACK, { type: "relay.set", output: "pump", on: true }, { withinMs: 9_000 });
  for (let ms = 0; ms < 500 && commandFrames(car.rig).length === 0; ms++) await at.clock.advance(1);
  car.rig.wallButton("switchback-0", 0, "bus");
  t.match(await running(at, waiting), { kind: "unknown", reason: /somebody else/ }, "its frame left and may have acted: nobody is told that nothing was taken");
  t.same(commandFrames(car.rig), ["25:0000"]);
  t.match(outputs(car, "switchback-0")["pump"], { last: { outcome: "contended" }, turn: 2 });
  await car.node.stop();
});

test("V2. While one switch of a relay is open another is refused, and says why", async (t) => {
  const at = desk();
  const car = await trailer(at);
  const first = car.node.system.ask(SWITCHBACK, { type: "relay.set", output: "pump", on: true }, { withinMs: 9_000 });
  for (let ms = 0; ms < 500 && commandFrames(car.rig).length === 0; ms++) await at.clock.advance(1);
  const second = car.node.system.ask(SWITCHBACK, { type: "relay.set", output: "pump", on: false }, { withinMs: 9_000 });
  t.match(await running(at, second), { kind: "refused", guard: { condition: "no other switch of pump open", open: false } });
  t.match(await running(at, first), { kind: "replied", value: { outcome: "confirmed" } });
  t.same(commandFrames(car.rig), ["25:0000"]);
  await car.node.stop();
});

test("V2. A relay of which no fresh status is known is not toggled", async (t) => {
  const at = desk();
  const car = await trailer(at);
  car.rig.mute("switchback-0");
  await at.clock.advance(200);
  t.match(car.module("switchback-0").state, { presence: "present" }, "it is not called silent yet");
  const why = { condition: "status of pump fresh", open: undefined, reads: [{ value: undefined, ageMs: Number }] };
  t.match(await ask(at, car, SWITCHBACK, { type: "relay.set", output: "pump", on: true }), { kind: "refused", guard: why });
  t.same(commandFrames(car.rig), []);
  await car.node.stop();
});

test("O2. A switch pressed by a person wins and stays: an older request is superseded, its sender told", async (t) => {
  const at = desk();
  const car = await trailer(at);
  await ask(at, car, TORRENT, { type: "light.set", output: "galley", level: 200 });
  car.rig.wallButton("torrent-0", 0, "bus");
  await at.clock.advance(500);
  t.match(outputs(car, "torrent-0")["galley"], { state: "settled", turn: 2 }, "two hands: the command that was made here, and the press");
  t.match(await ask(at, car, TORRENT, { type: "light.set", output: "galley", level: 200, against: 1 }), { kind: "replied", value: { outcome: "superseded" } });
  await at.clock.advance(2_000);
  t.same(car.rig.moduleState("torrent-0")["outputs"], [0, 0, 0, 0, 0, 0, 0, 0]);
  t.match(
    await ask(at, car, TORRENT, { type: "light.set", output: "galley", level: 9, against: 2 }),
    { kind: "replied", value: { outcome: "confirmed" } },
    "who has seen the press may go on",
  );
  await car.node.stop();
});

test("O2. What was asked for from afar does not undo what somebody at the vehicle has set since, also where it was so already", async (t) => {
  const at = desk();
  const car = await trailer(at);
  const setpoint = (): number => car.rig.moduleState("therma")["setpointC"] as number;
  const wish = (value: number, against?: number): Promise<unknown> =>
    ask(at, car, THERMA, { type: "climate.setpoint.request", value, ...(against === undefined ? {} : { against }) });
  for (const value of [20, 18, 24]) t.match(await wish(value, 0), { kind: "replied", value: { outcome: "confirmed", value } }, "from afar they follow each other");
  t.match(await wish(25), { kind: "replied", value: { outcome: "confirmed", value: 25 } });
  t.match(await wish(18, 0), { kind: "replied", value: { outcome: "superseded" } });
  t.equal(setpoint(), 25);
  t.match(await wish(19, 1), { kind: "replied", value: { outcome: "confirmed" } }, "who has seen it may go on");
  t.match(await wish(19), { kind: "replied", value: { outcome: "confirmed" } }, "it is so already");
  t.match(await wish(30, 1), { kind: "replied", value: { outcome: "superseded" } });
  t.equal(setpoint(), 19);
  await car.node.stop();
});

test("a switch wired to the module itself is seen by its status alone", async (t) => {
  const at = desk();
  const car = await trailer(at);
  car.rig.wallButton("torrent-0", 1, "local");
  await at.clock.advance(500);
  t.match(outputs(car, "torrent-0"), { porch: { state: "settled", turn: 1 }, galley: { turn: 0 } });
  await car.node.stop();
});

test("O2. A change that is not what our command wanted is somebody else's, also while that waits", async (t) => {
  const at = desk();
  const car = await trailer(at);
  car.rig.setFault("torrent-0", "ignores-commands");
  const waiting = car.node.system.ask(TORRENT, { type: "light.set", output: "galley", level: 30 }, { withinMs: 9_000 });
  await at.clock.advance(200);
  car.rig.wallButton("torrent-0", 0, "local");
  await at.clock.advance(300);
  t.match(outputs(car, "torrent-0")["galley"], { state: "pending", turn: 2 });
  t.match(await running(at, waiting), { kind: "unknown" });
  await car.node.stop();
});

test("V1. A set point is requested of its owner and confirmed by what the owner broadcasts", async (t) => {
  const at = desk();
  const car = await trailer(at);
  t.match(await ask(at, car, THERMA, { type: "climate.setpoint.request", value: 21.5 }), { kind: "replied", value: { outcome: "confirmed", value: 21.5 } });
  t.equal(car.rig.moduleState("therma")["setpointC"], 21.5);
  car.rig.setFault("therma", "ignores-commands");
  t.match(await ask(at, car, THERMA, { type: "climate.setpoint.request", value: 19 }), { kind: "unknown" });
  t.match(car.module("therma").context, { outputs: { setpoint: { last: { outcome: "unknown" } } } });
  await car.node.stop();
});

test("a newer level takes over from one that is not confirmed yet, whose sender is told", async (t) => {
  const at = desk();
  const car = await trailer(at);
  const first = car.node.system.ask(TORRENT, { type: "light.set", output: "galley", level: 30 }, { withinMs: 5_000 });
  const second = car.node.system.ask(TORRENT, { type: "light.set", output: "galley", level: 60 }, { withinMs: 5_000 });
  t.match(await running(at, Promise.all([first, second])), [
    { kind: "replied", value: { outcome: "superseded", value: 30 } },
    { kind: "replied", value: { outcome: "confirmed", value: 60 } },
  ]);
  t.equal((car.rig.moduleState("torrent-0")["outputs"] as number[])[0], 60);
  await car.node.stop();
});

test("identify shows the output to a person and puts back what it was", async (t) => {
  const at = desk();
  const car = await trailer(at);
  await ask(at, car, TORRENT, { type: "light.set", output: "galley", level: 80 });
  t.match(await ask(at, car, TORRENT, { type: "output.identify", output: "galley" }), { kind: "replied", value: { outcome: "done" } });
  t.same(commandFrames(car.rig), ["15:0050", "15:00ff", "15:0000", "15:00ff", "15:0000", "15:0050"]);
  await at.clock.advance(500);
  t.match(outputs(car, "torrent-0")["galley"], { state: "settled", turn: 1 }, "none of it was somebody else's");
  await car.node.stop();
});

test("O2. A switch that a person presses while an output is shown wins: the show ends there, nothing is put back, and the sender is not told that it was done", async (t) => {
  for (const via of ["local", "bus"] as const)
    for (const pressAtMs of form([150, 650, 1_300, 1_550], [150, 300, 450, 650, 850, 1_050, 1_300, 1_550, 1_700])) {
      const at = desk();
      const car = await trailer(at);
      const lamp = (): number | undefined => (car.rig.moduleState("torrent-0")["outputs"] as number[])[0];
      await ask(at, car, TORRENT, { type: "light.set", output: "galley", level: 80 });
      const shown = car.node.system.ask(TORRENT, { type: "output.identify", output: "galley" }, { withinMs: 9_000 });
      await at.clock.advance(pressAtMs);
      car.rig.wallButton("torrent-0", 0, via);
      await at.clock.advance(5);
      const pressed = lamp();
      const answer = await running(at, shown);
      await at.clock.advance(3_000);
      t.equal(lamp(), pressed, `${via} ${String(pressAtMs)} ms`);
      if (pressAtMs < 1_600) t.match(answer, { kind: "unknown" }, `${via} ${String(pressAtMs)} ms`);
      await car.node.stop();
    }
});

test("identify stops where another command takes the output", async (t) => {
  const at = desk();
  const car = await trailer(at);
  const shown = car.node.system.ask(TORRENT, { type: "output.identify", output: "galley" }, { withinMs: 9_000 });
  await at.clock.advance(600);
  t.match(await ask(at, car, TORRENT, { type: "light.set", output: "galley", level: 5 }), { kind: "replied", value: { outcome: "confirmed" } });
  t.match(await running(at, shown), { kind: "replied", value: { outcome: "done" } });
  await at.clock.advance(2_000);
  t.equal((car.rig.moduleState("torrent-0")["outputs"] as number[])[0], 5);
  await car.node.stop();
});

test("F1. A frame that found no acknowledgement in time is unknown, and is not sent again", async (t) => {
  const at = desk();
  const car = await trailer(at);
  car.rig.noAcknowledgement("clients");
  t.match(await ask(at, car, TORRENT, { type: "light.set", output: "galley", level: 77 }), { kind: "unknown" });
  car.rig.noAcknowledgement("none");
  await at.clock.advance(12_000);
  t.same(commandFrames(car.rig), []);
  t.notOk(outputs(car, "torrent-0")["galley"]?.desired);
  await car.node.stop();
});

test("F2. A module that goes while a command waits leaves its sender with an answer", async (t) => {
  const at = desk();
  const car = await trailer(at);
  car.rig.setFault("torrent-0", "ignores-commands");
  const waiting = car.node.system.ask(TORRENT, { type: "light.set", output: "galley", level: 77 }, { withinMs: 9_000 });
  await at.clock.advance(100);
  car.rig.powerOff("torrent-0");
  t.match(await running(at, waiting), { kind: "unknown" });
  await at.clock.advance(1_000);
  t.match(car.module("torrent-0").state, { presence: "silent" });
  t.match(await ask(at, car, TORRENT, { type: "light.set", output: "galley", level: 78 }), { kind: "refused" }, "a module that is not there takes no command");
  await car.node.stop();
});
