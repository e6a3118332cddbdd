// A recording played as a bus: when its frames come, what their times are, what happens at its end.

import { rmSync } from "node:fs";
import { test } from "tap";
import type { BusState, FrameBatch } from "../../../protocols/can/index.ts";
import { createLogReplay, KnownInterfaces, type LogReplay, type LogReplayOptions } from "../../../protocols/can-log/index.ts";
import { systemClock } from "../../../runtime/host/index.ts";
import { type Log, silentLog } from "../../../runtime/ports/index.ts";
import { ManualClock } from "../../../runtime/simulation/manual-clock.ts";
import { recording } from "./recording.ts";

interface Played {
  readonly replay: LogReplay;
  readonly clock: ManualClock;
  /** Line, time in ms and bus of each frame, as they came, and when. */
  readonly frames: { readonly line: number; readonly timeMs: number; readonly atMs: number; readonly bus: string }[];
  readonly batches: number[];
  readonly states: BusState[];
}

/** Its timers fire on time by its own count, and yet late, as in a process that stood still. */
class LateClock extends ManualClock {
  lateMs = 0;

  override monotonic(): number {
    return super.monotonic() + this.lateMs;
  }
}

async function play(options: LogReplayOptions, during?: (played: Played) => void, clock = new ManualClock(), log: Log = silentLog): Promise<Played> {
  const replay = createLogReplay(options, { clock, log });
  const played: Played = { replay, clock, frames: [], batches: [], states: [] };
  await replay.start({
    onFrames: (batch: FrameBatch) => {
      played.batches.push(batch.count);
      for (let slot = 0; slot < batch.count; slot++)
        played.frames.push({
          line: batch.lines[slot] ?? 0,
          timeMs: Math.round((batch.timesS[slot] ?? 0) * 1e6) / 1e3,
          atMs: clock.monotonic(),
          bus: replay.buses[batch.buses[slot] ?? 0] ?? "",
        });
      during?.(played);
    },
    onState: (state) => played.states.push(state),
  });
  return played;
}

function steady(count: number, stepMs: number, startS = 1_000): string {
  return Array.from({ length: count }, (_, index) => `(${(startS + (index * stepMs) / 1_000).toFixed(6)}) can${index % 2} 123#00\n`).join("");
}

test("frames come when they came, at most 20 ms late, with the clock's times", async (t) => {
  const { frames, batches, clock, states, replay } = await play({ path: recording(t.testdir(), "a.log", steady(500, 4)) });
  await clock.advance(1_000);
  t.equal(frames.length, 251);
  t.strictSame(
    frames.slice(0, 3).map((frame) => frame.timeMs),
    [0, 4, 8],
  );
  t.ok(frames.every((frame) => frame.atMs - frame.timeMs <= 20 && frame.atMs >= frame.timeMs));
  t.ok(batches.length <= 101, `${batches.length} batches`);
  await clock.advance(2_000);
  t.equal(frames.length, 500);
  t.strictSame(states, [{ kind: "up" }, { kind: "down", reason: "the recording has ended", isExpected: true }]);
  t.equal(replay.counters.received, 500);
  t.equal(clock.pending, 0);
  await replay.stop();
});

test("at ten times the speed it takes a tenth of the time", async (t) => {
  const { frames, clock, replay } = await play({ path: recording(t.testdir(), "a.log", steady(500, 4)), speed: 10 });
  await clock.advance(100);
  t.equal(frames.length, 251);
  t.equal(frames[250]?.timeMs, 100);
  await replay.stop();
});

test("a loop goes on without a pause, and its times with it", async (t) => {
  const { frames, clock, replay } = await play({ path: recording(t.testdir(), "a.log", steady(100, 10)), loop: true });
  // Pages are read from a real file: it is given real time, while the clock stands.
  for (let step = 0; step < 50; step++) {
    await clock.advance(200);
    await new Promise<void>((resolve) => systemClock.setTimeout(resolve, 4));
  }
  await clock.advance(100);
  t.ok(replay.passes >= 10);
  t.ok(frames.length > 1_000, `${frames.length} frames`);
  t.ok(
    frames.every((frame, index) => frame.timeMs === index * 10),
    "every 10 ms, over all passes",
  );
  t.strictSame([frames[99]?.line, frames[100]?.line], [100, 1]);
  await replay.stop();
});

test("times that go back in a recording do not go back on the bus", async (t) => {
  const text = "(5.0) can0 1#00\n".replace("1#", "001#") + "(5.1) can0 002#00\n(4.0) can0 003#00\n(5.2) can0 004#00\n";
  const { frames, clock, replay } = await play({ path: recording(t.testdir(), "a.log", text) });
  await clock.advance(1_000);
  t.strictSame(
    frames.map((frame) => frame.timeMs),
    [0, 100, 100, 200],
  );
  await replay.stop();
});

test("a jump of the recording's clock, ahead or back, is passed over: what follows comes at once and at its own pace", async (t) => {
  const lines = (...times: readonly number[]): string => times.map((time) => `(${time}) can0 123#00\n`).join("");
  const warnings: string[] = [];
  const log = { ...silentLog, warn: (_: object, text: string) => warnings.push(text) };
  for (const [text, expected, jumps] of [
    [lines(100, 100.5, 1_600_000_000, 101, 101.2), [0, 500, 510, 520, 720], 2],
    [lines(1_600_000_000, 100, 101, 102), [0, 10, 1_010, 2_010], 1],
    [lines(10, 3_610, 3_608, 3_608.5, 3_610.5), [0, 3_600_000, 3_600_000, 3_600_000, 3_600_500], 0],
    [lines(10, 3_610.1, 3_608, 3_608.5), [0, 10, 20, 520], 2],
  ] as const) {
    warnings.length = 0;
    const { frames, clock, replay, states } = await play({ path: recording(t.testdir(), "a.log", text) }, undefined, new ManualClock(), log);
    await clock.advance(3_601_000);
    t.strictSame(
      frames.map((frame) => frame.timeMs),
      expected,
    );
    t.ok(frames.every((frame) => frame.atMs - frame.timeMs <= 20));
    t.equal(replay.clockJumps, jumps);
    t.equal(warnings.length, jumps === 0 ? 0 : 1, "told once");
    t.equal(states.at(-1)?.kind, "down", "it came to its end");
    await replay.stop();
  }
});

test("a silence of minutes is played as it was, at any rate", async (t) => {
  const text = "(100) can0 123#00\n(1000) can0 123#00\n";
  const { frames, clock, replay } = await play({ path: recording(t.testdir(), "a.log", text), speed: 10 });
  await clock.advance(89_000);
  t.equal(frames.length, 1);
  await clock.advance(1_100);
  t.equal(frames.length, 2);
  t.equal(replay.clockJumps, 0);
  await replay.stop();
});

test("a bus that is quiet while others speak is no jump; a jump while it is quiet is one", async (t) => {
  const quiet = Array.from({ length: 100 }, (_, index) => `(${1_000 + index}) ${index % 99 === 0 ? "can1" : "can0"} 123#00\n`).join("");
  const first = await play({ path: recording(t.testdir(), "a.log", quiet), bus: { name: "can1" } });
  await first.clock.advance(100_000);
  t.strictSame(
    first.frames.map((frame) => frame.timeMs),
    [0, 99_000],
  );
  t.equal(first.replay.clockJumps, 0);
  const text = "(5) can1 123#00\n(6) can0 123#00\n(5000) can0 123#00\n(5001) can1 123#00\n";
  const second = await play({ path: recording(t.testdir(), "b.log", text), bus: { name: "can1" } });
  await second.clock.advance(10_000);
  t.strictSame(
    second.frames.map((frame) => frame.timeMs),
    [0, 2_010],
  );
});

test("buses are renamed and chosen; what is passed over is not dropped", async (t) => {
  const { frames, clock, replay } = await play({ path: recording(t.testdir(), "a.log", steady(10, 1)), bus: { name: "powertrain", recorded: "can1" } });
  await clock.advance(100);
  t.equal(frames.length, 5);
  t.ok(frames.every((frame) => frame.bus === "powertrain"));
  t.strictSame(replay.buses, ["powertrain"]);
  t.match(replay.counters, { received: 5, dropped: 0 });
  await replay.stop();
});

test("a process that stood still for long goes on where the recording was: no frame is lost, no burst follows", async (t) => {
  const clock = new LateClock();
  const { frames, replay, batches } = await play({ path: recording(t.testdir(), "a.log", steady(1_000, 10)) }, undefined, clock);
  await clock.advance(100);
  const before = frames.length;
  clock.lateMs = 5_000;
  await clock.advance(20);
  t.equal(replay.stalls, 1);
  t.ok(frames.length - before <= 3, `${frames.length - before} frames at once`);
  await clock.advance(15_000);
  t.equal(frames.length, 1_000);
  t.ok(Math.max(...batches) <= 3);
  await replay.stop();
});

test("stopped from inside its own listener it delivers nothing more", async (t) => {
  let stopping: Promise<void> | undefined;
  const { frames, clock, replay, states } = await play({ path: recording(t.testdir(), "a.log", steady(100, 10)), loop: true }, (played) => {
    if (played.frames.length >= 5) stopping ??= played.replay.stop();
  });
  await clock.advance(5_000);
  await stopping;
  t.equal(frames.length, 5);
  t.equal(clock.pending, 0);
  t.strictSame(states.at(-1), { kind: "down", reason: "stopped" });
  t.equal(replay.state.kind, "down");
  await t.rejects(replay.start({ onFrames: () => undefined }), { code: "DROVER_CAN_USE" });
});

test("a loop over a recording without a wanted frame ends instead of spinning", async (t) => {
  const { states, clock, replay } = await play({ path: recording(t.testdir(), "a.log", "nonsense\n"), loop: true });
  await clock.advance(1_000);
  t.match(states.at(-1), { kind: "down" });
  t.equal(replay.passes, 1);
  t.equal(clock.pending, 0);
});

test("a recording that is not there fails at start; a speed of nothing is refused", async (t) => {
  const clock = new ManualClock();
  await t.rejects(createLogReplay({ path: "/nothing/here.log" }, { clock }).start({ onFrames: () => undefined }), { code: "DROVER_FILE_UNREADABLE" });
  t.throws(() => createLogReplay({ path: "x", speed: 0 }, { clock }), { code: "DROVER_CAN_USE" });
  t.throws(() => createLogReplay({ path: "x", speed: Number.NaN }, { clock }), { code: "DROVER_CAN_USE" });
});

test("a recording's only interface is played for the bus, and the log says so; one of the bus's own name goes before all others", async (t) => {
  const said: unknown[] = [];
  const log = { ...silentLog, info: (fields: object) => said.push(fields) };
  const only = await play(
    { path: recording(t.testdir(), "a.log", "(1.0) vcan0 123#00\n(1.1) vcan0 124#00\n"), bus: { name: "can0", orTheOnly: true }, loop: true },
    undefined,
    new ManualClock(),
    log,
  );
  await only.clock.advance(50);
  t.match(only.frames, [{ line: 1, bus: "can0", timeMs: 0 }]);
  t.match(said, [{ bus: "can0", interface: "vcan0" }]);
  t.strictSame(only.states, [{ kind: "up" }]);
  for (let step = 0; step < 20; step++) {
    await only.clock.advance(110);
    await new Promise<void>((resolve) => systemClock.setTimeout(resolve, 2));
  }
  t.ok(only.frames.length > 10, `${only.frames.length} frames`);
  t.equal(said.length, 1, "once");
  await only.replay.stop();
  const own = await play({ path: recording(t.testdir(), "b.log", `${"(1.0) vcan0 123#00\n".repeat(9_000)}(1.1) can0 124#00\n`), bus: { name: "can0", orTheOnly: true } });
  await own.clock.advance(50);
  t.match(own.frames, [{ line: 9_001, bus: "can0" }]);
  t.equal(own.frames.length, 1);
});

test("R6. A bus that the recording does not have fails the start with what it has, and a loop with it", async (t) => {
  const folder = t.testdir();
  const two = recording(folder, "two.log", "(1.0) vcan0 123#00\n(1.1) vcan1 124#00\n");
  const one = recording(folder, "one.log", "(1.0) vcan0 123#00\n");
  const none = recording(folder, "none.log", "prose\n");
  const many = recording(folder, "many.log", Array.from({ length: 20 }, (_, index) => `(1.0) \u001b[2Jcan${index} 123#00\n`).join(""));
  for (const [path, bus, message] of [
    [two, { name: "can0", orTheOnly: true }, "no frame of can0; the recording has vcan0, vcan1; choose one with ?bus=, such as ?bus=vcan0"],
    [one, { name: "can0" }, "no frame of can0; the recording has vcan0; choose one with ?bus=, such as ?bus=vcan0"],
    [one, { name: "vcan0", recorded: "can7", orTheOnly: true }, "no frame of can7; the recording has vcan0; choose one with ?bus=, such as ?bus=vcan0"],
    [none, { name: "can0", orTheOnly: true }, "no frame of can0; the recording has none"],
    [
      many,
      { name: "can0" },
      `no frame of can0; the recording has ${Array.from({ length: 8 }, (_, index) => `?[2Jcan${index}`).join(", ")} and 12 more; choose one with ?bus=, such as ?bus=?[2Jcan0`,
    ],
  ] as const)
    await t.rejects(play({ path, bus, loop: true }), { code: "DROVER_CAN_BUS_NOT_RECORDED", message: `${path}: ${message}` });
});

test("R6. A long search for the bus holds no start: what it finds, frames or none, is told behind it", async (t) => {
  /** Its second is over before a file can be read. */
  class Impatient extends ManualClock {
    override setTimeout(work: () => void, ms: number): ReturnType<ManualClock["setTimeout"]> {
      if (ms === 1_000) work();
      return super.setTimeout(work, ms);
    }
  }
  for (const [found, last] of [
    ["can1", { kind: "down", reason: "the recording has ended", isExpected: true }],
    ["can2", { kind: "down", reason: /no frame of can1; the recording has can0, can2/, cause: { code: "DROVER_CAN_BUS_NOT_RECORDED" } }],
  ] as const) {
    const clock = new Impatient();
    const path = recording(t.testdir(), "long.log", `${"(1.0) can0 123#0011223344556677\n".repeat(50_000)}(1.1) ${found} 124#00\n`);
    const replay = createLogReplay({ path, bus: { name: "can1" } }, { clock });
    const states: BusState[] = [];
    await replay.start({ onFrames: () => undefined, onState: (state) => states.push(state) });
    t.match(replay.state, { kind: "down", reason: /has come up in the recording yet/ });
    t.strictSame(states, []);
    for (let step = 0; step < 200 && states.at(-1)?.kind !== "down"; step++) {
      await new Promise<void>((resolve) => systemClock.setTimeout(resolve, 5));
      await clock.advance(20);
    }
    t.match(states.at(-1), last);
    await replay.stop();
    t.equal(clock.pending, 0);
  }
});

test("a recording without names of interfaces plays on the bus that names it, whatever is asked for", async (t) => {
  const path = recording(t.testdir(), "a.trc", ";$FILEVERSION=1.1\n    1)  16.0  Rx  0123  1  01\n    2)  17.0  Rx  0123  1  01\n");
  for (const bus of [{ name: "powertrain" }, { name: "powertrain", orTheOnly: true }, { name: "powertrain", recorded: "1" }]) {
    const { frames, clock } = await play({ path, bus });
    await clock.advance(50);
    t.match(frames, [{ bus: "powertrain" }, { bus: "powertrain" }]);
  }
});

test("what was found in a recording is not searched again, until its file is another", async (t) => {
  const folder = t.testdir();
  const known = new KnownInterfaces();
  const path = recording(folder, "a.log", "(1.0) vcan0 123#00\n(1.0) vcan1 123#00\n");
  const bus = { name: "can0", orTheOnly: true };
  const failing = createLogReplay({ path, bus, known }, { clock: new ManualClock() });
  await t.rejects(failing.start({ onFrames: () => undefined }), { code: "DROVER_CAN_BUS_NOT_RECORDED" });
  t.equal(failing.passes, 1);
  const again = createLogReplay({ path, bus, known }, { clock: new ManualClock() });
  await t.rejects(again.start({ onFrames: () => undefined }), { code: "DROVER_CAN_BUS_NOT_RECORDED" });
  t.equal(again.passes, 0, "not opened");
  recording(folder, "a.log", "(1.0) can0 123#00\n");
  const { frames, clock } = await play({ path, bus, known });
  await clock.advance(50);
  t.equal(frames.length, 1);
});

test("R7. A recording that is gone at its next pass is a fault, not its end", async (t) => {
  const folder = t.testdir();
  const path = recording(folder, "a.log", steady(4_000, 1));
  const { clock, replay, states } = await play({ path, loop: true });
  rmSync(path);
  for (let step = 0; step < 100 && states.at(-1)?.kind !== "down"; step++) {
    await clock.advance(200);
    await new Promise<void>((resolve) => systemClock.setTimeout(resolve, 2));
  }
  t.match(states.at(-1), { kind: "down", reason: /cannot open/, cause: { code: "DROVER_FILE_UNREADABLE" } });
  await replay.stop();
});
