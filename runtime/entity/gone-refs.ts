// Refs to cells that have gone: equal ones stay one object for as long as anyone holds them, and not a byte longer.
//
// G1. What nobody holds any more leaves with the collector's next round: an actor that has ever new children pays for those that are held, not for all it ever had.

import type { CellRef } from "../xstate/index.ts";

type Refs = Map<string, WeakRef<CellRef>>;

interface Collected {
  /** Not the entity: that one may be out of memory by then. */
  readonly refs: Refs;
  readonly key: string;
  readonly weak: WeakRef<CellRef>;
}

const collected = new FinalizationRegistry<Collected>(({ refs, key, weak }) => {
  // The same ref may have been made anew meanwhile.
  if (refs.get(key) === weak) refs.delete(key);
});

export class GoneRefs {
  #refs: Refs | undefined = undefined;

  keep(ref: CellRef, address: string, incarnation: number): void {
    const refs = (this.#refs ??= new Map<string, WeakRef<CellRef>>());
    const key = keyOf(address, incarnation);
    if (refs.get(key)?.deref() === ref) return;
    const weak = new WeakRef(ref);
    refs.set(key, weak);
    collected.register(ref, { refs, key, weak });
  }

  find(address: string, incarnation: number): CellRef | undefined {
    return this.#refs?.get(keyOf(address, incarnation))?.deref();
  }
}

function keyOf(address: string, incarnation: number): string {
  return `${address}#${String(incarnation)}`;
}
