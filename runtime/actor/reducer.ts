// A behaviour that is a plain function: the other kind beside a machine (design section 3).

import type { EventData, TimerPolicy } from "../entity/contract.ts";
import { aFunction, demandShape, keysOf, recordOf } from "../shape/index.ts";
import { type EffectMark, effectMarkOf } from "../xstate/index.ts";
import type { ReplyTo } from "./messages.ts";

/** What a reducer may do beside returning its next state; all of it happens after the commit. */
export interface ReducerTurn {
  /** Address of this actor. */
  readonly address: string;
  /** Wall time of the turn, ms since 1970. */
  readonly now: number;
  /** Who is answerable for this message, as `author(self)` says it. */
  readonly author: string | undefined;
  /** Uniform in [0, 1), from the turn's seed. */
  random(): number;
  /** To an actor's address, or to where an answer is wanted. */
  send(to: string | ReplyTo<never>, event: EventData): void;
  /** Sends `event` to this actor after `delayMs`; arming an armed name replaces it. Default policy `remaining` (rules K1). */
  arm(timer: string, delayMs: number, event: EventData, options?: { readonly policy?: TimerPolicy }): void;
  cancel(timer: string): void;
  emit(event: EventData): void;
  /** A declared effect with its parameters (data). */
  perform(effect: string, params: unknown): void;
  /** The state does not take this message: nothing of this step happens, its sender is told. */
  refuse(reason?: string): void;
  /** Not in this state: nothing of this step happens, and the message is offered again after the next change of the state, before all that waits (`postpone` of a protocol). */
  postpone(): void;
}

export interface Reducer<S = unknown, E = unknown, I = unknown> {
  readonly kind: "reducer";
  initial(input: I, turn: ReducerTurn): S;
  /** Pure; returns the next state, or the same when nothing changed. */
  step(state: S, event: E, turn: ReducerTurn): S;
  /** The effects that `turn.perform` may name. */
  readonly effects: Readonly<Record<string, EffectMark>>;
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- any reducer, whatever its state and events
export type AnyReducer = Reducer<any, any, any>;

const REDUCER = keysOf<Parameters<typeof reducer>[0]>(
  {
    initial: aFunction,
    step: aFunction,
    effects: recordOf({ title: "a declared effect: what effect() gave", "x-test": (value) => typeof value === "function" && effectMarkOf(value) !== undefined }),
  },
  ["initial", "step"],
);

/** @throws DROVER_TYPE_INVALID for parts that are missing, unknown or of another kind */
export function reducer<S, E, I = undefined>(parts: {
  readonly initial: (input: I, turn: ReducerTurn) => S;
  readonly step: (state: S, event: E, turn: ReducerTurn) => S;
  /** Declared with `effect({ class })`. */
  readonly effects?: Readonly<Record<string, (args: unknown, params: never) => void>>;
}): Reducer<S, E, I> {
  demandShape(parts, REDUCER, "reducer", "DROVER_TYPE_INVALID", true);
  const marks = Object.entries(parts.effects ?? {}).map(([name, run]) => [name, effectMarkOf(run)] as const);
  const effects = Object.fromEntries(marks.filter((entry): entry is readonly [string, EffectMark] => entry[1] !== undefined));
  return { kind: "reducer", initial: parts.initial, step: parts.step, effects };
}

export function isReducer(behaviour: object): behaviour is AnyReducer {
  return (behaviour as { readonly kind?: unknown }).kind === "reducer";
}
