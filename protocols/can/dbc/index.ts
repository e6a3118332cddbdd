// DBC files: text → tokens → statements → references → database.

export { DBC_CODES, type DbcCode } from "./diagnostics.ts";
export { type DbcOptions, type DbcReading, parseDbc, readDbc } from "./reader.ts";
