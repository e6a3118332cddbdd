// One watch on the system for all streams: changes are handed to those who look at that entity.

import type { Address, Change, System } from "../../runtime/index.ts";

type Listener = (change: Change) => void;

export class ChangeHub {
  readonly #system: Pick<System, "watch">;
  readonly #listeners = new Map<Address, Set<Listener>>();
  #unwatch: (() => void) | undefined;

  constructor(system: Pick<System, "watch">) {
    this.#system = system;
  }

  /** @param listener called after each commit of the entity; it must only take note */
  subscribe(entity: Address, listener: Listener): () => void {
    const listeners = this.#listeners.get(entity) ?? new Set<Listener>();
    listeners.add(listener);
    this.#listeners.set(entity, listeners);
    // Watching begins with the first who looks, when every directory has been mounted.
    this.#unwatch ??= this.#system.watch((change) => {
      for (const one of this.#listeners.get(change.entity) ?? []) one(change);
    });
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.#listeners.get(entity) === listeners) this.#listeners.delete(entity);
      if (this.#listeners.size > 0) return;
      this.#unwatch?.();
      this.#unwatch = undefined;
    };
  }
}
