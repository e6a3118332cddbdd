// Virtual time of a whole simulation: one queue of what happens when. Nothing else decides an order, so one seed gives one run.
//
// T1. Time is counted in whole microseconds: sums of fractions would differ by the order of adding.
// T2. What is due at the same microsecond happens in the order in which it was put down.
// T3. Between two happenings everything that follows from the first by promises alone has run.

export interface Happening {
  readonly atUs: number;
  readonly order: number;
  /** undefined: it was called off. */
  run: (() => void) | undefined;
}

const US_PER_MS = 1_000;

export class Timeline {
  #queue: Happening[] = [];
  #calledOff = 0;
  #order = 0;
  #nowUs = 0;
  /** Happenings so far. */
  happened = 0;

  /** Since the beginning, ms, with three decimals at most. */
  get nowMs(): number {
    return this.#nowUs / US_PER_MS;
  }

  /** When the next one is due, ms; undefined when nothing is put down. */
  get nextMs(): number | undefined {
    const next = this.#first();
    return next === undefined ? undefined : next.atUs / US_PER_MS;
  }

  /** @param delayMs a negative one counts as 0, a positive one as 1 µs at least: who waits for a moment a hair ahead must not find time standing still; `Infinity` never comes */
  after(delayMs: number, run: () => void): Happening {
    const delayUs = delayMs > 0 ? Math.max(1, Math.round(delayMs * US_PER_MS)) : 0;
    const happening: Happening = { atUs: this.#nowUs + delayUs, order: this.#order++, run };
    if (Number.isFinite(delayUs)) this.#push(happening);
    return happening;
  }

  callOff(happening: Happening): void {
    if (happening.run === undefined) return;
    happening.run = undefined;
    this.#calledOff++;
    if (this.#calledOff > 1_000 && this.#calledOff * 2 > this.#queue.length) this.#sweep();
  }

  /** Lets the next one happen if it is due by `untilMs`, and all that follows from it at once; otherwise moves time there. False when it was moved. */
  async step(untilMs: number): Promise<boolean> {
    const limitUs = Math.round(untilMs * US_PER_MS);
    const next = this.#first();
    if (next === undefined || next.atUs > limitUs) {
      this.#nowUs = Math.max(this.#nowUs, limitUs);
      return false;
    }
    this.#pop();
    this.#nowUs = next.atUs;
    const { run } = next;
    next.run = undefined;
    this.happened++;
    run?.();
    await quiet();
    return true;
  }

  #first(): Happening | undefined {
    for (let first = this.#queue[0]; first !== undefined; first = this.#queue[0]) {
      if (first.run !== undefined) return first;
      this.#pop();
      this.#calledOff--;
    }
    return undefined;
  }

  #sweep(): void {
    const kept = this.#queue.filter(({ run }) => run !== undefined).sort((one, other) => (isBefore(one, other) ? -1 : 1));
    this.#queue = kept; // a sorted list is a heap
    this.#calledOff = 0;
  }

  #push(happening: Happening): void {
    const queue = this.#queue;
    let at = queue.length;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = queue[parent] as Happening;
      if (!isBefore(happening, above)) break;
      queue[at] = above;
      at = parent;
    }
    queue[at] = happening;
  }

  #pop(): void {
    const queue = this.#queue;
    const last = queue.pop();
    const { length } = queue;
    if (last === undefined || length === 0) return;
    let at = 0;
    for (let child = 1; child < length; child = 2 * at + 1) {
      if (child + 1 < length && isBefore(queue[child + 1] as Happening, queue[child] as Happening)) child++;
      const below = queue[child] as Happening;
      if (!isBefore(below, last)) break;
      queue[at] = below;
      at = child;
    }
    queue[at] = last;
  }
}

/** T3. A macrotask runs after all microtasks that are there and all that they make. */
export function quiet(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function isBefore(one: Happening, other: Happening): boolean {
  return one.atUs < other.atUs || (one.atUs === other.atUs && one.order < other.order);
}
