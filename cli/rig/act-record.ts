// What a person in the vehicle would have seen: every change of a lamp or relay, in order, with its cause.

import type { ActCause } from "./board.ts";

export interface Act {
  /** Counts from 1 over the life of the process. */
  readonly seq: number;
  /** Wall time in ms. */
  readonly at: number;
  readonly module: string;
  /** Channel as in the frame, 0..7. */
  readonly channel: number;
  /** Brightness 0..255, or relay 0 and 1. */
  readonly from: number;
  readonly to: number;
  readonly cause: ActCause;
}

const MAX_ACTS = 20_000;

/** Keeps the newest 20,000; `total` counts all. */
export class ActRecord {
  readonly #acts: Act[] = [];
  #seq = 0;

  note(act: Omit<Act, "seq">): void {
    this.#seq++;
    this.#acts.push({ seq: this.#seq, ...act });
    if (this.#acts.length > MAX_ACTS + 1000) this.#acts.splice(0, 1000);
  }

  get total(): number {
    return this.#seq;
  }

  list(where: { readonly since?: number; readonly module?: string; readonly channel?: number; readonly limit?: number } = {}): readonly Act[] {
    const { since = 0, module, channel, limit = 1000 } = where;
    return this.#acts.filter((act) => act.seq > since && (module === undefined || act.module === module) && (channel === undefined || act.channel === channel)).slice(0, limit);
  }
}
