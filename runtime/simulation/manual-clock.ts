// A clock that moves only when told. Equal deadlines fire in arming order.

import type { Clock, TimeoutHandle } from "../ports/index.ts";
import type { Shape } from "../shape/index.ts";
import { demanded } from "./demanded.ts";

/** Finite: a clock that shows no time is none. */
const A_NUMBER: Shape = { type: "number" };
const A_SPAN: Shape = { type: "number", minimum: 0 };

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

  /** @param start wall time in ms since 1970, default 2026-01-01T00:00:00Z @throws DROVER_SIMULATION_INVALID */
  constructor(start = 1_767_225_600_000) {
    demanded("new ManualClock", { start }, { start: A_NUMBER });
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

  /** Moves both clocks by `ms`, from 0, firing what falls due in order, and lets the process settle before, between and after. @throws DROVER_SIMULATION_INVALID */
  async advance(ms: number): Promise<void> {
    demanded("advance", { ms }, { ms: A_SPAN });
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

  /** Moves wall time alone, forward or back, as a correction by NTP or GNSS does. @throws DROVER_SIMULATION_INVALID */
  jump(ms: number): void {
    demanded("jump", { ms }, { ms: A_NUMBER });
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
