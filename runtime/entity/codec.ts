// Journal records and states as bytes. msgpackr without its record extension, so that any msgpack reader can read them.

import { Packr } from "msgpackr";

import { DroverError } from "../errors.ts";
import type { EntityState, JournalRecord } from "./contract.ts";

const packr = new Packr({ useRecords: false, encodeUndefinedAsNil: false, variableMapSize: true });

export function encodeRecord(record: JournalRecord): Uint8Array {
  return packr.pack(record);
}

/** @throws DROVER_STATE_NEWER, and Error when the bytes are no record */
export function decodeRecord(bytes: Uint8Array): JournalRecord {
  return ofVersion1(packr.unpack(bytes), "journal record") as JournalRecord;
}

export function encodeState(state: EntityState): Uint8Array {
  return packr.pack(state);
}

/** @throws DROVER_STATE_NEWER, and Error when the bytes are no state */
export function decodeState(bytes: Uint8Array): EntityState {
  return ofVersion1(packr.unpack(bytes), "entity state") as EntityState;
}

function ofVersion1(value: unknown, what: string): object {
  if (typeof value === "object" && value !== null && "v" in value && typeof value.v === "number" && value.v > 1)
    throw new DroverError("DROVER_STATE_NEWER", `this ${what} is of version ${String(value.v)}, known is version 1`);
  if (typeof value !== "object" || value === null || !("v" in value) || value.v !== 1) throw new Error(`these bytes are no ${what} of version 1`);
  return value;
}
