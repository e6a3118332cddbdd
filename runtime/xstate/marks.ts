// How a machine names what it does to the world: marks on the functions and logics that `effect`, `task`, `ask` and `subscription` return (hosting A2, H7).

import { type CallbackActorLogic, type EventObject, fromCallback, fromPromise, type PromiseActorLogic } from "xstate";

import type { EffectClass } from "../entity/contract.ts";

declare const taskBrand: unique symbol;

/** A promise logic that a node supplies by name. */
export type TaskLogic<I, O> = PromiseActorLogic<O, I> & { readonly [taskBrand]: true };

export type TaskMark =
  /** `withinMs`: after this long it counts as unknown; measured on hosted time. */
  | { readonly kind: "task"; readonly class: "idempotent" | "once"; readonly withinMs: number }
  | { readonly kind: "ask"; readonly message: string }
  /** `waiting`: events that wait at most. */
  | { readonly kind: "subscription"; readonly waiting: number; readonly overflow: "drop-oldest" | "drop-newest" };

export interface EffectMark {
  readonly class: EffectClass;
  /** How long an attempt has to answer, ms. */
  readonly withinMs: number;
}

const effectMarks = new WeakMap<object, EffectMark>();
const taskMarks = new WeakMap<object, TaskMark>();

export function markEffect<F extends (...args: never[]) => void>(run: F, mark: EffectMark): F {
  effectMarks.set(run, mark);
  return run;
}

/** Of a declared effect; undefined for any other function. */
export function effectMarkOf(run: unknown): EffectMark | undefined {
  return typeof run === "function" ? effectMarks.get(run) : undefined;
}

export function effectClassOf(run: unknown): EffectClass | undefined {
  return effectMarkOf(run)?.class;
}

/** A promise logic that only names work: the node supplies it, so that running it as it stands rejects. */
export function markedPromise<O, I>(mark: TaskMark): TaskLogic<I, O> {
  const logic = fromPromise<O, I>(() => Promise.reject(new Error(`this ${mark.kind} is not supplied on this node`)));
  taskMarks.set(logic, mark);
  return logic as TaskLogic<I, O>;
}

/** A callback logic that only names what its node does in its place: running it as it stands fails. */
export function markedCallback<I>(mark: TaskMark): CallbackActorLogic<EventObject, I> {
  const logic = fromCallback<EventObject, I>(() => {
    throw new Error(`a ${mark.kind} is begun by the node that hosts its actor`);
  });
  taskMarks.set(logic, mark);
  return logic;
}

export function taskMarkOf(logic: unknown): TaskMark | undefined {
  return typeof logic === "object" && logic !== null ? taskMarks.get(logic) : undefined;
}
