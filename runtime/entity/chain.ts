// The chain of a history: each record carries the hash of the record before it, of its bytes as the store holds them, so that two copies of a history can tell that they are one (rules T1).
//
// L1. A full state carries the hash of its last record: whoever goes on from it has a link for the next one.
// L2. What was written before records had it has no link; the chain begins with the first record that has one.

import { hash } from "node:crypto";

import type { StoredEntity } from "../ports/index.ts";
import { decodeRecord, decodeState } from "./codec.ts";
import type { EntityState, JournalRecord } from "./contract.ts";

/** 72 bits: against copies that have parted, not against somebody who computes a second one. No more than 12, or V8 keeps the whole hash behind each. */
const LINK_CHARACTERS = 12;

/** What the next record says of this one: the beginning of its SHA-256, in base64url. */
export function linkOf(record: Uint8Array): string {
  return hash("sha256", record, "base64url").slice(0, LINK_CHARACTERS);
}

/** What is wrong with a record that follows one of hash `head`; undefined: nothing, or one of them does not say (L2). */
export function linkProblem({ prev, revision }: Pick<JournalRecord, "prev" | "revision">, head: string | undefined): string | undefined {
  if (prev === undefined || head === undefined || prev === head) return undefined;
  return `the record before revision ${String(revision)} is another one: its hash is ${head}, expected was ${prev}`;
}

/** What a store has of an entity, as a recovery needs it. */
export interface ReadBack {
  readonly incarnation: string;
  readonly snapshot: EntityState | undefined;
  readonly records: readonly JournalRecord[];
  /** Hash of each of the records. */
  readonly links: readonly string[];
}

/** @throws DROVER_STATE_NEWER, and Error when the bytes are neither a state nor records */
export function readStored({ incarnation, snapshot, records }: Pick<StoredEntity, "incarnation" | "snapshot" | "records">): ReadBack {
  return {
    incarnation,
    snapshot: snapshot === undefined ? undefined : decodeState(snapshot.state),
    records: records.map(({ record }) => decodeRecord(record)),
    links: records.map(({ record }) => linkOf(record)),
  };
}
