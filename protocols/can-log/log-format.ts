// Which format a recording has, told by its beginning.

import { DroverError } from "../../runtime/ports/index.ts";
import type { LineParser } from "./line-parser.ts";

/** So much of it is looked at, at most. */
const HEAD_BYTES = 4_096;
/** Of UTF-8; some editors write it. */
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];
/** Formats that are told by their first bytes, so that they are refused by name instead of line by line. */
const FOREIGN = [
  { sign: /^LOGG/, name: "a Vector BLF recording" },
  { sign: /^(?:MDF {5}|UnFinMF)/, name: "an ASAM MDF recording" },
  { sign: /^\s*date .*\r?\n\s*base +(?:hex|dec)/, name: "a Vector ASC recording" },
  { sign: /^PK\x03\x04/, name: "a ZIP archive" },
];

/** Whether so much of the beginning tells the format, whatever follows. */
export function tellsFormat(head: Uint8Array): boolean {
  if (head.length >= HEAD_BYTES) return true;
  const text = textOf(withoutMark(head));
  const start = text.trimStart();
  if (start.startsWith("(") || FOREIGN.some(({ sign }) => sign.test(text)) || /^;\$FILEVERSION=.*\n/m.test(start)) return true;
  // A row without a version before it, two lines of ASC, or one line of anything else.
  return start.startsWith(";") ? /^[^;\s].*\n/m.test(start) : start.startsWith("date ") ? /\n.*\n/.test(start) : start.includes("\n");
}

/** @param head without its mark, as much as `tellsFormat` asks for or all there is @throws DROVER_CAN_LOG_INVALID for a format that is not read */
export function formatOf(head: Uint8Array, name: string): LineParser["format"] {
  const text = textOf(head);
  const foreign = FOREIGN.find(({ sign }) => sign.test(text));
  if (foreign !== undefined) throw notRead(name, `${foreign.name}, which is not read; expected candump -L or PEAK TRC 1.1`);
  if (!/^[\0-\x20]*;/.test(text)) return "candump";
  const version = /^;\$FILEVERSION=([0-9.]+)/m.exec(text)?.[1] ?? "1.0";
  if (version !== "1.1") throw notRead(name, `PEAK TRC ${version}, which is not read; expected version 1.1`);
  return "trc";
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
