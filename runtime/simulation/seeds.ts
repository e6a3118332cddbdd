// Many seeds of one scenario, one after the other, until one does not hold; and what to tell of it.

import { DroverError } from "../errors.ts";
import { lineOf } from "./history.ts";
import { aFunction, aWholeNumberFrom, demandShape, keysOf, yesOrNo } from "../shape/index.ts";
import { simulate, type SimulationRun } from "./simulate.ts";
import type { Simulation } from "./simulation.ts";

export interface SeedsOptions {
  /** First seed. Default 1. */
  readonly from?: number;
  /** How many, ascending. */
  readonly count: number;
  /** Told after each run. */
  readonly each?: (run: SimulationRun) => void;
  /** Seeds go on after one that does not hold. Default false. */
  readonly all?: boolean;
}

export interface SeedsOutcome {
  readonly runs: number;
  /** In the order of their seeds. */
  readonly failed: readonly SimulationRun[];
}

const LAST_SEED = 0xffffffff;
const SEEDS = keysOf<SeedsOptions & { scenario: unknown }>(
  { scenario: aFunction, from: { type: "integer", minimum: 0, maximum: LAST_SEED }, count: aWholeNumberFrom(1), each: aFunction, all: yesOrNo },
  ["scenario", "count"],
);

/**
 * @param scenario made anew for each seed, so that no run leaves anything to the next
 * @throws DROVER_SIMULATION_INVALID for options that are none, where what it makes has another seed than it was given, and as `simulate`
 */
export async function simulateSeeds(scenario: (seed: number) => Simulation, options: SeedsOptions): Promise<SeedsOutcome> {
  // Of no seed at all nothing would hold or fail.
  demandShape({ ...options, scenario }, SEEDS, "simulateSeeds", "DROVER_SIMULATION_INVALID", true);
  const { from = 1, count, each, all = false } = options;
  const failed: SimulationRun[] = [];
  let runs = 0;
  for (let seed = from; seed < from + count; seed++) {
    const run = await simulate(ofSeed(seed, scenario(seed)));
    runs++;
    each?.(run);
    if (run.violations.length === 0) continue;
    failed.push(run);
    if (!all) break;
  }
  return { runs, failed };
}

/** One run would be counted as many, and a seed that does not hold told under another's number. What is no simulation at all, `simulate` refuses. */
function ofSeed(asked: number, simulation: Simulation): Simulation {
  const given: unknown = (simulation as Partial<Simulation> | undefined)?.seed;
  if (typeof given !== "number" || given === asked) return simulation;
  throw new DroverError("DROVER_SIMULATION_INVALID", `the scenario that was made for seed ${String(asked)} has seed ${String(given)}: let it pass the seed that it is given on`);
}

/** Every fact on a line: the same text for the same seed, on every host. */
export function traceOf(run: SimulationRun): string {
  return `${run.history.map(lineOf).join("\n")}\n`;
}

const LINES_BEFORE = 12;

/** What a person needs of a run that does not hold: its seed, what did not hold, the faults until then, and what happened right before. */
export function explain(run: SimulationRun): string {
  const [first] = run.violations;
  if (first === undefined) return `seed ${String(run.seed)}: every promise held in ${String(run.steps)} steps\n`;
  const before = run.history.filter(({ atMs }) => atMs <= first.atMs);
  const faults = run.faults.filter(({ atMs }) => atMs <= first.atMs);
  const lines = [
    `seed ${String(run.seed)} does not hold:`,
    ...run.violations.slice(0, 10).map(({ promise, checker, atMs, what }) => `  ${promise} (${checker}) at ${atMs.toFixed(3)} ms: ${what}`),
    ...(run.violations.length > 10 ? [`  and ${String(run.violations.length - 10)} more`] : []),
    faults.length === 0 ? "no fault had happened before" : `faults until then: ${[...new Set(faults.map(({ what }) => what))].join(", ")}`,
    ...faults.map((fault) => `  ${lineOf(fault).trimStart()}`),
    "what happened right before:",
    ...before.slice(-LINES_BEFORE).map((fact) => `  ${lineOf(fact).trimStart()}`),
    `the same seed runs the same way again: simulate({ seed: ${String(run.seed)}, … })`,
  ];
  return `${lines.join("\n")}\n`;
}
