// Checksums over what a row holds and where it belongs. A page that lost a bit within a row, or holds the row of another, is still a sound page to SQLite.
//
// The bytes come first and the place goes on from them: of no bytes at all zlib says 0, whatever it is to go on from.

import { crc32 } from "node:zlib";
import type { Database, SqlRow } from "./driver.ts";

export interface SealedHistory {
  readonly number: number;
  readonly entity: string;
  readonly type: string;
  readonly incarnation: string;
  /** Rows up to this revision were written before rows were sealed: without a checksum, or with one over their bytes alone. They are believed as far as that goes. */
  readonly unsealed: number;
}

/** A column of checksums as it is read: what is no checksum must not end a query, as a number of 64 bits does. */
export const SUM = "iif(sum IS NULL OR sum BETWEEN 0 AND 4294967295, sum, -1)";

export function sealOfHistory({ number, entity, type, incarnation, unsealed }: SealedHistory): number {
  return crc32(["history", number, entity, type, incarnation, unsealed].join("\0"));
}

export function sealOfRecord(history: SealedHistory, revision: number, epoch: number, at: number, record: Uint8Array): number {
  return crc32(`record\0${history.entity}\0${history.incarnation}\0${String(revision)}\0${String(epoch)}\0${String(at)}`, crc32(record));
}

export function sealOfSnapshot(history: SealedHistory, revision: number, state: Uint8Array): number {
  return crc32(`snapshot\0${history.entity}\0${history.incarnation}\0${String(revision)}`, crc32(state));
}

export function sealOfValue(key: string, value: Uint8Array): number {
  return crc32(`value\0${key}`, crc32(value));
}

/** @param row of the journal with `revision`, `epoch`, `at`, `record` and `sum` */
export function isWholeRecord(history: SealedHistory, { revision, epoch, at, record, sum }: SqlRow): boolean {
  if (!(record instanceof Uint8Array)) return false;
  return sum === sealOfRecord(history, Number(revision), Number(epoch), Number(at), record) || isBelieved(history, revision, sum, record);
}

/** @param row of the snapshots with `revision`, `state` and `sum` */
export function isWholeSnapshot(history: SealedHistory, { revision, state, sum }: SqlRow): boolean {
  if (!(state instanceof Uint8Array)) return false;
  return sum === sealOfSnapshot(history, Number(revision), state) || isBelieved(history, revision, sum, state);
}

/** @param row of the named values with `key`, `value` and `sum` */
export function isWholeValue({ key, value, sum }: SqlRow): boolean {
  return value instanceof Uint8Array && (sum === null || sum === sealOfValue(String(key), value));
}

/** Seals histories that an older version wrote. */
export function sealHistories(database: Database): void {
  const found: SealedHistory[] = [];
  database.each(["number", "entity", "type", "incarnation", "unsealed"], "histories WHERE sum IS NULL", ([number, entity, type, incarnation, unsealed]) => {
    found.push({ number: Number(number), entity: String(entity), type: String(type), incarnation: String(incarnation), unsealed: Number(unsealed) });
  });
  for (const history of found) database.exec(`UPDATE histories SET sum = ${String(sealOfHistory(history))} WHERE number = ${String(history.number)}`);
}

function isBelieved(history: SealedHistory, revision: unknown, sum: unknown, bytes: Uint8Array): boolean {
  return Number(revision) <= history.unsealed && (sum === null || sum === crc32(bytes));
}
