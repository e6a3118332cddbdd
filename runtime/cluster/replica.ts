// Replicas: what this node knows of entities that live elsewhere. They apply recorded outcomes and never run a machine (rules T3), so that a vehicle
// on another machine version is shown right. Every record is committed here before it is acknowledged (design section 7).
//
// P1. The stored history of a replica is named after the owner's incarnation; where the owner lost records it is continued under `<incarnation>~n`, opened by a full state.
//     A full state at the revision that is held already is a checkpoint: it replaces the cells, and the stored history goes on.
// P2. A batch is applied whole or not at all; what cannot be read is refused with its reason and changes nothing.
// P3. What was lost before it came here is counted, and the history shows the hole.
// P4. Where a record carries the hash of the state, the replica must have it (rules H2); one that has not is told once, and is sound again with the next full state.
// P5. What the store holds is checked like what arrives: it may have been taken by an earlier version that checked less.
// P6. A record or a checkpoint that does not follow what is held by its hash is refused, and moves nothing: the owner is told where this history stands and finds out that its own has
//     parted from it (rules T1). Of a history that began so, the turns before it are shown as missing, with that as the cause.

import { type Address, entityOf, kindOf, parseAddress } from "../address.ts";
import type { CellRecord, EntityState, Fork, JournalRecord, PastHistories } from "../entity/contract.ts";
import type { AnyActorType } from "../actor/index.ts";
import { encodeState, hashOfCells, linkOf, linkProblem } from "../entity/index.ts";
import type { Clock, EntityCommit, Log, Store } from "../ports/index.ts";
import { shownData } from "../xstate/index.ts";
import { type ActorView, type Change, type Directory, type HistoryPage, type HistoryQuery, type MissingTurns, readHistory } from "../system/index.ts";
import { attempt } from "../when-rejected.ts";
import { LimitedLog } from "../limited-log.ts";
import { isSameHead, MAX_PAST, type StreamBatch, type StreamPosition } from "./stream.ts";
import { type Checked, MAX_CELLS, readRecord, readState } from "./stream-check.ts";

export interface ReplicaOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  /** This node. */
  readonly node: string;
  /** Actor types known here. A replica needs none: what an actor accepts stands in its record (rules T3). */
  readonly types: ReadonlyMap<string, AnyActorType>;
  /** Owner of an entity as far as it is known here. */
  readonly owner: (entity: Address) => { readonly node: string; readonly epoch: number };
  /** When the owner was last heard, wall ms; undefined: not since the start of this node. */
  readonly heardAt: (entity: Address) => number | undefined;
}

export type Applied = { readonly kind: "applied"; readonly position: StreamPosition } | { readonly kind: "refused"; readonly reason: string; readonly position: StreamPosition };

interface Replica {
  readonly entity: Address;
  readonly type: string;
  incarnation: string;
  /** Name of the stored history (P1). */
  stored: string;
  revision: number;
  /** Hash of its last record, where that is known (P6). */
  head: string | undefined;
  fork: Fork | undefined;
  /** Incarnations that were replaced here. */
  past: PastHistories;
  asOf: number;
  labels: Readonly<Record<string, string>>;
  cells: Map<string, CellRecord>;
  /** Records stored since the last snapshot of the replica. */
  sinceSnapshot: number;
  /** No hash has differed since its last full state. */
  isSound: boolean;
}

/** The replica's own state is stored beside every so many records, so that a restart reads few. */
const SNAPSHOT_EVERY = 200;
/** Records kept for history. */
const KEEP_RECORDS = 20_000;

export interface Replicas extends Directory {
  /** Loads what the store holds, so that a restarted node answers at once. */
  open(): Promise<void>;
  position(entity: Address): StreamPosition;
  apply(batch: StreamBatch): Promise<Applied>;
  entities(): readonly Address[];
  /**
   * Since the start: batches `refused`, `gaps` in histories with the `lost` records, `replaced` histories and those of them that `forked`, replicas that were found `unsound` by a hash (P4), stored states and
   * records that were `unreadable` (P5).
   */
  readonly counters: Readonly<Record<"applied" | "refused" | "gaps" | "lost" | "replaced" | "forked" | "unsound" | "unreadable", number>>;
}

export function createReplicas(options: ReplicaOptions, isReplica: (type: string) => boolean): Replicas {
  const { store, clock, log } = options;
  const replicas = new Map<string, Replica>();
  const listeners = new Set<(change: Change) => void>();
  /** One batch of an entity at a time. */
  const busy = new Map<string, Promise<unknown>>();
  const counters = { applied: 0, refused: 0, gaps: 0, lost: 0, replaced: 0, forked: 0, unsound: 0, unreadable: 0 };
  const limitedLog = new LimitedLog(log, clock);

  function position(entity: Address): StreamPosition {
    const replica = replicas.get(entity);
    return { incarnation: replica?.incarnation, revision: replica?.revision ?? 0, ...(replica?.head === undefined ? {} : { head: replica.head }), ...pastIn(replica) };
  }

  async function open(): Promise<void> {
    let after: string | undefined;
    for (;;) {
      const page = await store.entities(after, 500);
      for (const { entity, type } of page) if (isReplica(type)) await load(entity);
      after = page.at(-1)?.entity;
      if (page.length < 500) return;
    }
  }

  /** P5. */
  async function load(text: string): Promise<void> {
    const stored = await store.load(text);
    if (stored?.snapshot === undefined) return;
    try {
      const entity = parseAddress(text);
      const state = orThrow(readState(stored.snapshot.state, { entity, type: kindOf(entity) }));
      const replica = fromState(state, stored.incarnation);
      for (const { record } of stored.records) applyRecord(replica, orThrow(readRecord(record, entity, replica.incarnation)), record);
      replicas.set(entity, replica);
    } catch (cause) {
      counters.unreadable++;
      log.error({ err: cause, entity: text }, "a stored replica cannot be read; its owner is asked for a full state");
    }
  }

  function fromState(state: EntityState, stored: string): Replica {
    return {
      entity: state.entity,
      type: state.type,
      incarnation: state.incarnation,
      stored,
      revision: state.revision,
      head: state.head,
      fork: state.fork,
      past: state.past ?? [],
      asOf: state.stamp.now,
      labels: state.labels,
      cells: new Map(state.cells.map((cell) => [cell.address, cell])),
      sinceSnapshot: 0,
      isSound: true,
    };
  }

  /** What a restart of this node needs; what only the owner's machine needs stays with the owner. */
  function toState(replica: Replica): EntityState {
    const { entity, type, incarnation, revision, labels, head, fork } = replica;
    return {
      v: 1,
      entity,
      type,
      incarnation,
      revision,
      stamp: { now: replica.asOf, elapsed: 0, seed: 0 },
      labels,
      cells: [...replica.cells.values()],
      rest: null,
      ...(head === undefined ? {} : { head }),
      ...(fork === undefined ? {} : { fork }),
      ...pastIn(replica),
    };
  }

  function applyRecord(replica: Replica, record: JournalRecord, bytes: Uint8Array): void {
    if (record.revision !== replica.revision + 1) throw new Error(`revision ${String(record.revision)} does not follow ${String(replica.revision)}`);
    const unlinked = linkProblem(record, replica.head);
    if (unlinked !== undefined) throw new Error(unlinked);
    for (const address of record.outcome.ended) replica.cells.delete(address);
    for (const cell of record.outcome.cells) replica.cells.set(cell.address, cell);
    const start = record.inputs.find((input) => input.kind === "start");
    if (start !== undefined) replica.labels = start.labels;
    if (replica.cells.size > MAX_CELLS) throw new Error(`an entity has at most ${String(MAX_CELLS)} actors`);
    replica.revision = record.revision;
    replica.head = linkOf(bytes);
    replica.asOf = record.stamp.now;
    checkHash(replica, record);
  }

  /** P4. */
  function checkHash(replica: Replica, record: JournalRecord): void {
    const recorded: unknown = record.hash?.cells;
    if (typeof recorded !== "string" || !replica.isSound) return;
    const computed = hashOfCells(replica.labels, replica.cells.values());
    if (computed === recorded) return;
    replica.isSound = false;
    counters.unsound++;
    log.error({ entity: replica.entity, revision: record.revision, recorded, computed }, "the hash of a replica is not the one that its owner committed");
  }

  async function applyNow(batch: StreamBatch): Promise<Applied> {
    const held = replicas.get(batch.entity);
    if (batch.opening === undefined && batch.records.length === 0) return { kind: "applied", position: position(batch.entity) };
    const refuse = (reason: string): Applied => {
      counters.refused++;
      return { kind: "refused", reason, position: position(batch.entity) };
    };
    let next: Replica;
    const commits: EntityCommit[] = [];
    const changes: Change[] = [];
    try {
      if (batch.opening === undefined) {
        if (held?.incarnation !== batch.incarnation || held.revision !== batch.after) return refuse("the records do not follow what is held");
        next = { ...held, cells: new Map(held.cells) };
      } else {
        const state = orThrow(readState(batch.opening, { entity: batch.entity, type: kindOf(batch.entity), incarnation: batch.incarnation, revision: batch.after }));
        const isCheckpoint = held?.incarnation === batch.incarnation && held.revision === state.revision;
        if (isCheckpoint && !isSameHead(held.head, state.head))
          return refuse(`the full state of revision ${String(state.revision)} is of another history than the one that is held`);
        // What is stored and could not be read is replaced like anything else (P1).
        const before = held?.stored ?? (await store.revisionOf(batch.entity))?.incarnation;
        next = fromState(state, isCheckpoint ? held.stored : storedName(before, batch.incarnation));
        next.past = pastWith(held, next.incarnation);
        if (isCheckpoint) next.sinceSnapshot = SNAPSHOT_EVERY;
        else commits.push(openingCommit(state, next, before));
        changes.push({
          entity: next.entity,
          incarnation: next.incarnation,
          revision: next.revision,
          at: next.asOf,
          cells: state.cells,
          ended: endedBetween(held, next),
          emitted: [],
          record: undefined,
        });
      }
      for (const bytes of batch.records) {
        const record = orThrow(readRecord(bytes, next.entity, next.incarnation));
        applyRecord(next, record, bytes);
        commits.push({
          entity: next.entity,
          type: next.type,
          incarnation: next.stored,
          revision: record.revision,
          epoch: 0,
          at: record.stamp.now,
          record: bytes,
          ...snapshotOf(next),
        });
        changes.push({
          entity: next.entity,
          incarnation: next.incarnation,
          revision: record.revision,
          at: record.stamp.now,
          cells: record.outcome.cells,
          ended: record.outcome.ended as readonly Address[],
          emitted: record.outcome.emitted,
          record,
        });
      }
    } catch (cause) {
      return refuse(cause instanceof Error ? cause.message : String(cause));
    }
    const problem = await commitAll(commits);
    if (problem !== undefined) {
      // Some of it may have been stored: what the store holds is what is held.
      await load(batch.entity);
      return refuse(problem);
    }
    replicas.set(batch.entity, next);
    count(batch, held, next);
    if (next.revision > KEEP_RECORDS && commits.some((commit) => commit.snapshot !== undefined)) {
      await store.trim(next.entity, next.revision - KEEP_RECORDS).catch((cause: unknown) => {
        log.warn({ err: cause, entity: next.entity }, "the history of a replica could not be trimmed");
      });
    }
    for (const change of changes) tell(change);
    return { kind: "applied", position: position(batch.entity) };
  }

  /** P3. */
  function count(batch: StreamBatch, held: Replica | undefined, { fork }: Replica): void {
    counters.applied++;
    if (batch.opening === undefined || held === undefined) return;
    if (held.incarnation !== batch.incarnation) {
      counters.replaced++;
      if (fork !== undefined && [held.incarnation, ...held.past.map(([name]) => name)].includes(fork.left.incarnation)) {
        counters.forked++;
        log.error(
          { entity: batch.entity, ended: held.incarnation, revision: held.revision, begun: batch.incarnation, goesOnFrom: fork.left.revision },
          "the history of a replicated entity has forked: its owner came back from an older copy of its store",
        );
      } else
        log.warn(
          { entity: batch.entity, ended: held.incarnation, revision: held.revision, begun: batch.incarnation },
          "the history of a replicated entity was replaced by a new one",
        );
    } else if (held.revision !== batch.after) {
      counters.gaps++;
      counters.lost += Math.max(0, batch.after - held.revision);
      log.warn({ entity: batch.entity, from: held.revision + 1, to: batch.after }, "records of a replicated entity were lost; a full state closed the gap");
    }
  }

  function tell(change: Change): void {
    const failed = (cause: unknown): void => {
      log.error({ err: cause, entity: change.entity }, "a watcher of changes threw");
    };
    for (const listener of [...listeners]) attempt(() => listener(change), failed);
  }

  function endedBetween(held: Replica | undefined, next: Replica): readonly Address[] {
    return [...(held?.cells.keys() ?? [])].filter((address) => !next.cells.has(address)) as Address[];
  }

  function snapshotOf(next: Replica): { readonly snapshot?: Uint8Array } {
    next.sinceSnapshot++;
    if (next.sinceSnapshot < SNAPSHOT_EVERY) return {};
    next.sinceSnapshot = 0;
    return { snapshot: encodeState(toState(next)) };
  }

  /** P1. @param before name of the history that is stored */
  function storedName(before: string | undefined, incarnation: string): string {
    if (before !== incarnation && before?.startsWith(`${incarnation}~`) !== true) return incarnation;
    return `${incarnation}~${String(Number(/~(\d+)$/.exec(before)?.[1] ?? 0) + 1)}`;
  }

  function openingCommit(state: EntityState, next: Replica, before: string | undefined): EntityCommit {
    return {
      entity: next.entity,
      type: next.type,
      incarnation: next.stored,
      // A state before the first turn does not exist: revisions begin at 1.
      revision: state.revision,
      epoch: 0,
      at: state.stamp.now,
      record: new Uint8Array(0),
      snapshot: encodeState(toState(next)),
      ...(before === undefined ? {} : { replaces: before }),
    };
  }

  async function commitAll(commits: readonly EntityCommit[]): Promise<string | undefined> {
    // One entity's commits follow each other, so each is a batch entry of its own and a refused one stops the rest.
    for (let start = 0; start < commits.length; start += 256) {
      const outcomes = await store.commit(commits.slice(start, start + 256));
      const bad = outcomes.find((outcome) => outcome.kind !== "committed");
      if (bad !== undefined) {
        log.error({ reason: bad.reason, kind: bad.kind }, "a replica could not be stored");
        return `the records could not be stored: ${bad.reason}`;
      }
    }
    return undefined;
  }

  async function apply(batch: StreamBatch): Promise<Applied> {
    const before = busy.get(batch.entity) ?? Promise.resolve();
    const run = before.then(() => applyNow(batch));
    const settled = run.catch(() => undefined);
    busy.set(batch.entity, settled);
    try {
      return await run;
    } finally {
      if (busy.get(batch.entity) === settled) busy.delete(batch.entity);
    }
  }

  function viewOf(replica: Replica, cell: CellRecord): ActorView {
    const heard = options.heardAt(replica.entity);
    return {
      address: parseAddress(cell.address),
      entity: replica.entity,
      kind: kindOf(cell.address),
      type: cell.type,
      version: cell.version,
      status: cell.status,
      state: cell.value,
      context: shownData(cell.context),
      accepts: cell.accepts,
      durability: "events",
      revision: replica.revision,
      incarnation: replica.incarnation,
      owner: options.owner(replica.entity),
      node: options.node,
      asOf: replica.asOf,
      staleMs: Math.max(0, clock.now() - (heard ?? replica.asOf)),
      labels: replica.labels,
    };
  }

  /** What machines made by themselves has no door and is not shown. */
  function* addresses(): Iterable<Address> {
    for (const replica of replicas.values()) for (const cell of replica.cells.values()) if (cell.accepts !== undefined) yield cell.address;
  }

  function read(address: Address): ActorView | undefined {
    const replica = replicas.get(entityOf(address));
    const cell = replica?.cells.get(address);
    return replica === undefined || cell?.accepts === undefined ? undefined : viewOf(replica, cell);
  }

  async function history(address: Address, query: HistoryQuery): Promise<HistoryPage> {
    const entity = entityOf(address);
    const page = await readHistory(store, address, query, ({ record, revision }) => {
      // What opens a stored history is a state and no record (P1).
      if (record.byteLength === 0) return undefined;
      const read = readRecord(record, entity, undefined);
      if (read.ok) return read.value;
      // P5: the others are shown.
      counters.unreadable++;
      limitedLog.warn({ reason: "unreadable-record", entity, revision, detail: read.problem }, "a stored record of a replica cannot be read and is not shown");
      return undefined;
    });
    const { fork, past = [] } = replicas.get(entity) ?? {};
    return fork === undefined ? page : { ...page, missing: page.missing.map((gap) => (gap.after < fork.left.revision ? { ...gap, forked: causeOf(fork, past) } : gap)) };
  }

  return {
    counters,
    open,
    position,
    apply,
    addresses,
    read,
    history,
    entities: () => [...replicas.values()].map((replica) => replica.entity),
    watch: (listener) => {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
  };
}

function pastIn(replica: Replica | undefined): { readonly past?: PastHistories } {
  return replica === undefined || replica.past.length === 0 ? {} : { past: replica.past };
}

/** Of an opening. One that has come back all the same is the present one. */
function pastWith(held: Replica | undefined, incarnation: string): PastHistories {
  if (held === undefined || held.incarnation === incarnation) return held?.past ?? [];
  return [...held.past, [held.incarnation, held.revision] as const].filter(([name]) => name !== incarnation).slice(-MAX_PAST);
}

/** P6. Who went on without having asked does not know how far the history was known here. */
function causeOf({ left, known, at }: Fork, past: PastHistories): NonNullable<MissingTurns["forked"]> {
  const [, here = 0] = past.find(([name]) => name === left.incarnation) ?? [];
  return { incarnation: left.incarnation, revision: left.revision, known: Math.max(known, here), at };
}

/** For where many checks end in one refusal. */
function orThrow<X>(checked: Checked<X>): X {
  if (!checked.ok) throw new Error(checked.problem);
  return checked.value;
}
