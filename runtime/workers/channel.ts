// The two halves of one direction between a worker and its parent. A message port and a pipe take whatever they are given; the bound is here.
//
// C1. At most `items` items and about `bytes` bytes are sent and not yet taken; what finds no room is refused to its sender, counted, and told to the other side.
// C2. The taker acknowledges by quarters of the window, not one by one: a message back for each item would double the traffic.
// C3. An item larger than the whole byte window passes while at most a quarter is under way, else it could never pass.
// C4. What arrives before anyone receives is kept (the window bounds it), in order.
// C5. A taker that does not trust its sender acknowledges between turns of its event loop, not at once: whoever sends more than the window in between has not asked for room.

import { deferred, type Deferred } from "./deferred.ts";
import { weigh } from "./weigh.ts";
import type { ChannelMessage, ChannelWindow, Transfer } from "./wire.ts";

export const DEFAULT_WINDOW: ChannelWindow = { items: 1_024, bytes: 16 * 1_048_576 };

type Post = (message: ChannelMessage, transfer?: Transfer) => void;

/** The sender's half. */
export class Outbox {
  readonly #window: ChannelWindow;
  readonly #post: Post;
  readonly #weights: number[] = [];
  #bytes = 0;
  #untold = 0;
  #room: Deferred<void> | undefined;
  #closed = false;
  /** Items that found no room, in all. */
  dropped = 0;

  constructor(window: ChannelWindow, post: Post) {
    this.#window = window;
    this.#post = post;
  }

  /** False when there is no room or nobody is there any more. Throws what serialization throws. */
  send(item: unknown, transfer?: Transfer): boolean {
    if (this.#closed) return false;
    const weight = weigh(item);
    const fits = this.#weights.length < this.#window.items && (this.#bytes + weight <= this.#window.bytes || this.#bytes <= this.#window.bytes / 4);
    if (!fits) {
      this.dropped++;
      this.#untold++;
      return false;
    }
    this.#weights.push(weight);
    this.#bytes += weight;
    try {
      this.#post({ kind: "item", item, weight }, transfer);
    } catch (error) {
      this.#weights.pop();
      this.#bytes -= weight;
      throw error;
    }
    return true;
  }

  /** Resolves when at least half of the window is free, or when the channel is closed. */
  room(): Promise<void> {
    if (this.#closed || this.#halfFree()) return Promise.resolve();
    this.#room ??= deferred<void>();
    return this.#room.promise;
  }

  /** False: more than was under way. */
  taken(items: number): boolean {
    if (items > this.#weights.length) return false;
    for (const weight of this.#weights.splice(0, items)) this.#bytes -= weight;
    if (this.#untold > 0) {
      this.#post({ kind: "dropped", items: this.#untold });
      this.#untold = 0;
    }
    if (this.#halfFree()) this.#wake();
    return true;
  }

  close(): void {
    this.#closed = true;
    this.#weights.length = 0;
    this.#bytes = 0;
    this.#wake();
  }

  #halfFree(): boolean {
    return this.#weights.length <= this.#window.items / 2 && this.#bytes <= this.#window.bytes / 2;
  }

  #wake(): void {
    this.#room?.resolve();
    this.#room = undefined;
  }
}

/** The taker's half. */
export class Inbox {
  readonly #window: ChannelWindow;
  readonly #post: Post;
  readonly #later: ((acknowledge: () => void) => void) | undefined;
  #isDue = false;
  #waiting: { readonly item: unknown; readonly weight: number }[] = [];
  #handler: ((item: unknown) => void) | undefined;
  #items = 0;
  #bytes = 0;

  /** @param later calls back in a later turn; without it taking is acknowledged at once */
  constructor(window: ChannelWindow, post: Post, later?: (acknowledge: () => void) => void) {
    this.#window = window;
    this.#post = post;
    this.#later = later;
  }

  /** False: it came without room. Throws what the handler throws; the item counts as taken. */
  arrived(item: unknown, weight: number): boolean {
    if (this.#items + this.#waiting.length >= this.#window.items) return false;
    if (this.#handler === undefined || this.#waiting.length > 0) this.#waiting.push({ item, weight });
    else this.#take(this.#handler, item, weight);
    return true;
  }

  /** Replaces the handler; what waited comes first. */
  receive(handler: (item: unknown) => void): void {
    this.#handler = handler;
    while (this.#waiting.length > 0) {
      const first = this.#waiting.shift();
      if (first !== undefined) this.#take(handler, first.item, first.weight);
    }
  }

  #take(handler: (item: unknown) => void, item: unknown, weight: number): void {
    this.#items++;
    this.#bytes += weight;
    try {
      handler(item);
    } finally {
      if (this.#items >= this.#window.items / 4 || this.#bytes >= this.#window.bytes / 4) {
        if (this.#later === undefined) this.#acknowledge();
        else if (!this.#isDue) {
          this.#isDue = true;
          this.#later(this.#acknowledge);
        }
      }
    }
  }

  readonly #acknowledge = (): void => {
    const items = this.#items;
    this.#isDue = false;
    this.#items = 0;
    this.#bytes = 0;
    this.#post({ kind: "taken", items });
  };
}
