// DBC file → database. Tolerant unless told otherwise: real files are broken in a dozen known ways (research/can-stack.md 1.1), and each gets a diagnostic with its position instead of
// a refusal. Work and memory grow with the file's size, which is bounded.

import { DroverError, type TextPosition } from "../../../runtime/ports/index.ts";
import { type Database, type Diagnostic, formatPosition } from "../model/index.ts";
import { type DbcCode, DiagnosticLog } from "./diagnostics.ts";
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

export interface DbcReading {
  /** Absent where the file has nothing that could be used. */
  readonly database: Database | undefined;
  /** Why the file is refused, with its place; undefined: it can be used. */
  readonly refusal: { readonly message: string; readonly position: TextPosition } | undefined;
  /** As `Database.diagnostics`. */
  readonly diagnostics: readonly Diagnostic[];
  readonly suppressedDiagnostics: number;
}

/**
 * @param source the file's bytes (UTF-8 with or without byte order mark, else Windows-1252), or its text
 * @throws DROVER_DBC_INVALID with the position: no message can be read at all or matched with a frame for its errors, the file is too large, or an error in strict mode
 */
export function parseDbc(source: Uint8Array | string, options: DbcOptions = {}): Database {
  const { database, refusal } = readDbc(source, options);
  if (database !== undefined && refusal === undefined) return database;
  const { message = "", position = { line: 1, column: 1 } } = refusal ?? {};
  throw new DroverError("DROVER_DBC_INVALID", `${formatPosition(position)}: ${message}`, { position });
}

/** As `parseDbc`, for whoever wants to hear everything about a file that is refused too. */
export function readDbc(source: Uint8Array | string, options: DbcOptions = {}): DbcReading {
  const log = new DiagnosticLog(options.file);
  const size = source.length;
  if (size > MAX_BYTES) return unusable(log, "too-large", `the file has ${String(size)} bytes, at most ${String(MAX_BYTES)} are read`);
  const syntax = readStatements(typeof source === "string" ? source : decodeText(source), log);
  if (syntax.messages.length === 0) {
    if (log.firstError !== undefined || syntax.statements === 0)
      return unusable(log, "no-message", "no message (BO_ id name: length sender) can be read from this file", log.firstError === undefined ? "it is empty" : undefined);
    log.add("warning", "no-message", "the file has no message", syntax.end);
  }
  const database = resolveDatabase(syntax, log, { file: options.file, strict: options.strict ?? false });
  const { firstError } = log;
  if (firstError !== undefined && database.messages.length > 0 && database.messages.every(({ matchable }) => !matchable))
    return { ...unusable(log, "nothing-to-match", "no message of this file can be matched with a frame"), database };
  const refusal = options.strict === true && firstError !== undefined ? { message: firstError.message, position: firstError.position } : undefined;
  return { database, refusal, diagnostics: database.diagnostics, suppressedDiagnostics: database.suppressedDiagnostics };
}

/** Refused for the first error of the file, or for `reason` at its beginning. */
function unusable(log: DiagnosticLog, code: DbcCode, message: string, reason?: string): DbcReading {
  const { firstError } = log;
  const position = firstError?.position ?? log.position({ line: 1, column: 1 });
  const because = reason ?? firstError?.message;
  log.add("error", code, message, position);
  return {
    database: undefined,
    refusal: { message: because === undefined ? message : `${message}: ${because}`, position },
    diagnostics: log.inOrder(),
    suppressedDiagnostics: log.suppressed,
  };
}
