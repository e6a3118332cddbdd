// One line of a Vector ASC recording. The header says when it began, in which base its numbers are, and whether times count from the beginning or from the line before:
//
//   date Sat Sep 30 15:06:13.191 2017
//   base hex  timestamps absolute
//   Begin Triggerblock Sat Sep 30 15:06:13.191 2017              the times behind it count from here
//     0.015991 1  6F9         Rx   d 8 05 0C 00 00 00 00 00 00  Length = 240015 …
//     time     channel id      dir  d dlc data, or r [dlc], then what nobody needs; an id with x is extended
//     2.501000 1 ErrorFrame
//    30.005071 CANFD   2 Rx   300  Name_12   1   0   8 8 01 02 03 04 05 06 07 08  102203 133 303000 …
//     time              channel dir id  name?  brs esi dlc bytes data             duration length flags
//
// What else has a time (statistics, chip states, other buses, markers) is no frame. Channel 2 is `can2`.
// A1. The flags of a CANFD line tell a remote request (0x10) and, where they tell anything, whether it is a CAN FD frame (0x1000): classic frames of such a channel stand in such lines too.
// A2. A line of a classic channel with more than 15 bytes is a CAN FD frame: some writers know only such lines.
// A3. Times that count from the line before count from every line that has one, whatever it is.

import { EXTENDED_FRAME, fdLength, type FrameBatch, FrameFlag, ID_MASK, lengthOfDlc, rawDlc, REMOTE_REQUEST } from "../can/index.ts";
import { ascDateS } from "./asc-date.ts";
import { createNumberedBuses, TOO_MANY_BUSES } from "./bus-index.ts";
import { appendBusError } from "./error-frame.ts";
import type { LineOutcome, LineParser } from "./line-parser.ts";
import { appendRecorded, timeProblem } from "./recorded-frame.ts";
import { recordedText } from "./recorded-text.ts";

const TIME = /^-?[0-9]+\.[0-9]+$/;
const CHANNEL = /^[0-9]{1,5}$/;
const ID = /^[0-9A-Fa-f]+[xX]?$/;
const NUMBER = { 16: /^[0-9A-Fa-f]{1,8}$/, 10: /^[0-9]{1,10}$/ } as const;
const BYTE = { 16: /^[0-9A-Fa-f]{1,2}$/, 10: /^[0-9]{1,3}$/ } as const;
const BASE = /^base\s+(hex|dec)(?:\s+timestamps\s+(absolute|relative))?/i;
const BEGIN = /^begin\s+trigger\s?block\s*/i;
/** Lines of the header and between events. */
const AROUND = /^(?:\/\/|(?:no\s+)?internal\s+events\s+logged|end\s+trigger\s?block)/i;
const FLAG_REMOTE = 0x10;
const FLAG_FD = 0x1000;
const NO_DATE: LineOutcome = { problem: "expected a date such as Sat Sep 30 15:06:13.191 2017; the times count from the start that was known before" };
const ENDS_EARLY: LineOutcome = { problem: "the line ends before it says what it is" };
const BAD_DATA: LineOutcome = { problem: "expected as many data bytes as the line says" };

interface Measurement {
  base: 16 | 10;
  isRelative: boolean;
  startS: number;
  /** Of the line before, from the start. */
  offsetS: number;
}

interface Event {
  readonly timeS: number;
  readonly line: number;
  readonly base: 16 | 10;
  readonly busOf: (channel: number) => number | undefined;
}

/** @param buses receives the names of its channels */
export function ascParser(buses: string[]): LineParser {
  const state: Measurement = { base: 16, isRelative: false, startS: 0, offsetS: 0 };
  const busOf = createNumberedBuses(buses);
  return {
    format: "asc",
    namesBuses: true,
    parse: (bytes, start, end, line, batch) => {
      const text = recordedText(bytes.subarray(start, end)).trim();
      if (text === "") return "nothing";
      const tokens = text.split(/\s+/);
      if (!TIME.test(tokens[0] ?? "")) return readAround(text, state);
      const offsetS = Number(tokens[0]) + (state.isRelative ? state.offsetS : 0);
      const timeS = state.startS + offsetS;
      const noTime = timeProblem(timeS);
      if (noTime !== undefined) return noTime;
      state.offsetS = offsetS;
      return parseEvent(tokens, { timeS, line, base: state.base, busOf }, batch);
    },
  };
}

function readAround(text: string, state: Measurement): LineOutcome {
  if (AROUND.test(text)) return "nothing";
  const [, base, timestamps] = BASE.exec(text) ?? [];
  if (base !== undefined) {
    state.base = base.toLowerCase() === "dec" ? 10 : 16;
    state.isRelative = timestamps?.toLowerCase() === "relative";
    return "nothing";
  }
  if (/^begin\s+trigger\s?block$/i.test(text)) return "nothing";
  const date = /^date\s+/i.test(text) ? text.replace(/^date\s+/i, "") : BEGIN.test(text) ? text.replace(BEGIN, "") : undefined;
  if (date === undefined) return { problem: "expected an event: time channel id Rx or Tx d length data" };
  const startS = ascDateS(date);
  if (startS === undefined) return NO_DATE;
  state.startS = startS;
  state.offsetS = 0;
  return "nothing";
}

function parseEvent(tokens: readonly string[], event: Event, batch: FrameBatch): LineOutcome {
  const [, second = "", third = "", fourth = ""] = tokens;
  if (third === "" && (second === "" || CHANNEL.test(second) || "CANFD".startsWith(second.toUpperCase()))) return ENDS_EARLY;
  if (second.toUpperCase() === "CANFD") return parseFd(tokens.slice(2), event, batch);
  if (!CHANNEL.test(second)) return "nothing";
  if (third.toLowerCase() === "errorframe") return parseError(second, "", event, batch);
  if (!ID.test(third)) return "nothing";
  // A request to send is followed by the frame that was sent.
  if (/^txrq$/i.test(fourth)) return "nothing";
  if (!/^[rt]x$/i.test(fourth)) return fourth === "" ? ENDS_EARLY : "nothing";
  return parseClassic(second, third, fourth, tokens.slice(4), event, batch);
}

function parseError(channel: string, direction: string, { timeS, line, busOf }: Event, batch: FrameBatch): LineOutcome {
  const bus = busOf(Number(channel));
  if (bus === undefined) return TOO_MANY_BUSES;
  appendBusError(batch, { timeS, line, bus, flags: directionFlag(direction) });
  return "frame";
}

function parseClassic(channel: string, idText: string, direction: string, [kind = "", dlcText, ...rest]: readonly string[], event: Event, batch: FrameBatch): LineOutcome {
  const isRemote = kind.toLowerCase() === "r";
  if (!isRemote && kind.toLowerCase() !== "d") return { problem: `expected d or r behind the direction, got "${kind.slice(0, 20)}"` };
  const said = dlcText !== undefined && NUMBER[event.base].test(dlcText) ? Number.parseInt(dlcText, event.base) : undefined;
  if (said === undefined && !isRemote) return { problem: "expected a length behind d" };
  const dlc = said ?? 0;
  if (dlc > 15) {
    if (isRemote || fdLength(dlc) !== dlc) return { problem: `length ${String(dlc)} of a classic frame` };
    return append({ channel, idText, direction, isRemote, dlc: rawDlc(dlc), length: dlc, data: rest, flags: FrameFlag.fd }, event, batch);
  }
  return append({ channel, idText, direction, isRemote, dlc, length: lengthOfDlc(dlc, false), data: rest, flags: 0 }, event, batch);
}

/** @param tokens from the channel on */
function parseFd([channel = "", direction = "", idText = "", ...rest]: readonly string[], event: Event, batch: FrameBatch): LineOutcome {
  if (/^txrq$/i.test(direction)) return "nothing";
  if (!CHANNEL.test(channel) || !/^[rt]x$/i.test(direction)) return { problem: "expected a channel and Rx or Tx behind CANFD" };
  if (idText.toLowerCase() === "errorframe") return parseError(channel, direction, event, batch);
  if (!ID.test(idText)) return { problem: "expected an id behind the direction" };
  const [brs = "", esi = "", dlcText = "", lengthText = "", ...data] = /^[01]$/.test(rest[0] ?? "") ? rest : rest.slice(1);
  const dlc = NUMBER[event.base].test(dlcText) ? Number.parseInt(dlcText, event.base) : 16;
  const length = CHANNEL.test(lengthText) ? Number(lengthText) : 65;
  if (!/^[01]$/.test(brs) || !/^[01]$/.test(esi) || dlc > 15 || length > 64) return { problem: "expected bit rate switch, error state, length code and length behind the id" };
  // Duration and length of the frame stand between its data and its flags.
  const flags = /^[0-9A-Fa-f]{1,8}$/.test(data[length + 2] ?? "") ? Number.parseInt(data[length + 2] ?? "", 16) : 0;
  const isRemote = (flags & FLAG_REMOTE) !== 0 || (length === 0 && dlc > 0);
  const isFd = !isRemote && ((flags & FLAG_FD) !== 0 || flags === 0 || length > 8 || brs === "1" || esi === "1");
  const fdFlags = isFd ? FrameFlag.fd | (brs === "1" ? FrameFlag.bitRateSwitch : 0) | (esi === "1" ? FrameFlag.errorState : 0) : 0;
  return append(
    { channel, idText, direction, isRemote, dlc: isFd ? rawDlc(length) : dlc, length: isRemote ? lengthOfDlc(dlc, false) : length, data, flags: fdFlags },
    event,
    batch,
  );
}

interface Written {
  readonly channel: string;
  readonly idText: string;
  readonly direction: string;
  readonly isRemote: boolean;
  readonly dlc: number;
  readonly length: number;
  /** From the first data byte on; more may stand behind the last. */
  readonly data: readonly string[];
  readonly flags: number;
}

function append({ channel, idText, direction, isRemote, dlc, length, data, flags }: Written, { base, busOf, timeS, line }: Event, batch: FrameBatch): LineOutcome {
  const isExtended = /x$/i.test(idText);
  const digits = isExtended ? idText.slice(0, -1) : idText;
  const id = NUMBER[base].test(digits) ? Number.parseInt(digits, base) : Number.NaN;
  if (!(id <= (isExtended ? ID_MASK : 0x7ff))) return { problem: `id ${idText.slice(0, 20)} is no number of ${isExtended ? "29" : "11"} bits in base ${String(base)}` };
  const bytes = isRemote ? [] : data.slice(0, length);
  if (!isRemote && (bytes.length !== length || !bytes.every((byte) => BYTE[base].test(byte) && Number.parseInt(byte, base) <= 255))) return BAD_DATA;
  const bus = busOf(Number(channel));
  if (bus === undefined) return TOO_MANY_BUSES;
  const canId = id + (isExtended ? EXTENDED_FRAME : 0) + (isRemote ? REMOTE_REQUEST : 0);
  const at = appendRecorded(batch, { canId, timeS, bus, line, dlc, length, flags: flags | directionFlag(direction) });
  bytes.forEach((byte, index) => (batch.data[at + index] = Number.parseInt(byte, base)));
  return "frame";
}

function directionFlag(direction: string): number {
  return direction === "" ? 0 : /^t/i.test(direction) ? FrameFlag.sentByUs : FrameFlag.received;
}
