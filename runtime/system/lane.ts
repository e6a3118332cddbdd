// Messages that wait in order. One that gave way to a newer one leaves a hole, which is passed over and cleared away when there are many.

import { bytesOf, type Post } from "./post.ts";
import { Ring } from "./ring.ts";

const MANY_HOLES = 32;

export class Lane<T extends Post> {
  readonly #ring = new Ring<T>();
  #bytes = 0;
  #holes = 0;

  /** That wait. */
  get messages(): number {
    return this.#ring.length - this.#holes;
  }

  /** Of those that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  push(item: T): void {
    this.#bytes += bytesOf(item);
    this.#ring.push(item);
  }

  /** Puts items in front, in their order. */
  unshift(items: readonly T[]): void {
    for (const item of items) this.#bytes += bytesOf(item);
    this.#ring.unshift(items);
  }

  shift(): T | undefined {
    for (let item = this.#ring.shift(); item !== undefined; item = this.#ring.shift()) {
      if (item.isReplaced !== true) {
        this.#bytes -= bytesOf(item);
        return item;
      }
      this.#holes--;
    }
    return undefined;
  }

  /** One that waits here gives way. */
  replaced(item: T): void {
    item.isReplaced = true;
    this.#bytes -= bytesOf(item);
    this.#holes++;
    if (this.#holes > MANY_HOLES && this.#holes * 2 > this.#ring.length) this.#compact(() => true);
  }

  /** Takes out what `isMeant` says. */
  remove(isMeant: (item: T) => boolean): void {
    this.#compact((item) => {
      if (!isMeant(item)) return true;
      this.#bytes -= bytesOf(item);
      return false;
    });
  }

  *[Symbol.iterator](): Iterator<T> {
    for (const item of this.#ring) if (item.isReplaced !== true) yield item;
  }

  /** Without what was replaced. */
  #compact(isKept: (item: T) => boolean): void {
    this.#ring.filter((item) => item.isReplaced !== true && isKept(item));
    this.#holes = 0;
  }
}
