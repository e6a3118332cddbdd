// A token bucket for lines: a child that writes without end must not fill the disk of its parent's log.

import type { Clock } from "../ports/index.ts";

export class RateBound {
  readonly #clock: Clock;
  readonly #perSecond: number;
  readonly #burst: number;
  #tokens: number;
  #at: number;
  #suppressed = 0;

  constructor(clock: Clock, perSecond: number, burst: number) {
    this.#clock = clock;
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#tokens = burst;
    this.#at = clock.monotonic();
  }

  /** Nothing passes at this moment. */
  get isEmpty(): boolean {
    this.#fill();
    return this.#tokens < 1;
  }

  /** Undefined: over the bound, counted. Otherwise how many were suppressed since the last one that passed. */
  pass(): number | undefined {
    if (this.isEmpty) {
      this.#suppressed++;
      return undefined;
    }
    this.#tokens--;
    return this.takeSuppressed();
  }

  /** Counts lines that nobody asked about one by one. */
  suppress(lines: number): void {
    this.#suppressed += lines;
  }

  /** Since they were last told of. */
  takeSuppressed(): number {
    const suppressed = this.#suppressed;
    this.#suppressed = 0;
    return suppressed;
  }

  #fill(): void {
    const now = this.#clock.monotonic();
    this.#tokens = Math.min(this.#burst, this.#tokens + ((now - this.#at) / 1_000) * this.#perSecond);
    this.#at = now;
  }
}
