// Whoever can make us log can fill a disk: of each kind of message a few a minute are written, with the number of those that were not.

import type { Clock, Log } from "./ports/index.ts";

const WINDOW_MS = 60_000;
const PER_WINDOW = 5;

export class LimitedLog {
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #windows = new Map<string, { readonly since: number; readonly written: number; readonly left: number }>();

  constructor(log: Log, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  /** @param message a constant: it names the kind */
  warn(fields: object, message: string): void {
    const now = this.#clock.monotonic();
    const known = this.#windows.get(message);
    if (known !== undefined && now - known.since < WINDOW_MS && known.written >= PER_WINDOW) {
      this.#windows.set(message, { ...known, left: known.left + 1 });
      return;
    }
    const fresh = known === undefined || now - known.since >= WINDOW_MS;
    this.#windows.set(message, fresh ? { since: now, written: 1, left: 0 } : { ...known, written: known.written + 1 });
    this.#log.warn(fresh && known !== undefined && known.left > 0 ? { ...fields, notLogged: known.left } : fields, message);
  }
}
