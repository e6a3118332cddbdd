// A hash of an entity's state, the same wherever that state is held (rules H2): carried by every so many records, compared by replay and by replicas.
//
// H1. What replicas hold is hashed by itself: they keep cells and labels, and nothing of the rest.
// H2. The order of keys does not count, nor do fields without a value: a store may change the one, a codec the other.

import { createHash } from "node:crypto";

import type { CellRecord, EntityState, StateHash } from "./contract.ts";

/** Records between two that carry one: several of them stand between two snapshots of a small state. */
const HASH_EVERY = 32;
/** Rows of the state for which each record pays in the mean, where the state is large. */
const ROWS_PER_RECORD = 4;

/** @param rows cells and rows of the state: a hash reads all of them, so that a large state carries one less often */
export function carriesHash(revision: number, rows: number): boolean {
  const wanted = Math.floor(rows / ROWS_PER_RECORD);
  return revision % (wanted <= HASH_EVERY ? HASH_EVERY : 2 ** Math.floor(Math.log2(wanted))) === 0;
}

export function hashOf({ labels, cells, rest }: Pick<EntityState, "labels" | "cells" | "rest">): StateHash {
  return { cells: hashOfCells(labels, cells), rest: digest(canonical(rest)) };
}

/** @param cells in any order */
export function hashOfCells(labels: Readonly<Record<string, string>>, cells: Iterable<CellRecord>): string {
  const sorted = [...cells].sort((a, b) => (a.address < b.address ? -1 : 1));
  return digest(canonical([labels, sorted]));
}

/** 64 of the bits of SHA-256, in hexadecimal. */
function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}

function canonical(value: unknown): string {
  if (value === undefined) return "null";
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  const fields: string[] = [];
  for (const key of Object.keys(value).sort()) {
    const item = (value as Readonly<Record<string, unknown>>)[key];
    if (item !== undefined) fields.push(`${JSON.stringify(key)}:${canonical(item)}`);
  }
  return `{${fields.join(",")}}`;
}
