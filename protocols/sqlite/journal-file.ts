// The journal in its SQLite file: the store port's calls, synchronous, for the thread that owns the connection.
//
// A *history* is one incarnation of one entity; its number is never used again. Journal rows are kept in the order (history, revision), so that a one-row commit
// writes one page, and that key makes a revision unique within (entity, incarnation). A history's revision is that of its newest row or snapshot: nothing else
// is written at a commit.
//
// J1. One transaction a batch, a savepoint for each entity: what concerns one entity is taken back for it alone (rules C2, C3).
// J2. An error before COMMIT takes everything back for certain: `refused`. An error of COMMIT itself is `unknown`, except a full disk, where SQLite could not
//     write the commit mark. After any error of the disk the file is closed, and the next opening decides what became of it (rules L3).
// J3. A new incarnation replaces the old one, rows and snapshot, in its own transaction; which commits may is decided by the port's commit rule (rules T1).
// J4. A history keeps its newest two snapshots in two slots, which are written in turn. Snapshots and records carry a checksum, since a page that tore or lost a bit within a
//     row is still a sound page to SQLite: recovery starts from the newest snapshot that matches, with every record after it. The checksum covers the row's place too
//     (seal.ts); what an older version wrote is believed up to its history's `unsealed` revision. What recovery needs is looked at when the file is opened (journal-check.ts).
// J5. Histories that stood in the store when it was put back from a copy may have gone back, until a new incarnation replaces them, whose number is greater (rules T1).

import {
  type CommitOutcome,
  commitProblem,
  DroverError,
  type EntityCommit,
  type EntityHead,
  type HistoryHead,
  type JournalQuery,
  type StoredEntity,
  type StoredRecord,
  type ValueChange,
} from "../../runtime/ports/index.ts";
import { ERA_KEY, journalIsMarked, MARKED_KEY } from "./journal-check.ts";
import { isWholeRecord, isWholeSnapshot, isWholeValue, type SealedHistory, sealOfHistory, sealOfRecord, sealOfSnapshot, sealOfValue, SUM } from "./seal.ts";
import { type Database, resultCodeOf, SQLITE_CONSTRAINT, SQLITE_FULL, SQLITE_MISMATCH, SQLITE_TOOBIG, type SqlRow, type Statement } from "./driver.ts";

export const JOURNAL_APPLICATION_ID = 0x44524a4c; // "DRJL"

export const JOURNAL_MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE histories (number INTEGER PRIMARY KEY AUTOINCREMENT, entity TEXT NOT NULL UNIQUE, type TEXT NOT NULL, incarnation TEXT NOT NULL) STRICT;
  CREATE TABLE journal (history INTEGER NOT NULL, revision INTEGER NOT NULL, epoch INTEGER NOT NULL, at REAL NOT NULL, record BLOB NOT NULL, PRIMARY KEY (history, revision)) STRICT, WITHOUT ROWID;
  CREATE TABLE snapshots (history INTEGER PRIMARY KEY, revision INTEGER NOT NULL, state BLOB NOT NULL) STRICT;
  CREATE TABLE named_values (key TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
  `,
  // Slot: twice the history's number, plus 0 or 1.
  `
  ALTER TABLE journal ADD COLUMN sum INTEGER;
  ALTER TABLE snapshots RENAME TO single_snapshots;
  CREATE TABLE snapshots (slot INTEGER PRIMARY KEY, revision INTEGER NOT NULL, state BLOB NOT NULL, sum INTEGER) STRICT;
  INSERT INTO snapshots (slot, revision, state) SELECT history * 2, revision, state FROM single_snapshots;
  DROP TABLE single_snapshots;
  `,
  // The file that opens it seals the histories (`sealHistories`).
  `
  ALTER TABLE histories ADD COLUMN unsealed INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE histories ADD COLUMN sum INTEGER;
  ALTER TABLE named_values ADD COLUMN sum INTEGER;
  UPDATE histories SET unsealed = max((SELECT coalesce(max(revision), 0) FROM journal WHERE history = number),
    (SELECT coalesce(max(revision), 0) FROM snapshots WHERE slot BETWEEN number * 2 AND number * 2 + 1));
  `,
];

/** As SQLite wants it said. */
const ALL_ROWS = -1;
/** Rows that one call of `trimStep` deletes at most, so that commits wait for no long deletion. */
const TRIM_STEP_ROWS = 2000;
const CACHED_HEADS = 50_000;
/** Errors that say something about one entity's values; all others are the store's. */
const ENTITY_ERRORS: readonly (number | undefined)[] = [SQLITE_CONSTRAINT, SQLITE_TOOBIG, SQLITE_MISMATCH];

interface Head extends HistoryHead, SealedHistory {}

/** Some revisions did not match their checksums and are left out. */
export interface JournalRead {
  readonly records: readonly StoredRecord[];
  readonly damaged: readonly number[];
}

/** Named value of a store that was put back from a copy: the newest history that it held then. */
const RESTORED_KEY = "store/restored";

/** Whose first commit a batch is (store-mark.ts). */
export interface Era {
  readonly number: number;
  /** A mark stands beside the store. */
  readonly isMarked: boolean;
}

export interface BatchResult {
  readonly outcomes: readonly CommitOutcome[];
  /** The connection must not be used again. */
  readonly failure?: unknown;
}

export class JournalFile {
  readonly #database: Database;
  readonly #heads = new Map<string, Head>();
  readonly #sql: ReturnType<typeof prepareStatements>;
  /** As the store was told. */
  #isMarked: boolean;
  /** Histories up to this number may have gone back (J5). */
  #restoredUpTo: number;

  constructor(database: Database) {
    this.#database = database;
    this.#sql = prepareStatements(database);
    this.#isMarked = journalIsMarked(database);
    const restored = this.getValue(RESTORED_KEY);
    this.#restoredUpTo = restored instanceof Uint8Array ? Number(new TextDecoder().decode(restored)) : 0;
  }

  /** J5. */
  goneBack(): void {
    const [newest] = this.#database.ask("coalesce(max(number), 0)", "histories");
    this.#restoredUpTo = Number(newest);
    this.setValue(RESTORED_KEY, new TextEncoder().encode(String(newest)));
  }

  commit(batch: readonly EntityCommit[], era?: Era): BatchResult {
    const changed = new Map<string, Head>();
    const outcomes: CommitOutcome[] = [];
    try {
      this.#sql.begin.run();
      for (const commit of batch) outcomes.push(this.#write(commit, changed));
      if (era !== undefined) this.#writeEra(era);
    } catch (error) {
      return this.#takeBack(batch, error, { kind: "refused", reason: `nothing was written: ${messageOf(error)}`, ...passingOf(error) });
    }
    try {
      this.#sql.commit.run();
    } catch (error) {
      const kind = resultCodeOf(error) === SQLITE_FULL ? "refused" : "unknown";
      const result = this.#takeBack(batch, error, { kind, reason: `the commit failed: ${messageOf(error)}`, ...passingOf(error) });
      return kind === "unknown" ? { ...result, failure: error } : result;
    }
    if (era !== undefined) this.#isMarked = era.isMarked;
    if (this.#heads.size + changed.size > CACHED_HEADS) this.#heads.clear();
    for (const [entity, head] of changed) this.#heads.set(entity, head);
    return { outcomes };
  }

  #writeEra({ number, isMarked }: Era): void {
    this.setValue(ERA_KEY, new TextEncoder().encode(String(number)));
    if (isMarked === this.#isMarked) return;
    if (isMarked) this.setValue(MARKED_KEY, new Uint8Array());
    else this.deleteValue(MARKED_KEY);
  }

  revisionOf(entity: string): { readonly incarnation: string; readonly revision: number } | undefined {
    const head = this.#readHead(entity);
    return head === undefined ? undefined : { incarnation: head.incarnation, revision: head.revision };
  }

  /** @throws DROVER_STORE_FAILED when records are missing between the snapshot and the newest */
  load(entity: string): StoredEntity | undefined {
    const head = this.#readHead(entity);
    if (head === undefined) return undefined;
    const generations = this.#sql.snapshots.all(head.number * 2, head.number * 2 + 1);
    const whole = generations.findIndex((row) => isWholeSnapshot(head, row));
    const damaged = generations.slice(0, whole === -1 ? generations.length : whole).map((row) => Number(row["revision"]));
    const row = whole === -1 ? undefined : generations[whole];
    const snapshot = row === undefined ? undefined : { revision: Number(row["revision"]), state: bytesOf(row["state"]) };
    const records = this.#recordsAfter(entity, head, snapshot?.revision ?? 0, damaged);
    return {
      entity,
      type: head.type,
      incarnation: head.incarnation,
      revision: head.revision,
      snapshot,
      records,
      ...(head.number <= this.#restoredUpTo ? { isRestored: true } : {}),
      ...(damaged.length === 0 ? {} : { damaged }),
    };
  }

  #recordsAfter(entity: string, head: Head, after: number, damaged: readonly number[]): readonly StoredRecord[] {
    const rows = this.#sql.ascending.all(head.number, after, Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
    const passedOver = damaged.length === 0 ? "" : `; its snapshots of revision ${damaged.join(" and ")} do not match their checksums`;
    for (let revision = after + 1; revision <= Math.max(head.revision, after + rows.length); revision++) {
      const row = rows[revision - after - 1];
      if (Number(row?.["revision"]) !== revision) throw new DroverError("DROVER_STORE_FAILED", `the history of ${entity} has no revision ${String(revision)}${passedOver}`);
      if (row === undefined || !isWholeRecord(head, row))
        throw new DroverError("DROVER_STORE_FAILED", `revision ${String(revision)} of ${entity} does not match its checksum${passedOver}`);
    }
    return rows.map(recordOf);
  }

  entities(after: string | undefined, limit: number): readonly EntityHead[] {
    return this.#sql.entities
      .all(after ?? "", limit)
      .map((row) => ({ entity: String(row["entity"]), type: String(row["type"]), incarnation: String(row["incarnation"]), revision: Number(row["revision"]) }));
  }

  /** As many as `limit` whole ones, where there are so many. */
  journal({ entity, after = 0, before = Number.MAX_SAFE_INTEGER, limit, order }: JournalQuery): JournalRead {
    const head = this.#readHead(entity);
    const records: StoredRecord[] = [];
    const damaged: number[] = [];
    if (head === undefined) return { records, damaged };
    const oldestFirst = order === "oldest-first";
    const statement = oldestFirst ? this.#sql.ascending : this.#sql.descending;
    for (let [above, below] = [after, before]; ; ) {
      const wanted = limit - records.length;
      const rows = statement.all(head.number, above, below, wanted);
      for (const row of rows) {
        if (isWholeRecord(head, row)) records.push(recordOf(row));
        else damaged.push(Number(row["revision"]));
      }
      const last = rows.at(-1)?.["revision"];
      if (last === undefined || rows.length < wanted || records.length === limit) return { records, damaged };
      if (oldestFirst) above = Number(last);
      else below = Number(last);
    }
  }

  /** Deletes some of what `trim` asks for. @returns whether there is more to delete */
  trimStep(entity: string, revision: number): boolean {
    const head = this.#readHead(entity);
    if (head === undefined) return false;
    const { changes } = this.#sql.trim.run(head.number, head.number, Math.min(revision, this.#olderSnapshot(head.number)), TRIM_STEP_ROWS);
    return Number(changes) === TRIM_STEP_ROWS;
  }

  /** @returns `damaged`: there is one, and it does not match its checksum */
  getValue(key: string): Uint8Array | "damaged" | undefined {
    const row = this.#sql.getValue.get(key);
    return row === undefined ? undefined : isWholeValue(row) ? bytesOf(row["value"]) : "damaged";
  }

  setValue(key: string, value: Uint8Array): void {
    this.#sql.setValue.run(key, value, sealOfValue(key, value));
  }

  /** Whole ones, in pages and as many as `limit` where there are so many; all when there is none. */
  valueEntries(
    prefix: string,
    { after, limit = ALL_ROWS }: { readonly after?: string; readonly limit?: number } = {},
  ): readonly { readonly key: string; readonly value: Uint8Array }[] {
    // Above every text that begins with it: no UTF-8 has this byte.
    const end = Buffer.concat([Buffer.from(prefix), Buffer.of(0xff)]);
    const found: { key: string; value: Uint8Array }[] = [];
    let rows =
      after === undefined || Buffer.from(after).compare(Buffer.from(prefix)) < 0
        ? this.#sql.valueEntries.all(prefix, end, limit)
        : this.#sql.valueEntriesAfter.all(after, end, limit);
    for (;;) {
      for (const row of rows) if (isWholeValue(row)) found.push({ key: String(row["key"]), value: bytesOf(row["value"]) });
      const last = rows.at(-1)?.["key"];
      if (limit === ALL_ROWS || rows.length === 0 || found.length >= limit) return found;
      rows = this.#sql.valueEntriesAfter.all(String(last), end, limit - found.length);
    }
  }

  deleteValue(key: string): void {
    this.#sql.deleteValue.run(key);
  }

  /** All or none. */
  writeValues(changes: readonly ValueChange[]): void {
    this.#sql.begin.run();
    try {
      for (const { key, value } of changes) {
        if (value === undefined) this.deleteValue(key);
        else this.setValue(key, value);
      }
      this.#sql.commit.run();
    } catch (error) {
      this.#rollback();
      throw error;
    }
  }

  #write(commit: EntityCommit, changed: Map<string, Head>): CommitOutcome {
    const head = changed.get(commit.entity) ?? this.#readHead(commit.entity);
    const problem = commitProblem(head, commit);
    if (problem !== undefined) return { kind: "refused", reason: problem };
    this.#sql.savepoint.run();
    try {
      const { revision, epoch, at, record, snapshot } = commit;
      const history = head?.incarnation === commit.incarnation ? head : this.#openHistory(commit, head);
      this.#sql.insert.run(history.number, revision, epoch, at, record, sealOfRecord(history, revision, epoch, at, record));
      if (snapshot !== undefined) this.#keepSnapshot(history, revision, snapshot);
      if (snapshot !== undefined && commit.forgetsOlder === true) this.#sql.forget.run(history.number, this.#olderSnapshot(history.number));
      if (commit.value !== undefined) this.setValue(commit.value.key, commit.value.value);
      this.#sql.release.run();
      changed.set(commit.entity, { ...history, revision, epoch });
      return { kind: "committed" };
    } catch (error) {
      if (!(error instanceof TypeError) && !ENTITY_ERRORS.includes(resultCodeOf(error))) throw error;
      this.#sql.undo.run();
      this.#sql.release.run();
      return { kind: "refused", reason: messageOf(error) };
    }
  }

  /** J4. What says to be newer than this commit is damaged, and goes first. */
  #keepSnapshot(history: SealedHistory, revision: number, state: Uint8Array): void {
    const first = history.number * 2;
    const newest = this.#sql.newestSlot.get(first, first + 1, revision)?.["slot"];
    const slot = newest === undefined || Number(newest) === first + 1 ? first : first + 1;
    this.#sql.putSnapshot.run(slot, revision, state, sealOfSnapshot(history, revision, state));
  }

  /** Revision of the older one of two snapshots; 0 while there is one. */
  #olderSnapshot(history: number): number {
    const row = this.#sql.snapshotBounds.get(history * 2, history * 2 + 1);
    return Number(row?.["slots"]) === 2 ? Number(row?.["oldest"]) : 0;
  }

  #openHistory({ entity, type, incarnation }: EntityCommit, old: Head | undefined): SealedHistory {
    if (old !== undefined) {
      this.#sql.dropRecords.run(old.number);
      this.#sql.dropSnapshots.run(old.number * 2, old.number * 2 + 1);
      this.#sql.dropHistory.run(old.number);
    }
    const history = { number: Number(this.#sql.openHistory.get(entity, type, incarnation)?.["number"]), entity, type, incarnation, unsealed: 0 };
    this.#sql.sealHistory.run(sealOfHistory(history), history.number);
    return history;
  }

  #takeBack(batch: readonly EntityCommit[], error: unknown, outcome: CommitOutcome): BatchResult {
    // The cache holds committed heads only, so it stays true.
    this.#rollback();
    const outcomes = batch.map(() => outcome);
    return resultCodeOf(error) === SQLITE_FULL ? { outcomes } : { outcomes, failure: error };
  }

  #rollback(): void {
    try {
      this.#database.exec("ROLLBACK");
    } catch {
      // SQLite has taken it back by itself, as it does after most errors of the disk.
    }
  }

  #readHead(entity: string): Head | undefined {
    const cached = this.#heads.get(entity);
    if (cached !== undefined) return cached;
    const row = this.#sql.head.get(entity);
    if (row === undefined) return undefined;
    const head: Head = {
      number: Number(row["number"]),
      entity,
      unsealed: Number(row["unsealed"]),
      type: String(row["type"]),
      incarnation: String(row["incarnation"]),
      revision: Number(row["revision"]),
      epoch: Number(row["epoch"]),
    };
    if (this.#heads.size >= CACHED_HEADS) this.#heads.clear();
    this.#heads.set(entity, head);
    return head;
  }
}

function prepareStatements(database: Database): Record<StatementName, Statement> {
  return Object.fromEntries(Object.entries(SQL).map(([name, sql]) => [name, database.prepare(sql)])) as Record<StatementName, Statement>;
}

type StatementName = keyof typeof SQL;

/** As `SUM`. */
const EPOCH = "iif(epoch BETWEEN 0 AND 9007199254740991, epoch, -1)";

/** Of a history. A snapshot stands beside its record, unless an older version has trimmed that one. */
const NEWEST = `coalesce((SELECT max(revision) FROM journal WHERE history = number),
    (SELECT max(revision) FROM snapshots WHERE slot BETWEEN number * 2 AND number * 2 + 1), 0) AS revision`;

const SQL = {
  begin: "BEGIN IMMEDIATE",
  commit: "COMMIT",
  savepoint: "SAVEPOINT one_entity",
  release: "RELEASE one_entity",
  undo: "ROLLBACK TO one_entity",
  head: `SELECT number, type, incarnation, unsealed, ${NEWEST}, coalesce((SELECT ${EPOCH} FROM journal WHERE history = number ORDER BY revision DESC LIMIT 1), 0) AS epoch FROM histories WHERE entity = ?`,
  openHistory: "INSERT INTO histories (entity, type, incarnation) VALUES (?, ?, ?) RETURNING number",
  sealHistory: "UPDATE histories SET sum = ? WHERE number = ?",
  dropRecords: "DELETE FROM journal WHERE history = ?",
  dropSnapshots: "DELETE FROM snapshots WHERE slot BETWEEN ? AND ?",
  dropHistory: "DELETE FROM histories WHERE number = ?",
  insert: "INSERT INTO journal (history, revision, epoch, at, record, sum) VALUES (?, ?, ?, ?, ?, ?)",
  putSnapshot: "INSERT OR REPLACE INTO snapshots (slot, revision, state, sum) VALUES (?, ?, ?, ?)",
  newestSlot: "SELECT slot FROM snapshots WHERE slot BETWEEN ? AND ? AND revision < ? ORDER BY revision DESC LIMIT 1",
  snapshots: `SELECT revision, state, ${SUM} AS sum FROM snapshots WHERE slot BETWEEN ? AND ? ORDER BY revision DESC`,
  snapshotBounds: "SELECT count(*) AS slots, min(revision) AS oldest FROM snapshots WHERE slot BETWEEN ? AND ?",
  forget: "DELETE FROM journal WHERE history = ? AND revision <= ?",
  ascending: `SELECT revision, ${EPOCH} AS epoch, at, record, ${SUM} AS sum FROM journal WHERE history = ? AND revision > ? AND revision < ? ORDER BY revision LIMIT ?`,
  descending: `SELECT revision, ${EPOCH} AS epoch, at, record, ${SUM} AS sum FROM journal WHERE history = ? AND revision > ? AND revision < ? ORDER BY revision DESC LIMIT ?`,
  entities: `SELECT entity, type, incarnation, ${NEWEST} FROM histories WHERE entity > ? ORDER BY entity LIMIT ?`,
  trim: "DELETE FROM journal WHERE history = ? AND revision IN (SELECT revision FROM journal WHERE history = ? AND revision <= ? ORDER BY revision LIMIT ?)",
  getValue: `SELECT key, value, ${SUM} AS sum FROM named_values WHERE key = ?`,
  setValue: "INSERT INTO named_values (key, value, sum) VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value, sum = excluded.sum",
  valueEntries: `SELECT key, value, ${SUM} AS sum FROM named_values WHERE key >= ? AND key < CAST(? AS TEXT) ORDER BY key LIMIT ?`,
  valueEntriesAfter: `SELECT key, value, ${SUM} AS sum FROM named_values WHERE key > ? AND key < CAST(? AS TEXT) ORDER BY key LIMIT ?`,
  deleteValue: "DELETE FROM named_values WHERE key = ?",
} as const;

function recordOf(row: SqlRow): StoredRecord {
  return { revision: Number(row["revision"]), at: Number(row["at"]), record: bytesOf(row["record"]) };
}

function bytesOf(value: unknown): Uint8Array {
  return value instanceof Uint8Array ? value : new Uint8Array();
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** A full disk has room again, sooner or later. */
function passingOf(error: unknown): { readonly passing?: true } {
  return resultCodeOf(error) === SQLITE_FULL ? { passing: true } : {};
}
