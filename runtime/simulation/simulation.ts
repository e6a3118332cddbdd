// What a simulation is described by, and the check of all of it before anything runs.
//
// D1. What would be ignored, or would keep a run from ending, is refused with its key and what was expected: a fault that is never injected proves nothing, and would be told as a promise that held.

import { activationLimits } from "../activation-limits.ts";
import type { Registered } from "../actor/index.ts";
import { NODE_NAME } from "../address.ts";
import type { EventData } from "../entity/contract.ts";
import { DroverError } from "../errors.ts";
import type { Answer, Told } from "../outcome.ts";
import type { Random } from "../ports/index.ts";
import { aFunction, anObject, anything, aText, aWholeNumberFrom, demandShape, keysOf, listOf, oneOf, recordOf, type Shape, withMethods, yesOrNo } from "../shape/index.ts";
import type { EntityOptions, RaisedVersions, System } from "../system/index.ts";
import type { Checker } from "./checkers/index.ts";
import { ALL_FAULT_KINDS, type FaultKind } from "./fault-plan.ts";
import type { OutsideOptions } from "./outside-client.ts";
import type { NodeProgram, ProcessPorts } from "./process-ports.ts";
import type { StoreFaults } from "./simulated-store.ts";
import type { NetworkFaults } from "./simulation-world.ts";
import type { HostingNode } from "./system-program.ts";

/** A node by what it hosts, or by a program of its own. */
export type NodeSpec = (HostingNode | { readonly program: NodeProgram }) & {
  /** Stands between the node and its simulated ports: for port wrappers, and for tests that break a promise on purpose. */
  readonly ports?: (ports: ProcessPorts) => ProcessPorts;
  /** Its disk confirms what it has not kept: what was not flushed is gone after a power cut (rules L3), and with it what was acknowledged. Default false. */
  readonly lyingDisk?: boolean;
};

export interface FaultOptions {
  /** Kinds that a seed may draw from; each seed takes a part of them. Of an empty list none: links and stores alone fail. Default all but `old-copy`. */
  readonly kinds?: readonly FaultKind[];
  /** Nodes that they may strike, at least one. Default all. */
  readonly nodes?: readonly string[];
  /** Mean time between two faults, ms; a seed varies it from half to double. From 1, default 2000. */
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
  /**
   * Every step is taken twice, and what entities hold is compared with their recovery and their replay: most of what a seed costs. false: none of that, and S9 and R2 are not judged; for many seeds
   * of one scenario, of which some look twice. Default true.
   */
  readonly looksTwice?: boolean;
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
   * node; of one that has a program of its own it is the next program. A type of a newer version names the `earlier` ones, as on a real node: journals are judged with the newest types. Until
   * its version is raised (`raise`, or `versions` of the node) the former one runs.
   * @throws DROVER_SIMULATION_INVALID for what is neither
   */
  readonly upgrade: (node: string, to: readonly Registered[] | NodeProgram) => void;
  /**
   * Raises versions of actor types on a node, e.g. `{ tap: 2 }` (rules T4): again and again, on whichever run there is, until one has done it.
   * @throws what `System.raiseVersions` refuses them with
   */
  readonly raise: (node: string, versions: Readonly<Record<string, number>>) => Promise<RaisedVersions>;
  /** Cuts a node's link, or parts two nodes that both keep theirs. */
  readonly cut: (node: string, other?: string) => void;
  readonly heal: (node: string, other?: string) => void;
  /** Corrects the wall clock of the node's machine by so many ms, whether its process is there or not; negative: sets it back. */
  readonly jump: (node: string, ms: number) => void;
  /** Puts a line into the trace. */
  readonly note: (text: string) => void;
}

const A_SPAN: Shape = { type: "number", minimum: 0 };
const A_CHANCE: Shape = { type: "number", minimum: 0, maximum: 1 };

const LATENCIES: Shape = {
  title: "[least, most] in ms: two numbers of at least 0, the least first",
  "x-test": (value) => Array.isArray(value) && value.length === 2 && value.every(Number.isFinite) && value[0] >= 0 && value[1] >= value[0],
};

const REGISTERED: Shape = {
  title: "an entity type or an actor type",
  "x-test": (value) => typeof value === "object" && value !== null && ["entity", "actor"].includes(String((value as { readonly kind?: unknown }).kind)),
};

const A_CHECKER: Shape = {
  title: "a checker: { name, promise, check }, two texts and a function",
  "x-test": (value) => {
    if (typeof value !== "object" || value === null) return false;
    const { name, promise, check } = value as Readonly<Record<string, unknown>>;
    return typeof name === "string" && typeof promise === "string" && typeof check === "function";
  },
};

const FAULTS = keysOf<FaultOptions>(
  {
    kinds: listOf(oneOf(...ALL_FAULT_KINDS)),
    nodes: { ...listOf(aText), minItems: 1 },
    // Below it a run would have more faults than happenings, and at 0 no end of them.
    everyMs: { type: "number", minimum: 1 },
    network: keysOf<NetworkFaults>({ latencyMs: LATENCIES, drop: A_CHANCE, duplicate: A_CHANCE, reorder: A_CHANCE }, []),
    store: keysOf<StoreFaults>({ latencyMs: LATENCIES, unknown: A_CHANCE, refused: A_CHANCE, failedRead: A_CHANCE }, []),
  },
  [],
);

const OF_EVERY_NODE = { ports: aFunction, lyingDisk: yesOrNo };
const ENTITY = keysOf<EntityOptions>({ input: anything, labels: recordOf(aText), bareSnapshot: anything, children: listOf(anObject) }, []);
const NODE: Shape = {
  anyOf: [
    keysOf<HostingNode & Pick<NodeSpec, keyof typeof OF_EVERY_NODE>>(
      {
        types: listOf(REGISTERED),
        entities: recordOf(ENTITY),
        foreignTypes: listOf(REGISTERED),
        door: aFunction,
        versions: oneOf("raised-by-hand", "raised-at-start"),
        residentEntities: aWholeNumberFrom(1),
        activation: activationLimits,
        entitiesBegin: oneOf("at-start", "when-told"),
        ...OF_EVERY_NODE,
      },
      ["types"],
    ),
    { type: "object", properties: { program: withMethods("a program", "start"), ...OF_EVERY_NODE }, required: ["program"] },
  ],
};

const SIMULATION = keysOf<Simulation>(
  {
    seed: { type: "integer", minimum: 0, maximum: 0xffffffff },
    nodes: { type: "object", patternProperties: { [NODE_NAME.pattern]: NODE }, title: NODE_NAME.title },
    script: aFunction,
    forMs: A_SPAN,
    faults: { anyOf: [{ const: "none" }, FAULTS] },
    settleMs: A_SPAN,
    checkers: listOf(A_CHECKER),
    looksTwice: yesOrNo,
  },
  ["seed", "nodes"],
);

/** D1. @throws DROVER_SIMULATION_INVALID with all that is wrong */
export function demandSimulation(simulation: Simulation): void {
  demandShape(simulation, SIMULATION, "simulate", "DROVER_SIMULATION_INVALID", true);
  const { nodes, faults } = simulation;
  const names = Object.keys(nodes);
  if (names.length === 0) throw new DroverError("DROVER_SIMULATION_INVALID", "simulate: nodes: there is none (expected at least one node)");
  if (typeof faults === "object" && faults.nodes !== undefined) demandShape({ faults: { nodes: faults.nodes } }, nodesOf(names), "simulate", "DROVER_SIMULATION_INVALID", true);
}

function nodesOf(names: readonly string[]): Shape {
  return { type: "object", properties: { faults: { type: "object", properties: { nodes: listOf(oneOf(...names)) } } } };
}

/** Of a node that comes back with other types, or with another program. @throws DROVER_SIMULATION_INVALID */
export function demandUpgrade(name: string, spec: NodeSpec, to: unknown): void {
  const next = "program" in spec ? { program: withMethods("a program, as its node has one", "start") } : { types: listOf(REGISTERED) };
  const [key = ""] = Object.keys(next);
  demandShape({ [key]: to }, { type: "object", properties: next, required: [key] }, `upgrade of "${name}"`, "DROVER_SIMULATION_INVALID", true);
}
