// Frames in batches, and the ports of their sources and sinks.

export type { BusState, FrameCounters, FrameListener, FrameSink, FrameSource, SendOutcome } from "./frame-source.ts";
export {
  appendFrame,
  type CanFrame,
  canIdOf,
  copySlot,
  createFrameBatch,
  ERROR_FRAME,
  EXTENDED_FRAME,
  fdLength,
  frameAt,
  type FrameBatch,
  FrameFlag,
  frameProblem,
  ID_MASK,
  lengthOfDlc,
  rawDlc,
  REMOTE_REQUEST,
  SLOT_BYTES,
} from "./frame.ts";
