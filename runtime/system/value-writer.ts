// Group commit of small named values: what is asked for while one write is under way goes into the next one, so that the rows of many entities share a flush (rules L4).
//
// G1. One write at a time: however many ask, they take one place in the store's queue.
// G2. What is asked for together is written together, all of it or nothing, and is never split.

import { MAX_VALUE_CHANGES, type Store, type ValueChange } from "../ports/index.ts";

interface Waiting {
  readonly changes: readonly ValueChange[];
  readonly settle: () => void;
  readonly fail: (cause: unknown) => void;
}

export class ValueWriter {
  readonly #store: Store;
  #waiting: Waiting[] = [];
  #isWriting = false;

  constructor(store: Store) {
    this.#store = store;
  }

  /** Resolves when they are durable. @param changes few. @throws what the store throws: whether they were written is not known then */
  write(changes: readonly ValueChange[]): Promise<void> {
    return new Promise((settle, fail) => {
      this.#waiting.push({ changes, settle, fail });
      if (!this.#isWriting) void this.#writeAll();
    });
  }

  async #writeAll(): Promise<void> {
    this.#isWriting = true;
    // Whatever else asks in this step goes along.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const group = this.#next();
      try {
        await this.#store.values.write(group.flatMap(({ changes }) => changes));
        for (const { settle } of group) settle();
      } catch (cause) {
        for (const { fail } of group) fail(cause);
      }
    }
    this.#isWriting = false;
  }

  #next(): readonly Waiting[] {
    let length = 0;
    const end = this.#waiting.findIndex(({ changes }) => (length += changes.length) > MAX_VALUE_CHANGES);
    return this.#waiting.splice(0, end === -1 ? this.#waiting.length : Math.max(1, end));
  }
}
