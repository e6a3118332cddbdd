// One entity's bounded mailbox: a control lane that overtakes, and a user lane with a limit (promise S5).
//
// B1. The user lane refuses when it holds `limit` items; nothing that was taken is lost.
// B2. The control lane (timers, results of effects and sources, receipts) is bounded by what the entity itself has under way, so it never refuses.
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
}

export class Mailbox<T> {
  readonly #control = new Lane<T>();
  readonly #user = new Lane<T>();
  readonly limit: number;
  /** User items refused because the lane was full. */
  refused = 0;

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
    if (this.#user.length >= this.limit) {
      this.refused++;
      return false;
    }
    this.#user.push(item);
    return true;
  }

  control(item: T): void {
    this.#control.push(item);
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
  drain(): T[] {
    return [...this.#control.drain(), ...this.#user.drain()];
  }

  #next(): T | undefined {
    return this.#control.shift() ?? this.#user.shift();
  }
}
