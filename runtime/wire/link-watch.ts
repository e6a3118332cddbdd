// The state of a link and who wants to hear of it.

import type { LinkState, Log } from "../ports/index.ts";

export class LinkWatch {
  readonly #listeners = new Set<(state: LinkState) => void>();
  readonly #log: Log;
  #state: LinkState = { kind: "down", reason: "not started" };

  constructor(log: Log) {
    this.#log = log;
  }

  get state(): LinkState {
    return this.#state;
  }

  /** Listeners hear of changes only; one that throws is logged and keeps its place. */
  change(next: LinkState): void {
    this.#state = next;
    for (const listener of [...this.#listeners]) {
      try {
        listener(next);
      } catch (error) {
        this.#log.error({ err: error }, "a listener of the link's state threw");
      }
    }
  }

  on(listener: (state: LinkState) => void): () => void {
    const own = (state: LinkState): void => {
      listener(state);
    };
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }
}
