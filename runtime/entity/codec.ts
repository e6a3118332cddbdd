// Journal records and states as bytes. msgpackr without its record extension, so that any msgpack reader can read them.

import { Packr } from "msgpackr";

import type { EntityState, JournalRecord } from "./contract.ts";

const packr = new Packr({ useRecords: false, encodeUndefinedAsNil: false, variableMapSize: true });

export function encodeRecord(record: JournalRecord): Uint8Array {
  return packr.pack(record);
}

/** @throws Error when the bytes are no record of this version */
export function decodeRecord(bytes: Uint8Array): JournalRecord {
  const record = packr.unpack(bytes) as JournalRecord;
  if (typeof record !== "object" || record === null || record.v !== 1) throw new Error("these bytes are no journal record of version 1");
  return record;
}

export function encodeState(state: EntityState): Uint8Array {
  return packr.pack(state);
}

/** @throws Error when the bytes are no state of this version */
export function decodeState(bytes: Uint8Array): EntityState {
  const state = packr.unpack(bytes) as EntityState;
  if (typeof state !== "object" || state === null || state.v !== 1) throw new Error("these bytes are no entity state of version 1");
  return state;
}
