// What the implementation of an effect or a task learns, and what an effect may answer.

import type { EffectCause } from "../entity/contract.ts";
import type { Refusal } from "../outcome.ts";

/** What an effect's or task's implementation learns. */
export interface WorkContext {
  /** Names this piece of work, the same on every attempt: an idempotence key. */
  readonly key: string;
  readonly signal: AbortSignal;
  /** Address of the actor it is done for. */
  readonly actor: string;
  /** Who asked for it; a task has none. */
  readonly cause?: EffectCause;
}

/** How an effect's implementation says that it was not done although nothing broke. */
export type EffectWord = undefined | { readonly kind: "done" } | Extract<Refusal, { readonly kind: "refused" | "unknown" | "deadline" }>;
