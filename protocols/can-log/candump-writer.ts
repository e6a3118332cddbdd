// Frames as lines of `candump -L`, which the reader of that format reads back equal, and can-utils play.
//
// W1. Classic, CAN FD, remote requests, error frames and raw data length codes are all told. Times are told to the microsecond.
// W2. The direction is told only on request, as candump tells it only with -x: not every tool reads it.
// W3. Blanks in the name of a bus, which end it in this format, become underscores.

import { ERROR_FRAME, EXTENDED_FRAME, type FrameBatch, FrameFlag, ID_MASK, REMOTE_REQUEST, SLOT_BYTES } from "../can/index.ts";

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0").toUpperCase());
/** Up to here a time in microseconds is an exact double, and so is what it is made of. */
const MAX_EXACT_MICROS = 2 ** 51;

export interface CandumpWriterOptions {
  /** R or T behind each frame whose direction is known. Default false. */
  readonly directions?: boolean;
}

export interface CandumpWriter {
  /** The line of one slot, with its end. @param buses by the index in the batch */
  readonly line: (batch: FrameBatch, slot: number, buses: readonly string[]) => string;
}

export function createCandumpWriter({ directions = false }: CandumpWriterOptions = {}): CandumpWriter {
  const names: string[] = [];
  const nameOf = (index: number, buses: readonly string[]): string => (names[index] ??= (buses[index] ?? "").replace(/[\s\0]/g, "_") || "can0");
  return {
    line: (batch, slot, buses) => {
      const flags = batch.flags[slot] ?? 0;
      const direction = directions ? directionOf(flags) : "";
      return `(${timeOf(batch.timesS[slot] ?? 0)}) ${nameOf(batch.buses[slot] ?? 0, buses)} ${frameOf(batch, slot, flags)}${direction}\n`;
    },
  };
}

function frameOf(batch: FrameBatch, slot: number, flags: number): string {
  const canId = batch.ids[slot] ?? 0;
  const length = batch.lengths[slot] ?? 0;
  const isFd = (flags & FrameFlag.fd) !== 0;
  const isLong = canId >= EXTENDED_FRAME || (canId & ERROR_FRAME) !== 0;
  const id = (canId & (ID_MASK | ERROR_FRAME))
    .toString(16)
    .toUpperCase()
    .padStart(isLong ? 8 : 3, "0");
  const dlc = batch.dlcs[slot] ?? 0;
  const rawDlc = !isFd && length === 8 && dlc > 8 ? `_${dlc.toString(16).toUpperCase()}` : "";
  if ((canId & REMOTE_REQUEST) !== 0) return `${id}#R${length === 0 ? "" : String(length)}${rawDlc}`;
  let data = "";
  const start = slot * SLOT_BYTES;
  for (let at = start; at < start + length; at++) data += HEX[batch.data[at] ?? 0] ?? "";
  return isFd ? `${id}##${String(flags & (FrameFlag.bitRateSwitch | FrameFlag.errorState))}${data}` : `${id}#${data}${rawDlc}`;
}

/** Seconds with six decimals. */
function timeOf(timeS: number): string {
  const micros = Math.round(Math.abs(timeS) * 1e6);
  if (micros >= MAX_EXACT_MICROS) return timeS.toFixed(6);
  const seconds = Math.floor(micros / 1e6);
  return `${timeS < 0 && micros > 0 ? "-" : ""}${String(seconds)}.${String(micros - seconds * 1e6).padStart(6, "0")}`;
}

function directionOf(flags: number): string {
  return (flags & FrameFlag.sentByUs) !== 0 ? " T" : (flags & FrameFlag.received) !== 0 ? " R" : "";
}
