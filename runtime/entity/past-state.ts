// An entity as it was after some revision, from what its records say came of each turn: no machine runs (rules T3, R1).
//
// P1. From a state that is not newer the records after it are applied. From one that is newer, what no record after `revision` has touched was already so;
//     what was touched and is said by no kept record before is not known any more, and counted.
// P2. Records are told one by one and not kept: what is held is as large as the state, and the names of what changed later.
// P3. Where a record is missing, what stood before it says nothing of what comes after.

import type { CellRecord, EntityState, JournalRecord, TurnOutcome } from "./contract.ts";

export interface PastState {
  readonly state: EntityState;
  /** Cells and rows that were there, or not, by records that the journal has forgotten; so many at least, where they are very many. 0: the state is whole. */
  readonly unknown: number;
}

/** P2. More are not counted. */
const MAX_NAMES = 100_000;

export class PastTurns {
  readonly #revision: number;
  readonly #newest: EntityState | undefined;
  /** Cells and rows as of the last record told; where the run of records does not reach back, only what it says. */
  readonly #items = new Map<string, unknown>();
  /** What the records after `revision` have touched, and what of it is known nevertheless. */
  readonly #later = new Set<string>();
  readonly #known = new Set<string>();
  /** What they have not touched, of the newest state. */
  readonly #untouched: Map<string, unknown>;
  #labels: Readonly<Record<string, string>> | undefined;
  #own: JournalRecord | undefined;
  /** The items are all there are. */
  #isWhole: boolean;
  #next: number;
  #nextLater: number;

  /** @param newest a full state, if there is one */
  constructor(revision: number, newest: EntityState | undefined) {
    this.#revision = revision;
    this.#newest = newest;
    const isAfter = newest !== undefined && newest.revision <= revision;
    this.#isWhole = true;
    this.#next = isAfter ? newest.revision + 1 : 1;
    this.#nextLater = revision + 1;
    this.#untouched = new Map(newest === undefined || isAfter ? [] : itemsOf(newest));
    if (!isAfter) return;
    this.#labels = newest.labels;
    for (const [key, value] of itemsOf(newest)) this.#items.set(key, value);
  }

  /** Those after `revision` up to that of the newest state, ascending; before the others, and only where these do not begin with revision 1. */
  tellLater({ revision, outcome }: JournalRecord): void {
    // P3.
    if (revision === this.#nextLater) this.#nextLater++;
    for (const [key] of changesOf(outcome)) {
      this.#untouched.delete(key);
      if (this.#later.size < MAX_NAMES) this.#later.add(key);
    }
  }

  /** Those up to `revision`, ascending; of a newest state that is not newer those after it. */
  tell(record: JournalRecord): void {
    if (record.revision !== this.#next) {
      // P3.
      this.#isWhole = false;
      this.#items.clear();
      this.#known.clear();
      this.#labels = undefined;
    }
    this.#next = record.revision + 1;
    for (const [key, value] of changesOf(record.outcome)) {
      if (value === undefined) this.#items.delete(key);
      else this.#items.set(key, value);
      if (this.#later.has(key)) this.#known.add(key);
    }
    record.inputs.forEach((input, index) => {
      if (input.kind === "start" && record.results[index]?.kind !== "dropped") this.#labels = input.labels;
    });
    if (record.revision === this.#revision) this.#own = record;
  }

  /** Whether nothing after `revision` is needed. */
  get isWhole(): boolean {
    return this.#isWhole;
  }

  /** undefined when `revision` itself is neither told nor the newest state's own. */
  get state(): PastState | undefined {
    const own = this.#own;
    const newest = this.#newest;
    if (own === undefined) return newest?.revision === this.#revision ? { state: newest, unknown: 0 } : undefined;
    const type = newest?.type ?? own.entity.split("/")[1] ?? "";
    const labels = this.#labels ?? newest?.labels ?? {};
    if (this.#isWhole || newest === undefined) return { state: assemble(own, type, labels, this.#items), unknown: 0 };
    const items = new Map(this.#items);
    let unknown = this.#later.size - this.#known.size;
    const isLinked = this.#nextLater === newest.revision + 1;
    for (const [key, value] of this.#untouched) {
      if (items.has(key)) continue;
      if (isLinked) items.set(key, value);
      else unknown++;
    }
    return { state: assemble(own, type, labels, items), unknown };
  }
}

/** @param records those after `newest`, or all from the first, ascending, up to `revision` */
export function pastState(revision: number, newest: EntityState | undefined, records: readonly JournalRecord[]): PastState | undefined {
  const turns = new PastTurns(revision, newest);
  for (const record of records) if (newest === undefined || record.revision > newest.revision) turns.tell(record);
  return turns.state;
}

/** What a turn made of a cell: undefined as a value when it ended. undefined: it was not touched. */
export function cellChange({ cells, ended }: TurnOutcome, address: string): { readonly cell: CellRecord | undefined } | undefined {
  const cell = cells.find((candidate) => candidate.address === address);
  return cell !== undefined ? { cell } : ended.some((candidate) => candidate === address) ? { cell: undefined } : undefined;
}

/** Cells by address, rows by table and key. */
function* itemsOf(state: EntityState): Iterable<[string, unknown]> {
  for (const cell of state.cells) yield [cellKey(cell.address), cell];
  // A replica keeps what is shown, not what only its owner's machine needs.
  for (const [table, rows] of Object.entries((state.rest ?? {}) as Tables)) for (const row of rows) yield [rowKey(table, row[0]), row[1]];
}

function* changesOf(outcome: TurnOutcome): Iterable<[string, unknown]> {
  for (const address of outcome.ended) yield [cellKey(address), undefined];
  for (const cell of outcome.cells) yield [cellKey(cell.address), cell];
  for (const [table, rows] of Object.entries(outcome.rest as Tables)) for (const row of rows) yield [rowKey(table, row[0]), row[1]];
}

type Tables = Readonly<Record<string, readonly (readonly [string, unknown?])[]>>;

function cellKey(address: string): string {
  return `cell ${address}`;
}

function rowKey(table: string, key: string): string {
  return `row ${table} ${key}`;
}

function assemble(own: JournalRecord, type: string, labels: Readonly<Record<string, string>>, items: ReadonlyMap<string, unknown>): EntityState {
  const cells: CellRecord[] = [];
  const rest: Record<string, (readonly [string, unknown])[]> = {};
  for (const [key, value] of items) {
    if (key.startsWith("cell ")) cells.push(value as CellRecord);
    else {
      const at = key.indexOf(" ", 4);
      (rest[key.slice(4, at)] ??= []).push([key.slice(at + 1), value]);
    }
  }
  cells.sort((a, b) => a.incarnation - b.incarnation);
  const { entity, incarnation, revision, stamp } = own;
  return { v: 1, entity, type, incarnation, revision, stamp, labels, cells, rest };
}
