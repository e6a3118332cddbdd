// The state of an entity becomes one of newer versions of its actor types, as a turn of its own: one record, one commit, before anything else happens to it (rules T3, T4; promise S7).
//
// U1. A state goes through the steps of `migrate`, which are pure. Nothing is entered or left: no entry and no exit action runs.
// U2. Afterwards an actor has what a machine in its state has. A delayed transition that was armed keeps its due time where its state still has that delay, also under another name
//     of the state; one that the old state did not have is armed from now on; one whose state or delay has gone is cancelled. What has fired, or was cancelled, is not armed again.
// U3. An invoke that the state still has goes on with its child, also under another name of the state: the same incarnation, the same key. One that the old state did not have
//     begins now; one that has gone is stopped, as is whatever the new version has no source for.
// U4. Histories are kept where what they remember is still there. An eventless transition that is enabled now is taken.
// U5. A child that goes on under another id keeps its address.
// U6. Which delays and invokes the old state had is known while the older version is registered (`earlier`); otherwise what is not there is begun.
//
// Whatever fails here leaves the entity as it was: it is not taken for a fault of the actor, and the entity stays away until a version comes that can read it.

import { type AnyActorType } from "../actor/index.ts";
import { DroverError } from "../errors.ts";
import { isA } from "../is-a.ts";
import {
  type ActiveState,
  activeStatesAt,
  afterTimerOf,
  afterTimers,
  beginInvokes,
  CellRef,
  carriedOver,
  copyOfParts,
  declaredInvokes,
  hasEventless,
  invokeIdOf,
  isAfterTimer,
  isPromise,
  type LogicSnapshot,
  matchStates,
  purely,
  statesNamedBy,
  statesOf,
} from "../xstate/index.ts";
import type { Cell } from "./cell.ts";
import { innerOf } from "./cell-record.ts";
import type { CellRecord } from "./contract.ts";
import { failedAt } from "./fault.ts";
import { messageOf } from "../message-of.ts";
import type { Interior } from "./interior.ts";
import { renameTimer } from "./outward.ts";
import { forgetTimers } from "./parked-rows.ts";
import { earlierMachine } from "./plan.ts";
import { release } from "./stash.ts";

type Machine = Extract<Cell["plan"]["logic"], { kind: "machine" }>["machine"];
interface State {
  readonly value: unknown;
  readonly context: unknown;
}

/** @throws what the author's code throws, and Error naming the actor when a step is missing or a state does not exist */
export function upgrade(interior: Interior): void {
  const cells = [...interior.cells.values()].filter(({ recorded }) => recorded !== undefined).sort((a, b) => a.incarnation - b.incarnation);
  const surplus = new Set<Cell>();
  const carried: { readonly cell: Cell; readonly missing: ReadonlySet<string> }[] = [];
  for (const cell of cells) {
    const record = cell.recorded as CellRecord;
    interior.noteUpgraded(cell);
    if (isWithin(cell, surplus)) continue;
    interior.carries?.(cell.address);
    try {
      const missing = carry(interior, cell, record, surplus);
      if (missing !== undefined) carried.push({ cell, missing });
    } catch (cause) {
      throw failedAt(cell, cause);
    }
  }
  for (const { cell, missing } of carried) {
    const { logic } = cell.plan;
    if (cell.life === "ended" || logic.kind !== "machine") continue;
    interior.carries?.(cell.address);
    try {
      interior.carryOn(cell, (snapshot) => beginInvokes(cell, logic.machine, snapshot, (id) => missing.has(id)));
    } catch (cause) {
      throw failedAt(cell, cause);
    }
  }
  for (const cell of surplus) stop(interior, cell);
  for (const { cell } of carried) {
    interior.carries?.(cell.address);
    if (cell.supervision !== undefined) release(interior, cell.address);
    if (cell.life === "running" && cell.snapshot.status === "active" && hasEventless(cell.snapshot)) interior.deliver(cell, { type: "xstate.init" });
  }
}

function isWithin(cell: Cell, surplus: ReadonlySet<Cell>): boolean {
  for (let at: Cell | undefined = cell; at !== undefined; at = at.supervision === undefined ? at.parent : undefined) if (surplus.has(at)) return true;
  return false;
}

/** @returns ids of the invokes that are to begin; undefined for what is no machine or has ended */
function carry(interior: Interior, cell: Cell, record: CellRecord, surplus: Set<Cell>): ReadonlySet<string> | undefined {
  const { actor, logic } = cell.plan;
  const before = { value: record.value === null ? undefined : record.value, context: cell.snapshot.context };
  const state = cell.supervision === undefined ? before : migrated(actor, record, before, cell);
  if (logic.kind !== "machine") {
    if (record.value !== null) dropStates(interior, cell, surplus);
    if (state.context !== before.context) interior.setSnapshot(cell, { ...cell.snapshot, context: state.context });
    return undefined;
  }
  const { machine } = logic;
  const earlier = earlierMachine(actor, record);
  const then = earlier?.id ?? machine.id;
  const now = (id: string): string => (id === then || id.startsWith(`${then}.`) ? machine.id + id.slice(then.length) : id);
  const children = childrenOf(cell);
  const carried = (): LogicSnapshot => carriedOver(machine, { ...state, configuration: innerOf(record), children }, now);
  if (record.status !== "active") {
    interior.setSnapshot(cell, lastState(cell.snapshot, state, carried));
    return undefined;
  }
  const snapshot = carried();
  if (cell.life !== "running" || snapshot.status !== "active") {
    interior.setSnapshot(cell, snapshot);
    return new Set();
  }
  const had = (earlier === undefined ? undefined : activeStatesAt(earlier, record.value)) ?? statesNamedBy(record.value, then);
  const states = statesOf(snapshot);
  const matched = matchStates(had, states);
  const { kept, missing } = invokesOf(interior, { states, matched, children, invoked: invokedIds(earlier, machine, had) }, surplus);
  const next = { ...snapshot, children: kept } as LogicSnapshot;
  interior.setSnapshot(cell, next);
  carryTimers(interior, cell, machine, next, states, matched);
  return missing;
}

// ---- states

/** It is no machine any more: nothing waits in a state, and nothing was invoked by one. */
function dropStates(interior: Interior, cell: Cell, surplus: Set<Cell>): void {
  for (const [, { incarnation, name }] of [...interior.rest.entries("timers")])
    if (incarnation === cell.incarnation && isAfterTimer(name)) interior.outward.cancel(interior, cell, name);
  forgetTimers(interior.rest, (_, { incarnation, name }) => incarnation === cell.incarnation && isAfterTimer(name));
  for (const child of interior.cells.values()) if (child.parent === cell && child.supervision === undefined) surplus.add(child);
}

/** Of an actor that has ended: as far as it can be read, since it strands nobody. */
function lastState(before: LogicSnapshot, { context }: State, carried: () => LogicSnapshot): LogicSnapshot {
  const { status, output, error } = before;
  try {
    return { ...carried(), status, output, error };
  } catch {
    return { ...before, context };
  }
}

function migrated(actor: AnyActorType, { version: from, status, value }: CellRecord, before: State, cell: Cell): State {
  let state = before;
  for (let version = from; version < actor.version; version++) {
    const step = actor.migrate[version];
    if (step === undefined) {
      const isKept = value === null ? cell.plan.logic.kind !== "machine" : "_nodes" in cell.snapshot;
      if (isKept || version > from || status !== "active") continue;
      throw new Error(
        `${cell.address}: the state ${JSON.stringify(state.value)} of version ${String(version)} of ${actor.name} is unknown to version ${String(actor.version)}, and it has no migrate[${String(version)}]`,
      );
    }
    const old = state;
    try {
      state = purely(() => step({ ...old, context: copyOfParts(old.context) }));
    } catch (cause) {
      const message = `${cell.address}: migrate[${String(version)}] of ${actor.name}: ${messageOf(cause)}`;
      throw isA(cause, DroverError) ? new DroverError(cause.code, message, { cause }) : new Error(message, { cause });
    }
    if (isPromise(state))
      throw new DroverError("DROVER_STEP_PROMISE", `${cell.address}: migrate[${String(version)}] of ${actor.name} returned a promise; it must return the new state at once`);
    if (typeof (state as unknown) !== "object" || (state as unknown) === null)
      throw new Error(`${cell.address}: migrate[${String(version)}] of ${actor.name} returned no { value, context }`);
  }
  return state;
}

// ---- timers

function carryTimers(interior: Interior, cell: Cell, machine: Machine, snapshot: LogicSnapshot, states: readonly ActiveState[], matched: ReadonlyMap<string, ActiveState>): void {
  const armed = new Set<string>();
  for (const [, row] of interior.rest.entries("timers")) if (row.incarnation === cell.incarnation && isAfterTimer(row.name)) armed.add(row.name);
  // One that was set aside may ring again, where its state goes on.
  for (const [, { timer }] of interior.rest.entries("parked")) if (timer?.row.incarnation === cell.incarnation && isAfterTimer(timer.row.name)) armed.add(timer.row.name);
  const missing = new Set<string>();
  for (const state of states) {
    const before = matched.get(state.id);
    for (const delay of state.delays ?? []) {
      const timer = afterTimerOf(state, delay);
      const old = before === undefined ? timer : afterTimerOf(before, delay);
      if (armed.delete(timer)) continue;
      if (armed.delete(old)) renameTimer(interior, cell, old, timer);
      else if (before?.delays?.includes(delay) !== true) missing.add(timer);
    }
  }
  for (const timer of armed) interior.outward.cancel(interior, cell, timer);
  if (missing.size === 0) return;
  for (const { event, delay, policy } of afterTimers(cell, machine, snapshot, (timer) => missing.has(timer)))
    interior.outward.arm(interior, cell, { kind: "send", to: cell.ref, event, delay, timer: event.type, policy });
}

// ---- invokes

function childrenOf(cell: Cell): Readonly<Record<string, CellRef>> {
  return (cell.snapshot as { readonly children?: Readonly<Record<string, CellRef>> }).children ?? {};
}

/** Which ids are, or were, those of invokes: other children were spawned and are the author's to stop. */
function invokedIds(earlier: Machine | undefined, machine: Machine, had: readonly ActiveState[]): (id: string) => boolean {
  const declared = declaredInvokes(earlier ?? machine);
  return (id) => declared.has(id) || had.some((state) => id.endsWith(`.${state.id}`) && /^\d+$/.test(id.slice(0, -state.id.length - 1)));
}

interface Invoking {
  readonly states: readonly ActiveState[];
  readonly matched: ReadonlyMap<string, ActiveState>;
  readonly children: Readonly<Record<string, CellRef>>;
  readonly invoked: (id: string) => boolean;
}

/** U3. @returns the children that stay, by their ids, and the invokes without one */
function invokesOf(
  interior: Interior,
  { states, matched, children, invoked }: Invoking,
  surplus: Set<Cell>,
): { readonly kept: Readonly<Record<string, CellRef>>; readonly missing: ReadonlySet<string> } {
  const stays = new Map<CellRef, string>();
  const missing = new Set<string>();
  for (const state of states) {
    const before = matched.get(state.id);
    for (const { id, src, place } of state.invokes ?? []) {
      const old = before === undefined || place === undefined ? id : invokeIdOf(before, place);
      const found = [id, old].find((name) => Object.hasOwn(children, name) && isOf(children[name] as CellRef, src));
      if (found !== undefined) stays.set(children[found] as CellRef, id);
      // It has ended, or was stopped, while its state was active: that is not undone.
      else if (!Object.hasOwn(children, id) && before?.invokes?.some((invoke) => (invoke.id === id || invoke.id === old) && invoke.src === src) === true) continue;
      else missing.add(id);
    }
  }
  const kept: [string, CellRef][] = [];
  for (const [id, ref] of Object.entries(children)) {
    const child = CellRef.cellOf(ref) as Cell;
    const name = stays.get(ref);
    if (name !== undefined) {
      interior.setId(child, name);
      kept.push([name, ref]);
    } else if (child.plan.isLost === true || missing.has(id) || (invoked(id) && child.life !== "ended")) surplus.add(child);
    else kept.push([id, ref]);
  }
  return { kept: Object.fromEntries(kept), missing };
}

/** Whether a child is of a source, and its state one that the source may have. */
function isOf(ref: CellRef, src: string): boolean {
  const { plan, recorded, snapshot } = CellRef.cellOf(ref) as Cell;
  if (plan.isLost === true || plan.src !== src) return false;
  return recorded === undefined || (plan.logic.kind === "machine") === (recorded.value !== null) || snapshot.status !== "active";
}

/** It is listed by nobody any more. One that cannot be stepped is stopped without a word of its own. */
function stop(interior: Interior, cell: Cell): void {
  if (cell.plan.logic.kind === "machine" && !("_nodes" in cell.snapshot)) interior.stopCell(cell, "stopped");
  else interior.stopChild(cell);
  interior.forget(cell);
}
