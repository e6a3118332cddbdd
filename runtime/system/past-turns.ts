// What an entity, or one actor of it, was after a revision: from its newest full state and the records that its journal keeps, however many those are, read page by page.
//
// Q1. One actor is looked for backwards from the revision: most were touched lately. The entity as a whole is put together forwards.
// Q2. What stands before a record that is missing, damaged or trimmed, tells nothing of what comes after it; what no turn up to the newest full state has touched is as that says.

import { type Address, entityOf } from "../address.ts";
import type { CellRecord, EntityState, JournalRecord } from "../entity/contract.ts";
import { cellChange, decodeRecord, decodeState, type PastState, PastTurns } from "../entity/index.ts";
import type { Store, StoredRecord } from "../ports/index.ts";
import type { NotKept } from "./inspected.ts";

/** Journal records of one read. */
const PAGE = 200;

export interface PastCell {
  /** Wall time of that turn, ms. */
  readonly at: number;
  /** undefined: it was not there. */
  readonly cell: CellRecord | undefined;
}

export interface PastTurn {
  /** The entity before the turn; undefined where that was its first. */
  readonly before: PastState | undefined;
  readonly record: JournalRecord;
}

interface Kept {
  readonly newest: EntityState | undefined;
  readonly last: number;
}

export async function cellAt(store: Store, address: Address, revision: number): Promise<PastCell | NotKept> {
  const entity = entityOf(address);
  const kept = await keptOf(store, entity);
  const found = revision < 1 ? undefined : await cellIn(store, address, revision, kept.newest);
  return found ?? { kind: "not-kept", first: await firstOf(store, address, kept), last: kept.last };
}

/** A turn of an entity and what it began with. */
export async function turnAt(store: Store, entity: Address, revision: number): Promise<PastTurn | NotKept> {
  const kept = await keptOf(store, entity);
  const [stored] = revision < 1 ? [] : await store.journal({ entity, after: revision - 1, before: revision + 1, limit: 1, order: "oldest-first" });
  const record = stored === undefined || !isRecord(stored) ? undefined : decodeRecord(stored.record);
  const before = record === undefined || revision === 1 ? undefined : await stateAt(store, entity, revision - 1, kept.newest);
  if (record !== undefined && (before !== undefined || revision === 1)) return { before, record };
  const first = await firstOf(store, undefined, kept, entity);
  return { kind: "not-kept", first: first === 1 ? 1 : first + 1, last: kept.last };
}

async function keptOf(store: Store, entity: Address): Promise<Kept> {
  const stored = await store.load(entity);
  return { newest: stored?.snapshot === undefined ? undefined : decodeState(stored.snapshot.state), last: stored?.revision ?? 0 };
}

async function stateAt(store: Store, entity: Address, revision: number, newest: EntityState | undefined): Promise<PastState | undefined> {
  const isAfter = newest !== undefined && newest.revision <= revision;
  const upTo = async (turns: PastTurns): Promise<PastTurns> => {
    for await (const stored of journalOf(store, entity, isAfter ? newest.revision : 0, revision + 1)) turns.tell(decodeRecord(stored.record));
    return turns;
  };
  const [oldest] = await store.journal({ entity, limit: 1, order: "oldest-first" });
  if (isAfter || newest === undefined || oldest?.revision === 1) {
    const turns = await upTo(new PastTurns(revision, newest));
    // It may have been trimmed meanwhile, or be damaged.
    if (turns.isWhole) return turns.state;
  }
  const turns = new PastTurns(revision, newest);
  if (newest !== undefined) for await (const stored of journalOf(store, entity, revision, newest.revision + 1)) turns.tellLater(decodeRecord(stored.record));
  return (await upTo(turns)).state;
}

/** Q1. */
async function cellIn(store: Store, address: Address, revision: number, newest: EntityState | undefined): Promise<PastCell | undefined> {
  const entity = entityOf(address);
  const ofNewest = (): CellRecord | undefined => newest?.cells.find((candidate) => candidate.address === address);
  if (newest?.revision === revision) return { at: newest.stamp.now, cell: ofNewest() };
  const floor = newest !== undefined && newest.revision < revision ? newest.revision : 0;
  let at: number | undefined;
  let reached = revision + 1;
  for await (const stored of journalOf(store, entity, floor, revision + 1, "newest-first")) {
    if (stored.revision !== reached - 1) break;
    reached = stored.revision;
    at ??= stored.at;
    const change = cellChange(decodeRecord(stored.record).outcome, address);
    if (change !== undefined) return { at, cell: change.cell };
  }
  if (at === undefined) return undefined;
  if (reached === floor + 1) return { at, cell: floor === 0 ? undefined : ofNewest() };
  // Q2.
  if (newest === undefined || floor > 0) return undefined;
  let next = revision + 1;
  for await (const stored of journalOf(store, entity, revision, newest.revision + 1)) {
    if (stored.revision !== next || cellChange(decodeRecord(stored.record).outcome, address) !== undefined) return undefined;
    next++;
  }
  return next === newest.revision + 1 ? { at, cell: ofNewest() } : undefined;
}

/** From which revision on each is told, of an actor or, without an address, of the entity. */
async function firstOf(store: Store, address: Address | undefined, { newest, last }: Kept, entity = entityOf(address as Address)): Promise<number> {
  const upTo = newest?.revision ?? last;
  let begun: number | undefined;
  let known: number | undefined;
  let next = 1;
  for await (const stored of journalOf(store, entity, 0, upTo + 1)) {
    if (begun === undefined || stored.revision !== next) {
      begun = stored.revision;
      known = begun === 1 || address === undefined ? begun : undefined;
    }
    next = stored.revision + 1;
    if (known === undefined && address !== undefined && cellChange(decodeRecord(stored.record).outcome, address) !== undefined) known = stored.revision;
  }
  return begun === undefined || next !== upTo + 1 ? upTo : (known ?? begun);
}

/** Between two revisions, both not included. What opens a replica's history is a state and no record. */
async function* journalOf(
  store: Store,
  entity: Address,
  after: number,
  before: number,
  order: "oldest-first" | "newest-first" = "oldest-first",
): AsyncGenerator<StoredRecord, undefined> {
  let [from, to] = [after, before];
  for (;;) {
    const page = await store.journal({ entity, after: from, before: to, limit: PAGE, order });
    for (const stored of page) if (isRecord(stored)) yield stored;
    const end = page.at(-1)?.revision;
    if (end === undefined || page.length < PAGE) return undefined;
    if (order === "oldest-first") from = end;
    else to = end;
  }
}

function isRecord({ record }: StoredRecord): boolean {
  return record.byteLength > 0;
}
