// Runs one seed: nodes on simulated ports, a script from outside, faults; then peace, a stop in order, and the judgement of what happened.
//
// S1. One seed gives one run: the same history, fact for fact, on every host. What a run listens for, unheard rejections and impure steps, is the whole process's: so runs of one
//     process take turns, in the order of their calls, and one within another is refused: it would wait for that for ever.
// S2. Judged is what is promised whatever happened; so faults end before the run does, and what may take its time gets it.

import { AsyncLocalStorage } from "node:async_hooks";
import type { Registered } from "../actor/index.ts";
import { decodeRecord, rehearseSteps } from "../entity/index.ts";
import type { EventData } from "../entity/contract.ts";
import { DroverError } from "../errors.ts";
import type { Answer, Told } from "../outcome.ts";
import type { Random } from "../ports/index.ts";
import { aFunction, aNumber, anObject, anything, aText, demandShape, keysOf, listOf, oneOf, recordOf, withMethods } from "../shape/index.ts";
import type { System } from "../system/index.ts";
import { type Checker, evidenceOf, judge, standardCheckers, type Violation } from "./checkers/index.ts";
import { FAULT_KINDS, type FaultKind, planFaults } from "./fault-plan.ts";
import type { Fact, Fault, History } from "./history.ts";
import { unleash } from "./nemesis.ts";
import { OutsideClient, type OutsideOptions } from "./outside-client.ts";
import type { NodeProgram, ProcessPorts } from "./process-ports.ts";
import type { StoreFaults } from "./simulated-store.ts";
import { type NetworkFaults, SimulationWorld } from "./simulation-world.ts";
import { type HostingNode, systemProgram } from "./system-program.ts";
import { thrownBy } from "./thrown.ts";
import { quiet } from "./timeline.ts";

/** A node by what it hosts, or by a program of its own. */
export type NodeSpec = (HostingNode | { readonly program: NodeProgram }) & {
  /** Stands between the node and its simulated ports: for port wrappers, and for tests that break a promise on purpose. */
  readonly ports?: (ports: ProcessPorts) => ProcessPorts;
  /** Its disk confirms what it has not kept: what was not flushed is gone after a power cut (rules L3), and with it what was acknowledged. Default false. */
  readonly lyingDisk?: boolean;
};

export interface FaultOptions {
  /** Kinds that a seed may draw from; each seed takes a part of them. Default all. */
  readonly kinds?: readonly FaultKind[];
  /** Nodes that they may strike. Default all. */
  readonly nodes?: readonly string[];
  /** Mean time between two faults, ms; a seed varies it from half to double. Default 2000. */
  readonly everyMs?: number;
  readonly network?: Partial<NetworkFaults>;
  readonly store?: Partial<StoreFaults>;
}

export interface Simulation {
  /** Decides everything that is left to chance; an unsigned 32-bit integer. */
  readonly seed: number;
  readonly nodes: Readonly<Record<string, NodeSpec>>;
  /** What happens from outside. The run goes on until it has ended. */
  readonly script?: (script: Script) => Promise<void>;
  /** Faults happen for this long, ms; the run takes at least as long. Default 30000. */
  readonly forMs?: number;
  /** Default: all kinds. `none`: nothing fails, latencies alone vary. */
  readonly faults?: FaultOptions | "none";
  /** After the faults open work (messages between entities, shelved ones, effects) has this long to come to its end, ms. Default 120000. */
  readonly settleMs?: number;
  /** Judged beside the standard ones. */
  readonly checkers?: readonly Checker[];
}

/** The script's hands. All time is the simulation's. */
export interface Script {
  /** Since the beginning, ms. */
  readonly nowMs: number;
  readonly random: Random;
  readonly sleep: (ms: number) => Promise<void>;
  readonly tell: (address: string, event: EventData, options?: OutsideOptions) => Promise<Told>;
  readonly ask: (address: string, event: EventData, options?: OutsideOptions) => Promise<Answer>;
  /** As `tell`, again and again under one id until the outcome is final. */
  readonly insist: (address: string, event: EventData, options?: OutsideOptions & { readonly forMs?: number }) => Promise<Told>;
  /** The node's system while it runs; of this run alone. */
  readonly system: (node: string) => System | undefined;
  /** Ends the node's process in the middle of anything. */
  readonly kill: (node: string) => void;
  /** Starts it again. */
  readonly start: (node: string) => void;
  /** Stops it in order. */
  readonly stop: (node: string) => Promise<void>;
  /**
   * The node comes back with other types: from its next run on, whatever begins that, while what runs goes on with the present ones. They are all that it hosts then, as in `types` of its
   * node; of one that has a program of its own it is the next program. A type of a newer version names the `earlier` ones, as on a real node: journals are judged with the newest types.
   * @throws DROVER_SIMULATION_INVALID for what is neither
   */
  readonly upgrade: (node: string, to: readonly Registered[] | NodeProgram) => void;
  /** Cuts a node's link, or parts two nodes that both keep theirs. */
  readonly cut: (node: string, other?: string) => void;
  readonly heal: (node: string, other?: string) => void;
  /** Puts a line into the trace. */
  readonly note: (text: string) => void;
}

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

const SIMULATION = keysOf<Simulation>(
  {
    seed: aNumber,
    nodes: recordOf(anObject),
    script: aFunction,
    forMs: aNumber,
    faults: {
      anyOf: [{ const: "none" }, keysOf<FaultOptions>({ kinds: listOf(oneOf(...FAULT_KINDS)), nodes: listOf(aText), everyMs: aNumber, network: anObject, store: anObject }, [])],
    },
    settleMs: aNumber,
    checkers: listOf(anything),
  },
  ["seed", "nodes"],
);

/** S1. Settles when the run that was called for last has ended, however it did. */
let lastRun: Promise<unknown> = Promise.resolve();
/** S1. What a run has begun knows that it is within it. */
const within = new AsyncLocalStorage<{ isOver: boolean }>();

/**
 * Waits for those that were called before it in this process (S1).
 * @throws DROVER_SIMULATION_INVALID for a seed, a time or a node that is none, for what is unknown or of another kind, and within another simulation; what a script throws is a violation, as a finding of its own
 */
export async function simulate(simulation: Simulation): Promise<SimulationRun> {
  demandShape(simulation, SIMULATION, "simulate", "DROVER_SIMULATION_INVALID", true);
  if (within.getStore()?.isOver === false)
    throw new DroverError(
      "DROVER_SIMULATION_INVALID",
      "a simulation cannot run within another one, whose script or actors would wait for it: end that first, or use another process",
    );
  const itself = { isOver: false };
  const turn = lastRun.then(() => within.run(itself, () => listenedTo(simulation)));
  lastRun = turn.then(
    () => (itself.isOver = true),
    () => (itself.isOver = true),
  );
  return turn;
}

async function listenedTo(simulation: Simulation): Promise<SimulationRun> {
  const unheard: Violation[] = [];
  let world: SimulationWorld | undefined;
  const nowMs = (): number => world?.timeline.nowMs ?? 0;
  const hear = (cause: unknown): void => {
    const what = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
    unheard.push({ promise: "S4", checker: "every failure is heard", atMs: nowMs(), what: `a rejection that nobody handled would end the process: ${what}` });
  };
  process.on("unhandledRejection", hear);
  const impure = new Set<string>();
  const endRehearsals = rehearseSteps(
    ({ actor, event, path, what }) => {
      const step = `the step of ${actor} on ${event}: ${path}`;
      // Each place once: the same step is taken again and again, by recoveries too.
      if (impure.has(step)) return;
      impure.add(step);
      unheard.push({ promise: "S9", checker: "every step is pure", atMs: nowMs(), what: `${step} ${what}` });
    },
    (step) => world?.offered.stepped(step),
  );
  try {
    return await run(simulation, unheard, (begun) => (world = begun));
  } finally {
    process.off("unhandledRejection", hear);
    endRehearsals();
  }
}

/** @param found grows while it runs */
async function run(simulation: Simulation, found: Violation[], begins: (world: SimulationWorld) => void): Promise<SimulationRun> {
  const { seed, forMs = FOR_MS, settleMs = SETTLE_MS } = simulation;
  const programs = programsOf(simulation);
  const faults = simulation.faults === "none" ? undefined : (simulation.faults ?? {});
  const store = { ...DEFAULT_STORE, ...(faults === undefined ? { unknown: 0, refused: 0, failedRead: 0 } : faults.store) };
  const world = new SimulationWorld({
    seed,
    nodes: programs,
    network: { ...DEFAULT_NETWORK, ...(faults === undefined ? { drop: 0, duplicate: 0, reorder: 0 } : faults.network) },
    store,
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
  if (!script.isOver) found.push({ promise: "script", checker: "the script ends", atMs: world.timeline.nowMs, what: "it waits for something that never happens" });
  nemesis.stop();
  await settle(world, settleMs);
  noteWhatIsShown(world);
  await stopAll(world);
  await noteWhatIsKept(world);
  const registered = Object.fromEntries([...world.nodes.values()].map(({ database, types }) => [database.name, types]));
  const judged = judge(evidenceOf(world.history, registered, store.latencyMs[1]), [...standardCheckers, ...(simulation.checkers ?? [])]);
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

function programsOf({
  seed,
  nodes,
  forMs = FOR_MS,
  settleMs = SETTLE_MS,
  faults,
}: Simulation): Readonly<Record<string, { readonly program: NodeProgram } & Omit<NodeSpec, keyof HostingNode>>> {
  const refuse = (what: string): never => {
    throw new DroverError("DROVER_SIMULATION_INVALID", what);
  };
  if (!Number.isInteger(seed) || seed < 0 || seed > 0xffffffff) refuse(`a seed is a whole number from 0 to 4294967295, this is ${String(seed)}`);
  for (const [name, ms] of Object.entries({ forMs, settleMs })) if (!Number.isFinite(ms) || ms < 0) refuse(`${name} is a number of milliseconds, this is ${String(ms)}`);
  const unknown = typeof faults === "object" ? faults.nodes?.find((name) => !Object.hasOwn(nodes, name)) : undefined;
  if (unknown !== undefined) refuse(`faults.nodes names "${unknown}"; the nodes are ${Object.keys(nodes).join(", ")}`);
  if (Object.keys(nodes).length === 0) refuse("a simulation has at least one node");
  return Object.fromEntries(Object.entries(nodes).map(([name, spec]) => [name, { ...spec, program: "program" in spec ? spec.program : systemProgram(spec) }]));
}

function runScript(world: SimulationWorld, { script, nodes }: Simulation, found: Violation[]): { isOver: boolean } {
  const state = { isOver: script === undefined };
  if (script === undefined) return state;
  script(handsOf(world, nodes)).then(
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

function handsOf(world: SimulationWorld, specs: Simulation["nodes"]): Script {
  const { timeline } = world;
  const client = new OutsideClient(world);
  const nodeOf = (name: string): NonNullable<ReturnType<typeof world.nodes.get>> => {
    const node = world.nodes.get(name);
    if (node === undefined) throw new DroverError("DROVER_SIMULATION_INVALID", `there is no node "${name}"; the nodes are ${[...world.nodes.keys()].join(", ")}`);
    return node;
  };
  return {
    get nowMs() {
      return timeline.nowMs;
    },
    random: world.random(),
    sleep: (ms) => new Promise((resolve) => void timeline.after(ms, resolve)),
    tell: (address, event, options) => client.tell(address, event, options),
    ask: (address, event, options) => client.ask(address, event, options),
    insist: (address, event, options) => client.insist(address, event, options),
    system: (name) => nodeOf(name).system,
    kill: (name) => {
      nodeOf(name).kill();
    },
    start: (name) => {
      nodeOf(name).start();
    },
    stop: (name) => nodeOf(name).stop(),
    upgrade: (name, to) => {
      const node = nodeOf(name);
      const next = nextProgram(name, specs[name] as NodeSpec, to);
      node.replaceProgram(next);
      world.tell({ kind: "note", text: `from its next run on ${name} hosts ${next.types.map(wordFor).join(", ")}` });
    },
    cut: (node, other) => {
      world.cut(nodeOf(node).name, other);
    },
    heal: (node, other) => {
      world.heal(nodeOf(node).name, other);
    },
    note: (text) => {
      world.tell({ kind: "note", text });
    },
  };
}

/** @throws DROVER_SIMULATION_INVALID */
function nextProgram(name: string, spec: NodeSpec, to: readonly Registered[] | NodeProgram): NodeProgram {
  if ("program" in spec) {
    demandShape(
      { program: to },
      keysOf<{ program: NodeProgram }>({ program: withMethods("a program, as its node has one", "start") }, ["program"]),
      `upgrade of "${name}"`,
      "DROVER_SIMULATION_INVALID",
      true,
    );
    return to as NodeProgram;
  }
  demandShape({ types: to }, keysOf<{ types: unknown }>({ types: listOf(anObject) }, ["types"]), `upgrade of "${name}"`, "DROVER_SIMULATION_INVALID", true);
  return systemProgram({ ...spec, types: to as readonly Registered[] });
}

function wordFor(type: Registered): string {
  const versions = type.kind === "entity" ? [...type.types.values()] : [type];
  return versions.map(({ name, version }) => `${name} v${String(version)}`).join(" with ");
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
      const records = await database.base.journal({ entity, limit: Number.MAX_SAFE_INTEGER, order: "oldest-first" });
      world.tell({
        kind: "kept",
        store: database.name,
        entity,
        type,
        incarnation: head?.incarnation ?? "",
        revision: head?.revision ?? 0,
        records: records.filter(({ record }) => record.byteLength > 0).map(({ record }) => decodeRecord(record)),
      });
    }
  }
}
