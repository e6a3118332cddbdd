// Runs one bench for a moment and looks at what it counted. What its numbers say is not asked: a moment on a busy machine says nothing.

import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import type { Test } from "tap";

import type { BenchDefinition, Group } from "../../bench/_helpers.ts";
import type { GroupResult } from "../../bench/drive.ts";
import { form } from "../forms.ts";

const MAIN = fileURLToPath(new URL(`../../bench/main${import.meta.url.slice(-3)}`, import.meta.url));
const QUICK_ROUNDS = 2;

/** Each contender is a process of its own, and the machine may be busy. */
export const WITHIN_MS = 200_000;

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export async function runBenches(...args: readonly string[]): Promise<Ended> {
  const ended = (await promisify(execFile)(process.execPath, [MAIN, ...args]).catch((error: unknown) => error)) as Partial<Ended>;
  return { code: ended.code ?? 0, stdout: ended.stdout ?? "", stderr: ended.stderr ?? "" };
}

/** Every contender of every group of `bench` (in the short form of the first `short` ones) was seen to do real work, or is skipped with what it needs. */
export async function countsRealWork(t: Test, bench: BenchDefinition, short = 1): Promise<void> {
  const groups = form<readonly Group[]>(bench.groups.slice(0, short), bench.groups);
  const { code, stdout, stderr } = await runBenches(...groups.map(({ name }) => `${bench.name}/${name}`), "--quick", "--json");
  t.equal(code, 0, stderr);
  const { results } = JSON.parse(stdout) as { readonly results: readonly GroupResult[] };
  t.same(
    results.map(({ group }) => group),
    groups.map(({ name }) => name),
  );
  for (const { group, measures, reference, contenders } of results) {
    const foreign = bench.groups.find(({ name }) => name === group)?.contenders.filter((contender) => "command" in contender) ?? [];
    const hasReference = contenders.some(({ name, skipped }) => name === reference && skipped === undefined);
    for (const { name, skipped, work = 0, rounds, rate, ratio, heapBytes, p50Ms, p99Ms, p999Ms, heapMiB, lagP99Ms } of contenders) {
      if (skipped !== undefined) {
        t.match(skipped, /^needs /, `${group}: ${name} is skipped by name`);
        continue;
      }
      t.ok(work > 0, `${group}: ${name} took ${String(work)}`);
      t.equal(rounds, QUICK_ROUNDS, `${group}: ${name} had its rounds`);
      t.ok(Number.isFinite(rate?.median), `${group}: ${name} has a rate`);
      t.equal(Number.isFinite(heapBytes?.median), measures === "heap", `${group}: ${name} says what its units hold only where that is asked`);
      for (const [quantile, value] of Object.entries({ p50: p50Ms?.median, p99: p99Ms?.median, p999: p999Ms }))
        t.equal((value ?? 0) > 0, measures !== "heap", `${group}: ${name} has a ${quantile} wherever something is timed`);
      t.ok(
        measures === "heap" || ((p50Ms?.min ?? Number.NaN) <= (p99Ms?.max ?? 0) && (p50Ms?.min ?? Number.NaN) <= (p999Ms ?? 0)),
        `${group}: ${name}'s slowest are not below its median`,
      );
      const isForeign = foreign.some((contender) => contender.name === name);
      t.equal(Number.isFinite(heapMiB), !isForeign, `${group}: ${name} tells its heap if it is one of Node's`);
      t.equal(Number.isFinite(lagP99Ms?.median), !isForeign && measures !== "heap", `${group}: ${name} tells how late its event loop came`);
      t.equal(ratio !== undefined, hasReference && name !== reference, `${group}: ${name} is told as a ratio to ${reference}`);
    }
  }
}
