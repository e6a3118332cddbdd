// A queue in one array that grows by doubling and is handed back when it is empty: an idle actor owns none, and a busy one allocates none a burst.

const FIRST_SLOTS = 16;
/** Arrays of queues that ran empty, all slots undefined, for the next ones to fill. */
const spare: unknown[][] = [];
const MAX_SPARE = 64;
const MAX_SPARE_SLOTS = 2_048;

export class Ring<T extends object> {
  #slots: (T | undefined)[] | undefined = undefined;
  /** Positions grow for ever; a slot is a position's low bits. */
  #head = 0;
  #tail = 0;

  get length(): number {
    return this.#tail - this.#head;
  }

  push(item: T): void {
    const slots = this.#roomFor(1);
    slots[this.#tail++ & (slots.length - 1)] = item;
  }

  /** Puts items in front, in their order. */
  unshift(items: readonly T[]): void {
    if (items.length === 0) return;
    const slots = this.#roomFor(items.length);
    for (let at = items.length - 1; at >= 0; at--) slots[--this.#head & (slots.length - 1)] = items[at];
  }

  /** The next one, which stays. */
  first(): T | undefined {
    const slots = this.#slots;
    return slots === undefined || this.length === 0 ? undefined : slots[this.#head & (slots.length - 1)];
  }

  shift(): T | undefined {
    const slots = this.#slots;
    if (slots === undefined) return undefined;
    const at = this.#head & (slots.length - 1);
    const item = slots[at];
    slots[at] = undefined;
    this.#head++;
    if (this.#head === this.#tail) this.#handBack(slots);
    return item;
  }

  /** Keeps what `isKept` says, in order. */
  filter(isKept: (item: T) => boolean): void {
    const kept: T[] = [];
    for (let item = this.shift(); item !== undefined; item = this.shift()) if (isKept(item)) kept.push(item);
    for (const item of kept) this.push(item);
  }

  *[Symbol.iterator](): Iterator<T> {
    const slots = this.#slots;
    if (slots !== undefined) for (let at = this.#head; at < this.#tail; at++) yield slots[at & (slots.length - 1)] as T;
  }

  #roomFor(count: number): (T | undefined)[] {
    const slots = (this.#slots ??= (spare.pop() as (T | undefined)[] | undefined) ?? new Array<T | undefined>(FIRST_SLOTS).fill(undefined));
    if (this.length + count <= slots.length) return slots;
    let size = slots.length;
    while (size < this.length + count) size *= 2;
    const grown = new Array<T | undefined>(size).fill(undefined);
    for (let at = this.#head; at < this.#tail; at++) grown[at & (size - 1)] = slots[at & (slots.length - 1)];
    this.#slots = grown;
    return grown;
  }

  #handBack(slots: (T | undefined)[]): void {
    this.#slots = undefined;
    if (spare.length < MAX_SPARE && slots.length <= MAX_SPARE_SLOTS) spare.push(slots);
  }
}
