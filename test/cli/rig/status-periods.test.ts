// Which messages the trailer sends, how often, and how loud its bus is.

import { test } from "tap";
import { intervals, virtualRig } from "./virtual-rig.ts";

/** Identifier, period in ms (research/trailcurrent.md 2.1; Borealis by its firmware). */
const PERIODIC: readonly [number, number][] = [
  [0x06, 1000],
  [0x07, 1000],
  [0x08, 1000],
  [0x09, 1000],
  [0x12, 200],
  [0x1b, 33],
  [0x1c, 33],
  [0x28, 33],
  [0x1f, 1000],
  [0x20, 1000],
  [0x23, 33],
  [0x24, 33],
  [0x2b, 33],
  [0x2c, 33],
  [0x2d, 33],
  [0x2f, 33],
  [0x3a, 1000],
  [0x3e, 1000],
  [0x3f, 1000],
  [0x40, 1000],
];

test("every periodic message keeps its period within 10 % and what the wire adds", async (t) => {
  const { rig, clock, heard, overheard } = virtualRig();
  await clock.advance(12_000);
  for (const [id, period] of PERIODIC) {
    const gaps = intervals(heard(id));
    const name = `0x${id.toString(16)}`;
    t.ok(gaps.length >= Math.floor(11_000 / period / 1.1), `${name} came ${String(gaps.length + 1)} times`);
    // A frame may wait for those before it and in front of it: 20 senders, 0.27 ms each.
    t.ok(Math.min(...gaps) > period * 0.9 - 5.4, `${name}: shortest gap ${String(Math.min(...gaps))}`);
    t.ok(Math.max(...gaps) < period * 1.1 + 5.4, `${name}: longest gap ${String(Math.max(...gaps))}`);
    const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
    t.ok(Math.abs(mean - period) < period * 0.06, `${name}: mean ${String(mean)}`);
    if (period === 33) t.ok(Math.max(...gaps) - Math.min(...gaps) > 4, `${name} does jitter`);
  }
  const known = new Set([...PERIODIC.map(([id]) => id), 0x04]);
  t.same(
    overheard.filter((frame) => !known.has(frame.id)),
    [],
    "nothing else is said unasked",
  );
  rig.stop();
});

test("each module reports its part and version once, before anything else it sends", async (t) => {
  const { rig, clock, heard, overheard } = virtualRig();
  await clock.advance(1000);
  const reports = heard(0x04);
  t.equal(reports.length, rig.modules.length);
  t.equal(reports.find((frame) => frame.by === "torrent-0")?.hex, "0a1e05010402"); // MAC 0A1E05, version 1.4.2
  for (const module of rig.modules) t.equal(overheard.find((frame) => frame.by === module)?.id, 0x04, module);
  rig.stop();
});

test("the bus load is what the frames' bits make", async (t) => {
  const { rig, clock } = virtualRig();
  await clock.advance(3010);
  const { bus } = rig.state() as { bus: { load: number; frames: number; bits: number } };
  // 9 messages of 33 ms, 1 of 200 ms, 10 of 1 s: about 288 frames/s.
  t.ok(bus.frames / 3 > 260 && bus.frames / 3 < 310, `${String(bus.frames / 3)} frames/s`);
  t.ok(Math.abs(bus.load - bus.bits / 3.01 / 500_000) < 0.01, `load ${String(bus.load)}`);
  t.ok(bus.load > 0.04 && bus.load < 0.08);
  rig.stop();
});

test("one seed gives one run, another seed another", async (t) => {
  const run = async (seed: number): Promise<string> => {
    const { rig, clock, overheard } = virtualRig({ seed });
    await clock.advance(1500);
    rig.stop();
    return JSON.stringify(overheard);
  };
  const first = await run(7);
  t.equal(await run(7), first);
  t.not(await run(8), first);
});
