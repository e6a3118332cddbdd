// Everything of an entity beside its cells, as small tables: what changed in a turn is known, can be undone and is written as a difference.
//
// R1. Values are replaced, never changed in place.
// R2. Nothing may depend on the order of a table's keys: undoing and restoring may change it.
// R3. Each row is weighed once, when it is entered (row-weight.ts): how many bytes a table holds is known without a look through it.

import type { RestTables, TableName } from "./rest-tables.ts";
import { beyondFlat, FLAT_BYTES } from "./row-weight.ts";
import type { Undoable, UndoLog } from "./undo.ts";

/** All but `shelfBytes`, the sum of what is shelved, grow for ever. */
const COUNTERS = ["incarnation", "timer", "child", "parked", "stash", "shelf", "shelfBytes"] as const;
export type Counter = (typeof COUNTERS)[number];
type Counts = Readonly<Record<Counter, number>>;
const NO_COUNTS: Counts = { incarnation: 0, timer: 0, child: 0, parked: 0, stash: 0, shelf: 0, shelfBytes: 0 };
/** Of all entities that have counted their root and nothing else, which most have. */
const ONE_CELL: Counts = { ...NO_COUNTS, incarnation: 1 };

/** `counters` are written as one more table. */
export type RestChange = readonly [table: TableName | "counters", key: string, value: unknown];

/** A row was entered or replaced. */
class RowWritten implements Undoable {
  readonly table: TableName;
  readonly key: string;
  readonly undo: () => void;

  constructor(table: TableName, key: string, undo: () => void) {
    this.table = table;
    this.key = key;
    this.undo = undo;
  }
}

interface Heavy {
  sum: number;
  readonly of: Map<string, number>;
}

export class Rest {
  #tables: Map<TableName, Map<string, unknown>> | undefined = undefined;
  readonly #undo: UndoLog;
  #counts: Counts = NO_COUNTS;
  #countsBefore: Counts | undefined = undefined;
  /** Rows as they were at the last commit, by what was changed since. */
  #changed: Map<TableName, Map<string, unknown>> | undefined = undefined;
  /** Of all tables together. */
  #bytes = 0;
  /** Of rows that hold more than their table's flat share: how much more. */
  #heavy: Map<TableName, Heavy> | undefined = undefined;

  constructor(undo: UndoLog) {
    this.#undo = undo;
  }

  get<N extends TableName>(table: N, key: string): RestTables[N] | undefined {
    return this.#tables?.get(table)?.get(key) as RestTables[N] | undefined;
  }

  /** As it was at the last commit, whatever an open turn has done since (rules C4). */
  committed<N extends TableName>(table: N, key: string): RestTables[N] | undefined {
    const changed = this.#changed?.get(table);
    return (changed?.has(key) === true ? changed.get(key) : this.#tables?.get(table)?.get(key)) as RestTables[N] | undefined;
  }

  has(table: TableName, key: string): boolean {
    return this.#tables?.get(table)?.has(key) === true;
  }

  size(table: TableName): number {
    return this.#tables?.get(table)?.size ?? 0;
  }

  /** Of all tables. */
  get rows(): number {
    let rows = 0;
    if (this.#tables !== undefined) for (const table of this.#tables.values()) rows += table.size;
    return rows;
  }

  /** About what the table's rows take in a snapshot. */
  bytesIn(table: TableName): number {
    return this.size(table) * FLAT_BYTES[table] + this.heavyIn(table);
  }

  /** Of that what goes beyond the flat share of each row. */
  heavyIn(table: TableName): number {
    return this.#heavy?.get(table)?.sum ?? 0;
  }

  /** About what all tables take in a snapshot. */
  get bytes(): number {
    return this.#bytes;
  }

  /** 0: there is no such row. */
  bytesOf(table: TableName, key: string): number {
    return this.has(table, key) ? FLAT_BYTES[table] + this.#heavyOf(table, key) : 0;
  }

  entries<N extends TableName>(table: N): Iterable<readonly [string, RestTables[N]]> {
    return (this.#tables?.get(table) ?? []) as Iterable<readonly [string, RestTables[N]]>;
  }

  /** As `committed`, all of them. */
  *committedEntries<N extends TableName>(table: N): Iterable<readonly [string, RestTables[N]]> {
    const changed = this.#changed?.get(table);
    for (const entry of this.entries(table)) if (changed?.has(entry[0]) !== true) yield entry;
    for (const [key, before] of changed ?? []) if (before !== undefined) yield [key, before as RestTables[N]];
  }

  put<N extends TableName>(table: N, key: string, value: RestTables[N]): void {
    const tables = (this.#tables ??= new Map<TableName, Map<string, unknown>>());
    let rows = tables.get(table);
    if (rows === undefined) tables.set(table, (rows = new Map<string, unknown>()));
    const existed = rows.has(key);
    const before = rows.get(key);
    const into = rows;
    const heavyBefore = existed ? this.#heavyOf(table, key) : 0;
    const heavy = beyondFlat(table, key, value);
    const flat = existed ? 0 : FLAT_BYTES[table];
    this.#undo.push(
      new RowWritten(table, key, () => {
        if (existed) into.set(key, before);
        else into.delete(key);
        this.#weigh(table, key, heavy, heavyBefore, -flat);
      }),
    );
    this.#note(table, key, before);
    rows.set(key, value);
    this.#weigh(table, key, heavyBefore, heavy, flat);
  }

  delete(table: TableName, key: string): boolean {
    const rows = this.#tables?.get(table);
    if (rows?.has(key) !== true) return false;
    const before = rows.get(key);
    const heavy = this.#heavyOf(table, key);
    const flat = FLAT_BYTES[table];
    this.#undo.push(() => {
      rows.set(key, before);
      this.#weigh(table, key, 0, heavy, flat);
    });
    this.#note(table, key, before);
    rows.delete(key);
    this.#weigh(table, key, heavy, 0, -flat);
    return true;
  }

  /** Counts from 1, per entity and for ever. */
  next(counter: Exclude<Counter, "shelfBytes">): number {
    return this.count(counter, 1);
  }

  /** Adds to a counter. @returns what it is now */
  count(counter: Counter, by: number): number {
    const before = this.#counts;
    this.#undo.push(() => {
      this.#counts = before;
    });
    this.#countsBefore ??= before;
    this.#counts = before === NO_COUNTS && counter === "incarnation" && by === 1 ? ONE_CELL : { ...before, [counter]: before[counter] + by };
    return this.#counts[counter];
  }

  counted(counter: Counter): number {
    return this.#counts[counter];
  }

  /** Rows that differ from the last committed ones; a row that is gone has no value. */
  changes(): readonly RestChange[] {
    const changes: RestChange[] = [];
    for (const [table, keys] of this.#changed ?? []) {
      for (const [key, before] of keys) {
        const value = this.#tables?.get(table)?.get(key);
        if (value !== before) changes.push([table, key, value]);
      }
    }
    const counted = this.#countsBefore;
    if (counted !== undefined) for (const counter of COUNTERS) if (this.#counts[counter] !== counted[counter]) changes.push(["counters", counter, this.#counts[counter]]);
    return changes.sort(byPlace);
  }

  /** Rows that were written since that place in the undo log and are there, each once. */
  writtenSince(mark: number): readonly RestChange[] {
    const written = new Map<string, RestChange>();
    for (const { table, key } of this.#undo.since(mark, (step) => step instanceof RowWritten)) {
      const value = this.#tables?.get(table)?.get(key);
      if (value !== undefined) written.set(`${table}/${key}`, [table, key, value]);
    }
    return [...written.values()].sort(byPlace);
  }

  /** Keys of rows of one table that an open turn has written. */
  changedKeys(table: TableName): Iterable<string> {
    return this.#changed?.get(table)?.keys() ?? [];
  }

  hasChanges(): boolean {
    return this.#changed !== undefined || this.#countsBefore !== undefined;
  }

  /** Forgets what changed: after a commit or a rollback. */
  settle(): void {
    this.#changed = undefined;
    this.#countsBefore = undefined;
  }

  /** For a restore. */
  setCounter(counter: string, value: number): void {
    this.#counts = { ...this.#counts, [counter]: value };
  }

  /** All rows, for a snapshot. */
  all(): readonly RestChange[] {
    const rows: RestChange[] = [];
    for (const [table, map] of this.#tables ?? []) for (const [key, value] of map) rows.push([table, key, value]);
    for (const counter of COUNTERS) if (this.#counts[counter] > 0) rows.push(["counters", counter, this.#counts[counter]]);
    return rows.sort(byPlace);
  }

  #heavyOf(table: TableName, key: string): number {
    return this.#heavy?.get(table)?.of.get(key) ?? 0;
  }

  #weigh(table: TableName, key: string, before: number, after: number, flat: number): void {
    this.#bytes += flat;
    if (before === after) return;
    this.#bytes += after - before;
    const all = (this.#heavy ??= new Map<TableName, Heavy>());
    let heavy = all.get(table);
    if (heavy === undefined) all.set(table, (heavy = { sum: 0, of: new Map<string, number>() }));
    heavy.sum += after - before;
    if (after === 0) heavy.of.delete(key);
    else heavy.of.set(key, after);
  }

  #note(table: TableName, key: string, before: unknown): void {
    const changed = (this.#changed ??= new Map<TableName, Map<string, unknown>>());
    let keys = changed.get(table);
    if (keys === undefined) changed.set(table, (keys = new Map<string, unknown>()));
    if (!keys.has(key)) keys.set(key, before);
  }
}

function byPlace(a: RestChange, b: RestChange): number {
  if (a[0] !== b[0]) return a[0] < b[0] ? -1 : 1;
  return a[1] < b[1] ? -1 : 1;
}
