// One line of what candump shows on the screen, with any of its time stamps:
//
//    (1436509052.249713)  vcan0  044   [8]  2A 36 6C 2B BA 00 00 00   '*6l+....'      -t a, and -a for the text behind the data
//    (2023-01-31 12:00:00.249713)  vcan0  12345678  [12]  00 01 …                     -t A; two digits of length: CAN FD
//    (000.249713)  vcan0  RX B -  123   [4]  remote request                           -t z or -t d; -x shows direction, bit rate switch, error state
//    (000.249713)  vcan0  20000004   [8]  00 04 00 00 00 00 00 00   ERRORFRAME        lines behind it that begin with a tab explain it (-e)
//    (000.249713)  vcan0  123   {E}  …                                                raw data length code (-8)
//
// Bytes may be binary (-i), or stand from the last to the first, parted by ` (-S). Dates are those of the machine's zone, which is not told; they are taken for UTC.
// C1. Small stamps count from the first frame (-t z) or from the frame before (-t d): from the frame before where they go back and forth at the beginning.
// C2. What has no time is not read: it could not be placed.

import { ERROR_FRAME, EXTENDED_FRAME, FrameFlag, type FrameBatch, rawDlc, REMOTE_REQUEST, SLOT_BYTES } from "../can/index.ts";
import { type BusIndex, TOO_MANY_BUSES } from "./bus-index.ts";
import type { LineOutcome, LineParser } from "./line-parser.ts";
import { appendRecorded, timeProblem } from "./recorded-frame.ts";

const LINE = /^[ \t]*(?:\(([^)\n]*)\)[ \t]+)?(\S+)[ \t]+(?:([RT])X[ \t]+([B-])[ \t]+([E-])[ \t]+)?([0-9A-F]{3}|[0-9A-F]{8})[ \t]+(?:\[([0-9]{1,2})\]|\{([0-9A-F])\})(.*)$/;
const LONG = new RegExp(LINE.source.replace("(.*)$", ""));
const SECONDS = /^([0-9]+)\.([0-9]{1,9})$/;
const DATED = /^([0-9]{4})-([0-9]{2})-([0-9]{2}) ([0-9]{2}):([0-9]{2}):([0-9]{2}\.[0-9]{1,9})$/;
/** Of a time of day candump shows ten digits or more, of others at least three. */
const MIN_DIGITS_OF_DAY = 10;
const STAMP = /^[ \t]*\(([0-9]{1,9}\.[0-9]+)\)/gm;
const TAB = 0x09;
const TAIL = /^(?:ERRORFRAME|'.*'|`.*`)?$/;
const HEX_BYTES = /^[0-9A-F]{2}(?:[ `][0-9A-F]{2})*$/;
const BINARY_BYTES = /^[01]{8}(?:[ `][01]{8})*$/;
const DROPPED = "DROPCOUNT: dropped";

/** Steps from stamp to stamp by which it is told whether they count from the frame before (C1). */
export const STEPS_TO_JUDGE = 16;

/** Whether a recording whose first line this is is of this form. */
export function isCandumpLong(head: string): boolean {
  return LONG.test(head);
}

/** The first small stamps of a recording, as many as tell of which kind they are. */
export function smallStampsOf(head: string): readonly number[] {
  return Array.from(head.matchAll(STAMP), ([, stamp = ""]) => Number(stamp)).slice(0, STEPS_TO_JUDGE + 1);
}

/** candump -d says in its output that it lost frames. */
export function toldLoss(bytes: Uint8Array, start: number, end: number): LineOutcome | undefined {
  const text = Buffer.from(bytes.subarray(start, Math.min(end, start + DROPPED.length))).toString("latin1");
  return text === DROPPED ? { problem: "frames are missing here: candump could not keep up" } : undefined;
}

/** @param head the beginning of the recording */
export function candumpLongParser(head: string, busIndex: BusIndex): LineParser {
  const countsFromBefore = goesBackAndForth(smallStampsOf(head));
  let beforeS = 0;
  return {
    format: "candump-long",
    namesBuses: true,
    parse: (bytes, start, end, line, batch) => {
      const text = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString("latin1");
      if (text.trim() === "" || bytes[start] === TAB) return "nothing";
      const match = LINE.exec(text);
      if (match === null) return toldLoss(bytes, start, end) ?? { problem: "expected what candump shows: (time) interface id [length] data" };
      const stamp = stampS(match[1] ?? "");
      if (stamp === undefined) return { problem: "expected a time such as (1700000000.000001): show with candump -t a, or record with candump -L" };
      const timeS = stamp.isSmall && countsFromBefore ? beforeS + stamp.seconds : stamp.seconds;
      const noTime = timeProblem(timeS);
      if (noTime !== undefined) return noTime;
      beforeS = timeS;
      // A name stands as in the bytes, whatever they are.
      const nameAt = start + text.indexOf(match[2] ?? "", (match[1] ?? "").length + text.indexOf("(") + 1);
      return append(match, { timeS, line, bus: () => busIndex(bytes, nameAt, nameAt + (match[2] ?? "").length) }, batch);
    },
  };
}

function goesBackAndForth(stamps: readonly number[]): boolean {
  const steps = stamps.slice(1).map((stamp, at) => stamp - (stamps[at] ?? 0));
  const back = steps.filter((step) => step < 0).length;
  const isEven = steps.length > 1 && (stamps[1] ?? 0) > 0 && steps.slice(1).every((step) => step === 0);
  return isEven || (back > 0 && back * 8 >= stamps.length);
}

function stampS(text: string): { readonly seconds: number; readonly isSmall: boolean } | undefined {
  const [, whole] = SECONDS.exec(text) ?? [];
  if (whole !== undefined) return { seconds: Number(text), isSmall: whole.length < MIN_DIGITS_OF_DAY };
  const [, year, month, day, hour, minute, second] = DATED.exec(text) ?? [];
  if (year === undefined) return undefined;
  return { seconds: Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute)) / 1_000 + Number(second), isSmall: false };
}

function append(
  match: RegExpExecArray,
  { timeS, line, bus }: { readonly timeS: number; readonly line: number; readonly bus: () => number | undefined },
  batch: FrameBatch,
): LineOutcome {
  const [, , , direction, brs, esi, idText = "", lengthText, dlcText, rest = ""] = match;
  const id = Number.parseInt(idText, 16);
  if (id >= (idText.length === 3 ? 0x800 : REMOTE_REQUEST)) return { problem: `id ${idText} has more than ${idText.length === 3 ? "11" : "29"} bits` };
  const isFd = lengthText?.length === 2;
  const dlc = dlcText === undefined ? Number(lengthText) : Number.parseInt(dlcText, 16);
  const length = isFd ? dlc : Math.min(dlc, 8);
  if (length > SLOT_BYTES || (dlc > 8 && !isFd && dlcText === undefined)) return { problem: `length ${String(lengthText)} of a ${isFd ? "CAN FD" : "classic"} frame` };
  const shown = rest.trim();
  const isRemote = shown === "remote request" && !isFd;
  const data = isRemote ? [] : bytesOf(shown, length);
  if (data === undefined) return { problem: `expected ${String(length)} data bytes as pairs of hex digits` };
  const index = bus();
  if (index === undefined) return TOO_MANY_BUSES;
  const base = appendRecorded(batch, {
    canId: id + (idText.length === 8 && (id & ERROR_FRAME) === 0 ? EXTENDED_FRAME : 0) + (isRemote ? REMOTE_REQUEST : 0),
    timeS,
    bus: index,
    line,
    dlc: isFd ? rawDlc(length) : dlc,
    length,
    flags:
      (isFd ? FrameFlag.fd | (brs === "B" ? FrameFlag.bitRateSwitch : 0) | (esi === "E" ? FrameFlag.errorState : 0) : 0) |
      (direction === undefined ? 0 : direction === "T" ? FrameFlag.sentByUs : FrameFlag.received),
  });
  batch.data.set(data, base);
  return "frame";
}

/** Undefined where there are not so many, or something else behind them than a tail that belongs there. */
function bytesOf(shown: string, length: number): readonly number[] | undefined {
  if (length === 0) return TAIL.test(shown) ? [] : undefined;
  for (const [form, width, radix] of [
    [HEX_BYTES, 3, 16],
    [BINARY_BYTES, 9, 2],
  ] as const) {
    const bytes = shown.slice(0, length * width - 1);
    if (bytes.length !== length * width - 1 || !form.test(bytes) || !TAIL.test(shown.slice(bytes.length).trim())) continue;
    const values = bytes.split(/[ `]/).map((byte) => Number.parseInt(byte, radix));
    return bytes.includes("`") ? values.reverse() : values;
  }
  return undefined;
}
