// Chance within a turn: one seed, one sequence, on every host (rules R1).

/** The next state and a value in [0, 1), by mulberry32: integer arithmetic only. */
export function drawFrom(before: number): { readonly state: number; readonly value: number } {
  const state = (before + 0x6d2b79f5) | 0;
  let mixed = Math.imul(state ^ (state >>> 15), state | 1);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
  return { state, value: ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296 };
}
