// What `getPersistedSnapshot()` of bare XState gives, read as the state of a hosted machine: an actor that ran outside moves in with its children.
//
// R1. A bare snapshot names states and refs, nothing that runs: delayed events are not in it. Timers of `after` are armed anew with their whole delay, since nobody knows how much
//     of it has passed; other delayed events are gone, as they are when bare XState restores it.
// R2. A ref in a context is restored from the machine's own children, as bare XState does; one to anybody else comes back as undefined.

import type { AnyStateMachine, AnyStateNode } from "xstate";

import type { TimerPolicy } from "../entity/contract.ts";
import { takeTimerPolicy } from "./hosted-machine.ts";
import { nodesById } from "./logic.ts";
import { purely } from "./purity.ts";
import type { CellRef } from "./ref.ts";
import type { LogicSnapshot, StepCell, StepEvent } from "./step-cell.ts";
import { MAX_GENERATIONS } from "./step-under-way.ts";

export interface BareSnapshot {
  readonly status: LogicSnapshot["status"];
  readonly value?: unknown;
  readonly context?: unknown;
  readonly output?: unknown;
  readonly error?: unknown;
  /** Of a source. */
  readonly input?: unknown;
  readonly historyValue?: Readonly<Record<string, readonly { readonly id: string }[]>>;
  readonly children?: Readonly<Record<string, BareChild>>;
}

export interface BareChild {
  readonly snapshot: BareSnapshot;
  readonly src: string;
  readonly systemId?: string;
  readonly syncSnapshot?: boolean;
}

const STATUSES: ReadonlySet<unknown> = new Set(["active", "done", "error", "stopped"]);

/** Why something is no such snapshot; undefined when it is one. Whether its states and sources exist is seen when it is restored. */
export function bareProblem(given: unknown, path = "", depth = 0): string | undefined {
  if (depth > MAX_GENERATIONS) return `${path}: actors nested deeper than ${String(MAX_GENERATIONS)}`;
  if (!isRecord(given)) return `${path === "" ? "it" : path} is no object`;
  if (!STATUSES.has(given["status"])) return `${path}/status is none of XState's`;
  const { children, historyValue } = given;
  if (
    historyValue !== undefined &&
    !(isRecord(historyValue) && Object.values(historyValue).every((nodes) => Array.isArray(nodes) && nodes.every((node) => isRecord(node) && typeof node["id"] === "string")))
  )
    return `${path}/historyValue does not list states by id`;
  if (children === undefined) return undefined;
  if (!isRecord(children)) return `${path}/children is no object`;
  for (const [id, child] of Object.entries(children)) {
    const at = `${path}/children/${id}`;
    if (!isRecord(child) || typeof child["src"] !== "string") return `${at}/src is no name of a source`;
    const problem = bareProblem(child["snapshot"], `${at}/snapshot`, depth + 1);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** @throws Error when the machine has no such states */
export function restoreBare(machine: AnyStateMachine, bare: BareSnapshot, children: Readonly<Record<string, CellRef>>): LogicSnapshot {
  const empty = { ...bare, context: {}, children: {}, historyValue: {} };
  const snapshot = machine.restoreSnapshot(empty as never, undefined as never) as unknown as Record<string, unknown>;
  const historyValue = Object.fromEntries(Object.entries(bare.historyValue ?? {}).map(([id, nodes]) => [id, nodes.map((node) => nodeOf(machine, node.id))]));
  return Object.assign(snapshot, { context: revived(bare.context ?? {}, children), children, historyValue }) as unknown as LogicSnapshot;
}

function nodeOf(machine: AnyStateMachine, id: string): AnyStateNode {
  const node = nodesById(machine).get(id);
  if (node === undefined) throw new Error(`machine "${machine.id}" has no state "#${id}"`);
  return node;
}

function revived(value: unknown, children: Readonly<Record<string, CellRef>>): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => revived(item, children));
  const record = value as Readonly<Record<string, unknown>>;
  if (record["xstate$$type"] === 1) return typeof record["id"] === "string" && Object.hasOwn(children, record["id"]) ? children[record["id"]] : undefined;
  return Object.fromEntries(Object.entries(record).map(([key, item]) => [key, revived(item, children)]));
}

/**
 * Timers of `after` that the active states would have armed when they were entered (R1).
 * @param wanted by the names of timers
 * @throws what the author's delays throw
 */
export function afterTimers(
  cell: StepCell,
  machine: AnyStateMachine,
  snapshot: LogicSnapshot,
  wanted: (timer: string) => boolean = () => true,
): readonly { readonly event: StepEvent; readonly delay: number; readonly policy: TimerPolicy }[] {
  const timers = new Map<string, { readonly event: StepEvent; readonly delay: number; readonly policy: TimerPolicy }>();
  const delays = machine.implementations.delays as Readonly<Record<string, unknown>>;
  purely(() => {
    for (const node of (snapshot as unknown as { readonly _nodes: readonly AnyStateNode[] })._nodes) {
      for (const { eventType, delay } of node.after as readonly { readonly eventType: string; readonly delay: unknown }[]) {
        if (!wanted(eventType)) continue;
        const given: unknown = typeof delay === "string" ? delays[delay] : delay;
        const args = { context: snapshot.context, event: { type: "xstate.init" }, self: cell.ref, system: cell.system };
        const resolved: unknown = typeof given === "function" ? (given as (args: object) => unknown)(args) : given;
        timers.set(eventType, { event: { type: eventType }, delay: Number(resolved), policy: takeTimerPolicy() });
      }
    }
  });
  return [...timers.values()];
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
