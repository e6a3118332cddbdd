// A store in memory with the outcomes of a real one, faults included. What a crash keeps lives in a `MemoryDisk`, which outlives the store that wrote to it.
//
// Y1. A commit is on the disk when it is answered, never before, unless the disk `lies`: then `sync` or nothing puts it there.
// Y2. A crash answers what is under way with `unknown` and keeps exactly the histories that the disk had.

import { DroverError } from "../errors.ts";
import {
  byCodePoint,
  type CommitOutcome,
  commitProblem,
  type EntityCommit,
  type JournalQuery,
  MAX_BATCH_COMMITS,
  pageSize,
  type Store,
  type StoredEntity,
  type StoredRecord,
  type StoreOpened,
  valuesProblem,
  type ValuesPage,
} from "../ports/index.ts";
import { aFunction, demandShape, keysOf, yesOrNo } from "../shape/index.ts";

interface History {
  readonly type: string;
  readonly incarnation: string;
  readonly revision: number;
  readonly epoch: number;
  /** The newest first, at most two. */
  readonly snapshots: readonly Generation[];
  /** Shared with the histories before and after this one, of which each sees its own `length`: a commit is one push. */
  readonly records: StoredRecord[];
  readonly length: number;
}

interface Generation {
  readonly revision: number;
  readonly state: Uint8Array;
  /** It does not match its checksum. */
  readonly isDamaged: boolean;
}

interface Contents {
  readonly histories: Map<string, History>;
  readonly values: Map<string, Uint8Array>;
}

/** What outlives a crash. */
export class MemoryDisk {
  contents: Contents = emptyContents();
  created = true;
  /** Of each entity's history that was put back; until the first commit also told at an opening. */
  readonly restored = new Map<string, string>();
  isToldRestored = false;

  /** As a backup or a disk image is made. */
  copy(): MemoryDisk {
    const copy = new MemoryDisk();
    copy.contents = structuredClone(this.contents);
    copy.created = this.created;
    return copy;
  }

  /** What it holds now was put back from a copy, and its store knows that (rules T1). Of a copy that is used without it nobody knows. */
  putBack(): void {
    for (const [entity, { incarnation }] of this.contents.histories) this.restored.set(entity, incarnation);
    this.isToldRestored = true;
  }
}

export interface MemoryStoreOptions {
  /** Default: a disk of its own. */
  readonly disk?: MemoryDisk;
  /** The disk confirms what it did not keep: only `sync()` makes it lasting (rules L3). Default false. */
  readonly lies?: boolean;
  /** Waits before a commit is written and again before it is answered, e.g. for a clock; a crash in the first wait loses it, in the second keeps it. Default: none. */
  readonly delay?: () => Promise<void>;
}

export interface MemoryStore extends Store {
  readonly disk: MemoryDisk;
  /** The entity's next commit is refused with this reason. */
  refuseNext(entity: string, reason: string): void;
  /** The next batch is answered `unknown` for this entity, or for all; `written` says what really became of it. */
  unknownNext(options: { readonly entity?: string; readonly written: boolean; readonly reason?: string }): void;
  /** A snapshot or record, by its revision, does not match its checksum from now on. */
  damage(entity: string, part: { readonly snapshot: number } | { readonly record: number }): void;
  /** Every call fails from now on, as a store does whose file system is gone; undefined mends it. */
  failWith(error: Error | undefined): void;
  /** The process ends here: what is under way is `unknown`, what is not on the disk is lost; `open` makes it usable again. */
  crash(): void;
  /** Puts everything written onto a disk that lies. */
  sync(): void;
}

const OPTIONS = keysOf<MemoryStoreOptions>({ disk: { title: "a MemoryDisk", "x-test": (value) => value instanceof MemoryDisk }, lies: yesOrNo, delay: aFunction }, []);

/** A store for tests and simulations. Behaves as every other adapter does by the contract suite. @throws DROVER_SIMULATION_INVALID for an option that is unknown or of another kind */
export function memoryStore(options: MemoryStoreOptions = {}): MemoryStore {
  demandShape(options, OPTIONS, "memoryStore", "DROVER_SIMULATION_INVALID", true);
  const disk = options.disk ?? new MemoryDisk();
  let contents = emptyContents();
  let session = 0;
  let isOpen = false;
  let failure: Error | undefined;
  const refusals = new Map<string, string>();
  let unknowns: { readonly entity?: string; readonly written: boolean; readonly reason?: string }[] = [];

  function ensureOpen(): void {
    if (failure !== undefined) throw failure;
    if (!isOpen) throw new DroverError("DROVER_STORE_FAILED", "the memory store is not open", { retryable: true });
  }

  function keepHistory(entity: string): void {
    const history = contents.histories.get(entity);
    if (options.lies !== true && history !== undefined) disk.contents.histories.set(entity, history);
  }

  function keepValue(key: string): void {
    if (options.lies === true) return;
    const value = contents.values.get(key);
    if (value === undefined) disk.contents.values.delete(key);
    else disk.contents.values.set(key, value);
  }

  function write(commit: EntityCommit): CommitOutcome {
    const scripted = refusals.get(commit.entity);
    if (scripted !== undefined) {
      refusals.delete(commit.entity);
      return { kind: "refused", reason: scripted };
    }
    const head = contents.histories.get(commit.entity);
    const problem = commitProblem(head, commit);
    if (problem !== undefined) return { kind: "refused", reason: problem };
    const before = head?.incarnation === commit.incarnation ? head : undefined;
    const records = before === undefined ? [] : before.records.length === before.length ? before.records : before.records.slice(0, before.length);
    records.push({ revision: commit.revision, at: commit.at, record: commit.record });
    const newest = commit.snapshot === undefined ? [] : [{ revision: commit.revision, state: commit.snapshot, isDamaged: false }];
    const history = {
      type: commit.type,
      incarnation: commit.incarnation,
      revision: commit.revision,
      epoch: commit.epoch,
      snapshots: [...newest, ...(before?.snapshots ?? [])].slice(0, 2),
      records,
      length: records.length,
    };
    contents.histories.set(commit.entity, commit.snapshot !== undefined && commit.forgetsOlder === true ? trimmed(history, commit.revision) : history);
    keepHistory(commit.entity);
    disk.isToldRestored = false;
    if (commit.value !== undefined) {
      contents.values.set(commit.value.key, commit.value.value);
      keepValue(commit.value.key);
    }
    return { kind: "committed" };
  }

  async function commit(given: readonly EntityCommit[]): Promise<readonly CommitOutcome[]> {
    if (given.length > MAX_BATCH_COMMITS)
      throw new DroverError("DROVER_STORE_FAILED", `a batch has at most ${String(MAX_BATCH_COMMITS)} commits, this has ${String(given.length)}`);
    if (failure !== undefined) return given.map(() => ({ kind: "unknown", reason: String(failure?.message) }));
    ensureOpen();
    const mine = session;
    const batch = given.map(copyOf);
    await options.delay?.();
    if (mine !== session) return batch.map(crashed);
    const script = unknowns;
    unknowns = [];
    const outcomes = batch.map((entry): CommitOutcome => {
      const unknown = script.find((fault) => fault.entity === undefined || fault.entity === entry.entity);
      if (unknown === undefined) return write(entry);
      if (unknown.written) write(entry);
      return { kind: "unknown", reason: unknown.reason ?? "scripted" };
    });
    await options.delay?.();
    return mine === session ? outcomes : batch.map(crashed);
  }

  const history = (entity: string): History | undefined => {
    ensureOpen();
    return contents.histories.get(entity);
  };

  return {
    disk,
    commit,
    open: async (): Promise<StoreOpened> => {
      await Promise.resolve();
      if (failure !== undefined) throw failure;
      if (!isOpen) contents = { histories: new Map(disk.contents.histories), values: new Map(disk.contents.values) };
      isOpen = true;
      const created = disk.created;
      disk.created = false;
      return disk.isToldRestored ? { created, restored: { reason: "the memory disk was put back" } } : { created };
    },
    revisionOf: async (entity) => {
      await Promise.resolve();
      const found = history(entity);
      return found === undefined ? undefined : { incarnation: found.incarnation, revision: found.revision };
    },
    load: async (entity): Promise<StoredEntity | undefined> => {
      await Promise.resolve();
      const found = history(entity);
      if (found === undefined) return undefined;
      const whole = found.snapshots.find(({ isDamaged }) => !isDamaged);
      const from = whole?.revision ?? 0;
      const damaged = found.snapshots.filter(({ revision, isDamaged }) => isDamaged && revision > from).map(({ revision }) => revision);
      const records = recordsOf(found).filter((record) => record.revision > from);
      const bad = records.find((record, index) => record.revision !== from + index + 1 || isDamaged(record));
      if (bad !== undefined || from + records.length !== found.revision)
        throw new DroverError("DROVER_STORE_FAILED", `the history of ${entity} cannot be read after revision ${String((bad?.revision ?? found.revision + 1) - 1)}`);
      return {
        entity,
        type: found.type,
        incarnation: found.incarnation,
        revision: found.revision,
        snapshot: whole === undefined ? undefined : { revision: whole.revision, state: whole.state },
        records,
        ...(disk.restored.get(entity) === found.incarnation ? { isRestored: true } : {}),
        ...(damaged.length === 0 ? {} : { damaged }),
      };
    },
    entities: async (after, limit) => {
      await Promise.resolve();
      ensureOpen();
      return [...contents.histories]
        .filter(([entity]) => after === undefined || byCodePoint(entity, after) > 0)
        .sort(([one], [other]) => byCodePoint(one, other))
        .slice(0, pageSize(limit))
        .map(([entity, { type, incarnation, revision }]) => ({ entity, type, incarnation, revision }));
    },
    journal: async (query: JournalQuery) => {
      await Promise.resolve();
      const { after = 0, before = Number.POSITIVE_INFINITY, limit, order } = query;
      const records = recordsOf(history(query.entity)).filter((record) => record.revision > after && record.revision < before && !isDamaged(record));
      return (order === "oldest-first" ? records : records.toReversed()).slice(0, pageSize(limit));
    },
    trim: async (entity, revision) => {
      await Promise.resolve();
      const found = history(entity);
      if (found === undefined) return;
      contents.histories.set(entity, trimmed(found, revision));
      keepHistory(entity);
    },
    values: {
      get: async (key) => {
        await Promise.resolve();
        ensureOpen();
        return contents.values.get(key);
      },
      set: async (key, value) => {
        const copy = new Uint8Array(value);
        await Promise.resolve();
        ensureOpen();
        contents.values.set(key, copy);
        keepValue(key);
      },
      entries: async (prefix, page?: ValuesPage) => {
        await Promise.resolve();
        ensureOpen();
        return [...contents.values]
          .filter(([key]) => key.startsWith(prefix) && (page?.after === undefined || byCodePoint(key, page.after) > 0))
          .sort(([one], [other]) => byCodePoint(one, other))
          .slice(0, page === undefined ? undefined : pageSize(page.limit))
          .map(([key, value]) => ({ key, value }));
      },
      delete: async (key) => {
        await Promise.resolve();
        ensureOpen();
        contents.values.delete(key);
        keepValue(key);
      },
      write: async (changes) => {
        const problem = valuesProblem(changes);
        if (problem !== undefined) throw new DroverError("DROVER_STORE_FAILED", problem);
        const copies = changes.map(({ key, value }) => ({ key, value: value === undefined ? undefined : new Uint8Array(value) }));
        await Promise.resolve();
        ensureOpen();
        for (const { key, value } of copies) {
          if (value === undefined) contents.values.delete(key);
          else contents.values.set(key, value);
          keepValue(key);
        }
      },
    },
    close: async () => {
      await Promise.resolve();
      isOpen = false;
      session++;
    },
    refuseNext: (entity, reason) => void refusals.set(entity, reason),
    unknownNext: (fault) => void unknowns.push(fault),
    damage: (entity, part) => {
      const found = contents.histories.get(entity);
      if (found === undefined) return;
      const records = recordsOf(found).map((record) => ("record" in part && record.revision === part.record ? { ...record, record: DAMAGED } : record));
      const snapshots = found.snapshots.map((each) => ("snapshot" in part && each.revision === part.snapshot ? { ...each, isDamaged: true } : each));
      contents.histories.set(entity, { ...found, records, length: records.length, snapshots });
      keepHistory(entity);
    },
    failWith: (error) => {
      failure = error;
    },
    crash: () => {
      isOpen = false;
      session++;
    },
    sync: () => {
      disk.contents = { histories: new Map(contents.histories), values: new Map(contents.values) };
    },
  };
}

/** Stands for bytes that do not match their checksum. */
const DAMAGED = new Uint8Array();

function isDamaged({ record }: StoredRecord): boolean {
  return record === DAMAGED;
}

function trimmed(history: History, revision: number): History {
  const upTo = Math.min(revision, history.snapshots[1]?.revision ?? 0);
  const records = recordsOf(history).filter((record) => record.revision > upTo);
  return { ...history, records, length: records.length };
}

function recordsOf(history: History | undefined): readonly StoredRecord[] {
  return history === undefined ? [] : history.records.slice(0, history.length);
}

function emptyContents(): Contents {
  return { histories: new Map(), values: new Map() };
}

/** Callers use their buffers again. */
function copyOf(commit: EntityCommit): EntityCommit {
  const { record, snapshot, value } = commit;
  return {
    ...commit,
    record: bytesOf(record),
    ...(snapshot === undefined ? {} : { snapshot: bytesOf(snapshot) }),
    ...(value === undefined ? {} : { value: { key: value.key, value: bytesOf(value.value) } }),
  };
}

function bytesOf(bytes: Uint8Array): Uint8Array {
  return bytes instanceof Uint8Array ? new Uint8Array(bytes) : bytes;
}

function crashed(): CommitOutcome {
  return { kind: "unknown", reason: "the store ended before it answered" };
}
