// The stream of an entity between its owner and whoever keeps a replica (rules T1, T3): named by (entity, incarnation, revision), shipped by offset.
//
// T1. The receiver's word is `StreamPosition`: what it has committed, with the hash of its last record. The sender goes on from there, or opens anew with a full state. Where both hold
//     other turns under one name, the sender's history has parted from the receiver's: it opens a new incarnation.
// T3. A full state opens every incarnation, follows a change of machine version and every 1,000 records, and closes a gap.

import type { Address } from "../address.ts";
import type { PastHistories } from "../entity/contract.ts";
import { isRecord, isText } from "../wire/index.ts";

/** What the receiver holds of an entity; undefined revision: nothing. */
export interface StreamPosition {
  readonly incarnation: string | undefined;
  readonly revision: number;
  /** Hash of the bytes of the record of that revision; left out where it is not known, and by older versions. */
  readonly head?: string;
  /** Incarnations that the present one and those before it have replaced here, the newest last, and how far each was known: who comes with one of them has come back. None where left out. */
  readonly past?: PastHistories;
}

/** The same turns, as far as both say. */
export function isSameHead(one: string | undefined, other: string | undefined): boolean {
  return one === undefined || other === undefined || one === other;
}

export interface StreamBatch {
  readonly entity: Address;
  readonly type: string;
  readonly incarnation: string;
  /** Encoded EntityState; its revision is `after`. */
  readonly opening?: Uint8Array;
  /** The records follow this revision. */
  readonly after: number;
  /** Encoded journal records, ascending without holes. Empty with no opening: asks for the position only. */
  readonly records: readonly Uint8Array[];
  /** Revisions that the sender no longer has, reported once with the opening that closes the gap. */
  readonly lost?: { readonly from: number; readonly to: number };
}

const MAX_NAME_CHARACTERS = 512;

/** A full state after so many records (rules T3). */
export const OPENING_EVERY = 1_000;

/** Incarnations that a receiver remembers. */
export const MAX_PAST = 8;

/** Whether an unchecked value is such a list. */
export function isPastHistories(value: unknown): value is PastHistories {
  const isOne = (item: unknown): boolean => Array.isArray(item) && isText(item[0], MAX_NAME_CHARACTERS) && Number.isSafeInteger(item[1]) && (item[1] as number) >= 0;
  return Array.isArray(value) && value.length <= MAX_PAST && value.every(isOne);
}

/** Problem of an unchecked value as a batch, or undefined. */
export function batchProblem(value: unknown): string | undefined {
  if (!isRecord(value)) return "an object is expected";
  const batch = value;
  for (const key of ["entity", "type", "incarnation"]) if (!isText(batch[key], MAX_NAME_CHARACTERS) || batch[key] === "") return `${key}: a text is expected`;
  if (!Number.isSafeInteger(batch["after"]) || (batch["after"] as number) < 0) return "after: a whole number from 0 is expected";
  if (batch["opening"] !== undefined && batch["opening"] !== null && !(batch["opening"] instanceof Uint8Array)) return "opening: bytes are expected";
  const records = batch["records"];
  if (!Array.isArray(records) || records.some((record) => !(record instanceof Uint8Array))) return "records: a list of bytes is expected";
  return undefined;
}
