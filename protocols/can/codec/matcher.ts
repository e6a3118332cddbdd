// can_id → message. `exact`: id and kind. `j1939`: exact first, else the first message of the file with the same parameter group. Remote requests and error frames carry no data and
// never match. Of two messages with one id and kind the later counts.

import type { CanMessage, Database } from "../model/index.ts";
import { ERROR_FRAME, EXTENDED_FRAME, ID_MASK, REMOTE_REQUEST } from "../frames/index.ts";
import { pgnOf } from "../j1939/index.ts";

export type MatchRule = "exact" | "j1939";

/** Index into `Database.messages`, or -1. */
export type Matcher = (canId: number) => number;

const EMPTY = 0;
/** Keys are ids of 29 bits plus this, so that 0 marks a free cell. */
const USED = 0x8000_0000;
/** Marks keys that are parameter groups. */
const PGN_KEY = 0x2000_0000;
/** 2^32 divided by the golden ratio (Knuth's multiplicative hashing). */
const GOLDEN_RATIO = 0x9e37_79b1;
const MAX_OPEN_ENTRIES = 10_000;

export function createMatcher(database: Database, rule: MatchRule): Matcher {
  const standard = new Int32Array(2048).fill(-1);
  const extended = new Map<number, number>();
  const groups = new Map<number, number>();
  for (const message of database.messages) {
    if (!message.matchable) continue;
    if (message.kind === "standard") standard[message.id] = message.index;
    else {
      extended.set(message.id, message.index);
      if (rule === "j1939" && !groups.has(pgnOf(message.id))) groups.set(pgnOf(message.id), message.index);
    }
  }
  const byKey = openTable([...extended, ...[...groups].map(([pgn, index]) => [pgn | PGN_KEY, index] as const)]);
  const matchesGroups = rule === "j1939" && groups.size > 0;
  return (canId) => {
    if ((canId & (REMOTE_REQUEST | ERROR_FRAME)) !== 0) return -1;
    if (canId < EXTENDED_FRAME) return standard[canId & ID_MASK] ?? -1;
    const id = canId & ID_MASK;
    const exact = byKey(id);
    return exact >= 0 || !matchesGroups ? exact : byKey(pgnOf(id) | PGN_KEY);
  };
}

/** An open-addressed table with linear probing, at most half full: a Map costs three times as much here. A file with very many ids gets the Map, which no choice of ids can slow down. */
function openTable(entries: readonly (readonly [number, number])[]): (key: number) => number {
  if (entries.length > MAX_OPEN_ENTRIES) {
    const map = new Map(entries.map(([key, value]) => [key >>> 0, value] as const));
    return (key) => map.get(key >>> 0) ?? -1;
  }
  let bits = 4;
  while (1 << bits < entries.length * 2) bits++;
  const mask = (1 << bits) - 1;
  const shift = 32 - bits;
  const keys = new Uint32Array(1 << bits);
  const values = new Int32Array(1 << bits).fill(-1);
  for (const [key, value] of entries) {
    let at = Math.imul(key, GOLDEN_RATIO) >>> shift;
    while (keys[at] !== EMPTY) at = (at + 1) & mask;
    keys[at] = (key | USED) >>> 0;
    values[at] = value;
  }
  return (key) => {
    const wanted = (key | USED) >>> 0;
    for (let at = Math.imul(key, GOLDEN_RATIO) >>> shift; ; at = (at + 1) & mask) {
      const found = keys[at];
      if (found === wanted) return values[at] ?? -1;
      if (found === EMPTY) return -1;
    }
  };
}

/** Whether any frame can match the message (the last of its id and kind can). */
export function isReachable(database: Database, message: CanMessage): boolean {
  return message.matchable && database.messages.findLast((other) => other.matchable && other.kind === message.kind && other.id === message.id) === message;
}
