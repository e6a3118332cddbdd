// SQLite in the shape of node:sqlite, whichever library provides it (research/ecosystem.md section 4.1): Node's own from 22.13 on, @photostructure/sqlite before.
// The bind guard stands here for both: libraries differ in what they do with NaN, undefined or a Date, from storing NULL to ending the process.

import { DroverError } from "../../runtime/ports/index.ts";

export type SqlValue = number | bigint | string | Uint8Array | null;
export type SqlRow = Readonly<Record<string, SqlValue>>;

export interface Statement {
  run(...values: readonly SqlValue[]): { readonly changes: number | bigint };
  get(...values: readonly SqlValue[]): SqlRow | undefined;
  all(...values: readonly SqlValue[]): readonly SqlRow[];
}

export interface Database {
  exec(sql: string): void;
  /**
   * The first column of every row of `expression … FROM …`, without a prepared statement: @photostructure/sqlite cannot close a connection, and give back its locks,
   * while one lives. What is opened to look, and closed again, asks this way.
   */
  ask(expression: string, from: string): readonly SqlValue[];
  /** As `ask`, for several columns, row by row. `take` must not use the connection. @throws also RangeError, for a whole number that is none of JavaScript's */
  each(expressions: readonly string[], from: string, take: (values: readonly SqlValue[]) => void): void;
  prepare(sql: string): Statement;
  close(): void;
}

export interface OpenOptions {
  readonly readOnly?: boolean;
  /** How long a call waits for another process's lock, ms. */
  readonly busyTimeoutMs: number;
}

export interface Driver {
  readonly name: string;
  open(path: string, options: OpenOptions): Database;
}

interface ForeignDatabase {
  exec(sql: string): void;
  prepare(sql: string): Statement;
  function(name: string, options: { readonly varargs: true }, run: (...values: readonly SqlValue[]) => null): void;
  close(): void;
}

interface ForeignModule {
  readonly DatabaseSync: new (path: string, options: { readonly readOnly?: boolean; readonly timeout?: number }) => ForeignDatabase;
}

/** @throws DROVER_STORE_FAILED when neither library loads */
export async function loadDriver(nodeVersion: string = process.versions.node): Promise<Driver> {
  const [major = 0, minor = 0] = nodeVersion.split(".").map(Number);
  const names = major > 22 || (major === 22 && minor >= 13) ? ["node:sqlite", "@photostructure/sqlite"] : ["@photostructure/sqlite"];
  const failures: unknown[] = [];
  for (const name of names) {
    try {
      return driverOf(name, (await import(name)) as ForeignModule);
    } catch (cause) {
      failures.push(cause);
    }
  }
  throw new DroverError("DROVER_STORE_FAILED", `no SQLite library could be loaded (tried ${names.join(", ")})`, { cause: new AggregateError(failures) });
}

function driverOf(name: string, module: ForeignModule): Driver {
  return {
    name,
    open: (path, { readOnly, busyTimeoutMs }) => {
      const database = new module.DatabaseSync(path, readOnly === true ? { readOnly, timeout: busyTimeoutMs } : { timeout: busyTimeoutMs });
      let tell: (values: readonly SqlValue[]) => void = () => undefined;
      database.function("drover_tell", { varargs: true }, (...values) => {
        tell(values);
        return null;
      });
      const each: Database["each"] = (expressions, from, take) => {
        tell = take;
        database.exec(`SELECT drover_tell(${expressions.join(", ")}) FROM ${from}`);
      };
      return {
        each,
        exec: (sql) => {
          database.exec(sql);
        },
        ask: (expression, from) => {
          const told: SqlValue[] = [];
          each([expression], from, ([value = null]) => told.push(value));
          return told;
        },
        prepare: (sql) => guarded(database.prepare(sql)),
        close: () => {
          database.close();
        },
      };
    },
  };
}

function guarded(statement: Statement): Statement {
  return {
    run: (...values) => statement.run(...checked(values)),
    get: (...values) => statement.get(...checked(values)),
    all: (...values) => statement.all(...checked(values)),
  };
}

function checked(values: readonly SqlValue[]): readonly SqlValue[] {
  for (const [index, value] of values.entries()) {
    const problem = bindProblem(value);
    if (problem !== undefined) throw new TypeError(`parameter ${String(index + 1)} cannot be bound: ${problem}`);
  }
  return values;
}

/** Why a value cannot be bound, or undefined. */
export function bindProblem(value: unknown): string | undefined {
  if (value === null || value instanceof Uint8Array) return undefined;
  if (typeof value === "number") return Number.isNaN(value) ? "NaN would be stored as NULL" : undefined;
  if (typeof value === "bigint") return BigInt.asIntN(64, value) === value ? undefined : "the bigint has more than 64 bits";
  if (typeof value === "string") return /\p{Surrogate}/u.test(value) ? "the text has half a surrogate pair" : undefined;
  return `a ${value === undefined ? "value that is undefined" : typeof value} is no SQL value`;
}

/** SQLite's primary result code of an error, or undefined when SQLite did not throw it. */
export function resultCodeOf(error: unknown): number | undefined {
  const code = (error as { readonly errcode?: unknown } | null | undefined)?.errcode;
  return typeof code === "number" ? code & 0xff : undefined;
}

/** https://sqlite.org/rescode.html, the ones that are told apart. */
export const SQLITE_ERROR = 1;
export const SQLITE_BUSY = 5;
export const SQLITE_IOERR = 10;
const SQLITE_CORRUPT = 11;
export const SQLITE_FULL = 13;
export const SQLITE_CANTOPEN = 14;
export const SQLITE_TOOBIG = 18;
export const SQLITE_CONSTRAINT = 19;
export const SQLITE_MISMATCH = 20;
const SQLITE_NOTADB = 26;

const SQLITE_IOERR_FSYNC = SQLITE_IOERR | (4 << 8);
const SQLITE_IOERR_DIR_FSYNC = SQLITE_IOERR | (5 << 8);

/** SQLite's errors that speak of the disk or the contents, and not of a call: internal, permission, memory, read-only, input and output, damage, cannot open, protocol, not a database. */
const FAILURES: readonly number[] = [2, 3, 7, 8, 10, 11, 14, 15, 26];

/** After it the connection is not used again. */
export function isFailure(error: unknown): boolean {
  return FAILURES.includes(resultCodeOf(error) ?? -1);
}

/** A flush failed: of what was written since the last one, nobody knows what the disk holds (rules L3). https://sqlite.org/rescode.html#ioerr_fsync and #ioerr_dir_fsync */
export function isFlushFailure(error: unknown): boolean {
  const { errcode, cause } = (error ?? {}) as { readonly errcode?: unknown; readonly cause?: unknown };
  return errcode === SQLITE_IOERR_FSYNC || errcode === SQLITE_IOERR_DIR_FSYNC || (cause !== undefined && isFlushFailure(cause));
}

/** That of a file which SQLite does not know. */
export function flushFailure(path: string, cause: unknown): Error {
  return Object.assign(new Error(`${path} could not be flushed: ${(cause as Error).message}`, { cause }), { errcode: SQLITE_IOERR_FSYNC });
}

/** The file does not hold what SQLite wrote. */
export function isDamage(error: unknown): boolean {
  const code = resultCodeOf(error);
  return code === SQLITE_CORRUPT || code === SQLITE_NOTADB;
}
