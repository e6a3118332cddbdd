// Which format a recording has, told by its beginning.

import { DroverError } from "../../runtime/ports/index.ts";
import { ascParser } from "./asc-line.ts";
import { candumpLongParser, isCandumpLong, smallStampsOf, STAMPS_TO_JUDGE } from "./candump-long-line.ts";
import { candumpParser } from "./candump-line.ts";
import { createBusIndex } from "./bus-index.ts";
import { LineRecords } from "./line-records.ts";
import type { RecordReader, RecordTally } from "./record-format.ts";
import { isTrcVersion, trcParser } from "./trc-line.ts";

/** As a person calls them. */
export const READ_FORMATS = "candump, PEAK TRC or Vector ASC";

/** A line of the header of Vector ASC, comments before it. */
const ASC = /^(?:\s*\/\/.*\n)*\s*(?:date\s+\S+\s+\S+\s+[0-9]|base\s+(?:hex|dec))/i;

/** So much of it is looked at, at most. */
const HEAD_BYTES = 4_096;
/** Of UTF-8; some editors write it. */
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];
/** Formats that are told by their first bytes, so that they are refused by name instead of line by line. */
const FOREIGN = [
  { sign: /^LOGG/, name: "a Vector BLF recording" },
  { sign: /^(?:MDF {5}|UnFinMF)/, name: "an ASAM MDF recording" },
  { sign: /^PK\x03\x04/, name: "a ZIP archive" },
];

/** Whether so much of the beginning tells the format, whatever follows. */
export function tellsFormat(head: Uint8Array): boolean {
  if (head.length >= HEAD_BYTES) return true;
  const text = textOf(withoutMark(head));
  const start = text.trimStart();
  if (isCandumpLong(start) && smallStampsOf(start).length > 0) return smallStampsOf(start).length > STAMPS_TO_JUDGE;
  if (FOREIGN.some(({ sign }) => sign.test(text)) || /^;\$FILEVERSION=.*\n/m.test(start)) return true;
  // A row without a version before it, or one line of anything else; comments of ASC tell nothing.
  return start.startsWith(";") ? /^[^;\s].*\n/m.test(start) : start.startsWith("//") ? /^\s*[^/\s].*\n/m.test(start) : start.includes("\n");
}

export interface RecordsOptions {
  /** Receives the names of buses as they are seen. */
  readonly buses: string[];
  /** Of the bus of a format that names none. */
  readonly busName: string;
  readonly tally: RecordTally;
}

/** @param head without its mark, as much as `tellsFormat` asks for or all there is @throws DROVER_CAN_LOG_INVALID for a format that is not read */
export function recordsOf(head: Uint8Array, name: string, { buses, busName, tally }: RecordsOptions): RecordReader {
  const text = textOf(head);
  const foreign = FOREIGN.find(({ sign }) => sign.test(text));
  if (foreign !== undefined) throw notRead(name, `${foreign.name}, which is not read; expected ${READ_FORMATS}`);
  if (ASC.test(text)) return new LineRecords(ascParser(buses), tally);
  if (!/^[\0-\x20]*;/.test(text)) {
    const busIndex = createBusIndex(buses);
    return new LineRecords(isCandumpLong(text) ? candumpLongParser(text, busIndex) : candumpParser(busIndex), tally);
  }
  const version = /^;\$FILEVERSION=\s*([0-9.]+)/m.exec(text)?.[1] ?? "1.0";
  if (!isTrcVersion(version)) throw notRead(name, `PEAK TRC ${version}, which is not read; expected version 1.0 to 2.1`);
  return new LineRecords(trcParser(version, buses, busName), tally);
}

export function withoutMark(head: Uint8Array): Uint8Array {
  return BYTE_ORDER_MARK.every((byte, at) => head[at] === byte) ? head.subarray(BYTE_ORDER_MARK.length) : head;
}

function textOf(head: Uint8Array): string {
  return Buffer.from(head.subarray(0, HEAD_BYTES)).toString("latin1");
}

function notRead(name: string, what: string): DroverError {
  return new DroverError("DROVER_CAN_LOG_INVALID", `${name} is ${what}`, { position: { file: name, line: 1, column: 1 } });
}
