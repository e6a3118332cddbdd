// Randomness from the operating system, drawn in blocks because one call per number costs a microsecond.

import { randomFillSync } from "node:crypto";

import type { Random } from "../ports/index.ts";

const BLOCK_WORDS = 256;

/** Text of a byte: four lookups instead of a conversion and a padding. */
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

const block = new Uint32Array(BLOCK_WORDS);
let next = BLOCK_WORDS;

function uint32(): number {
  if (next === BLOCK_WORDS) {
    randomFillSync(block);
    next = 0;
  }
  return block[next++] ?? 0;
}

function hex(word: number): string {
  return `${HEX[word >>> 24] ?? ""}${HEX[(word >>> 16) & 255] ?? ""}${HEX[(word >>> 8) & 255] ?? ""}${HEX[word & 255] ?? ""}`;
}

export const systemRandom: Random = {
  next: () => uint32() / 4_294_967_296,
  uint32,
  // Joined into one piece: a sum keeps its parts for as long as it is kept.
  id: () => [hex(uint32()), hex(uint32()), hex(uint32()), hex(uint32())].join(""),
};
