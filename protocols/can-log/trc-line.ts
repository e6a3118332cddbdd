// One line of a PEAK TRC 1.1 recording. Lines that open with `;` are comments; `;$STARTTIME=` counts days since 1899-12-30 and places the offsets (ms) in time.
//
//        1)        16.0  Rx         0260  8  00 00 00 00 00 00 00 6A
//   number) offset in ms  type       id   length  data, or RTR         4 digits: standard id, 8: extended

import { EXTENDED_FRAME, FrameFlag, type FrameBatch, ID_MASK, REMOTE_REQUEST, SLOT_BYTES } from "../can/index.ts";
import { type LineOutcome, type LineParser, timeProblem } from "./line-parser.ts";

const NUMBER = /^[0-9]+\)$/;
const OFFSET = /^[0-9]+(?:\.[0-9]+)?$/;
const TYPE = /^[A-Za-z]+$/;
const HEX = /^[0-9A-Fa-f]+$/;
const LENGTH = /^[0-9]+$/;
const BYTE = /^[0-9A-Fa-f]{2}$/;
const START = ";$STARTTIME=";
/** Days from 1899-12-30 to 1970-01-01. */
const EPOCH_DAYS = 25_569;
const MS_PER_DAY = 86_400_000;
/** Rows that report the state of the controller, not a frame. */
const STATUS_TYPES = new Set(["warng", "error"]);

/** @param addBus tells the recording's one bus, once a frame is there; the format has no names */
export function trcParser(addBus: () => number): LineParser {
  let startMs = 0;
  return {
    format: "trc",
    parse: (bytes, start, end, line, batch) => {
      const text = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString("latin1");
      if (text.trim() === "") return "nothing";
      if (text.startsWith(";")) {
        if (!text.startsWith(START)) return "nothing";
        const days = text.slice(START.length).trim();
        if (!OFFSET.test(days))
          return { problem: `expected the days since 1899-12-30 as ${START}45678.5, got "${days.slice(0, 20)}"; the times count from the start that was known before` };
        const readMs = (Number(days) - EPOCH_DAYS) * MS_PER_DAY;
        const noTime = timeProblem(readMs / 1_000);
        if (noTime === undefined) startMs = readMs;
        return noTime ?? "nothing";
      }
      return parseRow(text, line, batch, startMs, addBus);
    },
  };
}

function parseRow(text: string, line: number, batch: FrameBatch, startMs: number, addBus: () => number): LineOutcome {
  const [number = "", offset = "", type = "", idText = "", lengthText = "", ...data] = text.trim().split(/\s+/);
  if (!NUMBER.test(number) || !OFFSET.test(offset) || !TYPE.test(type) || !HEX.test(idText) || !LENGTH.test(lengthText))
    return { problem: "expected a row: number) offset type id length data" };
  if (STATUS_TYPES.has(type.toLowerCase())) return "nothing";
  if (type !== "Rx" && type !== "Tx") return { problem: `unknown row type ${type.slice(0, 20)}, expected Rx or Tx` };
  if (idText.length !== 4 && idText.length !== 8) return { problem: `the id has ${String(idText.length)} digits, expected 4 or 8` };
  const id = Number.parseInt(idText, 16);
  if (id > (idText.length === 4 ? 0x7ff : ID_MASK)) return { problem: `id ${idText} has more than ${idText.length === 4 ? "11" : "29"} bits` };
  const dlc = Number(lengthText);
  if (dlc > 15) return { problem: `length ${lengthText.slice(0, 20)} of a classic frame` };
  const remote = data.length === 1 && data[0] === "RTR";
  if (!remote && !data.every((byte) => BYTE.test(byte))) return { problem: "expected data as pairs of hex digits, or RTR" };
  const length = Math.min(dlc, 8);
  if (!remote && data.length !== length) return { problem: `${String(data.length)} data bytes where a frame of length ${lengthText} has ${String(length)}` };
  const timeS = (startMs + Number(offset)) / 1_000;
  const noTime = timeProblem(timeS);
  if (noTime !== undefined) return noTime;

  const slot = batch.count;
  const base = slot * SLOT_BYTES;
  batch.data.fill(0, base, base + SLOT_BYTES);
  if (!remote) data.forEach((byte, at) => (batch.data[base + at] = Number.parseInt(byte, 16)));
  batch.ids[slot] = id + (idText.length === 8 ? EXTENDED_FRAME : 0) + (remote ? REMOTE_REQUEST : 0);
  batch.timesS[slot] = timeS;
  batch.lengths[slot] = length;
  batch.flags[slot] = type === "Tx" ? FrameFlag.sentByUs : FrameFlag.received;
  batch.dlcs[slot] = dlc;
  batch.buses[slot] = addBus();
  batch.lines[slot] = line;
  batch.count = slot + 1;
  return "frame";
}
