// One timer for the earliest of many deadlines: a message costs nothing unless its deadline really comes.

import type { Clock, TimeoutHandle } from "../ports/index.ts";

export class DeadlineWatch {
  readonly #clock: Clock;
  readonly #expire: (now: number) => number | undefined;
  #at: number | undefined;
  #handle: TimeoutHandle | undefined;

  /** @param expire ends what is due at `now` (monotonic ms) and returns the next deadline, undefined when there is none */
  constructor(clock: Clock, expire: (now: number) => number | undefined) {
    this.#clock = clock;
    this.#expire = expire;
  }

  /** @param deadline monotonic ms */
  note(deadline: number): void {
    if (this.#at !== undefined && this.#at <= deadline) return;
    this.stop();
    this.#at = deadline;
    this.#handle = this.#clock.setTimeout(
      () => {
        this.#at = undefined;
        const next = this.#expire(this.#clock.monotonic());
        if (next !== undefined) this.note(next);
      },
      Math.max(0, deadline - this.#clock.monotonic()),
      { unref: true },
    );
  }

  stop(): void {
    this.#clock.clearTimeout(this.#handle);
    this.#handle = undefined;
    this.#at = undefined;
  }
}
