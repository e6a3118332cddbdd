// Waits of a system's own callers, each with an end: a store that does not answer holds up nobody for ever (promise S5).

import { DroverError } from "../errors.ts";
import type { Clock } from "../ports/index.ts";
import { settledWithin } from "../settled-within.ts";

/** A store has this long for one answer, ms. */
export const STORE_WITHIN_MS = 30_000;
/** Who looks at an actor. */
export const LOOK_WITHIN_MS = 10_000;
/** An entity that comes into memory: its turn at the gate, its state and its first turn. */
export const BEGUN_WITHIN_MS = 60_000;

/**
 * What is under way goes on by itself.
 * @param what begins the sentence of the error, e.g. `t/a/x could not be read`
 * @throws DROVER_STORE_FAILED, retryable, when the time is over, and what the work rejects with
 */
export async function inTime<T>(work: Promise<T>, clock: Clock, withinMs: number, what: string): Promise<T> {
  const answered = await settledWithin(
    work.then((value) => ({ value })),
    clock,
    withinMs,
    undefined,
    { unref: true },
  );
  if (answered === undefined) throw new DroverError("DROVER_STORE_FAILED", `${what}: no answer for ${String(withinMs / 1_000)} s`, { retryable: true });
  return answered.value;
}
