// Chance within a turn: one seed, one sequence, on every host (rules R1).

export class TurnRandom {
  #state = 0;

  seed(seed: number): void {
    this.#state = seed >>> 0;
  }

  /** Uniform in [0, 1), by mulberry32: integer arithmetic only. */
  draw(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }

  get position(): number {
    return this.#state;
  }

  /** Back to a position: a step that was taken back drew nothing. */
  rewind(position: number): void {
    this.#state = position;
  }
}
