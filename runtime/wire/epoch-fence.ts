// The receiver's side of rule E1: the highest owner epoch seen per sending entity. What comes under an older one is relayed by somebody who no longer owns the entity.

export class EpochFence {
  readonly #highest = new Map<string, number>();
  readonly #maxEntities: number;

  /** @param maxEntities entities remembered, default 100,000; beyond it the least recently heard is forgotten */
  constructor(maxEntities = 100_000) {
    this.#maxEntities = maxEntities;
  }

  /** True when `epoch` is the newest seen of `entity`, which it is from then on. Duplicates are not decided here but by (entity, incarnation, seq). */
  admits(entity: string, epoch: number): boolean {
    const known = this.#highest.get(entity);
    if (known !== undefined && epoch < known) return false;
    this.#highest.delete(entity);
    this.#highest.set(entity, epoch);
    if (this.#highest.size > this.#maxEntities) {
      const oldest = this.#highest.keys().next();
      if (oldest.done !== true) this.#highest.delete(oldest.value);
    }
    return true;
  }

  highest(entity: string): number | undefined {
    return this.#highest.get(entity);
  }
}
