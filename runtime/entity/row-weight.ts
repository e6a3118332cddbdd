// About how many bytes a row of an entity's tables takes in a snapshot (table-limits.ts says how many all may take).
//
// W1. A row counts a flat share for its names, numbers and marks, and what its data holds beyond that.
// W2. The weight follows from the row alone: an entity that was restored weighs what it weighed before (rules R1).
// W3. Text counts as UTF-8. What is no plain data (a ref, an error, what only a volatile actor may hold) counts flat: it is not looked into.

import { eachItem } from "../xstate/index.ts";
import type { RestTables, SenderRow, TableName } from "./rest-tables.ts";

/** Of one row, with its key, where neither holds more than usual. */
export const FLAT_BYTES: Readonly<Record<TableName, number>> = {
  timers: 384,
  outbox: 256,
  lines: 96,
  taken: 320,
  senders: 256,
  systemIds: 192,
  pending: 384,
  asks: 192,
  attempts: 128,
  parked: 384,
  children: 256,
  stash: 512,
  shelf: 512,
  restarts: 512,
};

/** What the flat share has room for: a key of that many characters, and data of as many bytes. */
const USUAL_KEY = 64;
const USUAL_DATA = 64;

const MAX_DEPTH = 200;
const MAX_OBJECTS = 1_000_000;
/** Of what is not looked into. */
const OPAQUE_BYTES = 256;

let objects = 0;

/** Bytes of the data in a row; a table that is not named here holds names and numbers only. */
const DATA: { readonly [N in TableName]?: (row: RestTables[N]) => number } = {
  timers: ({ event }) => bytesOfData(event),
  outbox: ({ event }) => bytesOfData(event),
  taken: ({ outcome, answer }) => (outcome.kind === "accepted" ? 0 : bytesOfData(outcome)) + (answer === undefined ? 0 : bytesOfData(answer)),
  senders: historyBytes,
  pending: ({ params }) => bytesOfData(params),
  parked: ({ reason, input, state, timer }) =>
    bytesOfText(reason) + bytesOfData(input) + bytesOfData(state) + (timer === undefined ? 0 : FLAT_BYTES.timers + bytesOfData(timer.row.event)),
  children: ({ input }) => bytesOfData(input),
  stash: ({ input }) => bytesOfData(input.event),
  shelf: ({ input }) => bytesOfData(input.event),
  restarts: ({ reason }) => bytesOfText(reason),
};

/** What a row takes beyond its table's flat share. */
export function beyondFlat<N extends TableName>(table: N, key: string, row: RestTables[N]): number {
  const data = (DATA[table] as ((row: RestTables[N]) => number) | undefined)?.(row) ?? 0;
  return Math.max(0, key.length - USUAL_KEY) * 2 + Math.max(0, data - USUAL_DATA);
}

/** Most rows have none of these, and they are looked at with each message of their sender. */
function historyBytes({ past, refusals }: SenderRow): number {
  return (past.length === 0 ? 0 : bytesOfData(past)) + (refusals.length === 0 ? 0 : bytesOfData(refusals));
}

function bytesOfText(text: string): number {
  return 5 + Buffer.byteLength(text);
}

/** About the bytes of a value in MessagePack. Never throws. */
export function bytesOfData(value: unknown): number {
  objects = 0;
  try {
    return weigh(value, 0);
  } catch {
    // Something that throws when it is read: no durable actor holds it.
    return OPAQUE_BYTES;
  }
}

function weigh(value: unknown, depth: number): number {
  switch (typeof value) {
    case "string":
      return bytesOfText(value);
    case "number":
      return Number.isInteger(value) ? (Math.abs(value) < 128 ? 2 : 9) : 9;
    case "object":
      return value === null ? 1 : weighObject(value, depth);
    default:
      return 1;
  }
}

function weighObject(value: object, depth: number): number {
  if (depth > MAX_DEPTH || ++objects > MAX_OBJECTS) return 0;
  let bytes = 5;
  if (Array.isArray(value)) {
    eachItem(value, (item) => {
      bytes += weigh(item, depth + 1);
    });
    return bytes;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return OPAQUE_BYTES;
  for (const key of Object.keys(value)) {
    const item = (value as Readonly<Record<string, unknown>>)[key];
    if (item !== undefined) bytes += key.length + 3 + weigh(item, depth + 1);
  }
  return bytes;
}
