// The least that could write what the system writes: the same rows, bytes and groups with the same driver and settings, on one thread that does nothing else.
//
// R1. What is written was recorded from the system itself; a repetition moves the revisions on, so that the journal grows as the system's does.
// R2. It knows no senders. In a closed loop the next is handed in when one is acknowledged, so a row counts from when the one a window before it was on the disk.

import { join } from "node:path";

import { type Database, loadDriver, type Statement } from "../../protocols/sqlite/driver.ts";
import type { EntityCommit } from "../../runtime/ports/index.ts";

interface Row {
  readonly history: number;
  readonly revision: number;
  readonly epoch: number;
  readonly at: number;
  readonly record: Uint8Array;
  readonly snapshot: Uint8Array | undefined;
}

export interface Writer {
  /** Writes the next group; resolved rows are on the disk. @returns its rows */
  writeGroup(): number;
  /** Journal rows that are there. */
  stored(): number;
  close(): void;
}

export interface WrittenGroup {
  readonly rows: number;
  /** From the beginning of the sample. */
  readonly endMs: number;
}

/** @param groups as they were handed to the store, with copies of their bytes */
export async function startWriter(folder: string, groups: readonly (readonly EntityCommit[])[]): Promise<Writer> {
  const driver = await loadDriver();
  const database = driver.open(join(folder, "reference.db"), { busyTimeoutMs: 2_000 });
  database.exec("PRAGMA locking_mode = EXCLUSIVE");
  database.exec("PRAGMA journal_mode = WAL");
  database.exec("PRAGMA synchronous = FULL; PRAGMA cache_size = -8192");
  database.exec(`CREATE TABLE journal (history INTEGER NOT NULL, revision INTEGER NOT NULL, epoch INTEGER NOT NULL, at REAL NOT NULL, record BLOB NOT NULL, PRIMARY KEY (history, revision)) STRICT, WITHOUT ROWID;
    CREATE TABLE snapshots (history INTEGER PRIMARY KEY, revision INTEGER NOT NULL, state BLOB NOT NULL) STRICT`);
  const rows = numbered(groups);
  const span = Math.max(...rows.flat().map(({ revision }) => revision)) + 1;
  const sql = statementsOf(database);
  let next = 0;
  let moved = 0;
  return {
    writeGroup: () => {
      const group = rows[next] ?? [];
      sql.begin.run();
      for (const { history, revision, epoch, at, record, snapshot } of group) {
        sql.insert.run(history, revision + moved, epoch, at, record);
        if (snapshot !== undefined) sql.putSnapshot.run(history, revision + moved, snapshot);
      }
      sql.commit.run();
      if (++next === rows.length) {
        next = 0;
        moved += span;
      }
      return group.length;
    },
    stored: () => Number(sql.count.get()?.["rows"]),
    close: () => {
      database.close();
    },
  };
}

/** R1: its memory is used again once the store has it. */
export function copyOf(commit: EntityCommit): EntityCommit {
  return { ...commit, record: commit.record.slice(), ...(commit.snapshot === undefined ? {} : { snapshot: commit.snapshot.slice() }) };
}

/** How long each group took, ms. */
export function groupTimes(written: readonly WrittenGroup[]): readonly number[] {
  return written.map(({ endMs }, at) => endMs - (written[at - 1]?.endMs ?? 0));
}

/** R2. @param window at least 1, in rows @returns ms, of each row that had one a window before it */
export function closedLoopTimes(written: readonly WrittenGroup[], window: number): readonly number[] {
  const ends = written.flatMap(({ rows, endMs }) => Array.from({ length: rows }, () => endMs));
  return ends.slice(window).map((endMs, at) => endMs - (ends[at] as number));
}

function numbered(groups: readonly (readonly EntityCommit[])[]): readonly (readonly Row[])[] {
  const histories = new Map<string, number>();
  return groups.map((group) =>
    group.map(({ entity, revision, epoch, at, record, snapshot }) => {
      const history = histories.get(entity) ?? histories.size + 1;
      histories.set(entity, history);
      return { history, revision, epoch, at, record, snapshot };
    }),
  );
}

function statementsOf(database: Database): Readonly<Record<"begin" | "insert" | "putSnapshot" | "commit" | "count", Statement>> {
  return {
    begin: database.prepare("BEGIN IMMEDIATE"),
    insert: database.prepare("INSERT INTO journal (history, revision, epoch, at, record) VALUES (?, ?, ?, ?, ?)"),
    putSnapshot: database.prepare(
      "INSERT INTO snapshots (history, revision, state) VALUES (?, ?, ?) ON CONFLICT (history) DO UPDATE SET revision = excluded.revision, state = excluded.state",
    ),
    commit: database.prepare("COMMIT"),
    count: database.prepare("SELECT count(*) AS rows FROM journal"),
  };
}
