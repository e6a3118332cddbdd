// What every bench rests on: counts at the receiver, rounds, names.

import { test } from "tap";

import { inStretches, mustMatch, QUICK, quantile, spreadOf, Tally } from "../../bench/_helpers.ts";
import { benches } from "../../bench/benches.ts";
import { runGroup } from "../../bench/drive.ts";
import { tableOf } from "../../bench/report.ts";
import { serveContender } from "../../bench/serve-contender.ts";
import { runBenches } from "./quick-run.ts";

test("a name that no bench has is a usage error that lists them", async (t) => {
  const { code, stderr } = await runBenches("nothing", "--quick");
  t.equal(code, 2);
  for (const { name } of benches) t.match(stderr, name);
});

test("names of benches, groups and contenders are unique, each group's reference is in it, and each that times says what", async (t) => {
  const unique = (names: readonly string[]): boolean => new Set(names).size === names.length;
  t.ok(unique(benches.map(({ name }) => name)));
  for (const { groups } of benches) {
    t.ok(unique(groups.map(({ name }) => name)));
    for (const { name, measures, timed, reference, contenders } of groups) {
      t.equal(timed === undefined, measures === "heap", `${name} says what its p50, p99 and p999 are of`);
      t.ok(unique(contenders.map((contender) => contender.name)), name);
      t.ok(
        contenders.some((contender) => contender.name === reference),
        name,
      );
    }
  }
});

test("a contender whose receiver takes nothing fails instead of being fast", async (t) => {
  const silent = { name: "silent", prepare: () => ({ sample: () => ({ work: 0, elapsedMs: 1 }), finish: () => undefined }) };
  await t.rejects(serveContender(silent, { rounds: 1, roundMs: 1, warmupMs: 1, isQuick: true }), /nothing arrived at the receiver/);
});

test("a contender whose program is not there is skipped by name, and nothing is told as a ratio to it", async (t) => {
  const group = { name: "nobody", unit: "things", measures: "rate", reference: "gone", contenders: [{ name: "gone", command: () => ["/nowhere/program"] }] } as const;
  const { contenders } = await runGroup({ name: "none", question: "", groups: [group] }, group, QUICK, "unused");
  t.same(contenders, [{ name: "gone", skipped: "needs /nowhere/program" }]);
});

test("work that did not arrive is no result", async (t) => {
  t.throws(() => {
    mustMatch("messages", 9, 10);
  }, /10 were sent and 9 arrived/);
  const tally = new Tally();
  let arrived = false;
  void tally.reaches(2).then(() => {
    arrived = true;
  });
  tally.one();
  await Promise.resolve();
  t.notOk(arrived);
  tally.one();
  await Promise.resolve();
  t.ok(arrived);
  await tally.reaches(2);
  t.equal(tally.received, 2);
});

test("of a burst each so many is timed from when it was due until it was received, a stall on the way included", async (t) => {
  const tally = new Tally();
  tally.one(); // before the burst, and in no time of it
  const arrived = tally.due(4, 2);
  const [, stall] = [tally.one(), inStretches(1, () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 30))];
  for (let at = 0; at < 3; at++) tally.one();
  await arrived;
  t.equal(tally.timesMs.length, 2);
  for (const timeMs of tally.timesMs) t.ok(timeMs >= stall.elapsedMs, `${String(timeMs)} ms after it was due`);
  await tally.due(0, 1);
  t.same(tally.timesMs, [], "the next burst has times of its own");
});

test("the times of stretches add up to the whole, and each is told", async (t) => {
  const order: number[] = [];
  const { elapsedMs, latenciesMs } = inStretches(3, (at) => order.push(at));
  t.same(order, [0, 1, 2]);
  t.equal(latenciesMs.length, 3);
  t.ok(Math.abs(latenciesMs.reduce((sum, time) => sum + time, 0) - elapsedMs) < 1e-6);
});

test("the spread of rounds is made of rounds that happened", async (t) => {
  t.same(spreadOf([5, 1, 4, 2, 3]), { min: 1, lowerQuartile: 2, median: 3, upperQuartile: 4, max: 5 });
  const hundred = Array.from({ length: 100 }, (_, at) => at + 1);
  t.equal(quantile(hundred, 0.99), 99);
  t.ok(Number.isNaN(quantile([], 0.5)));
});

test("a table has a cell under each heading, whatever is measured and whoever was skipped or tells no heap", async (t) => {
  const one = spreadOf([1]);
  const told = { work: 1, rounds: 1, rate: one, p50Ms: one, p99Ms: one, p999Ms: 7, heapBytes: spreadOf([1_536]), rssMiB: 30 };
  const contenders = [
    { name: "ours", ...told, ratio: one, lagP99Ms: spreadOf([4]), heapMiB: 20 },
    { name: "foreign", ...told },
    { name: "gone", skipped: "needs it" },
  ];
  for (const measures of ["rate", "latency", "heap"] as const) {
    const timed = measures === "heap" ? {} : { timed: "a thing" };
    const [, , ...told] = tableOf({ bench: "b", group: "g", unit: "things", measures, ...timed, reference: "foreign", contenders }).split("\n");
    t.equal(told[0] === "p50, p99 and p999: a thing.", measures !== "heap", `${measures}: what is timed stands above the table`);
    const lines = told.filter((line) => line.startsWith("|"));
    const cells = lines.map((line) => line.split(" | ").length);
    t.same(new Set(cells).size, 1, `${measures}: ${cells.join(", ")} cells`);
    const ours = lines.find((line) => line.includes("ours")) ?? "";
    t.match(ours, /\| 4\.00 \| 20 \| 30 \|$/, `${measures}: lag, heap, all`);
    if (measures !== "heap") t.match(ours, /\| 7\.00 \|/, `${measures}: p999`);
    if (measures === "heap") t.match(ours, /\| 1536 \|/);
  }
});
