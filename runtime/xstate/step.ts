// One step of a machine as a pure function: snapshot and event in, snapshot and actions as data out (hosting H3 to H7).
//
// T1. XState builds an Actor object for each child that a step makes. It is only a description: at its creation its logic is exchanged for a stub that
//     computes the child's first step in place, and after the step it is swapped for the child's ref in all that is data, and becomes a ref itself wherever else it may stand (H4).
// T2. Creations are read from the inspection event, so they keep their place among the actions (H5).
// T3. A step that throws leaves nothing: the caller undoes what the creations did, the collected actions are dropped here (H6).

import type { AnyMachineSnapshot, AnyStateMachine } from "xstate";

import { becomeRefs, swapSnapshot } from "./made-actor.ts";
import { refusePromises } from "./promises.ts";
import { takeReach } from "./purity.ts";
import type { CellRef } from "./ref.ts";
import { actionsOf } from "./step-actions.ts";
import type { LogicSnapshot, StepAction, StepCell, StepEvent, StepResult } from "./step-cell.ts";
import { closeStep, collect, keepReplaced, openStep, type RawAction, type Step, stepUnderWay } from "./step-under-way.ts";
import { stepWatcher, watchGuards } from "./step-watch.ts";
import { checkState } from "./watched-code.ts";

/** What a machine's step touches of its scope, and no more (a test holds the list). */
interface MachineScope {
  self: CellRef;
  system: object;
  readonly defer: () => void;
  actionExecutor: (action: RawAction) => void;
}

const ignore = (): void => undefined;
const cellUnderWay = (): StepCell | undefined => stepUnderWay()?.cell;

/** One for each step that may be under way: a child's first step runs inside its parent's. */
const scopes: MachineScope[] = [];

function scopeOf(cell: StepCell, at: number): MachineScope {
  const scope = (scopes[at] ??= { self: cell.ref, system: cell.system, defer: ignore, actionExecutor: collect });
  scope.self = cell.ref;
  scope.system = cell.system;
  scope.actionExecutor = collect;
  return scope;
}

/** Logic without `start` is given its scope to use, so it has one of its own. */
function logicScopeOf(cell: StepCell, step: Step): object {
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
      refusePromises(event, "an emitted event");
      step.collected.push({ kind: "raw", action: { type: "xstate.emit", info: undefined as never, params: { event }, exec: undefined }, policy: "remaining" });
    },
  };
}

/** @throws what the author's code or XState throws; nothing of the step remains then (T3) */
export function stepMachine(cell: StepCell, machine: AnyStateMachine, snapshot: LogicSnapshot, event: StepEvent): StepResult {
  watchGuards(machine, cellUnderWay);
  const step = openStep(cell);
  let next: LogicSnapshot;
  try {
    next = machine.transition(snapshot as AnyMachineSnapshot, event, scopeOf(cell, step.depth) as never);
    refuseFailure(step);
    refuseReach();
  } finally {
    closeStep(step);
  }
  return resultOf(step, next, machine);
}

/** A failing start is a status, not a throw (H6): its snapshot has status `error` and there are no actions. */
export function startMachine(cell: StepCell, machine: AnyStateMachine, input: unknown): StepResult {
  watchGuards(machine, cellUnderWay);
  const step = openStep(cell);
  let snapshot: LogicSnapshot;
  try {
    snapshot = machine.getInitialSnapshot(scopeOf(cell, step.depth) as never, input);
    refuseFailure(step);
    if (snapshot.status !== "error") refuseReach();
  } catch (error) {
    snapshot = failedStart(error);
  } finally {
    closeStep(step);
  }
  return startOf(step, snapshot, machine);
}

function failedStart(error: unknown): LogicSnapshot {
  return { status: "error", output: undefined, error };
}

function startOf(step: Step, snapshot: LogicSnapshot, machine: AnyStateMachine | undefined): StepResult {
  try {
    return resultOf(step, snapshot, machine);
  } catch (error) {
    return { snapshot: failedStart(error), actions: NO_ACTIONS, taken: true, entered: false, systemIds: undefined };
  }
}

interface PureLogic {
  transition(snapshot: unknown, event: unknown, scope: unknown): unknown;
  getInitialSnapshot(scope: unknown, input: unknown): unknown;
}

/** fromTransition and other logic without `start`. */
export function stepLogic(cell: StepCell, logic: PureLogic, snapshot: LogicSnapshot, event: StepEvent): StepResult {
  const result = runLogic(cell, (scope) => checked(logic.transition(snapshot, event, scope), snapshot.context));
  stepWatcher()?.stepped(cell, event, result.snapshot);
  return result;
}

export function startLogic(cell: StepCell, logic: PureLogic, input: unknown): StepResult {
  return runLogic(cell, (scope) => {
    try {
      return checked(logic.getInitialSnapshot(scope, input), undefined);
    } catch (error) {
      return failedStart(error);
    }
  });
}

function checked(given: unknown, before: unknown): LogicSnapshot {
  const where = "the transition function";
  checkState(given, null, where);
  const snapshot = given as LogicSnapshot;
  if (snapshot.status === "active") checkState(snapshot.context, before, where);
  return snapshot;
}

function runLogic(cell: StepCell, advance: (scope: object) => LogicSnapshot): StepResult {
  const step = openStep(cell);
  let snapshot: LogicSnapshot;
  try {
    snapshot = advance(logicScopeOf(cell, step));
    if (snapshot.status !== "error") refuseReach();
  } finally {
    closeStep(step);
  }
  return resultOf(step, snapshot, undefined);
}

/** A child of it could not begin. */
function refuseFailure({ failure }: Step): void {
  if (failure !== undefined) throw failure.from;
}

function refuseReach(): void {
  const reach = takeReach();
  if (reach !== undefined) throw reach;
}

const NO_ACTIONS: readonly StepAction[] = [];

function resultOf(step: Step, snapshot: LogicSnapshot, machine: AnyStateMachine | undefined): StepResult {
  if (step.made !== undefined) swapSnapshot(snapshot);
  if (step.stopping !== undefined) keepReplaced(step, snapshot);
  const { outer } = step;
  if (outer !== undefined && step.systemIds !== undefined && snapshot.status !== "error") {
    // Given together with those of the parent's step, whose later children must see them.
    outer.systemIds ??= new Map<string, StepCell | undefined>();
    for (const [id, holder] of step.systemIds) outer.systemIds.set(id, holder);
    step.systemIds = undefined;
  }
  const actions = step.collected.length === 0 ? NO_ACTIONS : actionsOf(step, machine);
  if (step.actors !== undefined) becomeRefs(step.actors);
  return {
    snapshot,
    actions,
    taken: step.selected ?? true,
    entered: step.entered,
    systemIds: step.systemIds,
  };
}
