// One step of a machine as a pure function: snapshot and event in, snapshot and actions as data out (hosting H3 to H7).
//
// T1. XState builds an Actor object for each child that a step makes. It is only a description: at its creation its logic is exchanged for a stub that
//     computes the child's first step in place, and after the step it is swapped for the child's ref everywhere it can appear (H4).
// T2. Creations are read from the inspection event, so they keep their place among the actions (H5).
// T3. A step that throws leaves nothing: the caller undoes what the creations did, the collected actions are dropped here (H6).

import { Actor, type AnyMachineSnapshot, type AnyStateMachine } from "xstate";

import type { EffectClass } from "../entity/contract.ts";
import { takeWallDelay } from "./hosted-machine.ts";
import { effectClassOf } from "./marks.ts";
import { enterPureCode, leavePureCode, takeReach } from "./purity.ts";
import { type CellFace, CellRef, ForeignRef } from "./ref.ts";

export type StepAction =
  /** A custom action: declared by class, or inline with its function (H7). */
  | { readonly kind: "act"; readonly name: string; readonly params: unknown; readonly effectClass: EffectClass | undefined; readonly run: (() => unknown) | undefined }
  | { readonly kind: "log"; readonly label: string | undefined; readonly value: unknown }
  /** `spawned`: made by spawn() in an assign, which XState starts earlier than spawnChild when the parent itself is starting. */
  | { readonly kind: "start"; readonly child: StepCell; readonly spawned: boolean }
  | { readonly kind: "send"; readonly to: unknown; readonly event: StepEvent; readonly delay: number | undefined; readonly timer: string | undefined; readonly wall: boolean }
  | { readonly kind: "cancel"; readonly timer: string }
  | { readonly kind: "emit"; readonly event: StepEvent }
  | { readonly kind: "stop"; readonly child: StepCell };

export interface StepEvent {
  readonly type: string;
  readonly [key: string]: unknown;
}

/** What XState's logics share. */
export interface LogicSnapshot {
  readonly status: "active" | "done" | "error" | "stopped";
  readonly output?: unknown;
  readonly error?: unknown;
  readonly context?: unknown;
}

export interface StepResult {
  readonly snapshot: LogicSnapshot;
  readonly actions: readonly StepAction[];
  /** Whether any transition that does something was enabled for the event. */
  readonly taken: boolean;
  /** System ids given and freed by this step. */
  readonly systemIds: ReadonlyMap<string, StepCell | undefined> | undefined;
}

export interface ChildRequest {
  readonly id: string;
  readonly src: unknown;
  readonly logic: unknown;
  readonly systemId: string | undefined;
  /** The parent hears of each of its snapshots. */
  readonly syncSnapshot: boolean;
}

/** A cell as a step needs it. */
export interface StepCell extends CellFace {
  readonly parent: StepCell | undefined;
  readonly systemId: string | undefined;
  /** Living children made by earlier steps. */
  child(id: string): StepCell | undefined;
  /** Makes the cell of a child, staged until the step has succeeded. */
  adopt(request: ChildRequest): StepCell;
  /** Computes the first step of a cell that was adopted. */
  begin(input: unknown): LogicSnapshot;
  /** Names for what has none: counts per cell and is persisted. */
  bookId(): string;
  /** Children that are listed, living or finished. */
  listed(): readonly StepCell[];
}

interface RawAction {
  readonly type: string;
  readonly info: { readonly context: unknown; readonly event: unknown; readonly self: unknown; readonly system: unknown };
  readonly params: unknown;
  readonly exec: ((info: unknown, params: unknown) => unknown) | undefined;
}

type Collected =
  | { readonly kind: "raw"; readonly action: RawAction; readonly wall: boolean }
  | { readonly kind: "made"; readonly child: StepCell; spawned: boolean }
  | { readonly kind: "stopped"; readonly child: StepCell };

class Step {
  readonly cell: StepCell;
  readonly collected: Collected[] = [];
  made: StepCell[] | undefined = undefined;
  stopping: Set<StepCell> | undefined = undefined;
  systemIds: Map<string, StepCell | undefined> | undefined = undefined;
  selected: boolean | undefined = undefined;
  /** The step of the parent, when this is a child's first step, computed in place. */
  readonly outer: Step | undefined;

  constructor(cell: StepCell, outer: Step | undefined) {
    this.cell = cell;
    this.outer = outer;
  }
}

let current: Step | undefined;
/** Steps under way. */
let depth = 0;

const HOSTED = Symbol("cell of a made actor");

const stub = {
  transition: (snapshot: unknown): unknown => snapshot,
  getInitialSnapshot: (scope: { readonly self: { [HOSTED]?: StepCell } }, input: unknown): unknown => (scope.self[HOSTED] as StepCell).begin(swapped(input)),
  getPersistedSnapshot: (snapshot: unknown): unknown => snapshot,
};

interface MadeActor {
  readonly id: string;
  readonly src: unknown;
  readonly _parent: unknown;
  readonly _syncSnapshot: boolean | undefined;
  readonly options: { readonly systemId?: string };
  logic: unknown;
  [HOSTED]?: StepCell;
}

/** Who holds which system id, as earlier steps left it. */
export interface SystemIds {
  holderOf(id: string): StepCell | undefined;
  systemIds(): readonly string[];
}

/** XState's `system` of one entity. */
export class StepSystem {
  readonly #ids: SystemIds;

  constructor(ids: SystemIds) {
    this.#ids = ids;
  }

  get(id: string): CellRef | undefined {
    return this.holderOf(id)?.ref;
  }

  getAll(): Record<string, CellRef> {
    const ids = new Set(this.#ids.systemIds());
    for (let step = current; step !== undefined; step = step.outer) for (const id of step.systemIds?.keys() ?? []) ids.add(id);
    const found: Record<string, CellRef> = {};
    for (const id of ids) {
      const ref = this.get(id);
      if (ref !== undefined) found[id] = ref;
    }
    return found;
  }

  _bookId(): string {
    return current === undefined ? "0" : current.cell.bookId();
  }

  _set(id: string, actor: MadeActor): void {
    const step = current;
    const child = actor[HOSTED];
    if (step === undefined || child === undefined) return;
    const holder = this.holderOf(id);
    if (holder !== undefined && holder !== child) throw new Error(`Actor with system ID '${id}' already exists.`);
    step.systemIds ??= new Map();
    step.systemIds.set(id, child);
  }

  _unregister(actor: MadeActor): void {
    const child = actor[HOSTED];
    if (current !== undefined && child?.systemId !== undefined) freeSystemId(current, child.systemId, child);
  }

  _sendInspectionEvent(event: { readonly type: string; readonly actorRef: MadeActor; readonly _transitions?: readonly SelectedTransition[] }): void {
    const step = current;
    if (step === undefined) return;
    if (event.type === "@xstate.microstep") {
      step.selected ??= anyDoesSomething(event._transitions);
    } else if (event.type === "@xstate.actor") {
      if (event.actorRef._parent === step.cell.ref) made(step, event.actorRef);
    }
  }

  // Read by Actor's constructor; nothing here calls them.
  get _clock(): undefined {
    return undefined;
  }

  get _logger(): undefined {
    return undefined;
  }

  /** Who has it, as the step under way sees it. */
  holderOf(id: string): StepCell | undefined {
    for (let step = current; step !== undefined; step = step.outer) if (step.systemIds?.has(id) === true) return step.systemIds.get(id);
    return this.#ids.holderOf(id);
  }
}

interface SelectedTransition {
  readonly target: unknown;
  readonly actions: readonly unknown[];
}

function anyDoesSomething(transitions: readonly SelectedTransition[] | undefined): boolean {
  if (transitions === undefined) return false;
  for (const transition of transitions) if (transition.target !== undefined || transition.actions.length > 0) return true;
  return false;
}

function made(step: Step, actor: MadeActor): void {
  const holder = step.cell.child(actor.id);
  if ((holder !== undefined && step.stopping?.has(holder) !== true) || step.made?.some((child) => child.id === actor.id && step.stopping?.has(child) !== true) === true) {
    throw new Error(`A child with id '${actor.id}' still lives; stop it first, or give the new one another id.`);
  }
  const child = step.cell.adopt({ id: actor.id, src: actor.src, logic: actor.logic, systemId: actor.options.systemId, syncSnapshot: actor._syncSnapshot === true });
  actor[HOSTED] = child;
  actor.logic = stub;
  step.made ??= [];
  step.made.push(child);
  step.collected.push({ kind: "made", child, spawned: true });
}

function freeSystemId(step: Step, id: string, holder: StepCell): void {
  // A newer incarnation may have it by now.
  if ((step.cell.system as StepSystem).holderOf(id) !== holder) return;
  step.systemIds ??= new Map();
  step.systemIds.set(id, undefined);
}

/** Frees the system ids of a stopped child and of the cells under it, at once (H3). */
function freeBelow(step: Step, cell: StepCell): void {
  for (const child of cell.listed()) freeBelow(step, child);
  if (cell.systemId !== undefined) freeSystemId(step, cell.systemId, cell);
}

function collect(action: RawAction): void {
  const step = current as Step;
  if (action.type === "xstate.stopChild") {
    const child = stepCellOf(action.params);
    if (child === undefined) return;
    if (child.parent !== step.cell) throw new Error(`Cannot stop child actor ${child.id} of ${step.cell.id} because it is not a child`);
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
  step.collected.push({ kind: "raw", action, wall: takeWallDelay() });
}

function stepCellOf(value: unknown): StepCell | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  if (CellRef.is(value)) return CellRef.cellOf(value) as StepCell;
  return value instanceof Actor ? (value as unknown as MadeActor)[HOSTED] : undefined;
}

/** What a machine's step touches of its scope, and no more (a test holds the list). */
interface MachineScope {
  self: CellRef;
  system: object;
  readonly defer: () => void;
  actionExecutor: (action: RawAction) => void;
}

const ignore = (): void => undefined;

/** One for each step that may be under way: a child's first step runs inside its parent's. */
const scopes: MachineScope[] = [];

function scopeOf(cell: StepCell): MachineScope {
  const scope = (scopes[depth] ??= { self: cell.ref, system: cell.system, defer: ignore, actionExecutor: collect });
  scope.self = cell.ref;
  scope.system = cell.system;
  scope.actionExecutor = collect;
  return scope;
}

/** Logic without `start` is given its scope to use, so it has one of its own. */
function logicScopeOf(cell: StepCell): object {
  return {
    self: cell.ref,
    id: cell.id,
    sessionId: cell.ref.sessionId,
    system: cell.system,
    logger: ignore,
    defer: ignore,
    stopChild: ignore,
    actionExecutor: ignore,
    emit: (event: StepEvent) => {
      current?.collected.push({ kind: "raw", action: { type: "xstate.emit", info: undefined as never, params: { event }, exec: undefined }, wall: false });
    },
  };
}

/** @throws what the author's code or XState throws; nothing of the step remains then (T3) */
export function stepMachine(cell: StepCell, machine: AnyStateMachine, snapshot: LogicSnapshot, event: StepEvent): StepResult {
  const step = open(cell);
  let next: LogicSnapshot;
  try {
    next = machine.transition(snapshot as AnyMachineSnapshot, event, scopeOf(cell) as never);
    refuseReach();
  } finally {
    close(step);
  }
  return resultOf(step, next, machine);
}

/** A failing start is a status, not a throw (H6): its snapshot has status `error` and there are no actions. */
export function startMachine(cell: StepCell, machine: AnyStateMachine, input: unknown): StepResult {
  const step = open(cell);
  let snapshot: LogicSnapshot;
  try {
    snapshot = machine.getInitialSnapshot(scopeOf(cell) as never, input);
    if (snapshot.status !== "error") refuseReach();
  } finally {
    close(step);
  }
  return resultOf(step, snapshot, machine);
}

interface PureLogic {
  transition(snapshot: unknown, event: unknown, scope: unknown): unknown;
  getInitialSnapshot(scope: unknown, input: unknown): unknown;
}

/** fromTransition and other logic without `start`. */
export function stepLogic(cell: StepCell, logic: PureLogic, snapshot: LogicSnapshot, event: StepEvent): StepResult {
  return runLogic(cell, (scope) => logic.transition(snapshot, event, scope) as LogicSnapshot);
}

export function startLogic(cell: StepCell, logic: PureLogic, input: unknown): StepResult {
  return runLogic(cell, (scope) => {
    try {
      return logic.getInitialSnapshot(scope, input) as LogicSnapshot;
    } catch (error) {
      return { status: "error", output: undefined, error };
    }
  });
}

function runLogic(cell: StepCell, advance: (scope: object) => LogicSnapshot): StepResult {
  const step = open(cell);
  let snapshot: LogicSnapshot;
  try {
    snapshot = advance(logicScopeOf(cell));
    if (snapshot.status !== "error") refuseReach();
  } finally {
    close(step);
  }
  return resultOf(step, snapshot, undefined);
}

function open(cell: StepCell): Step {
  const step = new Step(cell, current);
  current = step;
  depth++;
  enterPureCode();
  return step;
}

function close(step: Step): void {
  leavePureCode();
  depth--;
  current = step.outer;
}

function refuseReach(): void {
  const reach = takeReach();
  if (reach !== undefined) throw reach;
}

const NO_ACTIONS: readonly StepAction[] = [];

function resultOf(step: Step, snapshot: LogicSnapshot, machine: AnyStateMachine | undefined): StepResult {
  if (step.made !== undefined) swapSnapshot(snapshot);
  const { outer } = step;
  if (outer !== undefined && step.systemIds !== undefined && snapshot.status !== "error") {
    // Given together with those of the parent's step, whose later children must see them.
    outer.systemIds ??= new Map<string, StepCell | undefined>();
    for (const [id, holder] of step.systemIds) outer.systemIds.set(id, holder);
    step.systemIds = undefined;
  }
  return { snapshot, actions: step.collected.length === 0 ? NO_ACTIONS : actionsOf(step, machine), taken: step.selected ?? true, systemIds: step.systemIds };
}

function swapSnapshot(snapshot: LogicSnapshot): void {
  const writable = snapshot as { children?: Record<string, unknown>; context?: unknown; output?: unknown; error?: unknown };
  if (writable.children !== undefined) {
    const children: Record<string, unknown> = {};
    for (const [id, child] of Object.entries(writable.children)) {
      const cell = stepCellOf(child);
      if (cell !== undefined) children[id] = cell.ref;
    }
    writable.children = children;
  }
  writable.context = swapped(writable.context);
  if (writable.output !== undefined) writable.output = swapped(writable.output);
  if (writable.error !== undefined) writable.error = swapped(writable.error);
}

function actionsOf(step: Step, machine: AnyStateMachine | undefined): readonly StepAction[] {
  const swap: <V>(value: V) => V = step.made === undefined ? (value) => value : swapped;
  const actions: StepAction[] = [];
  for (const entry of step.collected) {
    if (entry.kind === "made") {
      if (step.stopping?.has(entry.child) !== true) actions.push({ kind: "start", child: entry.child, spawned: entry.spawned });
    } else if (entry.kind === "stopped") {
      if (step.made?.includes(entry.child) !== true) actions.push({ kind: "stop", child: entry.child });
    } else {
      const action = actionOf(entry.action, entry.wall, machine, swap);
      if (action !== undefined) actions.push(action);
    }
  }
  return actions;
}

function actionOf(action: RawAction, wall: boolean, machine: AnyStateMachine | undefined, swap: <V>(value: V) => V): StepAction | undefined {
  switch (action.type) {
    case "xstate.raise": {
      const params = action.params as { readonly event: StepEvent; readonly id?: string; readonly delay?: unknown };
      return typeof params.delay === "number" ? { kind: "send", to: action.info.self, event: swap(params.event), delay: params.delay, timer: params.id, wall } : undefined;
    }
    case "xstate.sendTo": {
      const params = action.params as { readonly to: unknown; readonly event: StepEvent; readonly id?: string; readonly delay?: unknown };
      return { kind: "send", to: swap(params.to), event: swap(params.event), delay: typeof params.delay === "number" ? params.delay : undefined, timer: params.id, wall };
    }
    case "xstate.cancel":
      return { kind: "cancel", timer: (action.params as { readonly sendId: string }).sendId };
    case "xstate.emit":
      return { kind: "emit", event: swap((action.params as { readonly event: StepEvent }).event) };
    case "xstate.log": {
      const params = action.params as { readonly label?: string; readonly value: unknown };
      return { kind: "log", label: params.label, value: swap(params.value) };
    }
    default:
      return action.exec === undefined ? undefined : custom(action, action.exec, machine, swap);
  }
}

function custom(action: RawAction, exec: (info: unknown, params: unknown) => unknown, machine: AnyStateMachine | undefined, swap: <V>(value: V) => V): StepAction {
  const params = swap(action.params);
  const named = (machine?.implementations.actions as Record<string, unknown> | undefined)?.[action.type] === exec;
  const effectClass = named ? effectClassOf(exec) : undefined;
  if (effectClass !== undefined) return { kind: "act", name: action.type, params, effectClass, run: undefined };
  const info = { context: swap(action.info.context), event: swap(action.info.event), self: action.info.self, system: action.info.system };
  return { kind: "act", name: action.type, params, effectClass: undefined, run: () => exec(info, params) };
}

const MAX_DEPTH = 200;
const MAX_SEARCHED = 1_000_000;

let searched = 0;

/** `value` with made actors exchanged for refs; the same object when there are none in it. Plain objects and arrays are searched. */
function swapped<V>(value: V): V {
  return swapAt(value, 0) as V;
}

function swapAt(value: unknown, depth: number): unknown {
  if (typeof value !== "object" || value === null || CellRef.is(value) || value instanceof ForeignRef) return value;
  if (value instanceof Actor) return (value as unknown as MadeActor)[HOSTED]?.ref ?? value;
  if (depth > MAX_DEPTH) throw new Error(`data is nested deeper than ${String(MAX_DEPTH)} levels, or contains itself`);
  if (depth === 0) searched = 0;
  if (++searched > MAX_SEARCHED) throw new Error(`data has more than ${String(MAX_SEARCHED)} objects`);
  if (Array.isArray(value)) {
    let copy: unknown[] | undefined;
    for (let at = 0; at < value.length; at++) {
      const found = swapAt(value[at], depth + 1);
      if (found !== value[at]) {
        copy ??= value.slice() as unknown[];
        copy[at] = found;
      }
    }
    return copy ?? value;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if ((prototype !== Object.prototype && prototype !== null) || "_nodes" in value) return value;
  let copy: Record<string, unknown> | undefined;
  for (const key of Object.keys(value)) {
    const before = (value as Record<string, unknown>)[key];
    const found = swapAt(before, depth + 1);
    if (found !== before) {
      copy ??= { ...(value as Record<string, unknown>) };
      copy[key] = found;
    }
  }
  return copy ?? value;
}
