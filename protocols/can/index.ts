// The pure CAN room: frames, DBC, codec, signals, watches. No I/O, no clock; actors and sibling protocols may import it.

export type { AttributeValue, ByteOrder, CanMessage, CanSignal, Database, Diagnostic, IdKind, MuxCondition, MuxRange, RawType } from "./database.ts";
export { findMessage, findSignal, formatPosition, isFloat, widestMessage, wholeScaleOf } from "./database.ts";
export { type Columns, createColumns, createDecoder, type Decoder, type DecoderOptions } from "./decoder.ts";
export { type DbcOptions, parseDbc } from "./dbc-reader.ts";
export {
  appendFrame,
  type CanFrame,
  canIdOf,
  copySlot,
  createFrameBatch,
  ERROR_FRAME,
  EXTENDED_FRAME,
  fdLength,
  type FrameBatch,
  FrameFlag,
  frameAt,
  frameProblem,
  ID_MASK,
  rawDlc,
  REMOTE_REQUEST,
  SLOT_BYTES,
} from "./frame.ts";
export type { BusState, FrameCounters, FrameListener, FrameSink, FrameSource, SendOutcome } from "./frame-source.ts";
export { needsExactIntegers, readRawExact, scale, type SignalReader, signalReader } from "./interpreter.ts";
export { type J1939Id, parseJ1939Id, pgnOf } from "./j1939.ts";
export { createMatcher, isReachable, type Matcher, type MatchRule } from "./matcher.ts";
export { type RowDecoder, wholeFromBytes } from "./row-decoder.ts";
export { notAvailableFrom, type NotAvailableRule } from "./not-available.ts";
export { applyOverlay, type OverlayEntry, type OverlayOutcome, type OverlayProblem } from "./overlay.ts";
export { messagePeriodMs, PeriodLearner, silentAfterMs } from "./periods.ts";
export { createListening, type Listening } from "./listening.ts";
export { createPresenceTracker, type PresenceTracker, type Talker, type TalkerState } from "./presence.ts";
export { createSignalTable, type SampleListener, type SignalTable, type TableBus } from "./signal-table.ts";
export { formatSource, type SignalQuality, type SignalReading, type SignalSource, type VehicleSignal } from "./vehicle-signal.ts";
export { createWatches, DEFAULT_AT_MOST_MS, type WatchDefinition, type WatchEvent, type Watches, type Zone } from "./watches.ts";
export { encodeFrame, type EncodeOptions, type EncodeOutcome, type EncodeProblem, type EncodeValues, roundHalfEven } from "./encoder.ts";
export { createObjectDecoder, type DecodedObject, type ObjectDecoder } from "./object-decoder.ts";
