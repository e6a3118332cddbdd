// Randomness from the operating system, drawn in blocks because one call per number costs a microsecond.

import { randomFillSync } from "node:crypto";

import type { Random } from "../ports/index.ts";

const BLOCK_WORDS = 256;

const block = new Uint32Array(BLOCK_WORDS);
let next = BLOCK_WORDS;

function uint32(): number {
  if (next === BLOCK_WORDS) {
    randomFillSync(block);
    next = 0;
  }
  return block[next++] ?? 0;
}

export const systemRandom: Random = {
  next: () => uint32() / 4_294_967_296,
  uint32,
  id: () => Array.from({ length: 4 }, () => uint32().toString(16).padStart(8, "0")).join(""),
};
