// One line of `candump -l` or `-L`, read byte by byte (a regular expression a line is ten times slower; research/can-stack.md section 2):
//
//   (1700000000.000001) can0 123#AABB           3 digits: standard; 8: extended, or an error frame (bit 29)
//   (1700000000.000001) can0 123#R8             remote request for 8 bytes
//   (1700000000.000001) can0 123##1AABB         CAN FD, one digit of flags before the data
//   (1700000000.000001) can0 123#11..88_E       raw data length code 14 with 8 bytes
//   … R, … T                                    received, sent (candump -x); dots between bytes are allowed

import { ERROR_FRAME, EXTENDED_FRAME, type FrameBatch, FrameFlag, REMOTE_REQUEST, rawDlc, SLOT_BYTES } from "../can/index.ts";
import { type BusIndex, TOO_MANY_BUSES } from "./bus-index.ts";
import { toldLoss } from "./candump-long-line.ts";
import type { LineOutcome, LineParser } from "./line-parser.ts";
import { timeProblem } from "./recorded-frame.ts";

const SPACE = 0x20;
const TAB = 0x09;
const HASH = 0x23;
const OPEN = 0x28;
const CLOSE = 0x29;
const MINUS = 0x2d;
const DOT = 0x2e;
const COLON = 0x3a;
const UNDERSCORE = 0x5f;
const UPPER_R = 0x52;
const UPPER_T = 0x54;
const LOWER_CASE = 0x20;
const MAX_STANDARD_ID = 0x7ff;

/** Value of a hex digit by its code, 255 for everything else. */
const HEX = Uint8Array.from({ length: 256 }, (_, code) => {
  const digit = Number.parseInt(String.fromCharCode(code), 16);
  return Number.isNaN(digit) ? 255 : digit;
});

function hexDigit(bytes: Uint8Array, at: number): number {
  return HEX[bytes[at] ?? 0] ?? 255;
}

const NO_TIME: LineOutcome = { problem: "expected a time such as (1700000000.000001)" };
const NO_INTERFACE: LineOutcome = { problem: "expected the name of an interface behind the time" };
const NO_ID: LineOutcome = { problem: "expected an id of 3 or 8 hex digits and # behind the interface" };
const XL: LineOutcome = { problem: "CAN XL frames are not read" };
const BAD_DATA: LineOutcome = { problem: "expected data as pairs of hex digits" };
const BAD_TAIL: LineOutcome = { problem: "unexpected text behind the data" };

export function candumpParser(busIndex: BusIndex): LineParser {
  return {
    format: "candump",
    namesBuses: true,
    parse: (bytes, start, end, line, batch) => {
      const outcome = parseLine(bytes, start, end, line, batch, busIndex);
      return typeof outcome === "string" ? outcome : (toldLoss(bytes, start, end) ?? outcome);
    },
  };
}

function parseLine(bytes: Uint8Array, start: number, end: number, line: number, batch: FrameBatch, busIndex: BusIndex): LineOutcome {
  let at = skipBlanks(bytes, start, end);
  if (at === end) return "nothing";
  if (bytes[at] !== OPEN) return NO_TIME;
  const isBefore1970 = bytes[++at] === MINUS;
  if (isBefore1970) at++;
  const timeStart = at;
  let digits = 0;
  let whole = 0;
  let decimals = -1;
  for (; at < end; at++) {
    const code = bytes[at] ?? 0;
    if (code === DOT && decimals < 0) decimals = 0;
    else if (code >= 0x30 && code <= 0x39) {
      whole = whole * 10 + (code - 0x30);
      digits++;
      if (decimals >= 0) decimals++;
    } else break;
  }
  if (digits === 0 || bytes[at] !== CLOSE || at >= end) return NO_TIME;
  // Up to 2^53 the digits are an exact integer, so that one division gives the double nearest to the written time.
  const size = whole <= Number.MAX_SAFE_INTEGER ? (decimals > 0 ? whole / 10 ** decimals : whole) : Number(Buffer.from(bytes.subarray(timeStart, at)).toString("latin1"));
  const timeS = isBefore1970 ? -size : size;
  const noTime = timeProblem(timeS);
  if (noTime !== undefined) return noTime;

  const nameStart = skipBlanks(bytes, at + 1, end);
  at = nameStart;
  while (at < end && !isBlank(bytes[at] ?? 0)) at++;
  if (at === nameStart) return NO_INTERFACE;
  const nameEnd = at;
  const idStart = skipBlanks(bytes, at, end);
  let id = 0;
  for (at = idStart; at < end; at++) {
    const digit = hexDigit(bytes, at);
    if (digit === 255 || at - idStart === 8) break;
    id = id * 16 + digit;
  }
  if (idStart === end) return NO_ID;
  const idDigits = at - idStart;
  if (at >= end || bytes[at] !== HASH || (idDigits !== 3 && idDigits !== 8)) return idDigits === 5 && bytes[at] === HASH && bytes[at + 3] === COLON ? XL : NO_ID;
  if (idDigits === 3 && id > MAX_STANDARD_ID) return { problem: `standard id ${id.toString(16).toUpperCase()} has more than 11 bits` };
  if (idDigits === 8 && id >= REMOTE_REQUEST) return { problem: `id ${id.toString(16).toUpperCase()} has more than 29 bits` };
  let canId = idDigits === 3 || (id & ERROR_FRAME) !== 0 ? id : id + EXTENDED_FRAME;
  at++;

  const slot = batch.count;
  let flags = 0;
  let limit = 8;
  if (bytes[at] === HASH && at < end) {
    const digit = at + 1 < end ? hexDigit(bytes, at + 1) : 255;
    if (digit === 255) return { problem: "expected one hex digit of flags behind ##" };
    flags = FrameFlag.fd | (digit & (FrameFlag.bitRateSwitch | FrameFlag.errorState));
    limit = SLOT_BYTES;
    at += 2;
  }
  const base = slot * SLOT_BYTES;
  const { data } = batch;
  let length = 0;
  if (limit === 8 && at < end && ((bytes[at] ?? 0) & ~LOWER_CASE) === UPPER_R) {
    canId += REMOTE_REQUEST;
    at++;
    const digit = at < end ? hexDigit(bytes, at) : 255;
    if (digit !== 255) {
      if (digit > 8) return { problem: "a remote request asks for more than 8 bytes" };
      length = digit;
      at++;
    }
    data.fill(0, base, base + SLOT_BYTES);
  } else {
    while (at < end) {
      const high = hexDigit(bytes, at);
      if (high === 255) {
        if (bytes[at] === DOT && length > 0) {
          at++;
          continue;
        }
        break;
      }
      const low = at + 1 < end ? hexDigit(bytes, at + 1) : 255;
      if (low === 255) return BAD_DATA;
      if (length === limit) return { problem: `more than ${String(limit)} data bytes in a ${limit === 8 ? "classic" : "CAN FD"} frame` };
      data[base + length++] = high * 16 + low;
      at += 2;
    }
    data.fill(0, base + length, base + SLOT_BYTES);
  }
  let dlc = rawDlc(length);
  if (at < end && bytes[at] === UNDERSCORE) {
    const digit = at + 1 < end ? hexDigit(bytes, at + 1) : 255;
    if (limit !== 8 || length !== 8 || digit < 9 || digit === 255) return { problem: "a raw data length code is 9 to F behind 8 bytes" };
    dlc = digit;
    at += 2;
  }
  const tail = skipBlanks(bytes, at, end);
  if (tail < end) {
    if (tail === at) return BAD_DATA;
    const direction = bytes[tail] ?? 0;
    if ((direction !== UPPER_R && direction !== UPPER_T) || skipBlanks(bytes, tail + 1, end) !== end) return BAD_TAIL;
    flags |= direction === UPPER_T ? FrameFlag.sentByUs : FrameFlag.received;
  }
  const bus = busIndex(bytes, nameStart, nameEnd);
  if (bus === undefined) return TOO_MANY_BUSES;

  batch.ids[slot] = canId;
  batch.timesS[slot] = timeS;
  batch.lengths[slot] = length;
  batch.flags[slot] = flags;
  batch.dlcs[slot] = dlc;
  batch.buses[slot] = bus;
  batch.lines[slot] = line;
  batch.count = slot + 1;
  return "frame";
}

function isBlank(code: number): boolean {
  return code === SPACE || code === TAB;
}

function skipBlanks(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && isBlank(bytes[at] ?? 0)) at++;
  return at;
}
