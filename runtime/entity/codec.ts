// Journal records and states as bytes. msgpackr without its record extension, so that any msgpack reader can read them.

import { Packr } from "msgpackr";

import type { EntityState, JournalRecord } from "./contract.ts";

const packr = new Packr({ useRecords: false, encodeUndefinedAsNil: false, variableMapSize: true });

export function encodeRecord(record: JournalRecord): Uint8Array {
  return packr.pack(record);
}

/** @throws Error when the bytes are no record of this version */
export function decodeRecord(bytes: Uint8Array): JournalRecord {
  return ofVersion1(packr.unpack(bytes), "journal record") as JournalRecord;
}

export function encodeState(state: EntityState): Uint8Array {
  return packr.pack(state);
}

/** @throws Error when the bytes are no state of this version */
export function decodeState(bytes: Uint8Array): EntityState {
  return ofVersion1(packr.unpack(bytes), "entity state") as EntityState;
}

function ofVersion1(value: unknown, what: string): object {
  if (typeof value !== "object" || value === null || !("v" in value) || value.v !== 1) throw new Error(`these bytes are no ${what} of version 1`);
  return value;
}
