// Messages that reached nobody: the last ones are kept to be looked at, all are counted (promise S5).

import type { Clock } from "../ports/index.ts";
import type { DeadLetter } from "./views.ts";

const KEPT = 1_000;

export class DeadLetters {
  readonly #clock: Clock;
  readonly #kept: DeadLetter[] = [];
  readonly #byReason = new Map<string, number>();
  #number = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(letter: { readonly to: string; readonly type: string; readonly from: string; readonly reason: string }): void {
    this.#number++;
    this.#byReason.set(letter.reason, (this.#byReason.get(letter.reason) ?? 0) + 1);
    this.#kept.push({ number: this.#number, at: this.#clock.now(), ...letter });
    if (this.#kept.length > KEPT) this.#kept.shift();
  }

  /** Oldest first. */
  list(after: number, limit: number): readonly DeadLetter[] {
    return this.#kept.filter((letter) => letter.number > after).slice(0, limit);
  }

  /** Count by reason; reasons are few and fixed words. */
  get counts(): ReadonlyMap<string, number> {
    return this.#byReason;
  }
}
