// The answering side of asks: a bound on those under way, and a slot that is freed when the asker has given up, even if the handler never ends.

import type { Clock, Delivery, Log } from "../ports/index.ts";

export type AskHandler = (delivery: Delivery) => Promise<Uint8Array>;
/** `undefined` is "no answer": the asker learns at once that it will not know. */
export type Respond = (answer: Uint8Array | undefined) => void;

/** A handler's slot is freed at the latest after this time. */
const MAX_HELD_MS = 300_000;

export class AskServer {
  readonly pattern: string;
  readonly #handler: AskHandler;
  readonly #maxInFlight: number;
  readonly #clock: Clock;
  readonly #log: Log;
  #inFlight = 0;
  /** Asks that were not handed to the handler because too many were under way. */
  refused = 0;
  /** Handlers that rejected. */
  failed = 0;

  constructor(pattern: string, handler: AskHandler, maxInFlight: number, clock: Clock, log: Log) {
    this.pattern = pattern;
    this.#handler = handler;
    this.#maxInFlight = maxInFlight;
    this.#clock = clock;
    this.#log = log;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** @param withinMs how long the asker still waits */
  take(delivery: Delivery, withinMs: number, respond: Respond): void {
    if (this.#inFlight >= this.#maxInFlight) {
      this.refused++;
      respond(undefined);
      return;
    }
    this.#inFlight++;
    let open = true;
    const close = (): boolean => {
      if (!open) return false;
      open = false;
      this.#inFlight--;
      this.#clock.clearTimeout(timer);
      return true;
    };
    const timer = this.#clock.setTimeout(close, Math.min(withinMs, MAX_HELD_MS), { unref: true });
    void this.#run(delivery).then((answer) => {
      if (close()) respond(answer);
    });
  }

  async #run(delivery: Delivery): Promise<Uint8Array | undefined> {
    try {
      return await this.#handler(delivery);
    } catch (error) {
      this.failed++;
      this.#log.error({ err: error, key: delivery.key }, "a handler of asks failed");
      return undefined;
    }
  }
}
