// Messages from outside that wait for their entity to come into memory, or to begin, one line for each entity: they are handed over in the order in which they were sent.
//
// A1. Nobody is handed over before one that was sent earlier, be it that that one begins the entity and this one does not, or that this one finds the entity there already.
// A2. A place is left when its message was handed over, and when its sender was told that it was not: nobody waits longer for a place than the one who has it.

import type { Address } from "../address.ts";

export class Arrivals {
  /** Of each place what is done when its turn has come. */
  readonly #lines = new Map<Address, Map<Place, (() => void) | undefined>>();

  /** Whether somebody waits for this entity. */
  isWaitedFor(entity: Address): boolean {
    return this.#lines.has(entity);
  }

  /** A place behind all who wait for it. */
  enter(entity: Address): Place {
    const line = this.#lines.get(entity) ?? new Map<Place, (() => void) | undefined>();
    this.#lines.set(entity, line);
    const isWaiting = (): boolean => line.has(place) && line.keys().next().value !== place;
    const place: Place = {
      turn: () => (isWaiting() ? new Promise((resolve) => line.set(place, resolve)) : Promise.resolve()),
      leave: () => {
        const go = line.get(place);
        if (!line.delete(place)) return;
        go?.();
        if (line.size === 0) this.#lines.delete(entity);
        else line.values().next().value?.();
      },
    };
    line.set(place, undefined);
    return place;
  }
}

export interface Place {
  /** Resolves when all who came before have left their places. */
  turn(): Promise<void>;
  leave(): void;
}
