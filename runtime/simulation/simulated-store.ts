// A database and the connections that processes have to it. The database outlives them; what a connection had under way when its process ended was written or was not.
//
// D1. A batch is one transaction: all of it reached the database or nothing did.
// D2. Whoever opens the database as owner raises its epoch; a commit under an older epoch is refused from then on (rules E1, E4), however late it comes.
// D3. A disk that lies keeps nothing for good until it flushes: `powerCut` takes the database back to its last flush (rules L3).

import { createHash } from "node:crypto";

import { decodeRecord } from "../entity/index.ts";
import type { JournalRecord } from "../entity/contract.ts";
import { type CommitOutcome, DroverError, type EntityCommit, type Random, type Store } from "../ports/index.ts";
import type { Said } from "./history.ts";
import { heldBy } from "./held-by.ts";
import { MemoryDisk, type MemoryStore, memoryStore } from "./memory-store.ts";
import type { OfferedMessages } from "./offered-messages.ts";
import type { SimulatedProcess } from "./simulated-process.ts";

export interface StoreFaults {
  /** Until a batch has reached the database, and again until its answer is back, ms. Default 0.1 to 3. */
  readonly latencyMs: readonly [least: number, most: number];
  /** Chance that a batch is answered `unknown`; whether it was written is a toss. Default 0.01. */
  readonly unknown: number;
  /** Chance that one commit of a batch is refused. Default 0.002. */
  readonly refused: number;
  /** Chance that a read fails. Default 0.005. */
  readonly failedRead: number;
}

export class SimulatedDatabase {
  readonly name: string;
  readonly random: Random;
  readonly base: MemoryStore;
  readonly #tell: (fact: Said) => void;
  epoch = 0;
  /** Every call fails meanwhile. */
  isOut = false;
  /** Reads are answered; whatever would write is refused for want of room, whole batches at a time. */
  isFull = false;
  /** Multiplies all latencies: a card that flushes, a server that swaps. */
  slowness = 1;
  /** When the last thing is over that was slow. */
  #slowUntilMs = 0;

  constructor(name: string, options: { readonly random: Random; readonly tell: (fact: Said) => void; readonly lies?: boolean }) {
    this.name = name;
    this.random = options.random;
    this.#tell = options.tell;
    this.base = memoryStore({ disk: new MemoryDisk(), ...(options.lies === true ? { lies: true } : {}) });
  }

  /** D3. */
  async powerCut(): Promise<void> {
    this.base.crash();
    await this.base.open();
  }

  /** A copy of all that it holds, taken while nothing writes. @returns what puts it in the place of what it holds then */
  copied(): () => Promise<void> {
    const { disk } = this.base;
    const copy = structuredClone(disk.contents);
    return async () => {
      disk.contents = copy;
      this.#tell({ kind: "restored", store: this.name });
      await this.powerCut();
    };
  }

  /** What a process is handed. @param epoch under which it owns what it commits (D2) */
  connect(process: SimulatedProcess, epoch: number, faults: () => StoreFaults): Store {
    const { base } = this;
    const latency = (): number => {
      const {
        latencyMs: [least, most],
      } = faults();
      const ms = (least + this.random.next() * (most - least)) * this.slowness;
      const untilMs = process.nowMs + ms;
      if (this.slowness > 1 && untilMs > this.#slowUntilMs) {
        this.#slowUntilMs = untilMs;
        this.#tell({ kind: "slow", node: process.node, run: process.run, forMs: ms });
      }
      return ms;
    };
    let isOpen = false;

    const reach = async (): Promise<void> => {
      await process.wait(latency());
      if (this.isOut) throw new DroverError("DROVER_STORE_FAILED", "the simulated store is out of order", { retryable: true });
      if (!isOpen) throw new DroverError("DROVER_STORE_FAILED", "the simulated store is not open", { retryable: true });
    };

    const read = async <T>(work: () => Promise<T>): Promise<T> => {
      await reach();
      if (this.random.next() < faults().failedRead) throw new DroverError("DROVER_STORE_FAILED", "a simulated read failed", { retryable: true });
      return work();
    };

    const write = async (work: () => Promise<void>): Promise<void> => {
      await reach();
      if (this.isFull) throw new DroverError("DROVER_STORE_FAILED", "the simulated disk is full", { retryable: true });
      await work();
    };

    const writeAll = async (batch: readonly EntityCommit[]): Promise<readonly CommitOutcome[]> => {
      const outcomes: (CommitOutcome | undefined)[] = batch.map((commit) => {
        if (commit.epoch > 0 && commit.epoch < this.epoch) return { kind: "refused", reason: `epoch ${String(commit.epoch)} is over: ${String(this.epoch)} owns the store` };
        if (this.isFull) return { kind: "refused", reason: "the simulated disk is full", passing: true };
        return this.random.next() < faults().refused ? { kind: "refused", reason: "a simulated refusal" } : undefined;
      });
      const written = await base.commit(batch.filter((_, index) => outcomes[index] === undefined));
      let next = 0;
      const all = outcomes.map((outcome) => outcome ?? (written[next++] as CommitOutcome));
      batch.forEach((commit, index) => {
        if (all[index]?.kind === "committed") this.#note(process, commit);
      });
      return all;
    };

    const store: Store = {
      open: async () => {
        await process.wait(latency());
        if (this.isOut) throw new DroverError("DROVER_STORE_FAILED", "the simulated store is out of order", { retryable: true });
        this.epoch = Math.max(this.epoch, epoch);
        isOpen = true;
        return base.open();
      },
      commit: async (batch) => {
        const copies = batch.map((commit) => ({
          ...commit,
          record: new Uint8Array(commit.record),
          ...(commit.snapshot === undefined ? {} : { snapshot: new Uint8Array(commit.snapshot) }),
          ...(commit.value === undefined ? {} : { value: { ...commit.value, value: new Uint8Array(commit.value.value) } }),
        }));
        await reach();
        const draw = this.random.next();
        const { unknown } = faults();
        if (draw < unknown) {
          if (draw < unknown / 2) await writeAll(copies);
          await process.wait(latency());
          return copies.map(() => ({ kind: "unknown", reason: "the simulated connection was lost" }));
        }
        const outcomes = await writeAll(copies);
        await process.wait(latency());
        return outcomes;
      },
      revisionOf: (entity) => read(() => base.revisionOf(entity)),
      load: (entity) => read(() => base.load(entity)),
      entities: (after, limit) => read(() => base.entities(after, limit)),
      journal: (query) => read(() => base.journal(query)),
      trim: (entity, revision) => write(() => base.trim(entity, revision)),
      values: {
        get: (key) => read(() => base.values.get(key)),
        set: async (key, value) => {
          const copy = new Uint8Array(value);
          await write(() => base.values.set(key, copy));
          await process.wait(latency());
        },
        entries: (prefix, page) => read(() => base.values.entries(prefix, page)),
        delete: (key) => write(() => base.values.delete(key)),
        write: async (changes) => {
          const copies = changes.map(({ key, value }) => ({ key, value: value === undefined ? undefined : new Uint8Array(value) }));
          await write(() => base.values.write(copies));
          await process.wait(latency());
        },
      },
      close: () => {
        isOpen = false;
        return Promise.resolve();
      },
    };
    return heldBy(process, store);
  }

  #note(process: SimulatedProcess, commit: EntityCommit): void {
    const { entity, incarnation, revision } = commit;
    this.#tell({ kind: "written", node: process.node, run: process.run, store: this.name, entity, incarnation, revision });
  }
}

/** What a system hands to its store and hears from it, noted; whatever lies between this and the database is the seam of tests. @param name of the database */
export function notedStore(
  process: SimulatedProcess,
  store: Store,
  { name, tell, nowMs, offered }: { readonly name: string; readonly tell: (fact: Said) => void; readonly nowMs: () => number; readonly offered: OfferedMessages },
): Store {
  const { node, run } = process;
  return {
    ...methodsOf(store),
    commit: async (batch) => {
      for (const { entity, incarnation, revision, epoch, record, snapshot } of batch) {
        const sums = { record: sumOf(record), ...(snapshot === undefined ? {} : { snapshot: sumOf(snapshot) }) };
        const steps = offered.of(process, entity);
        tell({ kind: "asked", node, run, entity, incarnation, revision, epoch, record: recordIn(record), sums, ...(steps === undefined ? {} : { steps }) });
      }
      const outcomes = await store.commit(batch);
      batch.forEach(({ entity, incarnation, revision }, index) => {
        tell({ kind: "answered", node, run, entity, incarnation, revision, outcome: outcomes[index] ?? { kind: "unknown", reason: "no answer" } });
      });
      return outcomes;
    },
    load: async (entity) => {
      const sinceMs = nowMs();
      const stored = await store.load(entity);
      const snapshot = stored?.snapshot === undefined ? undefined : ([stored.snapshot.revision, sumOf(stored.snapshot.state)] as const);
      const records = (stored?.records ?? []).map(({ revision, record }) => [revision, sumOf(record)] as const);
      const head = stored === undefined ? undefined : { incarnation: stored.incarnation, revision: stored.revision };
      tell({ kind: "loaded", node, run, store: name, sinceMs, entity, head, snapshot, records });
      return stored;
    },
  };
}

function sumOf(bytes: Uint8Array): string {
  return createHash("sha1").update(bytes).digest("base64url");
}

function methodsOf(store: Store): Store {
  return {
    open: () => store.open(),
    commit: (batch) => store.commit(batch),
    revisionOf: (entity) => store.revisionOf(entity),
    load: (entity) => store.load(entity),
    entities: (after, limit) => store.entities(after, limit),
    journal: (query) => store.journal(query),
    trim: (entity, revision) => store.trim(entity, revision),
    values: store.values,
    close: () => store.close(),
  };
}

function recordIn(bytes: Uint8Array): JournalRecord | undefined {
  return bytes.byteLength === 0 ? undefined : decodeRecord(bytes);
}
