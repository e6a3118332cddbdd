// What a new context may hold more than the one before: found where they differ, so that a turn which changes little pays little.
//
// A1. Never less than what it really gained, as the codec counts. Much more where parts moved about: then the whole is measured, and told exactly.
// A2. A part that is the same object has gained nothing: what is changed in place is not seen here, but by the measuring that comes anyway (context-limit.ts G2).

import { type CodecHost, encodeData, encodedSize, isParted } from "../xstate/index.ts";

/** Of a key, and of a number that is none of the small ones any more. */
const KEY = 5;
const DOUBLE = 4;
const MAX_DEPTH = 100;
/** Parts of both that are compared, at most. */
const MAX_COMPARED = 10_000;

let left = 0;

/** Bytes; infinite where it cannot be told at a reasonable price. */
export function contextGain(before: unknown, after: unknown, host: CodecHost): number {
  if (before === after) return 0;
  left = MAX_COMPARED;
  try {
    return gain(before, after, host, 0);
  } catch {
    // Something in it throws when it is read.
    return Number.POSITIVE_INFINITY;
  }
}

function gain(before: unknown, after: unknown, host: CodecHost, depth: number): number {
  if (before === after) return 0;
  if (typeof after === "number" && typeof before === "number") return DOUBLE;
  if (!isParted(before) || !isParted(after) || Array.isArray(before) !== Array.isArray(after))
    return Math.max(0, sizeOf(after, host) - (typeof before === "string" ? sizeOf(before, host) : 0));
  if (depth > MAX_DEPTH || left-- <= 0) return Number.POSITIVE_INFINITY;
  if (Array.isArray(before) && Array.isArray(after)) return gainOfList(before, after, host, depth);
  let bytes = 0;
  for (const key of Object.keys(after)) {
    const is = after[key];
    const was = before[key];
    if (is === was) continue;
    bytes += was === undefined ? KEY + 3 * key.length + sizeOf(is, host) : gain(was, is, host, depth + 1);
  }
  return bytes;
}

/** Of lists that differ in one place: grown at an end, shifted, with an item put in, taken out or changed. */
function gainOfList(before: readonly unknown[], after: readonly unknown[], host: CodecHost, depth: number): number {
  const shift = after.length === 0 ? 0 : Math.max(0, before.indexOf(after[0]));
  let first = 0;
  while (first < after.length && first + shift < before.length && after[first] === before[first + shift]) first++;
  let last = after.length;
  let was = before.length;
  while (last > first && was > first + shift && after[last - 1] === before[was - 1]) {
    last--;
    was--;
  }
  let bytes = 0;
  const inPlace = last - first === was - first - shift;
  for (let at = first; at < last; at++) bytes += inPlace ? gain(before[at + shift], after[at], host, depth + 1) : sizeOf(after[at], host);
  return bytes;
}

function sizeOf(value: unknown, host: CodecHost): number {
  encodeData(value, host);
  return encodedSize();
}
