// One thing that is tried again until it works: exponential backoff with jitter, one timer, a count of failures (promise S5).
//
// R1. The wait after failure n (from 0) is uniform in [half, whole] of min(longestMs, firstMs * 2^n): never at once, never all at the same time.
// R2. A waiting retry keeps no process alive, and after `cancel` it never runs.

import type { Clock, TimeoutHandle } from "./ports/index.ts";

export interface RetryLimits {
  /** Upper end of the first wait, ms, > 0. */
  readonly firstMs: number;
  /** Upper end of any wait, ms. */
  readonly longestMs: number;
}

export class Retry {
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #limits: RetryLimits;
  #handle: TimeoutHandle | undefined;
  #failures = 0;

  /** @param random uniform in [0, 1) */
  constructor(clock: Clock, random: () => number, limits: RetryLimits) {
    this.#clock = clock;
    this.#random = random;
    this.#limits = limits;
  }

  get isWaiting(): boolean {
    return this.#handle !== undefined;
  }

  /** Since the last `reset`. */
  get failures(): number {
    return this.#failures;
  }

  /** Counts a failure and runs `again` after its wait; a wait under way is replaced. */
  later(again: () => void): void {
    this.cancel();
    const { firstMs, longestMs } = this.#limits;
    const wholeMs = Math.min(longestMs, firstMs * 2 ** Math.min(this.#failures, 30));
    this.#failures++;
    this.#handle = this.#clock.setTimeout(
      () => {
        this.#handle = undefined;
        again();
      },
      wholeMs * (0.5 + this.#random() / 2),
      { unref: true },
    );
  }

  /** It worked, or the reason for failing has gone: the next wait is the first again. */
  reset(): void {
    this.cancel();
    this.#failures = 0;
  }

  cancel(): void {
    this.#clock.clearTimeout(this.#handle);
    this.#handle = undefined;
  }
}
