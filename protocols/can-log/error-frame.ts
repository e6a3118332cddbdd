// An error on the bus as the kernel tells it (linux/can/error.h): an error frame of 8 bytes whose id holds the classes.
//
//   id       bit 29 error frame, 7 bus error; with details also 3 protocol violation, 9 counters are there
//   data[2]  kind of violation: bit 0 single bit, 1 form, 2 stuff, 7 while sending
//   data[3]  place in the frame where it was seen, as the SJA1000 numbers them
//   data[6]  error counter of sending, data[7] of receiving

import { ERROR_FRAME, type FrameBatch } from "../can/index.ts";
import { appendRecorded, type RecordedFrame } from "./recorded-frame.ts";

const BUS_ERROR = 0x80;
const PROTOCOL_VIOLATION = 0x08;
const COUNTERS = 0x200;
const WHILE_SENDING = 0x80;
const ERROR_BYTES = 8;

export interface BusErrorDetail {
  /** Bits: 1 single bit, 2 form, 4 stuff; 0 something else. */
  readonly kind: number;
  readonly isSending: boolean;
  /** 0 to 31. */
  readonly place: number;
  /** Of sending and of receiving. */
  readonly counters: readonly [sending: number, receiving: number];
}

/** @param detail where the format tells it */
export function appendBusError(batch: FrameBatch, frame: Pick<RecordedFrame, "timeS" | "bus" | "line" | "flags">, detail?: BusErrorDetail): void {
  const classes = BUS_ERROR | (detail === undefined ? 0 : PROTOCOL_VIOLATION | COUNTERS);
  const base = appendRecorded(batch, { ...frame, canId: ERROR_FRAME + classes, dlc: ERROR_BYTES, length: ERROR_BYTES });
  if (detail === undefined) return;
  batch.data[base + 2] = detail.kind | (detail.isSending ? WHILE_SENDING : 0);
  batch.data[base + 3] = detail.place;
  [batch.data[base + 6], batch.data[base + 7]] = detail.counters;
}
