// Warns at a limited rate: what garbage on a bus can repeat must not fill a log. One line per reason and interval, with how many were left out.

import type { Clock, Log } from "../../runtime/ports/index.ts";

const EVERY_MS = 10_000;
const MAX_REASONS = 64;

export class SlowLog {
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #last = new Map<string, { at: number; left: number }>();

  constructor(log: Log, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  warn(reason: string, fields: object, message: string): void {
    const now = this.#clock.monotonic();
    const last = this.#last.get(reason);
    if (last !== undefined && now - last.at < EVERY_MS) {
      last.left++;
      return;
    }
    if (last === undefined && this.#last.size >= MAX_REASONS) return;
    this.#last.set(reason, { at: now, left: 0 });
    this.#log.warn({ reason, ...(last === undefined || last.left === 0 ? {} : { leftOut: last.left }), ...fields }, message);
  }
}
