// The answering side of asks: a bound on those under way, and a slot that is freed when the asker has given up, even if the handler never ends.
//
// A1. Each peer has a bound of its own, so that one that asks too much hurts nobody else.

import type { Clock, Delivery, Log } from "../ports/index.ts";
import { peerOf } from "./names.ts";

export type AskHandler = (delivery: Delivery) => Promise<Uint8Array>;
/** `undefined` is "no answer": the asker learns at once that it will not know. */
export type Respond = (answer: Uint8Array | undefined) => void;

/** A handler's slot is freed at the latest after this time. */
const MAX_HELD_MS = 300_000;
/** Peers that may have all they may have at a time. */
const FULL_PEERS = 4;

export class AskServer {
  readonly pattern: string;
  readonly #handler: AskHandler;
  readonly #maxInFlight: number;
  readonly #clock: Clock;
  readonly #log: Log;
  #inFlight = 0;
  /** By peer (`peerOf`); none is 0. */
  readonly #ofPeer = new Map<string, number>();
  /** Asks that were not handed to the handler because too many were under way. */
  refused = 0;
  /** Handlers that rejected. */
  failed = 0;

  /** @param maxInFlight under one peer's keys at a time; four times as many in all */
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
    const peer = peerOf(delivery.key);
    const ofPeer = this.#ofPeer.get(peer) ?? 0;
    if (ofPeer >= this.#maxInFlight || this.#inFlight >= FULL_PEERS * this.#maxInFlight) {
      this.refused++;
      respond(undefined);
      return;
    }
    this.#inFlight++;
    this.#ofPeer.set(peer, ofPeer + 1);
    let open = true;
    const close = (): boolean => {
      if (!open) return false;
      open = false;
      this.#inFlight--;
      this.#leave(peer);
      this.#clock.clearTimeout(timer);
      return true;
    };
    const timer = this.#clock.setTimeout(close, Math.min(withinMs, MAX_HELD_MS), { unref: true });
    void this.#run(delivery).then((answer) => {
      if (close()) respond(answer);
    });
  }

  #leave(peer: string): void {
    const left = (this.#ofPeer.get(peer) ?? 1) - 1;
    if (left === 0) this.#ofPeer.delete(peer);
    else this.#ofPeer.set(peer, left);
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
