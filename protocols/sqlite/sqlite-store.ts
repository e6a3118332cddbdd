// The store port over SQLite. The facade checks and packs on the main thread; one connection on a thread of its own writes (rules L1).

import {
  type Clock,
  type CommitOutcome,
  commitShapeProblem,
  DroverError,
  type EntityCommit,
  type EntityHead,
  type Log,
  MAX_BATCH_COMMITS,
  MAX_RECORD_BYTES,
  type MetricsSource,
  pageSize,
  type Store,
  type StoredEntity,
  valuesProblem,
} from "../../runtime/ports/index.ts";
import { buffersOf, packBatch } from "./batch-packing.ts";
import { JOURNAL_APPLICATION_ID, JOURNAL_MIGRATIONS, type JournalRead } from "./journal-file.ts";
import type { FileSpec } from "./open-file.ts";
import type { JournalCalls } from "./serve-journal.ts";
import { ServedFile } from "./served-file.ts";
import { NotPosted, SqliteThread, TooManyWait } from "./sqlite-thread.ts";

export interface SqliteStoreOptions {
  /** The file; its folder is made. Beside it: `-wal`, `.lock`, and `.damaged-<time>` folders. */
  readonly path: string;
  readonly log: Log;
  readonly clock: Clock;
  /** Default: one of its own. It serves this store alone and ends with it. */
  readonly thread?: SqliteThread;
  /**
   * Called once, when a flush has failed: nothing is acknowledged any more, and the process must end (rules L3). Default: it ends at once, with exit code 1 and a line on standard error;
   * one of your own does what must be done before, and ends it. Of no use with a `thread` of one's own, which has it itself.
   */
  readonly onFlushFailed?: (reason: string) => void;
  /** The node that holds it, for whoever of this process finds it held. */
  readonly node?: string | undefined;
  /** How long another process's lock is waited for, ms; default 2000: a predecessor that was killed is still ending. */
  readonly lockWaitMs?: number;
  /** A bound on the file, 4 KiB pages; default none. What does not fit is refused. */
  readonly maxPages?: number;
}

export interface SqliteStore extends Store {
  readonly metrics: MetricsSource;
}

const MAX_PAGE_OF_RESULTS = 10_000;
/** Words about damaged rows, in the life of a store. */
const MAX_TOLD = 1_000;

/** A durable store in one file, held by one process. */
export function sqliteStore({
  path,
  log,
  clock,
  lockWaitMs = 2000,
  node,
  maxPages,
  onFlushFailed,
  thread = new SqliteThread({ clock, log, onFlushFailed }),
}: SqliteStoreOptions): SqliteStore {
  const counters = { batches: 0, committed: 0, refused: 0, unknown: 0 };
  const told = new Set<string>();
  const spec = (): Omit<FileSpec, "mayMoveAside"> => ({
    path,
    noun: "journal",
    applicationId: JOURNAL_APPLICATION_ID,
    migrations: JOURNAL_MIGRATIONS,
    synchronous: "FULL",
    checkBytes: Number.POSITIVE_INFINITY,
    busyTimeoutMs: lockWaitMs,
    at: clock.now(),
    ...(maxPages === undefined ? {} : { maxPages }),
  });
  const file = new ServedFile({ thread, log, node, kind: "journal", spec });

  /** Once for each entity or value, since histories are read again and again. */
  function tellOnce(what: string, fields: Readonly<Record<string, unknown>>, message: string): void {
    if (told.has(what) || told.size >= MAX_TOLD) return;
    told.add(what);
    log.warn({ path, ...fields }, message);
  }

  async function call<Call extends Exclude<keyof JournalCalls, "commit">>(name: Call, argument: JournalCalls[Call]): Promise<unknown> {
    return file.call(name, argument);
  }

  async function commit(batch: readonly EntityCommit[]): Promise<readonly CommitOutcome[]> {
    if (batch.length > MAX_BATCH_COMMITS)
      throw new DroverError("DROVER_STORE_FAILED", `a batch has at most ${String(MAX_BATCH_COMMITS)} commits, this has ${String(batch.length)}`);
    const problems = batch.map(commitShapeProblem);
    const sound = batch.filter((_, index) => problems[index] === undefined);
    const outcomes = sound.length === 0 ? [] : await post(sound);
    let next = 0;
    return problems.map((problem): CommitOutcome => {
      const outcome = problem === undefined ? outcomes[next++] : ({ kind: "refused", reason: problem } as const);
      const told: CommitOutcome = outcome ?? { kind: "unknown", reason: "the store answered for fewer commits than it was given" };
      counters[told.kind]++;
      return told;
    });
  }

  async function post(batch: readonly EntityCommit[]): Promise<readonly CommitOutcome[]> {
    counters.batches++;
    // Packed before anything is awaited: the caller's buffers may change afterwards.
    const packed = packBatch(batch);
    try {
      return (await file.call("commit", packed, { transfer: buffersOf(packed), isFirst: true })) as readonly CommitOutcome[];
    } catch (error) {
      return batch.map(() => outcomeOf(error));
    }
  }

  return {
    open: async () => {
      const { created, movedAside, isRestored } = await file.open();
      const restored = isRestored ? { reason: `the mark beside ${path} is gone: it was put back from a copy` } : undefined;
      return { created, ...(movedAside === undefined ? {} : { movedAside }), ...(restored === undefined ? {} : { restored }) };
    },
    commit,
    revisionOf: async (entity) => (await call("revisionOf", entity)) as { incarnation: string; revision: number } | undefined,
    load: async (entity) => (await call("load", entity)) as StoredEntity | undefined,
    entities: async (after, limit) => (await call("entities", { after, limit: pageOf(limit) })) as readonly EntityHead[],
    journal: async (query) => {
      const { records, damaged } = (await call("journal", { ...query, limit: pageOf(query.limit) })) as JournalRead;
      if (damaged.length > 0)
        tellOnce(query.entity, { entity: query.entity, revisions: damaged }, "records in an entity's history do not match their checksums and are passed over");
      return records;
    },
    trim: async (entity, revision) => {
      while ((await call("trimStep", { entity, revision })) === true);
    },
    values: {
      get: async (key) => {
        const found = (await call("values.get", key)) as Uint8Array | "damaged" | undefined;
        if (found !== "damaged") return found;
        tellOnce(`value ${key}`, { key }, "a named value does not match its checksum; it counts as absent");
        return undefined;
      },
      set: async (key, value) => {
        if (value.byteLength > MAX_RECORD_BYTES)
          throw new DroverError("DROVER_STORE_FAILED", `value ${key} has ${String(value.byteLength)} bytes, more than ${String(MAX_RECORD_BYTES)}`);
        await call("values.set", { key, value: new Uint8Array(value) });
      },
      entries: async (prefix, page) =>
        (await call("values.entries", { prefix, page: page === undefined ? undefined : { ...page, limit: pageOf(page.limit) } })) as readonly {
          key: string;
          value: Uint8Array;
        }[],
      delete: async (key) => {
        await call("values.delete", key);
      },
      write: async (changes) => {
        const problem = valuesProblem(changes);
        if (problem !== undefined) throw new DroverError("DROVER_STORE_FAILED", problem);
        if (changes.length > 0)
          await call(
            "values.write",
            changes.map(({ key, value }) => ({ key, value: value === undefined ? undefined : new Uint8Array(value) })),
          );
      },
    },
    missing: () => file.missing(),
    close: () => file.close(),
    metrics: () => [
      ...(["committed", "refused", "unknown"] as const).map((outcome) => ({
        name: "drover_store_commits_total",
        help: "Turns handed to the store, by outcome.",
        kind: "counter" as const,
        value: counters[outcome],
        labels: { outcome },
      })),
      { name: "drover_store_batches_total", help: "Transactions asked of the store.", kind: "counter", value: counters.batches },
      { name: "drover_store_pending", help: "Requests that wait for the store's thread.", kind: "gauge", value: thread.pending },
      { name: "drover_store_reopened_total", help: "Openings after a failure.", kind: "counter", value: file.reopened },
      { name: "drover_store_turned_away_total", help: "Requests turned away because too many waited.", kind: "counter", value: thread.counters.turnedAway },
    ],
  };
}

/** Of a commit that was not answered. Where only too many wait nothing was tried, and nothing is wrong with the store. */
function outcomeOf(error: unknown): CommitOutcome {
  const reason = (error as Error).message;
  if (!(error instanceof NotPosted)) return { kind: "unknown", reason };
  return { kind: "refused", reason, ...(error instanceof TooManyWait ? { passing: true } : {}) };
}

function pageOf(limit: number): number {
  return Math.min(pageSize(limit), MAX_PAGE_OF_RESULTS);
}
