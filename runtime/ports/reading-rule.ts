// How a store's lists are read: one rule for every store, so that pages of memory, SQLite and PostgreSQL hold the same.
//
// R1. Names are ordered by code point, which is the order of their UTF-8 bytes; JavaScript's `<` puts what lies beyond U+FFFF before U+E000.
// R2. A page has a size, from 1.

import { DroverError } from "../errors.ts";

/** R1. */
export function byCodePoint(one: string, other: string): number {
  const length = Math.min(one.length, other.length);
  for (let at = 0; at < length; at++) {
    const difference = rank(one.charCodeAt(at)) - rank(other.charCodeAt(at));
    if (difference !== 0) return difference;
  }
  return one.length - other.length;
}

/** Halves of characters beyond U+FFFF come after all others. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}

/** R2. @throws DROVER_STORE_FAILED */
export function pageSize(limit: number): number {
  if (!Number.isSafeInteger(limit) || limit < 1) throw new DroverError("DROVER_STORE_FAILED", `a limit is a whole number from 1, this is ${String(limit)}`);
  return limit;
}
