// A recording played as a bus: when its frames come, what their times are, what happens at its end.

import { test } from "tap";
import type { BusState, FrameBatch } from "../../../protocols/can/index.ts";
import { createLogReplay, type LogReplay, type LogReplayOptions } from "../../../protocols/can-log/index.ts";
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
  t.strictSame(states, [{ kind: "up" }, { kind: "down", reason: "the recording has ended" }]);
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
    [lines(10, 70, 68, 68.5, 70.5), [0, 60_000, 60_000, 60_000, 60_500], 0],
    [lines(10, 70.1, 68, 68.5), [0, 10, 20, 520], 2],
  ] as const) {
    warnings.length = 0;
    const { frames, clock, replay, states } = await play({ path: recording(t.testdir(), "a.log", text) }, undefined, new ManualClock(), log);
    await clock.advance(61_000);
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

test("a bus that is quiet while others speak is no jump; a jump while it is quiet is one", async (t) => {
  const quiet = Array.from({ length: 100 }, (_, index) => `(${1_000 + index}) ${index % 99 === 0 ? "can1" : "can0"} 123#00\n`).join("");
  const first = await play({ path: recording(t.testdir(), "a.log", quiet), buses: { can1: "can1" } });
  await first.clock.advance(100_000);
  t.strictSame(
    first.frames.map((frame) => frame.timeMs),
    [0, 99_000],
  );
  t.equal(first.replay.clockJumps, 0);
  const text = "(5) can1 123#00\n(6) can0 123#00\n(500) can0 123#00\n(501) can1 123#00\n";
  const second = await play({ path: recording(t.testdir(), "b.log", text), buses: { can1: "can1" } });
  await second.clock.advance(10_000);
  t.strictSame(
    second.frames.map((frame) => frame.timeMs),
    [0, 2_010],
  );
});

test("buses are renamed and chosen; what is passed over is not dropped", async (t) => {
  const { frames, clock, replay } = await play({ path: recording(t.testdir(), "a.log", steady(10, 1)), buses: { can1: "powertrain" } });
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
  await t.rejects(createLogReplay({ path: "/nothing/here.log" }, { clock }).start({ onFrames: () => undefined }), { code: "DROVER_CAN_FILE_UNREADABLE" });
  t.throws(() => createLogReplay({ path: "x", speed: 0 }, { clock }), { code: "DROVER_CAN_USE" });
  t.throws(() => createLogReplay({ path: "x", speed: Number.NaN }, { clock }), { code: "DROVER_CAN_USE" });
});
