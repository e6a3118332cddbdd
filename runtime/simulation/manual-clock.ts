// A clock that moves only when told. Equal deadlines fire in arming order.

import type { Clock, TimeoutHandle } from "../ports/index.ts";

interface Armed {
  readonly armed: true;
  readonly due: number;
  readonly order: number;
  readonly run: () => void;
}

/** Lets everything that is already runnable run: promise chains and I/O callbacks of this process. */
export async function settle(rounds = 10): Promise<void> {
  for (let round = 0; round < rounds; round++) await new Promise<void>((resolve) => setImmediate(resolve));
}

export class ManualClock implements Clock {
  readonly #armed = new Set<Armed>();
  #wall: number;
  #monotonic = 0;
  #order = 0;

  /** @param start wall time in ms since 1970, default 2026-01-01T00:00:00Z */
  constructor(start = 1_767_225_600_000) {
    this.#wall = start;
  }

  now(): number {
    return this.#wall;
  }

  monotonic(): number {
    return this.#monotonic;
  }

  setTimeout(run: () => void, delayMs: number): TimeoutHandle {
    const armed: Armed = { armed: true, due: this.#monotonic + Math.max(0, delayMs), order: this.#order++, run };
    this.#armed.add(armed);
    return armed;
  }

  clearTimeout(handle: TimeoutHandle | undefined): void {
    if (handle !== undefined) this.#armed.delete(handle as unknown as Armed);
  }

  /** Armed and not yet fired. */
  get pending(): number {
    return this.#armed.size;
  }

  /** Moves both clocks by `ms`, firing what falls due in order, and lets the process settle before, between and after. */
  async advance(ms: number): Promise<void> {
    const end = this.#monotonic + ms;
    await settle();
    for (let next = this.#next(end); next !== undefined; next = this.#next(end)) {
      this.#armed.delete(next);
      this.#wall += Math.max(0, next.due - this.#monotonic);
      this.#monotonic = Math.max(this.#monotonic, next.due);
      next.run();
      await settle();
    }
    this.#wall += end - this.#monotonic;
    this.#monotonic = end;
  }

  /** Moves wall time alone, as a correction by NTP or GNSS does. */
  jump(ms: number): void {
    this.#wall += ms;
  }

  #next(end: number): Armed | undefined {
    let first: Armed | undefined;
    for (const armed of this.#armed) {
      if (armed.due <= end && (first === undefined || armed.due < first.due || (armed.due === first.due && armed.order < first.order))) first = armed;
    }
    return first;
  }
}
