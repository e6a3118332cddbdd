// DBC files: text → tokens → statements → references → database.

export { type DbcOptions, parseDbc } from "./reader.ts";
