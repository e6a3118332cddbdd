// One step of a plain reducer, with what it asks for collected as the same actions that a machine's step gives.

import type { AnyReducer, ReducerTurn } from "../actor/index.ts";
import {
  enterPureCode,
  foreignRef,
  type LogicSnapshot,
  leavePureCode,
  type StepAction,
  type StepCell,
  type StepEvent,
  type StepResult,
  stepWatcher,
  takeReach,
} from "../xstate/index.ts";
import { parseAddress } from "../address.ts";

export function startReducer(cell: StepCell, reducer: AnyReducer, input: unknown): StepResult {
  const collected = collector(cell, reducer);
  try {
    const context: unknown = pure(() => reducer.initial(input, collected.turn) as unknown);
    return { snapshot: active(context), actions: collected.actions, taken: true, systemIds: undefined };
  } catch (error) {
    return { snapshot: { status: "error", output: undefined, error }, actions: [], taken: true, systemIds: undefined };
  }
}

/** @throws what the reducer throws */
export function stepReducer(cell: StepCell, reducer: AnyReducer, snapshot: LogicSnapshot, event: StepEvent): StepResult | { readonly refused: string | undefined } {
  const collected = collector(cell, reducer);
  const context: unknown = pure(() => reducer.step(snapshot.context, event, collected.turn) as unknown);
  if (collected.refusal !== undefined) return { refused: collected.refusal.reason };
  const next = context === snapshot.context ? snapshot : active(context);
  stepWatcher()?.stepped(cell, event, next);
  return { snapshot: next, actions: collected.actions, taken: true, systemIds: undefined };
}

function active(context: unknown): LogicSnapshot {
  return { status: "active", output: undefined, error: undefined, context };
}

function pure<R>(work: () => R): R {
  enterPureCode();
  try {
    const result = work();
    const reach = takeReach();
    if (reach !== undefined) throw reach;
    return result;
  } finally {
    leavePureCode();
  }
}

interface Collector {
  readonly turn: ReducerTurn;
  readonly actions: StepAction[];
  refusal: { readonly reason: string | undefined } | undefined;
}

function collector(cell: StepCell, reducer: AnyReducer): Collector {
  const actions: StepAction[] = [];
  const collected: Collector = {
    actions,
    refusal: undefined,
    turn: {
      address: cell.address,
      get now(): number {
        return cell.facts.now;
      },
      random: () => cell.facts.random(),
      send: (to, event) => {
        actions.push({ kind: "send", to: typeof to === "string" ? foreignRef(parseAddress(to)) : to, event, delay: undefined, timer: undefined, wall: false });
      },
      arm: (timer, delayMs, event, options) => {
        actions.push({ kind: "send", to: cell.ref, event, delay: delayMs, timer, wall: options?.clock === "wall" });
      },
      cancel: (timer) => {
        actions.push({ kind: "cancel", timer });
      },
      emit: (event) => {
        actions.push({ kind: "emit", event });
      },
      perform: (effect, params) => {
        const effectClass = reducer.effects[effect];
        if (effectClass === undefined) throw new Error(`the reducer does not declare an effect "${effect}"`);
        actions.push({ kind: "act", name: effect, params, effectClass, run: undefined });
      },
      refuse: (reason) => {
        collected.refusal = { reason };
      },
    },
  };
  return collected;
}
