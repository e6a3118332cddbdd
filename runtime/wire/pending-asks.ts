// Asks that were sent and are not settled yet. Every one settles by its deadline, whatever the link does (research/transports.md 7.5, 3).

import type { AskOutcome, Clock, TimeoutHandle } from "../ports/index.ts";

interface Pending {
  readonly replyKey: string;
  readonly deadline: TimeoutHandle;
  readonly settle: (outcome: AskOutcome) => void;
}

export class PendingAsks {
  readonly #clock: Clock;
  readonly #maxPending: number;
  readonly #pending = new Map<string, Pending>();

  /** @param maxPending asks open at a time, default 256 */
  constructor(clock: Clock, maxPending = 256) {
    this.#clock = clock;
    this.#maxPending = maxPending;
  }

  get size(): number {
    return this.#pending.size;
  }

  get full(): boolean {
    return this.#pending.size >= this.#maxPending;
  }

  /** Call before the request is handed to the link. `correlation` must be fresh. */
  open(correlation: string, replyKey: string, withinMs: number): Promise<AskOutcome> {
    return new Promise((resolve) => {
      const deadline = this.#clock.setTimeout(() => {
        this.#pending.delete(correlation);
        resolve({ kind: "unknown", reason: `no answer within ${String(Math.round(withinMs))} ms` });
      }, withinMs);
      this.#pending.set(correlation, { replyKey, deadline, settle: resolve });
    });
  }

  /** False for a late, repeated or foreign answer: the caller counts it. */
  settle(correlation: string, replyKey: string, outcome: AskOutcome): boolean {
    const pending = this.#pending.get(correlation);
    if (pending?.replyKey !== replyKey) return false;
    this.#pending.delete(correlation);
    this.#clock.clearTimeout(pending.deadline);
    pending.settle(outcome);
    return true;
  }

  /** The link is gone: whether they were acted on is not known. */
  loseAll(reason: string): void {
    const lost = [...this.#pending.values()];
    this.#pending.clear();
    for (const pending of lost) {
      this.#clock.clearTimeout(pending.deadline);
      pending.settle({ kind: "unknown", reason });
    }
  }
}
