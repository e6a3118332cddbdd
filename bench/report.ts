// A run's results as words: the machine, then a table for each group.

import { availableParallelism, cpus, loadavg, release, totalmem, type } from "node:os";

import type { Spread } from "./_helpers.ts";
import type { ContenderResult, GroupResult } from "./drive.ts";

export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly system: string;
  readonly node: string;
  /** Load over the last minute at the start: what else ran. */
  readonly loadBefore: number;
}

export function describeMachine(): Machine {
  return {
    processor: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release()}`,
    node: process.versions.node,
    loadBefore: loadavg()[0] ?? Number.NaN,
  };
}

export function machineLine({ processor, cores, memoryGiB, system, node, loadBefore }: Machine): string {
  return `${processor}, ${String(cores)} cores, ${String(memoryGiB)} GiB, ${system}, Node ${node}; load before the run ${loadBefore.toFixed(2)}`;
}

/** A Markdown table, so that it can stand in README.md as it is. */
export function tableOf(result: GroupResult): string {
  const isRate = result.measures === "rate";
  const head = isRate
    ? ["contender", `${result.unit}/s: median`, "middle half", "min–max", `× ${result.reference}`, "middle half", "MiB"]
    : ["contender", "p50 ms: median", "p99 ms: median", "p99 min–max", `p99 × ${result.reference}`, "middle half", "MiB"];
  const rows = result.contenders.map((contender) =>
    contender.skipped === undefined ? rowOf(contender, isRate) : [contender.name, `skipped: ${contender.skipped}`, "", "", "", "", ""],
  );
  const lines = [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`);
  return [`### ${result.bench}: ${result.group}`, "", ...lines].join("\n");
}

function rowOf({ name, rate, ratio, p50Ms, p99Ms, rssMiB = Number.NaN }: ContenderResult, isRate: boolean): readonly string[] {
  const relative = ratio === undefined ? ["1", ""] : [fixed(ratio.median), middle(ratio, fixed)];
  const absolute = isRate
    ? [countOf(rate?.median), rate === undefined ? "" : middle(rate, countOf), rate === undefined ? "" : `${countOf(rate.min)}–${countOf(rate.max)}`]
    : [fixed(p50Ms?.median), fixed(p99Ms?.median), p99Ms === undefined ? "" : `${fixed(p99Ms.min)}–${fixed(p99Ms.max)}`];
  return [name, ...absolute, ...relative, Math.round(rssMiB).toString()];
}

function middle({ lowerQuartile, upperQuartile }: Spread, show: (value: number) => string): string {
  return `${show(lowerQuartile)}–${show(upperQuartile)}`;
}

function fixed(value = Number.NaN): string {
  return value >= 10 ? value.toFixed(1) : value.toFixed(value >= 1 ? 2 : 3);
}

function countOf(value = Number.NaN): string {
  if (value >= 1e6) return `${(value / 1e6).toFixed(2)} M`;
  return value >= 1e3 ? `${(value / 1e3).toFixed(1)} k` : value.toFixed(0);
}
