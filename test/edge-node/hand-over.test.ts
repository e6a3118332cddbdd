// Checked again where the frame is handed over: what was true when the command was committed may not be any more.

import { readFileSync } from "node:fs";
import { test } from "tap";
import type { Identity } from "../../protocols/sqlite/index.ts";
import { MemoryDisk } from "../../runtime/simulation/index.ts";
import { packer } from "./telemetry-reader.ts";
import { commandFrames, type Desk, desk, rigOn, running, type Trailer, trailer, VEHICLES } from "./desk.ts";

const VEHICLE = "demo/vehicle/trailer-01";
const TORRENT = `${VEHICLE}/module/torrent-0`;

/** Holds commits back, so that time passes between the door and the hand-over. */
function slowly(at: Desk, ms: number): Desk {
  const ports = at.ports();
  return { ...at, ports: () => ({ ...ports, store: (...given) => slowStore(at, ports.store(...given), ms) }) };
}

function slowStore(at: Desk, store: ReturnType<ReturnType<Desk["ports"]>["store"]>, ms: number): typeof store {
  return {
    ...store,
    commit: async (batch) => {
      await new Promise<void>((resolve) => void at.clock.setTimeout(resolve, ms));
      return store.commit(batch);
    },
  };
}

function tell(at: Desk, { node }: Trailer, to: string, event: { readonly type: string; readonly [field: string]: unknown }): Promise<unknown> {
  return running(at, node.system.ask(to, event, { withinMs: 9_000 }));
}

/** Command frames whose last bits were on the wire within one second. */
function mostWithinASecond({ rig }: Pick<Trailer, "rig">): number {
  const times = rig.frames
    .log(0, 100_000)
    .filter(({ from }) => from === "client")
    .map(({ at }) => at);
  return Math.max(...times.map((from) => times.filter((at) => at >= from && at < from + 1_000).length));
}

test("V3, X1. A guard that closes between the door and the hand-over keeps the frame back, and says so", async (t) => {
  const at = desk();
  const rig = rigOn(at, ["bearing", "aftline", "switchback-0"]);
  const car = await trailer(slowly(at, 300), rig);
  await at.clock.advance(125_000);
  const waiting = car.node.system.ask(`${VEHICLE}/module/switchback-0`, { type: "awning.set", on: true }, { withinMs: 9_000 });
  // 27 knots, told by the satellite receiver between two of its periods.
  const receiver = rig.bus.attach({ name: "receiver", kind: "module", queueLimit: 1, receive: () => undefined, sent: () => undefined });
  receiver.send({ id: 0x07, extended: false, data: Uint8Array.of(9, 0x0a, 0x8c, 0, 0, 1) });
  t.match(await running(at, waiting), { kind: "refused", reason: /parked is not true now/, guard: { condition: "parked", open: false, reads: [{ signal: "Vehicle.Speed" }] } });
  t.same(commandFrames(rig), []);
  await running(at, car.node.stop());
});

test("V3, X1. So does one of which nothing is known any more at the hand-over", async (t) => {
  let answer: unknown;
  let frames: readonly string[] = [];
  // Somewhere here the speed is still fresh at the door and stale at the hand-over.
  for (let ms = 0; ms < 8_000 && !JSON.stringify(answer ?? "").includes("parked is unknown now"); ms += 250) {
    const at = desk();
    const rig = rigOn(at, ["bearing", "aftline", "switchback-0"]);
    const car = await trailer(slowly(at, 300), rig);
    await at.clock.advance(125_000);
    rig.mute("bearing");
    await at.clock.advance(ms);
    answer = await running(at, car.node.system.ask(`${VEHICLE}/module/switchback-0`, { type: "awning.set", on: true }, { withinMs: 9_000 }));
    frames = commandFrames(rig);
    await running(at, car.node.stop());
  }
  t.match(answer, { kind: "refused", reason: "its guard parked is unknown now", guard: { condition: "parked", reads: [{ signal: "Vehicle.Speed" }] } });
  t.same(frames, []);
});

test("X1. A deadline that passes before the hand-over keeps the frame back", async (t) => {
  const at = desk();
  const car = await trailer(slowly(at, 700));
  t.match(await tell(at, car, TORRENT, { type: "light.set", output: "galley", level: 9 }), { kind: "refused", reason: /deadline/ });
  t.same(commandFrames(car.rig), []);
  await running(at, car.node.stop());
});

test("O2, X1. Of two commands for one output of which the second is taken before the first leaves, the first keeps its frame back", async (t) => {
  const at = desk();
  const car = await trailer(slowly(at, 300));
  const set = (level: number): Promise<unknown> => car.node.system.ask(TORRENT, { type: "light.set", output: "galley", level }, { withinMs: 9_000 });
  t.match(await running(at, Promise.all([set(9), set(10)])), [{ value: { outcome: "superseded", value: 9 } }, { value: { outcome: "confirmed", value: 10 } }]);
  t.same(commandFrames(car.rig), ["15:000a"]);
  await running(at, car.node.stop());
});

test("V2. A relay that somebody switches between the door and the hand-over is not toggled back", async (t) => {
  const at = desk();
  const car = await trailer(slowly(at, 200));
  const waiting = car.node.system.ask(`${VEHICLE}/module/switchback-0`, { type: "relay.set", output: "pump", on: true }, { withinMs: 9_000 });
  car.rig.wallButton("switchback-0", 0, "bus");
  t.match(await running(at, waiting), { kind: "refused", reason: /in the meantime/ });
  t.same(car.rig.moduleState("switchback-0")["outputs"], [1, 0, 0, 0, 0, 0, 0, 0], "the person's press stays");
  t.same(commandFrames(car.rig), []);
  await running(at, car.node.stop());
});

test("X1. A muted bus stops all sending, also of what was taken before, and survives a restart", async (t) => {
  const at = desk();
  const rig = rigOn(at);
  let car = await trailer(at, rig);
  t.match(await tell(at, car, VEHICLE, { type: "bus.mute", bus: "can0", reason: "work on the wiring" }), { kind: "replied", value: { muted: ["can0"] } });
  t.match(await tell(at, car, TORRENT, { type: "light.set", output: "galley", level: 9 }), { kind: "refused", guard: { condition: "can0 not muted", open: false } });
  await running(at, car.node.stop());
  car = await trailer(at, rig);
  t.match(car.vehicle().context, { muted: { can0: { reason: "work on the wiring" } } });
  t.match(await tell(at, car, TORRENT, { type: "light.set", output: "galley", level: 10 }), { kind: "refused" });
  t.same(commandFrames(rig), []);
  t.match(await tell(at, car, VEHICLE, { type: "bus.unmute", bus: "can0" }), { kind: "replied", value: { muted: [] } });
  t.match(await tell(at, car, TORRENT, { type: "light.set", output: "galley", level: 11 }), { kind: "replied" });
  t.same(commandFrames(rig), ["15:000b"]);
  t.match(await tell(at, car, VEHICLE, { type: "bus.mute", bus: "can9" }), { kind: "refused" }, "a bus that the vehicle does not have");
  await running(at, car.node.stop());
});

test("X1, L2. A muted bus stays muted when the journal is lost, and one that was opened stays open", async (t) => {
  const at = desk();
  const rig = rigOn(at);
  let car = await trailer(at, rig);
  t.match(await tell(at, car, VEHICLE, { type: "bus.mute", bus: "can0" }), { kind: "replied" });
  await at.clock.advance(100);
  await running(at, car.node.stop());
  car = await trailer(Object.assign(at, { disk: new MemoryDisk() }), rig);
  t.match(car.vehicle().context, { storeLoss: { reason: /gone/ }, muted: { can0: { reason: /before the journal was lost/ } } });
  t.match(await tell(at, car, TORRENT, { type: "light.set", output: "galley", level: 9 }), { kind: "refused", guard: { condition: "can0 not muted", open: false } });
  t.same(commandFrames(rig), []);
  t.match(await tell(at, car, VEHICLE, { type: "bus.unmute", bus: "can0" }), { kind: "replied", value: { muted: [] } });
  t.match(await tell(at, car, TORRENT, { type: "light.set", output: "galley", level: 9 }), { kind: "replied" });
  await at.clock.advance(100);
  await running(at, car.node.stop());
  car = await trailer(Object.assign(at, { disk: new MemoryDisk() }), rig);
  t.match(car.vehicle().context, { storeLoss: { reason: /gone/ }, muted: {} });
  await running(at, car.node.stop());
});

test("X1. What is muted is kept beside the journal as soon as its disk takes it", async (t) => {
  const at = desk();
  const ports = at.ports();
  let failures = 3;
  const save = async (folder: string, identity: Identity): Promise<void> => {
    if (identity.muted !== undefined && failures-- > 0) throw new Error("the disk is full");
    await ports.identity.save(folder, identity);
  };
  const car = await trailer({ ...at, ports: () => ({ ...ports, identity: { ...ports.identity, save } }) });
  t.match(await tell(at, car, VEHICLE, { type: "bus.mute", bus: "can0" }), { kind: "replied" }, "it is muted, whatever that disk says");
  await at.clock.advance(100);
  t.equal(at.identity?.muted, undefined);
  await at.clock.advance(10_000);
  t.same(at.identity?.muted, ["can0"]);
  await running(at, car.node.stop());
});

test("X1. A mute that comes between the door and the hand-over keeps the frame back", async (t) => {
  const at = desk();
  const car = await trailer(slowly(at, 100));
  const waiting = car.node.system.ask(TORRENT, { type: "light.set", output: "galley", level: 9 }, { withinMs: 9_000 });
  const muting = car.node.system.ask(VEHICLE, { type: "bus.mute", bus: "can0" }, { withinMs: 9_000 });
  await running(at, Promise.all([waiting, muting]));
  t.same(commandFrames(car.rig), [], "both were committed together");
  t.match(await waiting, { kind: "refused", reason: /muted/, guard: { condition: "can0 not muted" } });
  await running(at, car.node.stop());
});

test("V3, X1. A mute in the middle of a show ends it: its sender is told so at once, nothing more leaves, and the output is unknown until its module reports after the last frame", async (t) => {
  const at = desk();
  const car = await trailer(at);
  const lamp = (): unknown => (car.module("torrent-0").context as { outputs: Readonly<Record<string, unknown>> }).outputs["galley"];
  await tell(at, car, TORRENT, { type: "light.set", output: "galley", level: 70 });
  const show = { type: "output.identify", output: "galley" };
  const shown = car.node.system.ask(TORRENT, show, { withinMs: 9_000, id: "show" });
  await at.clock.advance(380);
  car.rig.mute("torrent-0");
  await at.clock.advance(120);
  const frames = ["15:0046", "15:00ff", "15:0000"];
  t.same(commandFrames(car.rig), frames);
  t.match(await tell(at, car, VEHICLE, { type: "bus.mute", bus: "can0" }), { kind: "replied" });
  const why = /^stopped half way: sending on can0 is muted; the output is not put back/;
  t.match(await running(at, shown, 400), { kind: "unknown", reason: why }, "with its next frame, not with the end of its time");
  await at.clock.advance(300);
  t.match(car.module("torrent-0").state, { presence: "present" });
  t.match(lamp(), { state: "unknown", desired: undefined, last: { outcome: "unknown", reason: why } }, "its last report was before its last frame");
  car.rig.unmute("torrent-0");
  await at.clock.advance(500);
  t.match(lamp(), { state: "settled", turn: 1, last: { outcome: "unknown" } }, "as its module reports it, and nobody else's doing");
  t.match(await running(at, car.node.system.ask(TORRENT, show, { withinMs: 9_000, id: "show" })), { kind: "unknown", reason: why }, "the same id has its one outcome");
  t.match(await tell(at, car, VEHICLE, { type: "bus.unmute", bus: "can0" }), { kind: "replied" });
  await at.clock.advance(12_000);
  t.same(commandFrames(car.rig), frames, "nothing leaves for what has ended");
  t.match(await tell(at, car, TORRENT, { type: "light.set", output: "galley", level: 70 }), { kind: "replied", value: { outcome: "confirmed", value: 70 } });
  t.same(commandFrames(car.rig), [...frames, "15:0046"]);
  await running(at, car.node.stop());
});

test("F1. A show of which a frame found no acknowledgement ends there, and says so", async (t) => {
  for (const [fromMs, sent, reason] of [
    [0, [], /^no echo by the deadline$/],
    [600, ["15:00ff", "15:0000"], /^stopped half way: no echo by the deadline; the output is not put back/],
  ] as const) {
    const at = desk();
    const car = await trailer(at);
    if (fromMs === 0) car.rig.noAcknowledgement("clients");
    const shown = car.node.system.ask(TORRENT, { type: "output.identify", output: "galley" }, { withinMs: 9_000 });
    await at.clock.advance(fromMs);
    car.rig.noAcknowledgement("clients");
    t.match(await running(at, shown, 1_000), { kind: "unknown", reason });
    car.rig.noAcknowledgement("none");
    await at.clock.advance(12_000);
    t.same(commandFrames(car.rig), sent);
    t.match(car.module("torrent-0").context, { outputs: { galley: { state: "settled", desired: undefined, last: { outcome: "unknown", reason } } } });
    await running(at, car.node.stop());
  }
});

test("V2. A module that falls silent between the door and the hand-over is not toggled on an old status", async (t) => {
  const at = desk();
  const car = await trailer(slowly(at, 200));
  const waiting = car.node.system.ask(`${VEHICLE}/module/switchback-0`, { type: "relay.set", output: "pump", on: true }, { withinMs: 9_000 });
  car.rig.mute("switchback-0");
  t.match(await running(at, waiting), { kind: "refused", reason: /no fresh status of switchback-0/ });
  t.same(commandFrames(car.rig), []);
  await running(at, car.node.stop());
});

test("X1. No more frames a second leave than the file allows; what is too much is refused and told", async (t) => {
  const at = desk();
  const car = await trailer(at);
  const lamps = [
    ["torrent-0", "galley"],
    ["torrent-0", "porch"],
    ["torrent-0", "bed"],
    ["torrent-1", "bath"],
    ["torrent-1", "step"],
  ];
  const answers: Promise<unknown>[] = [];
  for (let round = 1; round <= 20; round++) {
    for (const [module = "", output] of lamps) answers.push(car.node.system.ask(`${VEHICLE}/module/${module}`, { type: "light.set", output, level: round }, { withinMs: 9_000 }));
    await at.clock.advance(20);
  }
  const outcomes = await running(at, Promise.all(answers));
  const refused = outcomes.filter((outcome) => JSON.stringify(outcome).includes("more than 50 frames a second"));
  const sent = commandFrames(car.rig).length;
  t.equal(sent, 50, "in 0.4 s");
  t.equal(sent + refused.length, 100);
  await running(at, car.node.stop());
});

test("X1. A show that has begun finds room where others use up the bus's rate, and puts the output back", async (t) => {
  const at = desk();
  const car = await trailer(at);
  await tell(at, car, TORRENT, { type: "light.set", output: "galley", level: 70 });
  const shown = car.node.system.ask(TORRENT, { type: "output.identify", output: "galley" }, { withinMs: 9_000 });
  const others: Promise<unknown>[] = [];
  for (let round = 1; round <= 120; round++) {
    await at.clock.advance(20);
    for (const [module, output] of [
      ["torrent-0", "porch"],
      ["torrent-0", "bed"],
      ["torrent-1", "bath"],
      ["torrent-1", "step"],
    ])
      others.push(car.node.system.ask(`${VEHICLE}/module/${String(module)}`, { type: "light.set", output, level: round }, { withinMs: 9_000 }));
  }
  const outcomes = await running(at, Promise.all(others));
  t.ok(outcomes.filter((outcome) => JSON.stringify(outcome).includes("more than 50 frames a second")).length > 20, "the bus was as busy as it may be");
  t.match(await running(at, shown), { kind: "replied", value: { outcome: "done" } });
  t.ok(mostWithinASecond(car) <= 50, `${String(mostWithinASecond(car))} frames within a second`);
  const galley = commandFrames(car.rig).filter((frame) => frame.startsWith("15:00"));
  t.same(galley, ["15:0046", "15:00ff", "15:0000", "15:00ff", "15:0000", "15:0046"]);
  await running(at, car.node.stop());
});

test("X1. max_tx holds for any second on the bus, and a show on a bus with few frames a second takes its time", async (t) => {
  const at = desk();
  const model = readFileSync(`${VEHICLES}trailcurrent-trailer.yaml`, "utf8");
  at.files.set(`${VEHICLES}trailcurrent-trailer.yaml`, model.replace("max_tx: 50/s", "max_tx: 2/s"));
  const car = await trailer(at);
  const shown = car.node.system.ask(TORRENT, { type: "output.identify", output: "galley" }, { withinMs: 9_000 });
  for (let round = 1; round <= 40; round++) {
    await at.clock.advance(70);
    void car.node.system.tell(TORRENT, { type: "light.set", output: "porch", level: round }, { withinMs: 2_000 });
  }
  t.match(await running(at, shown), { kind: "replied", value: { outcome: "done" } });
  await at.clock.advance(3_000);
  t.same(
    commandFrames(car.rig).filter((frame) => frame.startsWith("15:00")),
    ["15:00ff", "15:0000", "15:00ff", "15:0000", "15:0000"],
  );
  t.equal(mostWithinASecond(car), 2);
  await running(at, car.node.stop());
});

test("X1. Every sent frame is recorded with author and cause", async (t) => {
  const at = desk();
  const words: object[] = [];
  at.log = {
    debug: () => {},
    info: (fields, message) => {
      if (message === "frame sent") words.push(fields);
    },
    warn: () => {},
    error: () => {},
    child: () => at.log,
  };
  const car = await trailer(at);
  await running(at, car.node.system.ask(TORRENT, { type: "light.set", output: "galley", level: 9 }, { withinMs: 9_000, id: "order-1", author: "alice" }));
  await at.clock.advance(100);
  const expected = { bus: "can0", id: "15", data: "0009", actor: TORRENT, command: "light.set", output: "galley", author: "alice", cause: "order-1", outcome: "sent" };
  t.match(words, [expected]);
  const kept = (await at.telemetry.read(0, 1_000))
    .filter((item) => item.kind === "entry" && item.class === "A")
    .map((item) => packer.unpack((item as { bytes: Uint8Array }).bytes));
  t.match(kept, [{ values: {}, sent: expected }]);
  await running(at, car.node.stop());
});
