// A small seeded generator (mulberry32), for simulation and for random(self) in a turn: one seed, one sequence, on every host.

import type { Random } from "../ports/index.ts";
import { demanded } from "./demanded.ts";

/** Next state and output of mulberry32. Integer arithmetic only. */
export function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
}

export class SeededRandom implements Random {
  readonly #draw: () => number;

  /** @param seed a whole number, of which the lower 32 bits count @throws DROVER_SIMULATION_INVALID */
  constructor(seed: number) {
    demanded("new SeededRandom", { seed }, { seed: { type: "integer" } });
    this.#draw = mulberry32(seed);
  }

  next(): number {
    return this.uint32() / 4_294_967_296;
  }

  uint32(): number {
    return this.#draw();
  }

  id(): string {
    return Array.from({ length: 4 }, () => this.uint32().toString(16).padStart(8, "0")).join("");
  }
}
