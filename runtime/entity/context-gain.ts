// What a new context may hold more than the one before: found where they differ, so that a turn which changes little pays little.
//
// A1. Never less than what it really gained, where each part counts as often as it is met (`asTree`, ../xstate/held.ts): so no exchange of parts, and no copy of one that is shared, is
//     missed. Much more where parts moved about: then the whole is measured, and told exactly. Of a context in which no key is a symbol, such keys are looked for when the caller says so.
// A2. A part that is the same object has gained nothing: what is changed in place is not seen here, but by the measuring that comes anyway (context-limit.ts G2).

import { type Held, heldBy, isParted, isSnapshot } from "../xstate/index.ts";

/** Of a key beside its text. */
const KEY = 5;
/** Of a number that is none of the small ones any more, and of one that is written as a text (not a number, infinite, -0). */
const DOUBLE = 4;
const WRITTEN = 20;
const MAX_DEPTH = 100;
/** Parts of both that are compared, at most. */
const MAX_COMPARED = 10_000;
/** Items of lists that are compared, at most. */
const MAX_ITEMS = 1_000_000;

let left = 0;
let knowsOpen = false;
let looksForSymbols = true;

/**
 * Bytes; infinite where it cannot be told at a reasonable price.
 * @param isOpen whether there are parts which make a context open (../xstate/held.ts): otherwise the first of these that is found is infinite
 * @param forSymbols whether to look for a first key that is a symbol, which costs more than the rest; where some are known, they are looked at in any case
 */
export function contextGain(before: unknown, after: unknown, isOpen: boolean, forSymbols = true): number {
  if (before === after) return 0;
  left = MAX_COMPARED;
  knowsOpen = isOpen;
  looksForSymbols = forSymbols || isOpen;
  try {
    return gain(before, after, 0);
  } catch {
    // Something in it throws when it is read.
    return Number.POSITIVE_INFINITY;
  }
}

function gain(before: unknown, after: unknown, depth: number): number {
  if (before === after) return 0;
  if (typeof after === "number" && typeof before === "number") return after === 0 || !Number.isFinite(after) ? WRITTEN : DOUBLE;
  if (!isParted(before) || !isParted(after) || Array.isArray(before) !== Array.isArray(after) || isOfSnapshots(before, after))
    return Math.max(0, sizeOf(after) - (typeof before === "string" ? sizeOf(before) : 0));
  if (depth > MAX_DEPTH || left-- <= 0) return Number.POSITIVE_INFINITY;
  if (Array.isArray(before) && Array.isArray(after)) return gainOfList(before, after, depth);
  let bytes = 0;
  for (const key of Object.keys(after)) {
    if (after[key] !== before[key] || after[key] === undefined) bytes += gainOfField(before, after, key, depth);
  }
  if (!looksForSymbols) return bytes;
  const symbols = Object.getOwnPropertySymbols(after);
  if (symbols.length > 0 && !knowsOpen) return Number.POSITIVE_INFINITY;
  for (const key of symbols) bytes += gainOfField(before, after, key, depth);
  return bytes;
}

function isOfSnapshots(before: Fields, after: Fields): boolean {
  return (after["_nodes"] !== undefined || before["_nodes"] !== undefined) && (isSnapshot(before) || isSnapshot(after));
}

type Fields = Readonly<Record<string | symbol, unknown>>;

function gainOfField(before: Fields, after: Fields, key: string | symbol, depth: number): number {
  const is = after[key];
  const was = before[key];
  if (is === was && is !== undefined) return 0;
  if (Object.hasOwn(before, key)) return gain(was, is, depth + 1);
  const name = typeof key === "string" ? key : (key.description ?? "");
  return KEY + 3 * name.length + sizeOf(is);
}

/** Of lists that differ in one place: grown at an end, shifted, with an item put in, taken out or changed. */
function gainOfList(before: readonly unknown[], after: readonly unknown[], depth: number): number {
  if (before.length > MAX_ITEMS || after.length > MAX_ITEMS) return Number.POSITIVE_INFINITY;
  const shift = after.length === 0 ? 0 : Math.max(0, before.indexOf(after[0]));
  let first = 0;
  while (first < after.length && first + shift < before.length && isSame(before, first + shift, after, first)) first++;
  let last = after.length;
  let was = before.length;
  while (last > first && was > first + shift && isSame(before, was - 1, after, last - 1)) {
    last--;
    was--;
  }
  let bytes = 0;
  const inPlace = last - first === was - first - shift;
  for (let at = first; at < last; at++) bytes += inPlace && after[at] !== undefined ? gain(before[at + shift], after[at], depth + 1) : sizeOf(after[at]);
  return bytes;
}

/** A hole is no item, and counts nothing. */
function isSame(before: readonly unknown[], was: number, after: readonly unknown[], is: number): boolean {
  return after[is] === before[was] && (after[is] !== undefined || was in before || !(is in after));
}

function sizeOf(value: unknown): number {
  const { asTree, isOpen }: Held = heldBy(value);
  return isOpen && !knowsOpen ? Number.POSITIVE_INFINITY : asTree;
}
