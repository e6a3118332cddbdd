// What a format knows of a frame, put into a batch.

import { type FrameBatch, SLOT_BYTES } from "../can/index.ts";

/** No clock shows a later time (the year 5138): what reads so is damage, and would be neither a number of JSON nor one that a replay could wait for. */
const MAX_TIME_S = 1e11;

/** Why a frame cannot have this time, or undefined. */
export function timeProblem(timeS: number): { readonly problem: string } | undefined {
  return Math.abs(timeS) <= MAX_TIME_S ? undefined : { problem: "the time is beyond every clock" };
}

export interface RecordedFrame {
  /** The kernel's can_id: with the bits for extended, remote and error frames. */
  readonly canId: number;
  readonly timeS: number;
  readonly bus: number;
  readonly line: number;
  /** Raw data length code, 0 to 15. */
  readonly dlc: number;
  /** Payload bytes; of a remote request what it asks for. */
  readonly length: number;
  readonly flags: number;
}

/** Appends it, its payload still zero, and returns where in `batch.data` that goes. The batch has room. */
export function appendRecorded(batch: FrameBatch, frame: RecordedFrame): number {
  const slot = batch.count;
  const base = slot * SLOT_BYTES;
  batch.data.fill(0, base, base + SLOT_BYTES);
  batch.ids[slot] = frame.canId;
  batch.timesS[slot] = frame.timeS;
  batch.lengths[slot] = frame.length;
  batch.flags[slot] = frame.flags;
  batch.dlcs[slot] = frame.dlc;
  batch.buses[slot] = frame.bus;
  batch.lines[slot] = frame.line;
  batch.count = slot + 1;
  return base;
}
