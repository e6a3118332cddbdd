// DBC file → database. Tolerant unless told otherwise: real files are broken in a dozen known ways (research/can-stack.md 1.1), and each gets a diagnostic with its position instead of
// a refusal. Work and memory grow with the file's size, which is bounded.

import { DroverError } from "../../../runtime/ports/index.ts";
import { type Database, formatPosition } from "../model/index.ts";
import { DiagnosticLog } from "./diagnostics.ts";
import { resolveDatabase } from "./resolve.ts";
import { readStatements } from "./statements.ts";
import { decodeText } from "./text.ts";

/** The largest DBC file known to us has 7.3 MB. */
const MAX_BYTES = 16 * 1024 * 1024;

export interface DbcOptions {
  /** Name for positions. */
  readonly file?: string;
  /** Refuse the file at its first error. Default false. */
  readonly strict?: boolean;
}

/**
 * @param source the file's bytes (UTF-8 with or without byte order mark, else Windows-1252), or its text
 * @throws DROVER_DBC_INVALID with the position: no message can be read at all or matched with a frame for its errors, the file is too large, or an error in strict mode
 */
export function parseDbc(source: Uint8Array | string, options: DbcOptions = {}): Database {
  const log = new DiagnosticLog(options.file);
  const size = source.length;
  if (size > MAX_BYTES) throw unusable(log, { line: 1, column: 1 }, `the file has ${String(size)} bytes, at most ${String(MAX_BYTES)} are read`);
  const syntax = readStatements(typeof source === "string" ? source : decodeText(source), log);
  if (syntax.messages.length === 0) {
    const { firstError } = log;
    if (firstError !== undefined || syntax.statements === 0) {
      throw unusable(log, firstError?.position ?? syntax.end, `no message (BO_ id name: length sender) can be read from this file: ${firstError?.message ?? "it is empty"}`);
    }
    log.add("warning", "the file has no message", syntax.end);
  }
  const database = resolveDatabase(syntax, log, { file: options.file, strict: options.strict ?? false });
  const { firstError } = log;
  if (options.strict === true && firstError !== undefined) throw unusable(log, firstError.position, firstError.message);
  if (firstError !== undefined && database.messages.length > 0 && database.messages.every(({ matchable }) => !matchable))
    throw unusable(log, firstError.position, `no message of this file can be matched with a frame: ${firstError.message}`);
  return database;
}

function unusable(log: DiagnosticLog, at: { readonly line: number; readonly column: number }, message: string): DroverError {
  const position = log.position(at);
  return new DroverError("DROVER_DBC_INVALID", `${formatPosition(position)}: ${message}`, { position });
}
