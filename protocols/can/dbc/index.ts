// DBC files: text → tokens → statements → references → database, and back.

export { DBC_CODES, type DbcCode } from "./diagnostics.ts";
export { type DbcOptions, type DbcReading, parseDbc, readDbc } from "./reader.ts";
export { type DbcWriteOptions, type DbcWriting, writeDbc } from "./writer.ts";
