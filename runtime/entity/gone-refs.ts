// Refs to cells that have gone: equal ones stay one object for as long as anyone holds them, and not a byte longer.
//
// G1. What nobody holds any more leaves with the collector's next round: an actor that has ever new children pays for those that are held, not for all it ever had.

import type { CellRef } from "../xstate/index.ts";

interface Collected {
  readonly from: GoneRefs;
  readonly key: string;
  readonly weak: WeakRef<CellRef>;
}

const collected = new FinalizationRegistry<Collected>(({ from, key, weak }) => {
  from.drop(key, weak);
});

/** Knows nothing of its entity, which may be out of memory when the collector's word comes. */
export class GoneRefs {
  #refs: Map<string, WeakRef<CellRef>> | undefined = undefined;

  keep(ref: CellRef, address: string, incarnation: number): void {
    const refs = (this.#refs ??= new Map<string, WeakRef<CellRef>>());
    const key = keyOf(address, incarnation);
    if (refs.get(key)?.deref() === ref) return;
    const weak = new WeakRef(ref);
    refs.set(key, weak);
    collected.register(ref, { from: this, key, weak });
  }

  /** Unless the same ref was made anew meanwhile. */
  drop(key: string, weak: WeakRef<CellRef>): void {
    if (this.#refs?.get(key) !== weak) return;
    this.#refs.delete(key);
    if (this.#refs.size === 0) this.#refs = undefined;
  }

  find(address: string, incarnation: number): CellRef | undefined {
    return this.#refs?.get(keyOf(address, incarnation))?.deref();
  }
}

function keyOf(address: string, incarnation: number): string {
  return `${address}#${String(incarnation)}`;
}
