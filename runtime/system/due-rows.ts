// The near part of the index of absent entities' timers on one clock: the rows that fall due next, read from the store by pages (promise S5).
//
// D1. Every row of the store up to the end of what was read is here, or was taken out. What lies behind the end is read when few are left here.
// D2. However many rows there are, some thousand are held: when more come than that, the latest are given back to the store, which has them.
// D3. A row that is written while a page is read may be missing in it: it is held from the moment it is told.

import type { Store } from "../ports/index.ts";
import { wakePrefix, wakeRowOf, type WakeClock } from "./wake-rows.ts";

const PAGE = 1_000;
const MOST = 2_000;
/** So many are left when the next page is read. */
const FEW = 250;

export class DueRows {
  isReading = false;
  readonly #store: Store;
  readonly #prefix: string;
  /** Behind all rows. */
  readonly #last: string;
  /** Ascending. */
  #keys: string[] = [];
  /** D1. */
  #readTo: string;
  /** D2, while a page is read: what is behind it is not held. */
  #cutTo: string;

  constructor(store: Store, clock: WakeClock) {
    this.#store = store;
    this.#prefix = wakePrefix(clock);
    this.#last = `${this.#prefix}~`;
    this.#readTo = this.#prefix;
    this.#cutTo = this.#last;
  }

  /** The name of the one that falls due next. */
  get first(): string | undefined {
    return this.#keys[0];
  }

  /** More are to be read, and nobody does. */
  get isShort(): boolean {
    return this.#keys.length < FEW && this.#readTo !== this.#last && !this.isReading;
  }

  /** How many of those that are held come before this name. */
  countBefore(name: string): number {
    return this.#placeOf(name);
  }

  shift(): void {
    this.#keys.shift();
  }

  /** It is in the store. */
  insert(key: string): void {
    if (key > this.#readTo && !this.isReading) return;
    const at = this.#placeOf(key);
    if (this.#keys[at] === key) return;
    this.#keys.splice(at, 0, key);
    if (this.#keys.length > MOST) this.#giveBack();
  }

  /** It is in the store no longer. */
  delete(key: string): void {
    const at = this.#placeOf(key);
    if (this.#keys[at] === key) this.#keys.splice(at, 1);
  }

  /** All rows are read again, from the earliest on. */
  rewind(): void {
    this.#keys = [];
    this.#readTo = this.#prefix;
    this.#cutTo = this.#prefix;
  }

  /** The next page. @throws what the store throws */
  async read(): Promise<void> {
    if (this.isReading) return;
    this.isReading = true;
    this.#cutTo = this.#last;
    try {
      const page = await this.#store.values.entries(this.#prefix, { after: this.#readTo, limit: PAGE });
      const end = page.length < PAGE ? this.#last : (page.at(-1)?.key ?? this.#last);
      this.#readTo = end < this.#cutTo ? end : this.#cutTo;
      const read = page.map(({ key }) => key).filter((key) => wakeRowOf(key) !== undefined);
      this.#keys = [...new Set([...this.#keys, ...read])].filter((key) => key <= this.#readTo).sort();
    } finally {
      this.isReading = false;
      this.#keys = this.#keys.filter((key) => key <= this.#readTo);
    }
    if (this.#keys.length > MOST) this.#giveBack();
  }

  /** D2. */
  #giveBack(): void {
    this.#keys.length = PAGE;
    const end = this.#keys[PAGE - 1] as string;
    if (end < this.#readTo) this.#readTo = end;
    if (end < this.#cutTo) this.#cutTo = end;
  }

  /** Of the first that is not before it. */
  #placeOf(name: string): number {
    let from = 0;
    let to = this.#keys.length;
    while (from < to) {
      const middle = (from + to) >>> 1;
      if ((this.#keys[middle] as string) < name) from = middle + 1;
      else to = middle;
    }
    return from;
  }
}
