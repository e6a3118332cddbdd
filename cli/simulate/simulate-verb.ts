// Runs seeds of the fleet, or of a module's own scenario, and tells what did not hold.

import { explain, type Fact, simulate, type Simulation, simulateSeeds, type SimulationRun, traceOf } from "../../runtime/simulation/index.ts";
import { type Call, CommandFailure, EXIT, type ExitCode, printJson, printJsonLine } from "../terminal/index.ts";
import { loadModule } from "../user-module/index.ts";
import { fleet } from "./fleet.ts";
import { rollouts } from "./rollouts/index.ts";

export interface SimulateOptions {
  /** One seed. */
  readonly seed?: number;
  /** First and last. */
  readonly seeds?: readonly [first: number, last: number];
  /** From seed 1. */
  readonly count?: number;
  /** Every fact of one seed. */
  readonly trace?: boolean;
  /** Goes on after a seed that does not hold. */
  readonly all?: boolean;
}

type Scenario = (seed: number) => Simulation;

/** Scenarios of our own, by name. */
const OWN: Readonly<Record<string, Scenario>> = { fleet: (seed) => fleet(seed), rollouts: (seed) => rollouts(seed) };
const DEFAULT_COUNT = 100;
/** A word on standard error after so many seeds. */
const TELL_EVERY = 500;

/** Exit code 1 where a promise did not hold. @param what `fleet`, `rollouts`, or the path of a module that exports `scenario(seed)` */
export async function simulateVerb(what: string, options: SimulateOptions, call: Call): Promise<ExitCode> {
  const scenario = (Object.hasOwn(OWN, what) ? OWN[what] : undefined) ?? (await scenarioOf(what));
  if (options.trace === true) return traced(scenario, options.seed ?? options.seeds?.[0] ?? 1, call);
  const [first, last] = options.seed === undefined ? (options.seeds ?? [1, options.count ?? DEFAULT_COUNT]) : [options.seed, options.seed];
  const sums = { runs: 0, steps: 0, faults: 0, simulatedMs: 0 };
  const { failed } = await simulateSeeds(scenario, {
    from: first,
    count: last - first + 1,
    all: options.all === true,
    each: (run) => {
      sums.runs++;
      sums.steps += run.steps;
      sums.faults += run.faults.length;
      sums.simulatedMs += run.tookMs;
      if (run.violations.length > 0) call.err.write(explain(run));
      if (sums.runs % TELL_EVERY === 0) call.err.write(`${what}: ${String(sums.runs)} of ${String(last - first + 1)} seeds\n`);
    },
  });
  const words = `${what}: seeds ${String(first)} to ${String(first + sums.runs - 1)}, ${String(sums.runs - failed.length)} hold, ${String(failed.length)} do not`;
  if (call.json) printJson(call.out, { scenario: what, first, ...sums, simulatedMs: Math.round(sums.simulatedMs), failed: failed.map(summaryOf) });
  else call.out.write(`${words}; ${String(sums.faults)} faults, ${String(sums.steps)} steps, ${String(Math.round(sums.simulatedMs / 1_000))} s simulated\n`);
  return failed.length > 0 ? EXIT.failure : EXIT.ok;
}

async function traced(scenario: Scenario, seed: number, call: Call): Promise<ExitCode> {
  const run = await simulate(scenario(seed));
  if (call.json) for (const fact of run.history) printJsonLine(call.out, plain(fact));
  else call.out.write(traceOf(run));
  call.err.write(explain(run));
  return run.violations.length > 0 ? EXIT.failure : EXIT.ok;
}

function summaryOf({ seed, violations, faults }: SimulationRun): object {
  return { seed, violations, faults: faults.map(({ atMs, what, where, forMs }) => ({ atMs, what, where, forMs })) };
}

/** Without what is bytes. */
function plain(fact: Fact): object {
  return fact.kind === "live" ? { ...fact, state: undefined } : fact;
}

async function scenarioOf(file: string): Promise<Scenario> {
  const { scenario } = await loadModule(file, "the scenarios known by name are fleet and rollouts");
  if (typeof scenario === "function") return (seed) => made(file, scenario as Scenario, seed);
  throw new CommandFailure({
    code: "no-scenario",
    title: "The module exports no scenario.",
    detail: `${file} has no function named scenario`,
    advice: "Export `scenario(seed)`, which returns what `simulate` of drover/simulation takes.",
    exit: EXIT.invalid,
  });
}

/** What throws before anything runs is no broken promise; nor is one that would run another seed than is told of it. */
function made(file: string, scenario: Scenario, seed: number): Simulation {
  const simulation = calledWith(file, scenario, seed);
  // What is no simulation at all is refused by `simulate`.
  const given = (simulation as Partial<Simulation> | undefined)?.seed;
  if (typeof given !== "number" || given === seed) return simulation;
  throw new CommandFailure({
    code: "no-scenario",
    title: "The module's scenario does not run the seed that it is given.",
    detail: `${file}: what scenario(${String(seed)}) returns has seed ${String(given)}`,
    advice: "Let it pass its argument on: `seed`.",
    exit: EXIT.invalid,
  });
}

function calledWith(file: string, scenario: Scenario, seed: number): Simulation {
  try {
    return scenario(seed);
  } catch (cause) {
    throw new CommandFailure(
      {
        code: "no-scenario",
        title: "The module's scenario cannot be made.",
        detail: `${file}: scenario(${String(seed)}) threw: ${cause instanceof Error ? cause.message : String(cause)}`,
        advice: "Let it return what `simulate` of drover/simulation takes, for every seed.",
        exit: EXIT.invalid,
      },
      { cause },
    );
  }
}
