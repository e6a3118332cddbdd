// The entities out of memory that have a rhythm behind whose next time the wall clock was set back (rules K1, entity/timer-policy P3): their rows in the index of timers lie too far ahead.
//
// B1. They are looked for once after a start, and each time that the clock has been set back: whoever is armed since is armed by the clock that there is.
// B2. All rows that lie ahead are read for it, by pages, the next one when the entities of the last are on their way. A row tells in its value which time the clock must show (wake-rows R3).
// B3. One that leaves while pages are read has looked at its timers itself.

import type { Address } from "../address.ts";
import type { Clock, Store } from "../ports/index.ts";
import { dueName, setBackBeforeOf, wakePrefix, wakeRowOf } from "./wake-rows.ts";

const PAGE = 1_000;
/** What a clock that is corrected in small steps does not go back between two lookings; less than that makes nobody late by more. */
const STEPS_MS = 2_000;

export class SetBackRows {
  isReading = false;
  readonly #store: Store;
  readonly #clock: Clock;
  /** B1. What the wall clock was ahead of the monotonic one at most since the last looking, ms. */
  #aheadMs = Number.POSITIVE_INFINITY;
  /** undefined: all were read. */
  #readTo: string | undefined;
  /** The next one last. */
  #found: Address[] = [];

  constructor(store: Store, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** Found, and not yet on their way. */
  get count(): number {
    return this.#found.length;
  }

  /** More are to be read, and nobody does. */
  get isShort(): boolean {
    return this.#readTo !== undefined && this.#found.length === 0 && !this.isReading;
  }

  /** B1. Call while the clock is trusted. */
  look(): void {
    const aheadMs = this.#clock.now() - this.#clock.monotonic();
    if (this.#aheadMs - aheadMs > STEPS_MS) this.rewind();
    else this.#aheadMs = Math.max(this.#aheadMs, aheadMs);
  }

  /** They are looked for from the first on. */
  rewind(): void {
    this.#aheadMs = this.#clock.now() - this.#clock.monotonic();
    this.#readTo = dueName("wall", this.#clock.now());
    this.#found = [];
  }

  next(): Address | undefined {
    return this.#found.pop();
  }

  /** B2. The next page. @throws what the store throws */
  async read(): Promise<void> {
    const after = this.#readTo;
    if (after === undefined || this.isReading) return;
    this.isReading = true;
    try {
      const page = await this.#store.values.entries(wakePrefix("wall"), { after, limit: PAGE });
      // Begun anew meanwhile.
      if (this.#readTo !== after) return;
      const now = this.#clock.now();
      const found = page.filter(({ value }) => now < setBackBeforeOf(value)).map(({ key }) => wakeRowOf(key)?.entity);
      this.#found = found.filter((entity) => entity !== undefined).reverse();
      this.#readTo = page.length < PAGE ? undefined : page.at(-1)?.key;
    } finally {
      this.isReading = false;
    }
  }
}
