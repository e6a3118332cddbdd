// What every bench rests on: counts at the receiver, rounds, names.

import { test } from "tap";

import { mustMatch, QUICK, quantile, spreadOf, Tally } from "../../bench/_helpers.ts";
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

test("names of benches, groups and contenders are unique, and each group's reference is in it", async (t) => {
  const unique = (names: readonly string[]): boolean => new Set(names).size === names.length;
  t.ok(unique(benches.map(({ name }) => name)));
  for (const { groups } of benches) {
    t.ok(unique(groups.map(({ name }) => name)));
    for (const { name, reference, contenders } of groups) {
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
    const lines = tableOf({ bench: "b", group: "g", unit: "things", measures, reference: "foreign", contenders }).split("\n").slice(2);
    const cells = lines.map((line) => line.split(" | ").length);
    t.same(new Set(cells).size, 1, `${measures}: ${cells.join(", ")} cells`);
    const ours = lines.find((line) => line.includes("ours")) ?? "";
    t.match(ours, /\| 4\.00 \| 20 \| 30 \|$/, `${measures}: lag, heap, all`);
    if (measures === "latency") t.match(ours, /\| 7\.00 \|/);
    if (measures === "heap") t.match(ours, /\| 1536 \|/);
  }
});
