// One entity's bounded mailbox: a control lane that overtakes, and a user lane with a limit (promise S5).
//
// B1. The user lane refuses when it holds `limit` items; nothing that was taken is lost.
// B2. The control lane (timers, results of effects and tasks, receipts) is bounded by what the entity itself has under way, so it never refuses.
//     What others decide the amount of (what sources say, a host's news) asks `hasControlRoom` first.
// B3. Within a lane order is kept.

/** A FIFO that shifts in constant time. */
class Lane<T> {
  #items: (T | undefined)[] = [];
  #head = 0;

  get length(): number {
    return this.#items.length - this.#head;
  }

  push(item: T): void {
    this.#items.push(item);
  }

  unshift(items: readonly T[]): void {
    if (items.length === 0) return;
    this.#items = [...items, ...this.#items.slice(this.#head)];
    this.#head = 0;
  }

  shift(): T | undefined {
    if (this.#head >= this.#items.length) return undefined;
    const item = this.#items[this.#head];
    this.#items[this.#head++] = undefined;
    if (this.#head > 1024 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }

  drain(): T[] {
    const rest = this.#items.slice(this.#head) as T[];
    this.#items = [];
    this.#head = 0;
    return rest;
  }

  *[Symbol.iterator](): Iterator<T> {
    for (let at = this.#head; at < this.#items.length; at++) yield this.#items[at] as T;
  }

  remove(isMeant: (item: T) => boolean): T[] {
    const removed: T[] = [];
    const kept: T[] = [];
    for (const item of this.drain()) (isMeant(item) ? removed : kept).push(item);
    this.#items = kept;
    return removed;
  }
}

export class Mailbox<T> {
  readonly #control = new Lane<T>();
  readonly #user = new Lane<T>();
  readonly limit: number;

  /** @param limit user messages, > 0 */
  constructor(limit: number) {
    this.limit = limit;
  }

  get length(): number {
    return this.#control.length + this.#user.length;
  }

  /** User messages waiting. */
  get depth(): number {
    return this.#user.length;
  }

  offer(item: T): boolean {
    if (this.#user.length >= this.limit) return false;
    this.#user.push(item);
    return true;
  }

  control(item: T): void {
    this.#control.push(item);
  }

  *[Symbol.iterator](): Iterator<T> {
    yield* this.#control;
    yield* this.#user;
  }

  get hasControlRoom(): boolean {
    return this.#control.length < this.limit;
  }

  /** Takes out what `isMeant` says, in order. */
  remove(isMeant: (item: T) => boolean): readonly T[] {
    return [...this.#control.remove(isMeant), ...this.#user.remove(isMeant)];
  }

  /** Up to `count` items, control first. */
  take(count: number): T[] {
    const taken: T[] = [];
    for (let item = this.#next(); item !== undefined; item = taken.length < count ? this.#next() : undefined) taken.push(item);
    return taken;
  }

  /** Puts items back in front, in their order: a turn ended early or was rolled back. */
  putBack(items: readonly T[]): void {
    this.#control.unshift(items);
  }

  /** Empties it. */
  drain(): readonly T[] {
    return [...this.#control.drain(), ...this.#user.drain()];
  }

  #next(): T | undefined {
    return this.#control.shift() ?? this.#user.shift();
  }
}
