// Counts failed attempts to sign in by where they come from. Tokens have 256 random bits, so this is not what keeps guesses out: it keeps noise from the log and the processor.
// Past the limit an address gets 429 for further failures. A valid token is never locked out, as Bearer and at POST /v1/session: on loopback every process shares one
// address, behind one router all users do, and one script with an old token must not shut the operator out. Guessing gains nothing by it: whoever holds the right one is in anyhow.

import type { Clock, Log } from "../../runtime/ports/index.ts";

const WINDOW_MS = 60_000;
const FAILURES_PER_WINDOW = 10;
/** Addresses remembered; past that the oldest is forgotten. */
const MAX_ADDRESSES = 1_000;

export class FailedLogins {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #windows = new Map<string, { readonly since: number; failures: number }>();
  #total = 0;

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
  }

  get total(): number {
    return this.#total;
  }

  /** How long this address has still to wait, ms; undefined when it may try. */
  waitMs(address: string): number | undefined {
    const window = this.#live(address);
    return window === undefined || window.failures < FAILURES_PER_WINDOW ? undefined : window.since + WINDOW_MS - this.#clock.monotonic();
  }

  failed(address: string): void {
    this.#total++;
    const window = this.#live(address);
    if (window !== undefined) {
      window.failures++;
      if (window.failures === FAILURES_PER_WINDOW) this.#log.warn({ address, windowMs: WINDOW_MS }, "too many failed attempts to sign in; further ones are refused for a while");
      return;
    }
    const oldest = this.#windows.size >= MAX_ADDRESSES ? this.#windows.keys().next().value : undefined;
    if (oldest !== undefined) this.#windows.delete(oldest);
    this.#windows.set(address, { since: this.#clock.monotonic(), failures: 1 });
    this.#log.warn({ address }, "an attempt to sign in failed");
  }

  #live(address: string): { readonly since: number; failures: number } | undefined {
    const window = this.#windows.get(address);
    if (window === undefined || this.#clock.monotonic() - window.since < WINDOW_MS) return window;
    this.#windows.delete(address);
    return undefined;
  }
}
