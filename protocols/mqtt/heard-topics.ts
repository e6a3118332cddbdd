// Whether anybody has subscribed to a topic: what is published where nobody listens is lost without a word in aedes, so that a wrong topic would never be seen.

import { patternMatches } from "../../runtime/wire/index.ts";
import { patternOf } from "./topics.ts";

/** Answers that are remembered: a vehicle uses a dozen topics. */
const MAX_REMEMBERED = 10_000;

export class HeardTopics {
  /** How many connections have each filter. */
  readonly #filters = new Map<string, number>();
  readonly #answers = new Map<string, boolean>();

  add(filter: string): void {
    this.#filters.set(filter, (this.#filters.get(filter) ?? 0) + 1);
    this.#answers.clear();
  }

  remove(filter: string): void {
    const left = (this.#filters.get(filter) ?? 0) - 1;
    if (left > 0) this.#filters.set(filter, left);
    else this.#filters.delete(filter);
    this.#answers.clear();
  }

  has(topic: string): boolean {
    const known = this.#answers.get(topic);
    if (known !== undefined) return known;
    const isHeard = [...this.#filters.keys()].some((filter) => patternMatches(patternOf(filter), topic));
    if (this.#answers.size >= MAX_REMEMBERED) this.#answers.clear();
    this.#answers.set(topic, isHeard);
    return isHeard;
  }
}
