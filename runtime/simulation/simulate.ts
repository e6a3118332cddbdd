// Runs one seed: nodes on simulated ports, a script from outside, faults; then peace, a stop in order, and the judgement of what happened.
//
// S1. One seed gives one run: the same history, fact for fact, on every host. What a run listens for, unheard rejections and impure steps, is the whole process's: so runs of one
//     process take turns, in the order of their calls, and one within another is refused: it would wait for that for ever.
// S2. Judged is what is promised whatever happened; so faults end before the run does, and what may take its time gets it.

import { AsyncLocalStorage } from "node:async_hooks";
import { decodeRecord, type ImpureStep, linkOf, rehearseSteps } from "../entity/index.ts";
import { DroverError } from "../errors.ts";
import { evidenceOf, checkersAfterRestore, judge, replayExact, standardCheckers, type Violation } from "./checkers/index.ts";
import { FAULT_KINDS, planFaults } from "./fault-plan.ts";
import type { Fact, Fault, History } from "./history.ts";
import { unleash } from "./nemesis.ts";
import type { NodeProgram } from "./process-ports.ts";
import { scriptHands } from "./script-hands.ts";
import type { StoreFaults } from "./simulated-store.ts";
import { demandSimulation, type NodeSpec, type Simulation } from "./simulation.ts";
import { type NetworkFaults, SimulationWorld } from "./simulation-world.ts";
import { type HostingNode, systemProgram } from "./system-program.ts";
import { thrownBy } from "./thrown.ts";
import { quiet } from "./timeline.ts";

export interface SimulationRun {
  readonly seed: number;
  readonly history: History;
  /** Empty: every promise held. In the order of time. */
  readonly violations: readonly Violation[];
  readonly faults: readonly Fault[];
  /** Simulated time, ms. */
  readonly tookMs: number;
  /** Happenings: timers, messages, flushes. */
  readonly steps: number;
}

type Programs = Readonly<Record<string, { readonly program: NodeProgram } & Omit<NodeSpec, keyof HostingNode>>>;

const DEFAULT_NETWORK: NetworkFaults = { latencyMs: [0.2, 5], drop: 0.02, duplicate: 0.02, reorder: 0.05 };
const DEFAULT_STORE: StoreFaults = { latencyMs: [0.1, 3], unknown: 0.01, refused: 0.002, failedRead: 0.005 };
/** The script and the faults begin when all nodes have started, or after this long. */
const START_WITHIN_MS = 10_000;
const FOR_MS = 30_000;
const SETTLE_MS = 120_000;
/** A script that has not ended by then never will. */
const SCRIPT_WITHIN_MS = 3_600_000;
/** Nothing was open for so long: it is quiet. */
const QUIET_MS = 1_500;
const LOOK_EVERY_MS = 500;
const STOP_WITHIN_MS = 20_000;

/** S1. Settles when the run that was called for last has ended, however it did. */
let lastRun: Promise<unknown> = Promise.resolve();
/** S1. What a run has begun knows that it is within it. */
const within = new AsyncLocalStorage<{ isOver: boolean }>();

/**
 * Waits for those that were called before it in this process (S1).
 * @throws DROVER_SIMULATION_INVALID for a seed, a time, a chance or a node that is none, for what is unknown or of another kind, for an entity of a type that its node does not host, and within
 * another simulation; DROVER_TYPE_INVALID and DROVER_ADDRESS_INVALID for types and addresses that are none. What a script throws is a violation, as a finding of its own
 */
export async function simulate(simulation: Simulation): Promise<SimulationRun> {
  demandSimulation(simulation);
  const programs = programsOf(simulation);
  if (within.getStore()?.isOver === false)
    throw new DroverError(
      "DROVER_SIMULATION_INVALID",
      "a simulation cannot run within another one, whose script or actors would wait for it: end that first, or use another process",
    );
  const itself = { isOver: false };
  const turn = lastRun.then(() => within.run(itself, () => listenedTo(simulation, programs)));
  lastRun = turn.then(
    () => (itself.isOver = true),
    () => (itself.isOver = true),
  );
  return turn;
}

async function listenedTo(simulation: Simulation, programs: Programs): Promise<SimulationRun> {
  const unheard: Violation[] = [];
  let world: SimulationWorld | undefined;
  const nowMs = (): number => world?.timeline.nowMs ?? 0;
  const hear = (cause: unknown): void => {
    const what = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
    unheard.push({ promise: "S4", checker: "every failure is heard", atMs: nowMs(), what: `a rejection that nobody handled would end the process: ${what}` });
  };
  process.on("unhandledRejection", hear);
  const impure = new Set<string>();
  const hearImpure = ({ actor, event, path, what }: ImpureStep): void => {
    const step = `the step of ${actor} on ${event}: ${path}`;
    // Each place once: the same step is taken again and again, by recoveries too.
    if (impure.has(step)) return;
    impure.add(step);
    unheard.push({ promise: "S9", checker: "every step is pure", atMs: nowMs(), what: `${step} ${what}` });
  };
  const endRehearsals = rehearseSteps(simulation.looksTwice === false ? undefined : hearImpure, (step) => world?.offered.stepped(step));
  try {
    return await run(simulation, programs, unheard, (begun) => (world = begun));
  } finally {
    process.off("unhandledRejection", hear);
    endRehearsals();
  }
}

/** @param found grows while it runs */
async function run(simulation: Simulation, programs: Programs, found: Violation[], begins: (world: SimulationWorld) => void): Promise<SimulationRun> {
  const { seed, forMs = FOR_MS, settleMs = SETTLE_MS, looksTwice = true } = simulation;
  const faults = simulation.faults === "none" ? undefined : (simulation.faults ?? {});
  const store = { ...DEFAULT_STORE, ...(faults === undefined ? { unknown: 0, refused: 0, failedRead: 0 } : faults.store) };
  const world = new SimulationWorld({
    seed,
    nodes: programs,
    network: { ...DEFAULT_NETWORK, ...(faults === undefined ? { drop: 0, duplicate: 0, reorder: 0 } : faults.network) },
    store,
    looksTwice,
  });
  begins(world);
  const names = Object.keys(programs);
  const plan =
    faults === undefined ? [] : planFaults(world.random(), { nodes: faults.nodes ?? names, kinds: faults.kinds ?? FAULT_KINDS, everyMs: faults.everyMs ?? 2_000, untilMs: forMs });
  for (const node of world.nodes.values()) node.start();
  await world.pass(START_WITHIN_MS, () => [...world.nodes.values()].every(({ running }) => running !== undefined));
  const nemesis = unleash(world, plan);
  const script = runScript(world, simulation, found);
  await world.pass(world.timeline.nowMs + forMs);
  await world.pass(SCRIPT_WITHIN_MS, () => script.isOver);
  if (!script.isOver)
    found.push({ promise: "script", checker: "the script ends", atMs: world.timeline.nowMs, what: `it waits for something that never happens${whatKeepsNodesAway(world)}` });
  nemesis.stop();
  await settle(world, settleMs);
  noteWhatIsShown(world);
  await stopAll(world);
  await noteWhatIsKept(world);
  const registered = Object.fromEntries([...world.nodes.values()].map(({ database, types }) => [database.name, types]));
  // A store that went back has not kept its commits: what rests on that is not promised then (S3).
  const promised = world.history.some(({ kind }) => kind === "restored") ? checkersAfterRestore : standardCheckers;
  const standard = looksTwice ? promised : promised.filter((checker) => checker !== replayExact);
  const judged = judge(evidenceOf(world.history, registered, store.latencyMs[1]), [...standard, ...(simulation.checkers ?? [])]);
  // What was rejected until here is heard by now, and by nobody else.
  await quiet();
  return {
    seed,
    history: world.history,
    violations: [...found, ...judged],
    faults: world.history.filter((fact): fact is Extract<Fact, Fault> => fact.kind === "fault"),
    tookMs: world.timeline.nowMs,
    steps: world.timeline.happened,
  };
}

function programsOf({ nodes }: Simulation): Programs {
  return Object.fromEntries(
    Object.entries(nodes).map(([name, spec]) => [name, { ...spec, program: "program" in spec ? spec.program : systemProgram(spec, `simulate: nodes.${name}.`) }]),
  );
}

function runScript(world: SimulationWorld, { script, nodes }: Simulation, found: Violation[]): { isOver: boolean } {
  const state = { isOver: script === undefined };
  if (script === undefined) return state;
  new Promise<void>((resolve) => {
    resolve(script(scriptHands(world, nodes)));
  }).then(
    () => {
      state.isOver = true;
    },
    (cause: unknown) => {
      state.isOver = true;
      found.push({ promise: "script", checker: "the script ends", atMs: world.timeline.nowMs, what: thrownBy("it", cause) });
    },
  );
  return state;
}

/** Of each node that does not run, with the last that it said of it. */
function whatKeepsNodesAway({ nodes, history }: SimulationWorld): string {
  const away = [...nodes.values()].filter(({ running }) => running === undefined);
  return away.map(({ name }) => `; the node "${name}" has not started${lastWordOf(name, history)}`).join("");
}

function lastWordOf(node: string, history: History): string {
  const fact = history.findLast(
    (fact) => "node" in fact && fact.node === node && ((fact.kind === "log" && fact.level === "error") || (fact.kind === "node" && fact.reason !== undefined)),
  );
  if (fact?.kind === "log") return `: ${fact.message}`;
  return fact?.kind === "node" ? `: ${String(fact.reason)}` : "";
}

/** S2. */
async function settle(world: SimulationWorld, settleMs: number): Promise<void> {
  world.tell({ kind: "note", text: "faults have ended" });
  world.healAll();
  const until = world.timeline.nowMs + settleMs;
  let quietSince: number | undefined;
  // By the moments that it asks for: time itself is in whole microseconds, and may stand a hair before `until` for ever.
  for (let next = world.timeline.nowMs; next < until; ) {
    next = Math.min(until, next + LOOK_EVERY_MS);
    await world.pass(next);
    const isQuiet = world.openWork.size === 0 && [...world.nodes.values()].every(({ running }) => running !== undefined && running.isQuiet?.() !== false);
    if (!isQuiet) quietSince = undefined;
    else if (world.timeline.nowMs - (quietSince ??= world.timeline.nowMs) >= QUIET_MS) return;
  }
}

function noteWhatIsShown(world: SimulationWorld): void {
  for (const { name: node, process, system } of world.nodes.values()) {
    if (process === undefined || system === undefined) continue;
    const { run } = process;
    const views = [...system.views()].sort((one, other) => (one.address < other.address ? -1 : 1));
    for (const { address, entity, incarnation, revision, state, context, staleMs } of views) {
      world.tell({ kind: "view", node, run, address, isReplica: staleMs !== undefined, incarnation, revision, state, context });
      const held = address === entity ? system.stateOf(entity) : undefined;
      if (held !== undefined) world.tell({ kind: "live", node, run, entity, incarnation: held.incarnation, revision: held.revision, state: held.encoded });
    }
  }
}

async function stopAll(world: SimulationWorld): Promise<void> {
  let left = 0;
  for (const node of world.nodes.values()) {
    left++;
    void node.stop().then(() => {
      left--;
    });
  }
  await world.pass(world.timeline.nowMs + STOP_WITHIN_MS, () => left === 0);
}

async function noteWhatIsKept(world: SimulationWorld): Promise<void> {
  for (const { database } of world.nodes.values()) {
    // One that nobody has ever opened holds nothing.
    if (database.epoch === 0) continue;
    for (const { entity, type } of await database.base.entities(undefined, Number.MAX_SAFE_INTEGER)) {
      const head = await database.base.revisionOf(entity);
      const journal = await database.base.journal({ entity, limit: Number.MAX_SAFE_INTEGER, order: "oldest-first" });
      // What opens a replica's history is a state and no record.
      const records = journal.filter(({ record }) => record.byteLength > 0);
      world.tell({
        kind: "kept",
        store: database.name,
        entity,
        type,
        incarnation: head?.incarnation ?? "",
        revision: head?.revision ?? 0,
        records: records.map(({ record }) => decodeRecord(record)),
        links: records.map(({ record }) => linkOf(record)),
      });
    }
  }
}
