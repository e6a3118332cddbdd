// The append log port over a SQLite file of its own, on a thread of its own (rules L1).

import {
  type AppendLog,
  type AppendLogOpened,
  type Clock,
  DroverError,
  type Log,
  type LogClass,
  type LogEntry,
  type LogItem,
  type LogTotals,
  type MetricsSource,
  type Random,
} from "../../runtime/ports/index.ts";
import { LOG_APPLICATION_ID, LOG_MIGRATIONS, type LogLosses } from "./log-file.ts";
import type { FileSpec } from "./open-file.ts";
import type { Appended, Forgotten, LogCalls, ServeLogSettings } from "./serve-log.ts";
import { ServedFile } from "./served-file.ts";
import { SqliteThread } from "./sqlite-thread.ts";

export interface SqliteLogOptions {
  /** The file; its folder is made. */
  readonly path: string;
  /** Budget for what is kept, bytes, at least 64 KiB. The file grows to about that; beside it up to 6 MiB of write-ahead log. */
  readonly maxBytes: number;
  readonly log: Log;
  readonly clock: Clock;
  readonly random: Random;
  /** Default: one of its own. It serves this log alone and ends with it. */
  readonly thread?: SqliteThread;
  /**
   * Called once, when a flush has failed: nothing is acknowledged any more, and the process must end (rules L3). Default: it ends at once, with exit code 1 and a line on standard error;
   * one of your own does what must be done before, and ends it. Of no use with a `thread` of one's own, which has it itself.
   */
  readonly onFlushFailed?: (reason: string) => void;
  /** The node that holds it, for whoever of this process finds it held. */
  readonly node?: string | undefined;
  /** How long another process's lock is waited for, ms; default 2000. */
  readonly lockWaitMs?: number;
  /** Names the run of the operating system; default: what it says itself. */
  readonly boot?: string;
  /** A bound on the file, for tests of a full disk. */
  readonly maxPages?: number;
}

export interface SqliteLog extends AppendLog {
  readonly metrics: MetricsSource;
}

const NOTHING: LogLosses = { A: 0, B: 0, C: 0 };
const MIN_BUDGET_BYTES = 64 * 1024;
const MAX_ENTRIES = 1024;
const MAX_ITEMS = 10_000;
/** Above this a check after an unclean stop would hold up the start: SQLite's own checks at every page must do. */
const CHECK_BYTES = 256 * 1024 * 1024;

/** @throws DROVER_CONFIG_INVALID when the budget is too small */
export function sqliteLog({
  path,
  maxBytes,
  log,
  clock,
  random,
  lockWaitMs = 2000,
  node,
  boot,
  maxPages,
  onFlushFailed,
  thread = new SqliteThread({ clock, log, onFlushFailed }),
}: SqliteLogOptions): SqliteLog {
  if (!Number.isSafeInteger(maxBytes) || maxBytes < MIN_BUDGET_BYTES)
    throw new DroverError("DROVER_CONFIG_INVALID", `a log's budget is a whole number of bytes from ${String(MIN_BUDGET_BYTES)}, this is ${String(maxBytes)}`);
  const spec = (): Omit<FileSpec, "mayMoveAside"> => ({
    path,
    noun: "telemetry log",
    applicationId: LOG_APPLICATION_ID,
    migrations: LOG_MIGRATIONS,
    synchronous: "NORMAL",
    // An append touches two pages or three, once a second in a vehicle: with 4 KiB each that alone would be most of what may be written in a day (rules L4).
    pageBytes: 1024,
    checkBytes: CHECK_BYTES,
    busyTimeoutMs: lockWaitMs,
    at: clock.now(),
    ...(maxPages === undefined ? {} : { maxPages }),
  });
  const settings: ServeLogSettings = { maxBytes, freshIncarnation: random.id(), ...(boot === undefined ? {} : { boot }) };
  const file = new ServedFile({ thread, log, node, kind: "log", spec, settings });
  let totals: LogTotals = { entries: 0, bytes: 0, lastSeq: 0, acknowledged: 0, dropped: 0 };
  /** Lost, and in no gap yet. Kept here, where it outlives the thread. */
  let unwritten: LogLosses = NOTHING;
  const call = <Call extends keyof LogCalls>(name: Call, argument: LogCalls[Call]): Promise<unknown> => file.call(name, argument);

  /** Of an answer that was lost it is not known whether it was carried out: then a gap says more than went. */
  async function write(batch: readonly LogEntry[]): Promise<number> {
    const told = unwritten;
    unwritten = NOTHING;
    try {
      const answer = (await call("append", { batch, unwritten: told })) as Appended;
      totals = answer.totals;
      return answer.first;
    } catch (error) {
      const lost = (logClass: LogClass): number => unwritten[logClass] + told[logClass] + batch.filter((entry) => entry.class === logClass).length;
      unwritten = { A: lost("A"), B: lost("B"), C: lost("C") };
      throw error;
    }
  }

  const waiting = (): number => unwritten.A + unwritten.B + unwritten.C;
  const tellLosses = async (): Promise<number | undefined> => (waiting() === 0 ? undefined : (await write([])) - 1);

  return {
    open: async (): Promise<AppendLogOpened> => {
      const { created, movedAside, service } = await file.open();
      const opened = service as Pick<AppendLogOpened, "incarnation" | "totals">;
      totals = opened.totals;
      return { ...opened, created, ...(movedAside === undefined ? {} : { movedAside }) };
    },
    append: async (batch) => {
      const problem =
        batch.length > MAX_ENTRIES
          ? `an append has at most ${String(MAX_ENTRIES)} entries, this has ${String(batch.length)}`
          : batch.map(entryProblem).find((found) => found !== undefined);
      if (problem !== undefined) throw new DroverError("DROVER_STORE_FAILED", problem);
      if (batch.length === 0) return [];
      // Copies: a view would take the whole memory behind it along.
      const first = await write(batch.map(({ at, class: logClass, bytes }) => ({ at, class: logClass, bytes: new Uint8Array(bytes) })));
      return batch.map((_, index) => first + index);
    },
    tellLosses,
    read: async (afterSeq, limit) => {
      if (!Number.isSafeInteger(limit) || limit < 1 || limit > MAX_ITEMS)
        throw new DroverError("DROVER_STORE_FAILED", `a limit is a whole number from 1 to ${String(MAX_ITEMS)}, this is ${String(limit)}`);
      return (await call("read", { afterSeq, limit })) as readonly LogItem[];
    },
    acknowledge: async (upToSeq) => {
      let isMore = true;
      while (isMore) {
        const step = (await call("acknowledgeStep", upToSeq)) as Forgotten;
        ({ totals } = step);
        isMore = step.more;
      }
    },
    totals: async () => {
      totals = (await call("totals", undefined)) as LogTotals;
      return { ...totals, dropped: totals.dropped + waiting() };
    },
    close: async () => {
      await tellLosses().catch(() => undefined);
      await file.close();
    },
    metrics: () => [
      { name: "drover_log_entries", help: "Log entries kept and not acknowledged.", kind: "gauge", value: totals.entries },
      { name: "drover_log_bytes", help: "Room that they take, bytes.", kind: "gauge", value: totals.bytes },
      { name: "drover_log_dropped_total", help: "Log entries lost since the log was created.", kind: "counter", value: totals.dropped + waiting() },
    ],
  };
}

function entryProblem({ at, class: logClass, bytes }: LogEntry): string | undefined {
  if (!["A", "B", "C"].includes(logClass)) return `a log entry's class is A, B or C, not ${logClass}`;
  if (!Number.isFinite(at)) return `a log entry's time ${String(at)} is not a number of milliseconds`;
  return bytes instanceof Uint8Array ? undefined : "a log entry's bytes are not a Uint8Array";
}
