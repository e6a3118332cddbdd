// What an actor may do to the world, declared by name and supplied where a node is composed (hosting A2; rules F1).

import type { PromiseActorLogic } from "xstate";

import type { EffectClass } from "../entity/contract.ts";
import { DroverError } from "../errors.ts";
import { aNumber, demandShape, keysOf, oneOf } from "../shape/index.ts";
import { markEffect, markedPromise, type TaskLogic } from "../xstate/index.ts";
import type { ActorType, AnyBehaviour } from "./actor-type.ts";
import type { Askable, Body, MessageSpecs, ReplyOf } from "./messages.ts";

/** A task that says nothing of its own deadline counts as unknown after this long, ms. */
export const DEFAULT_TASK_WITHIN_MS = 600_000;

const DEFAULT_EFFECT_WITHIN_MS = 60_000;

const EFFECT = keysOf<Parameters<typeof effect>[0]>({ class: oneOf("idempotent", "once", "state"), withinMs: aNumber }, ["class"]);
const TASK = keysOf<NonNullable<Parameters<typeof task>[0]>>({ class: oneOf("idempotent", "once"), withinMs: aNumber }, []);

/**
 * An outside effect: fire and forget after the commit, parameters are data.
 * @param how.class `idempotent` is repeated until confirmed, also when an attempt does not answer; `once` is never repeated, and after a crash its actor hears `unknown`; `state` is never replayed
 * @param how.withinMs how long an attempt has to answer, > 0, default 60000; then an `idempotent` one is tried again beside it, and the others are `unknown`
 * @throws DROVER_TYPE_INVALID for a class that is none of these (rules F1)
 */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- the machine learns the type of the parameters from it
export function effect<P = undefined>(how: { readonly class: EffectClass; readonly withinMs?: number }): (args: unknown, params: P) => void {
  demandShape(how, EFFECT, "effect", "DROVER_TYPE_INVALID", true);
  const withinMs = how.withinMs ?? DEFAULT_EFFECT_WITHIN_MS;
  checkWithin("effect", withinMs);
  return markEffect((_args: unknown, _params: P): void => undefined, { class: how.class, withinMs });
}

function checkWithin(what: string, withinMs: number): void {
  if (!(withinMs > 0) || !Number.isFinite(withinMs))
    throw new DroverError("DROVER_TYPE_INVALID", `${what}: withinMs is a positive number of milliseconds, this is ${String(withinMs)}`);
}

/**
 * Async work whose result comes back as `onDone` or `onError`. It runs after the commit and, after a recovery, starts again with the same key.
 * @param how.class default `idempotent`; a `once` task is not started again: its machine gets an error of kind `unknown`
 * @param how.withinMs hosted time after which it ends with an error of kind `unknown`, > 0, default 600000
 * @throws DROVER_TYPE_INVALID for a class that is none of these (rules F1)
 */
export function task<I, O>(how: { readonly class?: "idempotent" | "once"; readonly withinMs?: number } = {}): TaskLogic<I, O> {
  demandShape(how, TASK, "task", "DROVER_TYPE_INVALID", true);
  const withinMs = how.withinMs ?? DEFAULT_TASK_WITHIN_MS;
  checkWithin("task", withinMs);
  return markedPromise<O, I>({ kind: "task", class: how.class ?? "idempotent", withinMs });
}

/** Input of an invoked `ask`. */
export interface AskInput<B> {
  readonly to: string;
  readonly body: B;
  /** Hosted time until the answer counts as unknown, ms. */
  readonly withinMs: number;
}

/** Asks another entity; the reply is the output, a refusal is the error (`event.error` is a `Refusal`). */
export function ask<S extends MessageSpecs, K extends Askable<S>>(_to: ActorType<S, AnyBehaviour>, message: K): PromiseActorLogic<ReplyOf<S[K]>, AskInput<Body<S[K]>>> {
  return markedPromise<ReplyOf<S[K]>, AskInput<Body<S[K]>>>({ kind: "ask", message });
}
