// How restarts become rarer (hosting H14): of children of a supervisor and of actors of an entity alike.
//
// B1. Attempt n (from 0) waits a uniformly random time up to min(max, initial * 2^(n-1)), "full jitter"; attempt 0, the first after a stable time, does not wait.

/** A run of `resetAfterMs` is stable. */
export const BACKOFF_DEFAULTS = { initialMs: 200, maxMs: 30_000, resetAfterMs: 60_000 } as const;

/** @param attempt from 0  @param random uniform in [0, 1) */
export function backoffMs(attempt: number, random: () => number, { initialMs, maxMs }: { readonly initialMs: number; readonly maxMs: number } = BACKOFF_DEFAULTS): number {
  return random() * (attempt === 0 ? 0 : Math.min(maxMs, initialMs * 2 ** (attempt - 1)));
}
