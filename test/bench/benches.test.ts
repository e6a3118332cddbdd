// The benches themselves: each runs for a moment and must have counted real work at the receiver. What their numbers say is not asked here.

import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { test } from "tap";

import { mustMatch, quantile, spreadOf, Tally } from "../../bench/_helpers.ts";
import { benches } from "../../bench/benches.ts";
import type { GroupResult } from "../../bench/drive.ts";

const MAIN = fileURLToPath(new URL(`../../bench/main${import.meta.url.slice(-3)}`, import.meta.url));
/** Each contender is a process of its own, and the machine may be busy. */
const WITHIN_MS = 240_000;

for (const bench of benches) {
  test(`the bench ${bench.name} counts work of every contender at its receiver`, { timeout: WITHIN_MS }, async (t) => {
    const { stdout } = await promisify(execFile)(process.execPath, [MAIN, bench.name, "--quick", "--json"], { timeout: WITHIN_MS });
    const { results } = JSON.parse(stdout) as { readonly results: readonly GroupResult[] };
    t.same(
      results.map(({ group }) => group),
      bench.groups.map(({ name }) => name),
    );
    for (const { group, reference, contenders } of results) {
      for (const { name, skipped, work = 0, rounds, rate, ratio } of contenders) {
        if (skipped !== undefined) {
          t.match(skipped, /^needs /, `${group}: ${name} is skipped by name`);
          continue;
        }
        t.ok(work > 0, `${group}: ${name} took ${String(work)}`);
        t.equal(rounds, 2, "in each round");
        t.ok(Number.isFinite(rate?.median));
        const hasReference = contenders.some((contender) => contender.name === reference && contender.skipped === undefined);
        t.equal(ratio !== undefined, hasReference && name !== reference, `${group}: ${name} is told as a ratio to ${reference}`);
      }
    }
  });
}

test("a name that no bench has is a usage error that lists them", async (t) => {
  const failed = (await promisify(execFile)(process.execPath, [MAIN, "nothing", "--quick"]).catch((error: unknown) => error)) as { readonly code: number; readonly stderr: string };
  t.equal(failed.code, 2);
  for (const { name } of benches) t.match(failed.stderr, name);
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
  t.equal(
    quantile(
      Array.from({ length: 100 }, (_, at) => at + 1),
      0.99,
    ),
    99,
  );
  t.ok(Number.isNaN(quantile([], 0.5)));
});
