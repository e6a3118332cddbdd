// The append log in its SQLite file: the port's calls, synchronous, for the thread that owns the connection.
//
// N1. Room is made class by class, C before B before A, the oldest of each; what goes is counted in a gap of its class. A gap that a reader has met, or may have
//     met before this process, does not grow any more: the next loss begins another one.
// N2. Seqs are never given twice, although class B and C are not flushed at every append: they are given from a reservation that was flushed. After the machine
//     stopped, the log goes on behind the reservation, and a gap says that up to so many may be lost. After the process alone stopped nothing is lost.
// N3. An append with an entry of class A is flushed before it is answered, and with it everything before.
// N4. What could not be written before is given seqs of its own by the next transaction that can be: a gap of its class, in the place where it was lost.
// N5. Class B, which is nearly all that a vehicle writes, is in no index: that would be a third page of each append (rules L4). Its oldest are found by walking on from where the last of them went.

import { type LogClass, type LogEntry, type LogGapReason, type LogItem, type LogTotals } from "../../runtime/ports/index.ts";
import type { Database, SqlRow, Statement } from "./driver.ts";

export const LOG_APPLICATION_ID = 0x4452544c; // "DRTL"

export const LOG_MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE log (only INTEGER PRIMARY KEY CHECK (only = 1), incarnation TEXT NOT NULL, boot TEXT NOT NULL, last_seq INTEGER NOT NULL, reserved INTEGER NOT NULL,
    acknowledged INTEGER NOT NULL, entries INTEGER NOT NULL, bytes INTEGER NOT NULL, dropped INTEGER NOT NULL) STRICT;
  CREATE TABLE entries (seq INTEGER PRIMARY KEY, class TEXT NOT NULL, at REAL NOT NULL, bytes BLOB NOT NULL) STRICT;
  CREATE INDEX entries_by_class ON entries (class, seq);
  CREATE TABLE gaps (last INTEGER PRIMARY KEY, first INTEGER NOT NULL, class TEXT, count INTEGER, reason TEXT NOT NULL) STRICT;
  `,
  `
  DROP INDEX entries_by_class;
  CREATE INDEX entries_of_few ON entries (class, seq) WHERE class <> 'B';
  `,
];

const RESERVED_SEQS = 4096;
const MAX_GAPS = 256;
const READ_BYTES = 4 * 1024 * 1024;
const STEP_ROWS = 1000;
/** Of class B: looking for more would walk past all between them for nothing. */
const STEP_ROWS_OF_B = 16;
/** Entries lost, by class. */
export type LogLosses = Readonly<Record<LogClass, number>>;

const FIRST_TO_GO: readonly LogClass[] = ["C", "B", "A"];

export interface LogSettings {
  readonly maxBytes: number;
  /** Name for the log if it is new. */
  readonly freshIncarnation: string;
  /** Names the run of the operating system; the empty string is none, so that any unclean stop counts as one of the machine. */
  readonly boot: string;
}

interface State {
  readonly incarnation: string;
  readonly lastSeq: number;
  readonly reserved: number;
  readonly acknowledged: number;
  readonly entries: number;
  readonly bytes: number;
  readonly dropped: number;
  /** No entry of class B is older; not stored (N5). */
  readonly oldestB: number;
}

/** Room that an entry takes: its cell in a page, or pages of its own beyond that. */
function roomOf(bytes: number): number {
  return bytes <= 4000 ? bytes + 48 : (Math.ceil(bytes / 4092) + 1) * 4096;
}

export class LogFile {
  readonly #database: Database;
  readonly #maxBytes: number;
  readonly #sql: Record<keyof typeof SQL, Statement>;
  #state: State;
  /** Gaps that end here or before have been met by a reader (N1). */
  #metUpTo: number;

  constructor(database: Database, settings: LogSettings, unclean: boolean) {
    this.#database = database;
    this.#maxBytes = settings.maxBytes;
    this.#sql = Object.fromEntries(Object.entries(SQL).map(([name, sql]) => [name, database.prepare(sql)])) as Record<keyof typeof SQL, Statement>;
    this.#sql.create.run(settings.freshIncarnation, settings.boot);
    const row: SqlRow = this.#sql.state.get() ?? {};
    this.#state = {
      incarnation: String(row["incarnation"]),
      lastSeq: Number(row["last_seq"]),
      reserved: Number(row["reserved"]),
      acknowledged: Number(row["acknowledged"]),
      entries: Number(row["entries"]),
      bytes: Number(row["bytes"]),
      dropped: Number(row["dropped"]),
      oldestB: 0,
    };
    this.#metUpTo = Number(this.#sql.newestGap.get()?.["last"] ?? 0);
    const machineStopped = unclean && (settings.boot === "" || row["boot"] !== settings.boot);
    this.#transaction(true, (state) => {
      this.#sql.setBoot.run(settings.boot);
      const { lastSeq, reserved } = state;
      if (machineStopped && reserved > lastSeq) {
        this.#sql.addGap.run(reserved, lastSeq + 1, null, null, "not-flushed" satisfies LogGapReason);
        state = { ...state, lastSeq: reserved };
      }
      // A smaller budget than the last time is met at once.
      return this.#makeRoom(state);
    });
  }

  get incarnation(): string {
    return this.#state.incarnation;
  }

  totals(): LogTotals {
    const { entries, bytes, lastSeq, acknowledged, dropped } = this.#state;
    return { entries, bytes, lastSeq, acknowledged, dropped };
  }

  /** @param unwritten what was lost before it and is in no gap yet (N4). @returns the first seq given; the others follow it */
  append(batch: readonly LogEntry[], unwritten: LogLosses): number {
    const losses = FIRST_TO_GO.map((logClass) => ({ logClass, count: unwritten[logClass] })).filter(({ count }) => count > 0);
    const first = losses.reduce((seq, { count }) => seq + count, this.#state.lastSeq + 1);
    const last = first + batch.length - 1;
    const reserve = last > this.#state.reserved;
    this.#transaction(reserve || unwritten.A > 0 || batch.some((entry) => entry.class === "A"), (before) => {
      let state: State = { ...before, lastSeq: last, reserved: reserve ? last + RESERVED_SEQS : before.reserved };
      let from = before.lastSeq + 1;
      for (const { logClass, count } of losses) {
        this.#addGap(from, from + count - 1, logClass, count, "not-written");
        from += count;
        state = { ...state, dropped: state.dropped + count };
      }
      batch.forEach((entry, index) => {
        const room = roomOf(entry.bytes.byteLength);
        if (room > this.#maxBytes / 4) {
          state = { ...state, dropped: state.dropped + 1 };
          this.#noteLoss(first + index, entry.class);
          return;
        }
        this.#sql.add.run(first + index, entry.class, entry.at, entry.bytes);
        state = { ...state, entries: state.entries + 1, bytes: state.bytes + room };
      });
      return this.#makeRoom(state);
    });
    return first;
  }

  read(afterSeq: number, limit: number): readonly LogItem[] {
    const items: LogItem[] = [];
    let bytes = 0;
    let position = afterSeq;
    let full = false;
    for (let rows = this.#sql.some.all(position, Math.min(64, limit)); rows.length > 0 && !full; rows = full ? [] : this.#sql.some.all(position, 64)) {
      for (const row of rows) {
        const item: LogItem = { kind: "entry", seq: Number(row["seq"]), class: row["class"] as LogClass, at: Number(row["at"]), bytes: row["bytes"] as Uint8Array };
        items.push(item);
        position = item.seq;
        bytes += item.bytes.byteLength;
        full = items.length >= limit || bytes >= READ_BYTES;
        if (full) break;
      }
    }
    const gaps = this.#sql.gaps.all(afterSeq, full ? position : Number.MAX_SAFE_INTEGER).map(gapOf);
    const merged = [...items, ...gaps].sort((one, other) => positionOf(one) - positionOf(other)).slice(0, limit);
    for (const item of merged) if (item.kind === "gap") this.#metUpTo = Math.max(this.#metUpTo, item.to);
    return merged;
  }

  /** Forgets some. @returns whether there is more to forget */
  acknowledgeStep(upToSeq: number): boolean {
    const target = Math.min(upToSeq, this.#state.lastSeq);
    let more = false;
    this.#transaction(false, (before) => {
      const rows = this.#sql.sizesUpTo.all(target, STEP_ROWS);
      const last = rows.at(-1)?.["seq"];
      more = rows.length === STEP_ROWS;
      if (last !== undefined) this.#sql.removeUpTo.run(last);
      this.#sql.removeGaps.run(target);
      const freed = rows.reduce((sum, row) => sum + roomOf(Number(row["size"])), 0);
      return { ...before, acknowledged: Math.max(before.acknowledged, target), entries: before.entries - rows.length, bytes: before.bytes - freed };
    });
    return more;
  }

  #makeRoom(before: State): State {
    let state = before;
    for (const logClass of FIRST_TO_GO) {
      while (state.bytes > this.#maxBytes) {
        const victims = logClass === "B" ? this.#sql.oldestB.all(state.oldestB, STEP_ROWS_OF_B) : this.#sql.oldest.all(logClass, STEP_ROWS);
        if (victims.length === 0) {
          if (logClass === "B") state = { ...state, oldestB: state.lastSeq + 1 };
          break;
        }
        for (const victim of victims) {
          if (state.bytes <= this.#maxBytes) break;
          const seq = Number(victim["seq"]);
          this.#sql.remove.run(seq);
          this.#noteLoss(seq, logClass);
          state = {
            ...state,
            entries: state.entries - 1,
            bytes: state.bytes - roomOf(Number(victim["size"])),
            dropped: state.dropped + 1,
            oldestB: logClass === "B" ? seq + 1 : state.oldestB,
          };
        }
      }
    }
    return state;
  }

  /** Every older entry of the class is gone when one is dropped for room, so the gap before it can take it in. */
  #noteLoss(seq: number, logClass: LogClass): void {
    const grown = this.#sql.growGap.run(seq, logClass, seq, this.#metUpTo, logClass, seq);
    if (Number(grown.changes) > 0) return;
    this.#addGap(seq, seq, logClass, 1, "over-budget");
  }

  #addGap(from: number, to: number, logClass: LogClass, count: number, reason: LogGapReason): void {
    this.#sql.addGap.run(to, from, logClass, count, reason);
    if (Number(this.#sql.countGaps.get()?.["count"]) > MAX_GAPS) this.#joinOldest(logClass, reason);
  }

  /** Two gaps of one class and reason say together what they said apart, less exactly where. */
  #joinOldest(logClass: LogClass, reason: LogGapReason): void {
    const [one, other] = this.#sql.oldestGaps.all(logClass, reason);
    if (one === undefined || other === undefined) return;
    this.#sql.removeGap.run(one["last"] ?? null);
    this.#sql.joinGap.run(one["first"] ?? null, one["count"] ?? null, other["last"] ?? null);
  }

  #transaction(flushed: boolean, run: (state: State) => State): void {
    if (flushed) this.#database.exec("PRAGMA synchronous = FULL");
    try {
      this.#sql.begin.run();
      const state = run(this.#state);
      this.#sql.save.run(state.lastSeq, state.reserved, state.acknowledged, state.entries, state.bytes, state.dropped);
      this.#sql.commit.run();
      this.#state = state;
    } catch (error) {
      try {
        this.#sql.rollback.run();
      } catch {
        // SQLite has taken it back by itself.
      }
      throw error;
    } finally {
      if (flushed) this.#database.exec("PRAGMA synchronous = NORMAL");
    }
  }
}

const SQL = {
  begin: "BEGIN IMMEDIATE",
  commit: "COMMIT",
  rollback: "ROLLBACK",
  create: "INSERT INTO log VALUES (1, ?, ?, 0, 0, 0, 0, 0, 0) ON CONFLICT DO NOTHING",
  state: "SELECT * FROM log",
  setBoot: "UPDATE log SET boot = ?",
  save: "UPDATE log SET last_seq = ?, reserved = ?, acknowledged = ?, entries = ?, bytes = ?, dropped = ?",
  add: "INSERT INTO entries (seq, class, at, bytes) VALUES (?, ?, ?, ?)",
  some: "SELECT seq, class, at, bytes FROM entries WHERE seq > ? ORDER BY seq LIMIT ?",
  oldest: "SELECT seq, length(bytes) AS size FROM entries WHERE class = ? AND class <> 'B' ORDER BY seq LIMIT ?",
  oldestB: "SELECT seq, length(bytes) AS size FROM entries WHERE seq >= ? AND class = 'B' ORDER BY seq LIMIT ?",
  remove: "DELETE FROM entries WHERE seq = ?",
  sizesUpTo: "SELECT seq, length(bytes) AS size FROM entries WHERE seq <= ? ORDER BY seq LIMIT ?",
  removeUpTo: "DELETE FROM entries WHERE seq <= ?",
  gaps: "SELECT * FROM gaps WHERE last > ? AND last <= ? ORDER BY last",
  newestGap: "SELECT max(last) AS last FROM gaps",
  addGap: "INSERT INTO gaps (last, first, class, count, reason) VALUES (?, ?, ?, ?, ?)",
  growGap:
    "UPDATE gaps SET last = ?, count = count + 1 WHERE class = ? AND last < ? AND last > ? AND reason = 'over-budget' AND last = (SELECT max(last) FROM gaps WHERE class = ? AND last < ?)",
  countGaps: "SELECT count(*) AS count FROM gaps",
  oldestGaps: "SELECT first, last, count FROM gaps WHERE class = ? AND reason = ? ORDER BY last LIMIT 2",
  removeGap: "DELETE FROM gaps WHERE last = ?",
  joinGap: "UPDATE gaps SET first = min(first, ?), count = count + ? WHERE last = ?",
  removeGaps: "DELETE FROM gaps WHERE last <= ?",
} as const;

function gapOf(row: SqlRow): LogItem & { readonly kind: "gap" } {
  const count = row["count"];
  return {
    kind: "gap",
    from: Number(row["first"]),
    to: Number(row["last"]),
    class: (row["class"] ?? undefined) as LogClass | undefined,
    count: count === null || count === undefined ? undefined : Number(count),
    reason: row["reason"] as LogGapReason,
  };
}

function positionOf(item: LogItem): number {
  return item.kind === "entry" ? item.seq : item.to;
}
