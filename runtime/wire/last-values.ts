// Last values of one pattern, as this side knows them: whoever watches hears present values first, then changes, and the same value never twice
// (presence events are set operations, research/transports.md 7.5, 6).
//
// After a reconnect the bus gives its present values again. What it does not give again has ended meanwhile: an empty value is made up for it.

import type { Delivery } from "../ports/index.ts";

export type Sink = (delivery: Delivery) => void;

const EMPTY = new Uint8Array(0);

export class LastValues {
  readonly #values = new Map<string, Uint8Array>();
  readonly #sinks = new Set<Sink>();
  readonly #maxKeys: number;
  #unconfirmed: Set<string> | undefined;
  /** Values handed on without being remembered, because of the bound. */
  unremembered = 0;

  /** @param maxKeys keys remembered, default 65,536 */
  constructor(maxKeys = 65_536) {
    this.#maxKeys = maxKeys;
  }

  get watchers(): number {
    return this.#sinks.size;
  }

  join(sink: Sink, epoch: number): void {
    for (const [key, payload] of [...this.#values]) sink({ key, payload, epoch });
    this.#sinks.add(sink);
  }

  leave(sink: Sink): void {
    this.#sinks.delete(sink);
  }

  /** A value as the bus gave it; an empty payload ends it. */
  offer(delivery: Delivery): void {
    const { key, payload } = delivery;
    this.#unconfirmed?.delete(key);
    const known = this.#values.get(key);
    if (payload.length === 0 ? known === undefined : known !== undefined && sameBytes(known, payload)) return;
    if (payload.length === 0) this.#values.delete(key);
    else if (known !== undefined || this.#values.size < this.#maxKeys) this.#values.set(key, payload);
    else this.unremembered++;
    for (const sink of [...this.#sinks]) sink(delivery);
  }

  /** The bus begins to give its present values again. */
  beginResync(): void {
    this.#unconfirmed = new Set(this.#values.keys());
  }

  /** It has given them all. */
  endResync(epoch: number): void {
    const ended = this.#unconfirmed ?? [];
    this.#unconfirmed = undefined;
    for (const key of ended) this.offer({ key, payload: EMPTY, epoch });
  }
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
