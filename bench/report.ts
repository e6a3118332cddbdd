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

const TIMES = ["p50 ms: median", "p99 ms: median", "p999 ms: of all"];

/** A Markdown table, so that it can stand in README.md as it is. */
export function tableOf(result: GroupResult): string {
  const head = ["contender", ...headOf(result), "middle half", ...(result.measures === "rate" ? TIMES : []), "lag p99 ms", "heap MiB", "MiB"];
  const rows = result.contenders.map((contender) =>
    contender.skipped === undefined ? rowOf(contender, result.measures) : [contender.name, `skipped: ${contender.skipped}`, ...head.slice(2).map(() => "")],
  );
  const lines = [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`);
  const told = result.timed === undefined ? [] : [`p50, p99 and p999: ${result.timed}.`, ""];
  return [`### ${result.bench}: ${result.group}`, "", ...told, ...lines].join("\n");
}

function headOf({ measures, unit, reference }: GroupResult): readonly string[] {
  switch (measures) {
    case "rate":
      return [`${unit}/s: median`, "middle half", "min–max", `× ${reference}`];
    case "latency":
      return ["p50 ms: median", "p99 ms: median", "p99 min–max", "p999 ms: of all", `p99 × ${reference}`];
    case "heap":
      return [`bytes for one of ${unit}: median`, "middle half", "min–max", `× ${reference}`];
  }
}

function rowOf(contender: ContenderResult, measures: GroupResult["measures"]): readonly string[] {
  const { name, ratio, rssMiB, heapMiB, lagP99Ms, p50Ms, p99Ms, p999Ms } = contender;
  const relative = ratio === undefined ? ["1", ""] : [fixed(ratio.median), middle(ratio, fixed)];
  const times = measures === "rate" ? [fixed(p50Ms?.median), fixed(p99Ms?.median), fixed(p999Ms)] : [];
  return [name, ...absoluteOf(contender, measures), ...relative, ...times, lagP99Ms === undefined ? "" : fixed(lagP99Ms.median), whole(heapMiB), whole(rssMiB)];
}

function absoluteOf({ rate, p50Ms, p99Ms, p999Ms, heapBytes }: ContenderResult, measures: GroupResult["measures"]): readonly string[] {
  if (measures === "latency") return [fixed(p50Ms?.median), fixed(p99Ms?.median), p99Ms === undefined ? "" : `${fixed(p99Ms.min)}–${fixed(p99Ms.max)}`, fixed(p999Ms)];
  const [spread, show] = measures === "rate" ? ([rate, countOf] as const) : ([heapBytes, whole] as const);
  return [show(spread?.median), spread === undefined ? "" : middle(spread, show), spread === undefined ? "" : `${show(spread.min)}–${show(spread.max)}`];
}

function whole(value?: number): string {
  return value === undefined ? "" : Math.round(value).toString();
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
