// The pure CAN room: frames, DBC, codec, signals, watches. No I/O, no clock; actors and sibling protocols may import it.

export type { AttributeValue, ByteOrder, CanMessage, CanSignal, Database, Diagnostic, IdKind, MuxCondition, MuxRange, RawType } from "./database.ts";
export { findMessage, findSignal, formatPosition, isFloat, scalesByIntegers } from "./database.ts";
export { type DbcOptions, parseDbc } from "./dbc-reader.ts";
