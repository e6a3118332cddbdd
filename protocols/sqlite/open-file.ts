// Opens one of our SQLite files: takes its lock, looks whether it is whole before anything writes to it, moves it aside if not, sets what durability needs, brings
// its schema up to date. The journal and the telemetry log are two such files (rules L1).
//
// O1. A file from a newer version is refused untouched. A file that is someone else's is refused untouched.
// O2. The look is by a connection that only reads, so that a damaged file goes aside as it was found: a writing one would fold the log into it when it closes.
//     Its contents are looked at in the same way, where the file's kind knows how (`Contents`).
// O3. After an unclean stop the log is folded into the file and flushed before anything is acknowledged (rules L3).
// O4. SQLite does not see that its files are removed, and writes on into what nobody will find. Whoever asks (`missing`) has them looked for by name; who lives on what a file held is never given an empty one in its place.

import { existsSync, mkdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { DroverError } from "../../runtime/ports/index.ts";
import { type Database, type Driver, isDamage, resultCodeOf, SQLITE_CANTOPEN, SQLITE_ERROR, SQLITE_FULL, SQLITE_IOERR } from "./driver.ts";
import { lockFile } from "./file-lock.ts";
import { moveAside } from "./move-aside.ts";
import { hasMark, placeMark, readMark, writeMark } from "./store-mark.ts";
import { syncDirectory } from "./sync-directory.ts";
import { inspectWal } from "./wal-inspection.ts";

export interface FileSpec {
  readonly path: string;
  /** What it holds, for messages, e.g. `journal`. */
  readonly noun: string;
  /** SQLite's application_id, so that files of different kinds are not taken for each other. */
  readonly applicationId: number;
  /** One entry per schema version from 1: what leads to it from the one before. Never changed once released, only added to. */
  readonly migrations: readonly string[];
  /** FULL: flushed at every commit. NORMAL: whole after a power cut, but without the last moments. */
  readonly synchronous: "FULL" | "NORMAL";
  /** After an unclean stop a file up to this size is read through, bytes; after a clean one up to `CLEAN_CHECK_BYTES`. */
  readonly checkBytes: number;
  readonly busyTimeoutMs: number;
  /** False: damage is an error. True only where nobody lives on what the file held. */
  readonly mayMoveAside: boolean;
  /** Wall time, ms since 1970. */
  readonly at: number;
  /** Of a file that is made; default 4096. A small one makes small transactions small writes (rules L4). */
  readonly pageBytes?: number;
  /** A bound on the file, for tests of a full disk. */
  readonly maxPages?: number;
}

/** What a kind of file knows of its own contents; SQLite sees damage of its tables, not of the values in them. */
export interface Contents {
  /** SQLite's own look. Only the longer one sees a key that is out of order, behind which rows are hidden. */
  readonly check: "quick_check" | "integrity_check";
  /** A table that only files of this kind have. */
  readonly table: string;
  /** A table that only the present schema version has, or a column of `table`: with it, an older version in the header is damage. */
  readonly newest: { readonly table: string; readonly column: string };
  /** Why the file cannot be served as it is, or undefined. Prepares nothing. */
  readonly problem: (database: Database) => string | undefined;
  /** The newest era that it knows of (store-mark.ts); undefined where files of this kind bear no mark. */
  readonly era: ((database: Database) => number) | undefined;
  /** Whether it was told that a mark stands beside it; undefined as above. */
  readonly isMarked: ((database: Database) => boolean) | undefined;
  /** In the transaction that has brought the schema up to date. */
  readonly migrated: (database: Database) => void;
}

export interface OpenFile {
  readonly database: Database;
  readonly created: boolean;
  readonly movedAside: { readonly path: string; readonly reason: string } | undefined;
  /** The mark that it knows of is gone: it was put back from a copy. Only at the first opening of a process: one that is opened again is what it was. */
  readonly isRestored: boolean;
  /** The last holder did not close it. */
  readonly unclean: boolean;
  /** Remembers, across processes, that the file must be read through at the next start. */
  suspect(): void;
  /** To be told of what was written, after it was answered: folds the log into the file when that has become much. @returns whether it did */
  written(bytes: number): boolean;
  /** Remembers beside the file that the first commit of this era was confirmed. @returns false where that cannot be written @throws a flush failure (rules L3) */
  mark(era: number): boolean;
  /** Puts an empty mark where there is none. @returns whether one stands now, lastingly */
  placeMark(): boolean;
  /** Why the next opening would not find what is written now, or undefined (O4). */
  missing(): string | undefined;
  /** Folds the log into the file. The lock is given back when the thread has ended. */
  close(): void;
}

class Damage extends Error {}

/** No version of Drover will have a higher one: it is the header that is damaged. */
const MAX_VERSION = 1_000;

const GONE_BACK = "its history has gone back: commits that were confirmed are not in it, as when its log is lost or it was put back from a copy";
/** A small file is read through at every start: it costs less than 100 ms. */
const CLEAN_CHECK_BYTES = 16 * 1024 * 1024;
const LOG_KEPT_BYTES = 16 * 1024 * 1024;
/** The log is folded into the file after so many bytes, as near as they can be told, and whenever it is longer than `LOG_KEPT_BYTES`: then what was written is more than was told. Where commits are not
 * flushed, less may be lost with the power. */
const FOLD_AFTER_BYTES: Readonly<Record<FileSpec["synchronous"], number>> = { FULL: 4 * 1024 * 1024, NORMAL: 1024 * 1024 };
/** SQLite folds by itself, in a commit, and keeps silent when the flush of the file fails then (rules L3). */
const SQLITE_FOLDS_NEVER = 0;

/** @throws DROVER_STORE_LOCKED, DROVER_STORE_NEWER, DROVER_STORE_FAILED */
export function openFile(driver: Driver, spec: FileSpec, contents: Contents): OpenFile {
  try {
    if (!spec.mayMoveAside && !existsSync(spec.path)) throw new DroverError("DROVER_STORE_FAILED", `the ${spec.noun} ${spec.path} is gone, with what was committed to it`);
    makeDirectory(dirname(spec.path));
    const lock = lockFile(driver, spec.path, spec.busyTimeoutMs);
    try {
      const opened = openLocked(driver, spec, contents);
      const missing = missingOf(spec.path);
      const logPath = `${spec.path}-wal`;
      let writtenBytes = 0;
      let longest = LOG_KEPT_BYTES;
      const foldAfter = FOLD_AFTER_BYTES[spec.synchronous];
      return {
        ...opened,
        written: (bytes) => {
          writtenBytes += bytes;
          const logBytes = sizeOf(logPath);
          if (writtenBytes < foldAfter && logBytes <= longest) return false;
          writtenBytes = 0;
          const isFolded = foldLog(opened.database, "PASSIVE");
          longest = isFolded ? LOG_KEPT_BYTES : logBytes + foldAfter;
          return isFolded;
        },
        mark: (era) => writeMark(spec.path, era),
        placeMark: () => placeMark(spec.path),
        missing,
        suspect: () => {
          writeFileSync(suspectPath(spec), "", { mode: 0o600 });
          syncDirectory(dirname(spec.path));
        },
        close: () => {
          // Folded here, since the connection itself may end only with its thread (see `Database.ask`); until then the lock stands as well.
          foldLog(opened.database, "TRUNCATE");
          opened.database.close();
          lock.release();
        },
      };
    } catch (error) {
      lock.release();
      throw error;
    }
  } catch (error) {
    if (error instanceof DroverError) throw error;
    throw new DroverError("DROVER_STORE_FAILED", `the ${spec.noun} ${spec.path} could not be opened: ${(error as Error).message}`, { cause: error });
  }
}

function openLocked(driver: Driver, spec: FileSpec, contents: Contents): Pick<OpenFile, "database" | "created" | "movedAside" | "isRestored" | "unclean"> {
  const before = present(spec);
  try {
    if (!before.any && readMark(spec.path) > 0) throw new Damage("the file is gone, although commits were confirmed in it");
    const wasLookedAt = !before.any || look(driver, spec, contents, before);
    const database = prepare(driver, spec, contents, before.unclean, wasLookedAt);
    const isRestored = spec.mayMoveAside && contents.isMarked?.(database) === true && !hasMark(spec.path);
    return { database, created: !before.any, movedAside: undefined, isRestored, unclean: before.unclean };
  } catch (error) {
    if (!(error instanceof Damage) && !isDamage(error)) throw error;
    const reason = (error as Error).message;
    if (!spec.mayMoveAside)
      throw new DroverError("DROVER_STORE_FAILED", `the ${spec.noun} ${spec.path} is damaged: ${reason}; it is moved aside at the next start`, { cause: error });
    const path = moveAside(spec.path, spec.at);
    rmSync(suspectPath(spec), { force: true });
    return { database: prepare(driver, spec, contents, false, true), created: true, movedAside: { path, reason }, isRestored: false, unclean: false };
  }
}

interface Present {
  readonly any: boolean;
  readonly fileBytes: number;
  readonly unclean: boolean;
}

function present(spec: FileSpec): Present {
  const fileBytes = sizeOf(spec.path);
  const walBytes = sizeOf(`${spec.path}-wal`);
  const journalBytes = sizeOf(`${spec.path}-journal`);
  const unclean = walBytes > 0 || journalBytes > 0 || existsSync(suspectPath(spec));
  return { any: fileBytes > 0 || walBytes > 0, fileBytes, unclean };
}

/** @returns false where it cannot be looked at: on a full disk SQLite finds no room for the index that a reading connection needs */
function look(driver: Driver, spec: FileSpec, contents: Contents, before: Present): boolean {
  if (before.fileBytes === 0) throw new Damage("the file is gone or empty, but its write-ahead log is there");
  // A rollback journal stands only while a file is created or changed to a log; its undoing needs to write.
  const readOnly = sizeOf(`${spec.path}-journal`) === 0;
  const database = driver.open(spec.path, { readOnly, busyTimeoutMs: spec.busyTimeoutMs });
  const wal = inspectWal(`${spec.path}-wal`);
  try {
    const version = knownVersion(database, spec, contents);
    if (wal.problem !== undefined && spec.synchronous === "FULL") throw new Damage(wal.problem);
    // SQLite reads what is missing of the last page as zeros. Only folding the log may have been interrupted within a page, and the log still holds that page then.
    const pageBytes = Number(database.ask("page_size", "pragma_page_size")[0]);
    if (before.fileBytes % pageBytes !== 0 && !wal.pages.has(Math.ceil(before.fileBytes / pageBytes))) throw new Damage("the file ends within a page");
    if (before.fileBytes <= (before.unclean ? spec.checkBytes : CLEAN_CHECK_BYTES)) check(database, contents);
    // An older one is looked at once it has been brought up to date.
    if (version === spec.migrations.length) checkContents(database, contents, spec.path);
    else if (version === 0 && readMark(spec.path) > 0) throw new Damage(GONE_BACK);
    return version === spec.migrations.length || version === 0;
  } catch (error) {
    const code = resultCodeOf(error);
    // What is asked here is fixed and was right for what was written: a table, a column or a format that is not there is damage.
    if (code === SQLITE_ERROR) throw new Damage((error as Error).message, { cause: error });
    if (code !== SQLITE_IOERR && code !== SQLITE_CANTOPEN) throw error;
    if (wal.problem !== undefined && spec.synchronous === "FULL") throw new Damage(wal.problem);
    return false;
  } finally {
    database.close();
  }
}

function checkContents(database: Database, contents: Contents, path: string): void {
  let problem: string | undefined;
  try {
    problem = contents.problem(database);
  } catch (error) {
    if ((error as { readonly code?: unknown }).code === "ERR_OUT_OF_RANGE") throw new Damage("it holds a number that was never written", { cause: error });
    throw error;
  }
  if (problem !== undefined) throw new Damage(problem);
  if (contents.era !== undefined && contents.era(database) < readMark(path)) throw new Damage(GONE_BACK);
}

function check(database: Database, { check: name }: Contents): void {
  const [verdict] = database.ask(name, `pragma_${name}`);
  if (verdict !== "ok") throw new Damage(String(verdict));
}

/**
 * O1. An empty file with version 0 is one whose creation was interrupted.
 * @returns the schema version of the file: 0 to the newest that is known
 */
function knownVersion(database: Database, spec: FileSpec, { table, newest }: Contents): number {
  const version = pragma(database, "user_version");
  const known = spec.migrations.length;
  if (version < 0 || version > MAX_VERSION) throw new Damage(`its schema version is ${String(version)}`);
  const [isOurs] = database.ask("count(*)", `sqlite_master WHERE type = 'table' AND name = '${table}'`);
  if (pragma(database, "application_id") !== spec.applicationId) {
    // One byte of the header may be wrong; what the file holds says whose it is.
    if (isOurs === 1) throw new Damage(`its header does not say that it is a ${spec.noun}, but it holds one`);
    const [tables] = database.ask("count(*)", "sqlite_master");
    if (version > 0 || tables !== 0) throw new DroverError("DROVER_STORE_FAILED", `${spec.path} is a SQLite file of something else, not a Drover ${spec.noun}`);
  }
  if (version > known)
    throw new DroverError("DROVER_STORE_NEWER", `the ${spec.noun} ${spec.path} has schema version ${String(version)}, this version of Drover knows up to ${String(known)}`);
  if (version < known && database.ask("count(*)", `pragma_table_info('${newest.table}') WHERE name = '${newest.column}'`)[0] === 1)
    throw new Damage(`its header says schema version ${String(version)}, its tables are of version ${String(known)}`);
  return version;
}

function prepare(driver: Driver, spec: FileSpec, contents: Contents, unclean: boolean, wasLookedAt: boolean): Database {
  const database = driver.open(spec.path, { busyTimeoutMs: spec.busyTimeoutMs });
  try {
    database.exec("PRAGMA locking_mode = EXCLUSIVE");
    if (spec.pageBytes !== undefined) database.exec(`PRAGMA page_size = ${String(spec.pageBytes)}`);
    database.exec("PRAGMA journal_mode = WAL");
    const [mode] = database.ask("journal_mode", "pragma_journal_mode");
    if (mode !== "wal") throw new DroverError("DROVER_STORE_FAILED", `the file system of ${spec.path} does not carry a write-ahead log (SQLite chose ${String(mode)})`);
    database.exec(`PRAGMA synchronous = ${spec.synchronous}`);
    database.exec(`PRAGMA wal_autocheckpoint = ${String(SQLITE_FOLDS_NEVER)}`);
    database.exec(`PRAGMA journal_size_limit = ${String(LOG_KEPT_BYTES)}`);
    database.exec("PRAGMA cell_size_check = ON; PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -8192");
    if (spec.maxPages !== undefined) database.exec(`PRAGMA max_page_count = ${String(spec.maxPages)}`);
    knownVersion(database, spec, contents);
    if (!wasLookedAt) check(database, contents);
    if (unclean) foldLog(database, "TRUNCATE", existsSync(suspectPath(spec)));
    if (unclean && existsSync(suspectPath(spec)) && sizeOf(`${spec.path}-wal`) > 0)
      throw new DroverError("DROVER_STORE_FAILED", `the log of ${spec.path} could not be folded into it after a failure of the disk`);
    migrate(database, spec, contents);
    if (!wasLookedAt) checkContents(database, contents, spec.path);
    rmSync(suspectPath(spec), { force: true });
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/**
 * On a full disk the log stays as it is: what it holds can be read, and commits are refused until there is room.
 * @param isNeeded after a failure of the disk it must be done before anything is acknowledged (rules L3)
 * @returns whether it was folded
 */
function foldLog(database: Database, how: "PASSIVE" | "TRUNCATE", isNeeded = false): boolean {
  try {
    database.exec(`PRAGMA wal_checkpoint(${how})`);
    return true;
  } catch (error) {
    if (isNeeded || resultCodeOf(error) !== SQLITE_FULL) throw error;
    return false;
  }
}

function migrate(database: Database, spec: FileSpec, contents: Contents): void {
  for (let version = pragma(database, "user_version"); version < spec.migrations.length; version++) {
    database.exec("BEGIN IMMEDIATE");
    try {
      database.exec(spec.migrations[version] ?? "");
      if (version + 1 === spec.migrations.length) contents.migrated(database);
      database.exec(`PRAGMA application_id = ${String(spec.applicationId)}; PRAGMA user_version = ${String(version + 1)}`);
      database.exec("COMMIT");
    } catch (error) {
      try {
        database.exec("ROLLBACK");
      } catch {
        // SQLite has taken it back by itself, as it does after most errors of the disk.
      }
      throw error;
    }
  }
}

/** By device and inode. A descriptor of its own would tell for certain, but its closing gives back SQLite's locks: those of a file are the process's. */
function missingOf(path: string): () => string | undefined {
  const opened = new Map<string, string>();
  const look = (): string | undefined => {
    for (const part of [path, `${path}-wal`]) {
      const stat = statSync(part, { bigint: true, throwIfNoEntry: false });
      const before = opened.get(part);
      if (stat === undefined) {
        if (before !== undefined) return `${part} is gone`;
        continue;
      }
      const found = `${String(stat.dev)}:${String(stat.ino)}`;
      if (before === undefined) opened.set(part, found);
      else if (before !== found) return `another file is in the place of ${part}`;
    }
    return undefined;
  };
  look();
  return look;
}

function pragma(database: Database, name: "user_version" | "application_id"): number {
  return Number(database.ask(name, `pragma_${name}`)[0]);
}

function suspectPath(spec: FileSpec): string {
  return `${spec.path}.suspect`;
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

function makeDirectory(path: string): void {
  const first = mkdirSync(path, { recursive: true, mode: 0o700 });
  if (first !== undefined) syncDirectory(dirname(first));
}
