// The only source of time. Lint bans `Date`, `setTimeout` and `performance` everywhere else (style guide, section 7).

/** Handle of an armed timeout; opaque, valid for the clock that made it. */
export type TimeoutHandle = { readonly armed: true } & object;

export interface Clock {
  /** Wall time in ms since 1970-01-01 UTC. May jump; never used to measure a wait. */
  now(): number;
  /** Monotonic time in ms from an arbitrary start. Never goes back; deadlines within a process are counted on it. */
  monotonic(): number;
  /** Calls `run` once after at least `delayMs` (values < 0 count as 0). A pending timeout keeps a real process alive unless `unref` is true. */
  setTimeout(run: () => void, delayMs: number, options?: { readonly unref?: boolean }): TimeoutHandle;
  /** Disarms; a handle that has fired or was cleared is ignored. */
  clearTimeout(handle: TimeoutHandle | undefined): void;
}
