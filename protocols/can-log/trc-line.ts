// One line of a PEAK TRC recording, versions 1.0 to 2.1. Lines that open with `;` are comments, but for `;$STARTTIME=`, days since 1899-12-30 that place the offsets (ms) in time, and `;$COLUMNS=`.
//
//   1.0       2)     17540      0260  8  00 00 00 00 00 00 00 6A            no start, no direction
//   1.1       2)     17540.3  Rx  0260  8  00 00 00 00 00 00 00 6A          1.2 has the bus before the type
//   1.3       2)     17540.300 1  Rx  0260 -  8  00 00 00 00 00 00 00 6A
//   2.0        2     17540.300 DT  0260 Rx 8  00 00 00 00 00 00 00 6A       columns as `;$COLUMNS=` says
//   2.1        2     17540.300 FB 1  0260 Rx -  9  00 01 02 03 04 05 06 07 08 09 0A 0B
//
// An id of 4 digits is standard, one of 8 extended. Remote requests: RTR in place of the data, in 2.x the type RR. FD, FB, FE, BI are CAN FD: plain, with bit rate switch, with that and the
// error state, with the error state. Error frames: 1.0 has ERROR before four bytes, 1.x the type Error, 2.x ER. Status rows, error counters and events (Warng, FFFFFFFF; ST, EC, EV) are no frames.

import { EXTENDED_FRAME, type FrameBatch, FrameFlag, ID_MASK, lengthOfDlc, rawDlc, REMOTE_REQUEST } from "../can/index.ts";
import { createNumberedBuses, TOO_MANY_BUSES } from "./bus-index.ts";
import { appendBusError } from "./error-frame.ts";
import type { LineOutcome, LineParser } from "./line-parser.ts";
import { appendRecorded, timeProblem } from "./recorded-frame.ts";

export type TrcVersion = "1.0" | "1.1" | "1.2" | "1.3" | "2.0" | "2.1";

/** As `$COLUMNS` names them: Number, Offset, Type, Bus, Id, direction, Reserved, data length, data Length code, Data. */
const COLUMNS: Readonly<Record<TrcVersion, string>> = {
  "1.0": "N,O,I,L,D",
  "1.1": "N,O,T,I,L,D",
  "1.2": "N,O,B,T,I,L,D",
  "1.3": "N,O,B,T,I,R,L,D",
  "2.0": "N,O,T,I,d,l,D",
  "2.1": "N,O,T,B,I,d,R,L,D",
};

const WORDS: ReadonlyMap<string, string> = new Map([
  ["N", "number"],
  ["O", "offset"],
  ["T", "type"],
  ["B", "bus"],
  ["I", "id"],
  ["d", "direction"],
  ["R", "reserved"],
  ["l", "length"],
  ["L", "length"],
  ["D", "data"],
]);
const NUMBER = /^[0-9]+\)?$/;
const OFFSET = /^[0-9]+(?:\.[0-9]+)?$/;
const HEX = /^[0-9A-Fa-f]+$/;
const DIGITS = /^[0-9]{1,9}$/;
const BYTE = /^[0-9A-Fa-f]{2}$/;
const START = ";$STARTTIME=";
const COLUMNS_LINE = ";$COLUMNS=";
/** Days from 1899-12-30 to 1970-01-01. */
const EPOCH_DAYS = 25_569;
const MS_PER_DAY = 86_400_000;
const STATUS_ID = "FFFFFFFF";
const { fd, bitRateSwitch, errorState, received, sentByUs } = FrameFlag;
/** A number: the flags of a frame. */
type RowKind = "status" | "error" | "remote" | number;
/** What the type of a row of 2.x makes of it; those that are missing are unknown. */
const TYPES_2 = new Map<string, RowKind>([
  ["DT", 0],
  ["FD", fd],
  ["FB", fd | bitRateSwitch],
  ["FE", fd | bitRateSwitch | errorState],
  ["BI", fd | errorState],
  ["RR", "remote"],
  ["ER", "error"],
  ["ST", "status"],
  ["EC", "status"],
  ["EV", "status"],
]);
const TYPES_1 = new Map<string, RowKind>([
  ["rx", 0],
  ["tx", 0],
  ["warng", "status"],
  ["error", "error"],
]);

export function isTrcVersion(text: string): text is TrcVersion {
  return Object.hasOwn(COLUMNS, text);
}

/** @param buses receives the names of its buses @param busName of the one bus of a version that tells none */
export function trcParser(version: TrcVersion, buses: string[], busName: string): LineParser {
  let startMs = 0;
  let columns = columnsOf(COLUMNS[version]) as readonly string[];
  const numbered = createNumberedBuses(buses);
  const busOf = (number: string): number | undefined => (number === "" ? (buses.length === 0 ? buses.push(busName) - 1 : 0) : numbered(Number(number)));
  return {
    format: "trc",
    get namesBuses() {
      return columns.includes("B");
    },
    parse: (bytes, start, end, line, batch) => {
      const text = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start)
        .toString("latin1")
        .trim();
      if (text === "") return "nothing";
      if (!text.startsWith(";")) return parseRow(text.split(/\s+/), { version, columns, startMs, line, busOf }, batch);
      if (text.startsWith(COLUMNS_LINE) && version >= "2.0") {
        const named = columnsOf(text.slice(COLUMNS_LINE.length).trim());
        if (named === undefined) return { problem: `expected columns such as ${COLUMNS_LINE}${COLUMNS[version]}; the rows are read as if it said so` };
        columns = named;
        return "nothing";
      }
      if (!text.startsWith(START)) return "nothing";
      const days = text.slice(START.length).trim();
      if (!OFFSET.test(days))
        return { problem: `expected the days since 1899-12-30 as ${START}45678.5, got "${days.slice(0, 20)}"; the times count from the start that was known before` };
      const readMs = (Number(days) - EPOCH_DAYS) * MS_PER_DAY;
      const noTime = timeProblem(readMs / 1_000);
      if (noTime === undefined) startMs = readMs;
      return noTime ?? "nothing";
    },
  };
}

/** Undefined where they cannot hold a frame: each at most once, the data last. */
function columnsOf(text: string): readonly string[] | undefined {
  const columns = text.split(",");
  const isWhole = ["O", "I", "D"].every((column) => columns.includes(column)) && (columns.includes("l") || columns.includes("L")) && columns.at(-1) === "D";
  return isWhole && new Set(columns).size === columns.length && columns.every((column) => WORDS.has(column)) ? columns : undefined;
}

interface RowContext {
  readonly version: TrcVersion;
  readonly columns: readonly string[];
  readonly startMs: number;
  readonly line: number;
  readonly busOf: (number: string) => number | undefined;
}

function parseRow(tokens: readonly string[], context: RowContext, batch: FrameBatch): LineOutcome {
  const { version, columns, line } = context;
  const cell = (column: string): string => (columns.includes(column) ? (tokens[columns.indexOf(column)] ?? "") : "");
  const expected = { problem: `expected a row: ${columns.map((column) => (column === "N" && version < "2.0" ? "number)" : WORDS.get(column))).join(" ")}` };
  const [number, type, bus, idText] = [cell("N"), cell("T"), cell("B"), cell("I")];
  if ((number !== "" && !NUMBER.test(number)) || !OFFSET.test(cell("O")) || (type !== "" && !/^[A-Za-z]+$/.test(type))) return expected;
  const timeS = (context.startMs + Number(cell("O"))) / 1_000;
  const noTime = timeProblem(timeS);
  if (noTime !== undefined) return noTime;

  let data = tokens.slice(columns.indexOf("D"));
  const known = version >= "2.0" ? TYPES_2.get(type) : version === "1.0" ? (idText === STATUS_ID ? "status" : data[0] === "ERROR" ? "error" : 0) : TYPES_1.get(type.toLowerCase());
  if (known === undefined && columns.includes("T"))
    return type === "" ? expected : { problem: `unknown row type ${type.slice(0, 20)}, expected ${version < "2.0" ? "Rx or Tx" : "DT, FD, FB, FE, BI or RR"}` };
  if (known === "status") return "nothing";
  if (columns.includes("B") && !DIGITS.test(bus)) return { problem: `expected the number of a bus, got "${bus.slice(0, 20)}"` };
  const index = context.busOf(columns.includes("B") ? bus : "");
  if (index === undefined) return TOO_MANY_BUSES;
  if (known === "error") return parseError(tokens, { ...context, timeS, bus: index, idText }, batch);

  const lengthText = cell("l") || cell("L");
  if (!HEX.test(idText) || !DIGITS.test(lengthText)) return expected;
  if (idText.length !== 4 && idText.length !== 8) return { problem: `the id has ${String(idText.length)} digits, expected 4 or 8` };
  const id = Number.parseInt(idText, 16);
  if (id > (idText.length === 4 ? 0x7ff : ID_MASK)) return { problem: `id ${idText} has more than ${idText.length === 4 ? "11" : "29"} bits` };
  const flags = typeof known === "number" ? known : 0;
  const isFd = (flags & fd) !== 0;
  const said = Number(lengthText);
  if (said > (columns.includes("l") ? 64 : 15)) return { problem: `length ${lengthText.slice(0, 20)} of a ${isFd ? "CAN FD" : "classic"} frame` };
  const dlc = columns.includes("l") ? rawDlc(said) : said;
  const isRemote = known === "remote" || (version < "2.0" && data.length === 1 && data[0] === "RTR");
  if (isRemote) data = [];
  if (!data.every((byte) => BYTE.test(byte))) return { problem: "expected data as pairs of hex digits, or RTR" };
  const length = columns.includes("l") && isFd ? said : lengthOfDlc(dlc, isFd);
  if (!isRemote && data.length !== length) return { problem: `${String(data.length)} data bytes where a frame of length ${lengthText} has ${String(length)}` };

  const direction = version >= "2.0" ? cell("d") : type;
  const base = appendRecorded(batch, {
    canId: id + (idText.length === 8 ? EXTENDED_FRAME : 0) + (isRemote ? REMOTE_REQUEST : 0),
    timeS,
    bus: index,
    line,
    dlc,
    length,
    flags: flags | directionFlag(direction),
  });
  data.forEach((byte, at) => (batch.data[base + at] = Number.parseInt(byte, 16)));
  return "frame";
}

/** Version 1.0 tells none. */
function directionFlag(direction: string): number {
  return /^tx$/i.test(direction) ? sentByUs : /^rx$/i.test(direction) ? received : 0;
}

/** Before 2.0 the kind of error stands in the id, and four bytes follow: direction (1: while receiving), place in the frame, error counters of reception and of sending. 2.x has the kind before them. */
function parseError(tokens: readonly string[], row: RowContext & { readonly timeS: number; readonly bus: number; readonly idText: string }, batch: FrameBatch): LineOutcome {
  const isNew = row.version >= "2.0";
  const bytes = tokens.slice(isNew ? -5 : -4);
  if (bytes.length < (isNew ? 5 : 4) || !bytes.every((byte) => BYTE.test(byte)) || (!isNew && !HEX.test(row.idText)))
    return { problem: `expected ${isNew ? "5" : "4"} bytes of an error frame as pairs of hex digits` };
  const [kind = 0, direction = 0, place = 0, receiving = 0, sending = 0] = [...(isNew ? [] : [row.idText]), ...bytes].map((byte) => Number.parseInt(byte, 16));
  appendBusError(
    batch,
    { timeS: row.timeS, bus: row.bus, line: row.line, flags: directionFlag(tokens.find((token) => /^[RT]x$/.test(token)) ?? "") },
    { kind: kind & 7, isSending: direction === 0, place, counters: [sending, receiving] },
  );
  return "frame";
}
