// The step that is under way: what XState says of it while it runs. Steps nest, since a child's first step is computed inside its parent's.

import { DroverError } from "../errors.ts";
import { allowInlineWork } from "./asked-work.ts";
import type { TimerPolicy } from "../entity/contract.ts";
import { isWellFormed } from "./codec.ts";
import { takeTimerPolicy } from "./hosted-machine.ts";
import { host, type MadeActor, type Maker, stepCellOf } from "./made-actor.ts";
import { enterPureCode, leavePureCode } from "./purity.ts";
import { refusePromises } from "./promises.ts";
import type { LogicSnapshot, StepCell } from "./step-cell.ts";
import { takeThrownAt } from "./watched-code.ts";

export interface RawAction {
  readonly type: string;
  readonly info: { readonly context: unknown; readonly event: unknown; readonly self: unknown; readonly system: unknown };
  readonly params: unknown;
  readonly exec: ((info: unknown, params: unknown) => unknown) | undefined;
}

export type Collected =
  | { readonly kind: "raw"; readonly action: RawAction; readonly policy: TimerPolicy }
  | { readonly kind: "made"; readonly child: StepCell; spawned: boolean }
  | { readonly kind: "stopped"; readonly child: StepCell };

export class Step implements Maker {
  readonly cell: StepCell;
  readonly collected: Collected[] = [];
  made: StepCell[] | undefined = undefined;
  /** As XState made them. */
  actors: MadeActor[] | undefined = undefined;
  failure: Maker["failure"] = undefined;
  stopping: Set<StepCell> | undefined = undefined;
  systemIds: Map<string, StepCell | undefined> | undefined = undefined;
  selected: boolean | undefined = undefined;
  /** A transition of it has left or entered a state node. */
  entered = false;
  /** The step of the parent, when this is a child's first step, computed in place. */
  readonly outer: Step | undefined;
  /** From 0. */
  readonly depth: number;

  constructor(cell: StepCell, outer: Step | undefined) {
    this.cell = cell;
    this.outer = outer;
    this.depth = outer === undefined ? 0 : outer.depth + 1;
  }
}

/** Actors that begin within each other's beginnings, and generations of what moves in. */
export const MAX_GENERATIONS = 100;

let current: Step | undefined;

export function stepUnderWay(): Step | undefined {
  return current;
}

/** @throws DROVER_MACHINE_RUNAWAY */
export function openStep(cell: StepCell): Step {
  if (current !== undefined && current.depth >= MAX_GENERATIONS)
    throw new DroverError("DROVER_MACHINE_RUNAWAY", `more than ${String(MAX_GENERATIONS)} generations of children begin in one step; the last is ${cell.address}`);
  if (current === undefined) takeThrownAt();
  current = new Step(cell, current);
  allowInlineWork(!cell.isDurable);
  enterPureCode();
  return current;
}

export function closeStep(step: Step): void {
  leavePureCode();
  current = step.outer;
}

/** Who has a system id, as the step under way sees it; undefined twice over: not staged, or freed. */
export function stagedHolder(id: string): { readonly holder: StepCell | undefined } | undefined {
  for (let step = current; step !== undefined; step = step.outer) if (step.systemIds?.has(id) === true) return { holder: step.systemIds.get(id) };
  return undefined;
}

/** Ids are parts of addresses and keys of records. @throws DROVER_DATA_NOT_KEPT */
function checkId(what: string, id: unknown): void {
  if (typeof id !== "string") throw new DroverError("DROVER_DATA_NOT_KEPT", `the ${what} of a child is ${id === null ? "null" : `a ${typeof id}`}, a text is expected`);
  if (!isWellFormed(id)) throw new DroverError("DROVER_DATA_NOT_KEPT", `the ${what} of a child has half a character (a lone surrogate)`);
}

/**
 * @throws DROVER_CHILD_ID_TAKEN when a child with this id lives (named difference N15), DROVER_DATA_NOT_KEPT for an id that is no text, DROVER_STEP_PROMISE for anything that is a
 * promise: what `spawn` is given is seen here alone
 */
export function noteMade(step: Step, actor: MadeActor): void {
  const { id, src, options } = actor;
  for (const given of [id, src, options.systemId]) refusePromises(given, "a child");
  refusePromises(options.input, "the input of a child");
  checkId("id", actor.id);
  if (actor.options.systemId !== undefined) checkId("system id", actor.options.systemId);
  const holder = step.cell.child(actor.id);
  if ((holder !== undefined && step.stopping?.has(holder) !== true) || step.made?.some((child) => child.id === actor.id && step.stopping?.has(child) !== true) === true) {
    throw new DroverError("DROVER_CHILD_ID_TAKEN", `A child with id '${actor.id}' still lives; stop it first, or give the new one another id.`);
  }
  const child = step.cell.adopt({ id: actor.id, src: actor.src, logic: actor.logic, systemId: actor.options.systemId, syncSnapshot: actor._syncSnapshot === true });
  host(actor, child, step);
  (step.made ??= []).push(child);
  (step.actors ??= []).push(actor);
  step.collected.push({ kind: "made", child, spawned: true });
}

export function freeSystemId(step: Step, id: string, holder: StepCell): void {
  // A newer incarnation may have it by now.
  if ((step.cell.system as { holderOf(id: string): StepCell | undefined }).holderOf(id) !== holder) return;
  step.systemIds ??= new Map();
  step.systemIds.set(id, undefined);
}

/** Frees the system ids of a stopped child and of the cells under it, at once (H3). */
function freeBelow(step: Step, cell: StepCell): void {
  for (const child of cell.listed()) freeBelow(step, child);
  if (cell.systemId !== undefined) freeSystemId(step, cell.systemId, cell);
}

/** XState's action executor while a step runs. */
export function collect(action: RawAction): void {
  const step = current as Step;
  if (action.type === "xstate.stopChild") {
    // Nobody of that name, or nothing: so in XState.
    if (!action.params) return;
    const child = stepCellOf(action.params);
    if (child?.parent !== step.cell) throw new Error(`Cannot stop child actor ${nameOf(action.params)} of ${step.cell.id} because it is not a child`);
    step.stopping ??= new Set();
    step.stopping.add(child);
    freeBelow(step, child);
    step.collected.push({ kind: "stopped", child });
    return;
  }
  if (action.type === "xstate.spawnChild") {
    const child = stepCellOf((action.params as { readonly actorRef?: unknown }).actorRef);
    for (const entry of step.collected) if (entry.kind === "made" && entry.child === child) entry.spawned = false;
    return;
  }
  step.collected.push({ kind: "raw", action, policy: takeTimerPolicy() });
}

/** Of what an author gave as a child: a ref of this entity, of another one, or anything. */
function nameOf(given: unknown): string {
  const id: unknown = typeof given === "object" && given !== null ? (given as { readonly id?: unknown }).id : undefined;
  return typeof id === "string" ? id : `(a ${typeof given} that is no ref)`;
}

/** Who lives under that id once the step is over. */
function holderAfter(step: Step, id: string): StepCell | undefined {
  const lives = (one: StepCell): boolean => one.id === id && step.stopping?.has(one) !== true;
  const before = step.cell.child(id);
  return step.made?.findLast(lives) ?? (before !== undefined && lives(before) ? before : undefined);
}

/** XState takes off the list whoever has the id of what is stopped: a ref of one that was replaced takes nobody with it (H5, named difference N20). */
export function keepReplaced(step: Step, snapshot: LogicSnapshot): void {
  const writable = snapshot as { children?: Readonly<Record<string, unknown>> };
  for (const { id } of step.stopping ?? []) {
    const holder = holderAfter(step, id);
    if (holder !== undefined && writable.children !== undefined && writable.children[id] === undefined) writable.children = { ...writable.children, [id]: holder.ref };
  }
}
