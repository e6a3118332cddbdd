// What the door makes of a word of the vehicle's file, and what it refuses before anything is journaled.

import { test } from "tap";
import { createEdgeNode } from "../../edge-node/index.ts";
import { createVirtualBus } from "../../protocols/virtual-can/index.ts";
import { parseAddress } from "../../runtime/index.ts";
import { commandFrames, type Desk, desk, rigOn, running, startedAgain, type Trailer, trailer, VEHICLES, viewOf } from "./desk.ts";

const VEHICLE = "demo/vehicle/trailer-01";

function tell(at: Desk, { node }: Pick<Trailer, "node">, to: string, event: { readonly type: string; readonly [field: string]: unknown }, id?: string): Promise<unknown> {
  return running(at, node.system.tell(to, event, { withinMs: 2_000, ...(id === undefined ? {} : { id }) }));
}

async function history(car: Pick<Trailer, "node">, to: string): Promise<string> {
  return JSON.stringify(await car.node.system.history(viewOf(car.node, to).address, { limit: 100, order: "oldest-first" }));
}

test("X1. What the file does not list is refused with what it lists", async (t) => {
  const at = desk();
  const car = await trailer(at);
  t.match(await tell(at, car, `${VEHICLE}/module/switchback-0`, { type: "light.set", output: "pump", level: 1 }), {
    kind: "refused",
    reason: /does not list "light.set" for switchback-0; it lists relay.set, awning.set/,
    accepts: ["relay.set", "awning.set"],
  });
  t.same(viewOf(car.node, `${VEHICLE}/module/switchback-0`).accepts, ["relay.set", "awning.set"], "so does the actor itself");
  t.same(viewOf(car.node, `${VEHICLE}/module/borealis`).accepts, []);
  t.match(await tell(at, car, `${VEHICLE}/module/borealis`, { type: "light.set", output: "x", level: 1 }), { kind: "refused", reason: /it lists none/ });
  t.match(await tell(at, car, `${VEHICLE}/module/torrent-0`, { type: "light.set", output: "attic", level: 1 }), { kind: "refused", reason: /galley, porch, bed/ });
  t.match(await tell(at, car, VEHICLE, { type: "update.start" }), { kind: "invalid" }, "a command of a later version is no word yet");
  t.same(commandFrames(car.rig), []);
  await car.node.stop();
});

test("X1. A value outside of the file's range, or of the wrong kind, never leaves", async (t) => {
  const at = desk();
  const car = await trailer(at);
  const torrent = `${VEHICLE}/module/torrent-0`;
  t.match(await tell(at, car, torrent, { type: "light.set", output: "galley", level: 300 }), { kind: "invalid", problems: [{ path: "/level" }] });
  t.match(await tell(at, car, torrent, { type: "light.set", output: "galley", level: "1" }), { kind: "invalid", problems: [{ path: "/level" }] });
  t.match(await tell(at, car, torrent, { type: "light.set", output: ["galley"], level: 1 }), { kind: "refused" });
  t.match(await tell(at, car, torrent, { type: "light.set", output: "galley", level: 1, colour: "red" }), { kind: "invalid", problems: [{ path: "/colour" }] });
  t.match(await tell(at, car, torrent, { type: "light.set", output: "galley", level: 1, deadlineMs: "soon" }), { kind: "invalid", problems: [{ path: "/deadlineMs" }] });
  t.match(await tell(at, car, torrent, { type: "light.set", output: "galley", level: 1, deadlineMs: -5 }), { kind: "invalid", problems: [{ path: "/deadlineMs" }] });
  t.match(await tell(at, car, `${VEHICLE}/module/therma`, { type: "climate.setpoint.request", value: 40 }), {
    kind: "invalid",
    problems: [{ path: "/value", message: /5 to 35/ }],
  });
  t.match(await tell(at, car, torrent, { type: "output.reported", output: "galley" }), { kind: "invalid" }, "facts come from the bus alone");
  t.same(commandFrames(car.rig), []);
  await car.node.stop();
});

test("a sender tightens times and never loosens them", async (t) => {
  const at = desk();
  const car = await trailer(at);
  const seen: Record<string, unknown>[] = [];
  car.node.system.watch((change) => {
    for (const input of change.record?.inputs ?? []) if (input.kind === "message" && input.event.type === "light.set") seen.push(input.event);
  });
  const torrent = `${VEHICLE}/module/torrent-0`;
  await tell(at, car, torrent, { type: "light.set", output: "galley", level: 1 });
  await tell(at, car, torrent, { type: "light.set", output: "galley", level: 2, deadlineMs: 100, ttlMs: 2_000 });
  await tell(at, car, torrent, { type: "light.set", output: "galley", level: 3, deadlineMs: 60_000, ttlMs: 600_000 });
  t.match(seen, [
    { deadlineMs: 500, ttlMs: 10_000, command: "light.set" },
    { deadlineMs: 100, ttlMs: 2_000 },
    { deadlineMs: 500, ttlMs: 10_000 },
  ]);
  await car.node.stop();
});

test("a command of the file is known by its name, by its type's word, and at the vehicle's own address where one module is meant", async (t) => {
  const at = desk();
  const rig = rigOn(at, ["bearing", "aftline", "switchback-0", "torrent-1"]);
  rig.changeWorld({ speedKph: 0, plugged: false });
  const car = await trailer(at, rig);
  await at.clock.advance(125_000);
  t.match(car.vehicle().state, { motion: "parked" });
  const switchback = `${VEHICLE}/module/switchback-0`;
  t.match(await tell(at, car, switchback, { type: "awning.set", on: true }), { kind: "accepted" });
  await at.clock.advance(300);
  t.match(await tell(at, car, VEHICLE, { type: "awning.set", on: false }), { kind: "accepted" });
  await at.clock.advance(300);
  t.match(await tell(at, car, switchback, { type: "relay.set", output: "awning", on: true }), { kind: "accepted" });
  await at.clock.advance(300);
  t.same(commandFrames(car.rig), ["25:0100", "25:0100", "25:0100"]);
  t.match(await tell(at, car, VEHICLE, { type: "light.set", level: 4 }), { kind: "refused", reason: /torrent-0.galley/ }, "several are meant");
  t.match(await tell(at, car, VEHICLE, { type: "light.set", output: "step", level: 4 }), { kind: "accepted" }, "the output says which");
  await at.clock.advance(300);
  t.equal((car.rig.moduleState("torrent-1")["outputs"] as number[])[1], 4);
  t.match(car.module("switchback-0").context, { outputs: { awning: { last: { command: "awning.set", outcome: "confirmed" } } } });
  await car.node.stop();
});

test("V3. The guard's outcome and the value go into the input; a refusal says which condition, which value, how old, and stays under its id", async (t) => {
  const at = desk();
  const rig = rigOn(at, ["bearing", "aftline", "switchback-0"]);
  rig.drive(40);
  const car = await trailer(at, rig);
  const switchback = `${VEHICLE}/module/switchback-0`;
  const refused = await tell(at, car, switchback, { type: "awning.set", on: true }, "g1");
  t.match(refused, { kind: "refused", guard: { condition: "parked", open: false, reads: [{ signal: "Vehicle.Speed", value: Number, ageMs: Number }] } });
  rig.park();
  await at.clock.advance(130_000);
  t.same(await tell(at, car, switchback, { type: "awning.set", on: true }, "g1"), refused, "rules M2: the same id, the same word");
  t.match(await tell(at, car, switchback, { type: "awning.set", on: true }, "g2"), { kind: "accepted" });
  t.notMatch(await history(car, switchback), /Battery/);
  await car.node.stop();
});

test("X1. A guard on a signal that is not known is not open", async (t) => {
  const at = desk();
  const rig = rigOn(at, ["aftline", "switchback-0"]);
  const car = await trailer(at, rig);
  await at.clock.advance(130_000);
  t.match(await tell(at, car, `${VEHICLE}/module/switchback-0`, { type: "awning.set", on: true }), { kind: "refused", guard: { condition: "parked", open: undefined } });
  t.match(car.vehicle().state, { motion: "unknown" });
  await car.node.stop();
});

test("S11, X1. A vehicle whose file opens no bus takes no command, whatever its name and wherever it is sent", async (t) => {
  const at = desk();
  const bus = createVirtualBus({ clock: at.clock, name: "can0" });
  let sent = 0;
  const node = createEdgeNode(
    {
      vehicle: `${VEHICLES}rav4-01.yaml`,
      data: "memory",
      buses: {
        can0: () => {
          const port = bus.attach();
          return Object.assign(port, {
            send: async () => {
              sent++;
              return { kind: "sent", timeS: 0 } as const;
            },
          });
        },
      },
    },
    at.ports(),
  );
  await running(at, node.start());
  bus.inject([{ id: 0x1c4, data: new Uint8Array(8) }]);
  await at.clock.advance(500);
  t.match(viewOf(node, "demo/vehicle/rav4-01/module/engine").state, { presence: "present" });
  for (const to of ["demo/vehicle/rav4-01", "demo/vehicle/rav4-01/module/engine"]) {
    for (const type of ["light.set", "relay.set", "output.identify", "climate.setpoint.request"]) {
      t.match(await running(at, node.system.tell(to, { type, output: "x", level: 1, on: true, value: 20 })), { kind: "refused", reason: /^listen-only/ }, `${type} to ${to}`);
    }
    t.match(await running(at, node.system.tell(to, { type: "engine.start" })), { kind: "refused", reason: /^listen-only.*; "engine.start" is no command of any module either/ });
  }
  t.match(
    await running(at, node.system.ask("demo/vehicle/rav4-01", { type: "bus.mute", bus: "can0" }, { withinMs: 2_000 })),
    { kind: "replied" },
    "what sends nothing is no command",
  );
  t.equal(sent, 0);
  await node.stop();
});

test("X1. A bus that the vehicle has not is named when it is to be muted", async (t) => {
  const at = desk();
  const car = await trailer(at);
  t.match(await tell(at, car, VEHICLE, { type: "bus.mute", bus: "cna0" }), { kind: "refused", reason: /has no bus "cna0"; it has can0/ });
  await car.node.stop();
});

test("V1. Time that a command has waited for its vehicle is time that it no longer has to live", async (t) => {
  const at = desk();
  const car = await trailer(at);
  const wish = (value: number, waitedMs: number, more: object = {}): Promise<unknown> =>
    running(
      at,
      car.node.system.receive({
        to: parseAddress(`${VEHICLE}/module/therma`),
        event: { type: "climate.setpoint.request", value, ...more },
        sender: { kind: "outside", id: `w${value}`, author: "ann", expiresAt: at.clock.now() + 86_400_000 },
        ask: true,
        withinMs: 5_000,
        waitedMs,
      }),
    );
  const seen: unknown[] = [];
  car.node.system.watch((change) => {
    for (const input of change.record?.inputs ?? []) if (input.kind === "message" && input.event.type === "climate.setpoint.request") seen.push(input.event["ttlMs"]);
  });
  t.same(await wish(20, 600_000), { kind: "too-old" }, "the file says 10 minutes");
  t.same(await wish(21, 5_000, { ttlMs: 5_000 }), { kind: "too-old" }, "its sender said less");
  t.same(commandFrames(car.rig), []);
  t.match(await wish(22, 4_000.5, { ttlMs: 5_000 }), { kind: "replied", value: { outcome: "confirmed" } });
  t.same(seen, [999]);
  t.match(await wish(22, 700_000, { ttlMs: 5_000 }), { kind: "replied", value: { outcome: "confirmed" } }, "M2: what it knows it tells");
  await car.node.stop();
});

test("O2. A command that may wait is never refused for the moment of a start at which it came: its module is heard first, and its actor shows it", async (t) => {
  const at = desk();
  const rig = rigOn(at, ["therma"]);
  const first = await trailer(at, rig);
  await first.node.stop();
  const therma = `${VEHICLE}/module/therma`;
  const words: string[] = [];
  // Therma speaks once a second: its first word falls before, between and after each commit of the start.
  for (let phaseMs = 0; phaseMs < 1_000; phaseMs += 50) {
    await at.clock.advance(1_000 + phaseMs - (at.clock.monotonic() % 1_000));
    const again = await startedAgain(at, rig, { commitMs: 90, loadMs: 0 });
    for (let ms = 0; ms < 400; ms += 15) {
      void again.node.system.ask(therma, { type: "climate.setpoint.request", value: 22 }, { withinMs: 60_000 }).then((word) => {
        words.push(word.kind === "refused" ? `refused: ${word.reason ?? word.accepts.join(", ")}` : word.kind);
      });
      await at.clock.advance(15);
    }
    await at.clock.advance(1_000);
    await running(at, again.node.stop());
  }
  t.equal(words.length, 20 * 27);
  t.same([...new Set(words)].sort(), ["owner-away", "replied"]);
});

test("O2, V1. Nor is it for a silence of its module before the start", async (t) => {
  const at = desk();
  const rig = rigOn(at, ["therma"]);
  const first = await trailer(at, rig);
  rig.mute("therma");
  await at.clock.advance(10_000);
  t.match(first.module("therma").state, { presence: "silent" });
  await first.node.stop();
  const again = await startedAgain(at, rig, { commitMs: 90, loadMs: 0 });
  const ask = () => running(at, again.node.system.ask(`${VEHICLE}/module/therma`, { type: "climate.setpoint.request", value: 22 }, { withinMs: 5_000 }));
  t.match(await ask(), { kind: "owner-away" }, "it had no time to speak yet");
  rig.unmute("therma");
  await at.clock.advance(1_500);
  t.match(await ask(), { kind: "replied", value: { outcome: "confirmed" } });
  await again.node.stop();
});
