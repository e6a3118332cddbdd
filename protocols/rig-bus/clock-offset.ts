// Maps the rig's clock to ours. The two processes share no zero, and what is read off a socket is only ever late: the least lateness seen is the offset.

/** Clocks of one machine differ by far less; the estimate may rise again by this much, or one lucky frame would bind it for ever. */
const DRIFT_PER_MS = 1e-4;

export class ClockOffset {
  #offset = Infinity;
  #at = 0;
  #last = -Infinity;

  /** A new rig, a new zero. */
  reset(): void {
    this.#offset = Infinity;
  }

  /**
   * When, on our clock, something happened at `rigMs` that we read at `readAtMs`. Never in the future, never before what was told last.
   */
  toOurs(rigMs: number, readAtMs: number): number {
    const late = readAtMs - rigMs;
    this.#offset = Math.min(this.#offset === Infinity ? late : this.#offset + (readAtMs - this.#at) * DRIFT_PER_MS, late);
    this.#at = readAtMs;
    this.#last = Math.max(this.#last, rigMs + this.#offset);
    return this.#last;
  }
}
