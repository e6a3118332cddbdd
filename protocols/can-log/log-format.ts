// Which format a recording has, told by its beginning.

import { DroverError } from "../../runtime/ports/index.ts";
import { ascParser } from "./asc-line.ts";
import { BLF_HEAD_BYTES, blfRecords, isBlf } from "./blf-records.ts";
import { candumpLongParser, isCandumpLong, smallStampsOf, STEPS_TO_JUDGE } from "./candump-long-line.ts";
import { candumpParser } from "./candump-line.ts";
import { createBusIndex } from "./bus-index.ts";
import { LineRecords } from "./line-records.ts";
import { isMdf, readDescription } from "./mf4-description.ts";
import { mf4Records } from "./mf4-records.ts";
import { LINKTYPE_SOCKETCAN, pcapHeader, pcapRecords } from "./pcap-records.ts";
import { isPcapng, pcapngRecords } from "./pcapng-records.ts";
import type { RecordReader, RecordTally } from "./record-format.ts";
import { isTrcVersion, trcParser } from "./trc-line.ts";

/** As a person calls them. */
export const READ_FORMATS = "candump, PEAK TRC, Vector ASC or BLF, pcap of SocketCAN, or MF4 of a bus logger";

/** So much of it is looked at, at most. */
const HEAD_BYTES = 4_096;
/** Of UTF-8; some editors write it. */
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];
const BLANKS = /^[\0-\x20]+/;
/** Lines that open with a semicolon, as PEAK TRC begins. */
const SEMICOLONS = /^(?:;[^\n]*\n|[ \t\r]*\n)*/;
const VERSION = /^;\$FILEVERSION=\s*([0-9.]+)/m;
/** The header of Vector ASC, behind comments. */
const ASC = /^(?:\/\/[^\n]*\n|[ \t\r]*\n)*[ \t]*(?:date\s+\S+\s+\S+\s+[0-9]|base\s+(?:hex|dec))/i;
const COMMENTED = /^(?:\/\/[^\n]*\n|[ \t\r]*\n)*/;
const A_LINE = /^[^\n]*\n/;
/** Formats that are told by their first bytes, so that they are refused by name instead of line by line. */
const FOREIGN = [
  { sign: /^(?:MDF {5}|UnFinMF )[^4]/, name: "an ASAM MDF recording of another version than 4" },
  { sign: /^PK\x03\x04/, name: "a ZIP archive" },
];

/** Whether so much of the beginning tells the format, whatever follows: a version of PEAK TRC or its first row, the first line behind comments, of candump's small time stamps some. */
export function tellsFormat(head: Uint8Array): boolean {
  if (isMdf(head)) return readDescription(head) !== "more";
  if (head.length >= HEAD_BYTES) return true;
  const text = textOf(withoutMark(head));
  if (FOREIGN.some(({ sign }) => sign.test(text)) || isPcapng(head)) return true;
  if (isBlf(head)) return head.length >= BLF_HEAD_BYTES;
  const pcap = pcapHeader(head);
  if (pcap !== undefined) return pcap.linkType !== undefined;
  const start = text.replace(BLANKS, "");
  const comments = (start.startsWith(";") ? SEMICOLONS : COMMENTED).exec(start)?.[0] ?? "";
  if (start.startsWith(";") && VERSION.test(comments)) return true;
  if (!A_LINE.test(start.slice(comments.length))) return false;
  return !isCandumpLong(start) || smallStampsOf(start).length === 0 || smallStampsOf(start).length > STEPS_TO_JUDGE;
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
  if (isMdf(head)) {
    const description = readDescription(head);
    if (description === "more") throw notRead(name, "an ASAM MDF recording that breaks off in its description");
    if ("problem" in description) throw notRead(name, `an ASAM MDF recording ${description.problem}, which is not read; expected a bus log as its logger wrote it`);
    return mf4Records(description, buses, tally);
  }
  const foreign = FOREIGN.find(({ sign }) => sign.test(text));
  if (foreign !== undefined) throw notRead(name, `${foreign.name}, which is not read; expected ${READ_FORMATS}`);
  if (isBlf(head)) return blfRecords(head, buses, tally);
  if (isPcapng(head)) return pcapngRecords(buses, tally);
  const addBus = (): number => (buses.length === 0 ? buses.push(busName) - 1 : 0);
  const linkType = pcapHeader(head)?.linkType;
  if (linkType === LINKTYPE_SOCKETCAN) return pcapRecords(head, addBus, tally);
  if (linkType !== undefined) throw notRead(name, `a capture of link type ${String(linkType)}, which is not read; expected ${String(LINKTYPE_SOCKETCAN)}, SocketCAN`);
  const start = text.replace(BLANKS, "");
  if (ASC.test(start)) return new LineRecords(ascParser(buses), tally);
  if (!start.startsWith(";")) {
    const busIndex = createBusIndex(buses);
    return new LineRecords(isCandumpLong(start) ? candumpLongParser(start, busIndex) : candumpParser(busIndex), tally);
  }
  const version = VERSION.exec(SEMICOLONS.exec(start)?.[0] ?? "")?.[1] ?? "1.0";
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
