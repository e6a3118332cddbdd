// Who waits here for the reply to an ask from outside. The reply itself is kept with the entity (rules M2); this only wakes those who wait now.

import type { Answer } from "../outcome.ts";
import type { Clock } from "../ports/index.ts";

type Waiter = (answer: Answer) => void;

/** Seats beside one message, and over all of an entity's: whoever repeats an ask without end takes no more room than this. */
const SEATS_PER_ID = 32;
const SEATS = 10_000;

export class Answers {
  readonly #clock: Clock;
  readonly #waiting = new Map<string, Set<Waiter>>();
  #seats = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#seats;
  }

  /** Settles with the answer, or after `withinMs` with `unknown`: it was taken, and its reply may still come under the same id. */
  await(id: string, withinMs: number): Promise<Answer> {
    const waiters = this.#waiting.get(id) ?? new Set<Waiter>();
    if (waiters.size >= SEATS_PER_ID || this.#seats >= SEATS)
      return Promise.resolve({ kind: "unknown", reason: "taken; too many wait for its reply already, ask again with the same id" });
    this.#waiting.set(id, waiters);
    return new Promise((resolve) => {
      const settle: Waiter = (answer) => {
        this.#clock.clearTimeout(timeout);
        this.#seats--;
        waiters.delete(settle);
        if (waiters.size === 0 && this.#waiting.get(id) === waiters) this.#waiting.delete(id);
        resolve(answer);
      };
      // It holds the process: somebody waits for what it tells.
      const timeout = this.#clock.setTimeout(() => {
        settle({ kind: "unknown", reason: "taken, and not answered in time; ask again with the same id" });
      }, withinMs);
      waiters.add(settle);
      this.#seats++;
    });
  }

  settle(id: string, answer: Answer): void {
    for (const waiter of [...(this.#waiting.get(id) ?? [])]) waiter(answer);
  }

  /** Ends all waits: the node stops hosting. */
  abandon(reason: string): void {
    for (const id of [...this.#waiting.keys()]) this.settle(id, { kind: "unknown", reason });
  }
}
