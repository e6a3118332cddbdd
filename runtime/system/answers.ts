// Who waits here for the reply to an ask from outside. The reply itself is kept with the entity (rules M2); this only wakes those who wait now.

import type { Answer } from "../outcome.ts";
import type { Clock } from "../ports/index.ts";

type Waiter = (answer: Answer) => void;

export class Answers {
  readonly #clock: Clock;
  readonly #waiting = new Map<string, Set<Waiter>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** Settles with the answer, or after `withinMs` with `unknown`: it was taken, and its reply may still come under the same id. */
  await(id: string, withinMs: number): Promise<Answer> {
    return new Promise((resolve) => {
      const waiters = this.#waiting.get(id) ?? new Set<Waiter>();
      this.#waiting.set(id, waiters);
      const timeout = this.#clock.setTimeout(() => {
        this.#remove(id, waiters, settle);
        resolve({ kind: "unknown", reason: "taken, and not answered in time; ask again with the same id" });
      }, withinMs);
      const settle: Waiter = (answer) => {
        this.#clock.clearTimeout(timeout);
        resolve(answer);
      };
      waiters.add(settle);
    });
  }

  settle(id: string, answer: Answer): void {
    const waiters = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (waiters !== undefined) for (const waiter of waiters) waiter(answer);
  }

  /** Ends all waits: the node stops hosting. */
  abandon(reason: string): void {
    for (const id of [...this.#waiting.keys()]) this.settle(id, { kind: "unknown", reason });
  }

  #remove(id: string, waiters: Set<Waiter>, waiter: Waiter): void {
    waiters.delete(waiter);
    if (waiters.size === 0 && this.#waiting.get(id) === waiters) this.#waiting.delete(id);
  }
}
