// One step of a plain reducer, with what it asks for collected as the same actions that a machine's step gives.

import type { AnyReducer, ReducerTurn } from "../actor/index.ts";
import {
  checkState,
  enterPureCode,
  foreignRef,
  type LogicSnapshot,
  leavePureCode,
  noteThrownAt,
  refusePromises,
  type StepAction,
  type StepCell,
  type StepEvent,
  type StepResult,
  stepWatcher,
  takeReach,
} from "../xstate/index.ts";
import { parseAddress } from "../address.ts";
import { ownOf } from "../own-of.ts";
import { messageOf } from "../message-of.ts";

/** Where it threw. */
const FIRST = "the reducer's first state";
const STEP = "the reducer";

export function startReducer(cell: StepCell, reducer: AnyReducer, input: unknown): StepResult {
  const asked = new Asked(cell, reducer);
  try {
    const context = begun(reducer, input, asked);
    return { snapshot: active(context), actions: asked.actions, taken: true, entered: false, systemIds: undefined };
  } catch (error) {
    return { snapshot: { status: "error", output: undefined, error }, actions: [], taken: true, entered: false, systemIds: undefined };
  }
}

/** @throws what the reducer throws */
export function stepReducer(
  cell: StepCell,
  reducer: AnyReducer,
  snapshot: LogicSnapshot,
  event: StepEvent,
): StepResult | { readonly refused: string | undefined; readonly postponed: boolean } {
  const asked = new Asked(cell, reducer);
  const before = snapshot.context;
  const context = stepped(reducer, before, event, asked);
  if (asked.refusal !== undefined) return { refused: asked.refusal.reason, postponed: asked.refusal.postponed };
  const next = context === before ? snapshot : active(context);
  stepWatcher()?.stepped(cell, event, next);
  return { snapshot: next, actions: asked.actions, taken: true, entered: false, systemIds: undefined };
}

function active(context: unknown): LogicSnapshot {
  return { status: "active", output: undefined, error: undefined, context };
}

function begun(reducer: AnyReducer, input: unknown, asked: Asked): unknown {
  enterPureCode();
  try {
    const state = reducer.initial(input, asked) as unknown;
    refuseReach();
    checkState(state, undefined, FIRST);
    return state;
  } catch (error) {
    noteThrownAt(FIRST, error);
    throw error;
  } finally {
    leavePureCode();
  }
}

function stepped(reducer: AnyReducer, before: unknown, event: StepEvent, asked: Asked): unknown {
  enterPureCode();
  try {
    const state = reducer.step(before, event, asked) as unknown;
    refuseReach();
    // Who refuses says so, and may return nothing.
    if (state !== before) checkState(state, asked.refusal === undefined ? before : undefined, STEP);
    return state;
  } catch (error) {
    noteThrownAt(STEP, error);
    throw error;
  } finally {
    leavePureCode();
  }
}

function refuseReach(): void {
  const reach = takeReach();
  if (reach !== undefined) throw reach;
}

const NO_ACTIONS: readonly StepAction[] = [];

/** What a step asks for beside its next state. One object a step: most ask for nothing. */
class Asked implements ReducerTurn {
  readonly #cell: StepCell;
  readonly #reducer: AnyReducer;
  #actions: StepAction[] | undefined = undefined;
  refusal: { readonly reason: string | undefined; readonly postponed: boolean } | undefined = undefined;

  constructor(cell: StepCell, reducer: AnyReducer) {
    this.#cell = cell;
    this.#reducer = reducer;
  }

  get actions(): readonly StepAction[] {
    return this.#actions ?? NO_ACTIONS;
  }

  get address(): string {
    return this.#cell.address;
  }

  get now(): number {
    return this.#cell.facts.now;
  }

  get author(): string | undefined {
    return this.#cell.facts.author;
  }

  random(): number {
    return this.#cell.facts.random();
  }

  send(...[to, event]: Parameters<ReducerTurn["send"]>): void {
    this.#ask({ kind: "send", to: typeof to === "string" ? foreignRef(parseAddress(to)) : to, event, delay: undefined, timer: undefined, policy: "remaining" });
  }

  arm(...[timer, delayMs, event, options]: Parameters<ReducerTurn["arm"]>): void {
    const { policy = "remaining" } = options ?? {};
    this.#ask({ kind: "send", to: this.#cell.ref, event, delay: delayMs, timer, policy });
  }

  cancel(timer: string): void {
    this.#ask({ kind: "cancel", timer });
  }

  emit(event: StepEvent): void {
    this.#ask({ kind: "emit", event });
  }

  perform(effect: string, params: unknown): void {
    const effectClass = ownOf(this.#reducer.effects, effect)?.class;
    if (effectClass === undefined) throw new Error(`the reducer does not declare an effect "${effect}"`);
    this.#ask({ kind: "act", name: effect, params, effectClass, run: undefined });
  }

  refuse(reason?: unknown): void {
    refusePromises(reason, "refuse");
    // It stands in the answer and in the record, whatever an author's code gives.
    this.refusal = { reason: reason === undefined ? undefined : messageOf(reason), postponed: false };
  }

  postpone(): void {
    this.refusal = { reason: undefined, postponed: true };
  }

  #ask(action: StepAction): void {
    for (const part of Object.values(action)) refusePromises(part, action.kind);
    (this.#actions ??= []).push(action);
  }
}
