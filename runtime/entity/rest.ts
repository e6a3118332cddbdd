// Everything of an entity beside its cells, as small tables: what changed in a turn is known, can be undone and is written as a difference.
//
// R1. Values are replaced, never changed in place.
// R2. Nothing may depend on the order of a table's keys: undoing and restoring may change it.

import type { Address } from "../address.ts";
import type { ChildSpec, EffectClass, Input, OutboxRow, TakenEntry } from "./contract.ts";
import type { Refusal } from "../outcome.ts";
import type { FaultPlace } from "./fault.ts";
import type { UndoLog } from "./undo.ts";

export interface TimerRow {
  /** Address and incarnation of the cell that armed it. */
  readonly owner: Address;
  readonly incarnation: number;
  readonly name: string;
  /** A ref: who gets the event. */
  readonly to: unknown;
  readonly event: unknown;
  readonly clock: "elapsed" | "wall";
  /** On its clock, ms. */
  readonly due: number;
  /** W3C traceparent of the input that armed it. */
  readonly trace?: string;
  /** Of a timer that keeps a rhythm, ms: its period, how many late firings in a row it may have, and the how manieth its next one is. */
  readonly rhythm?: { readonly every: number; readonly atMost: number; readonly late: number } | undefined;
  /** Grows with every arming in the entity: equal deadlines fire in this order (rules K1). */
  readonly generation: number;
}

/** Faults and restarts of an actor: how often, the last one, and how its state was begun anew of late. */
export interface RestartRow extends Partial<FaultPlace> {
  readonly count: number;
  readonly reason: string;
  readonly at: number;
  readonly anew?: AnewRow | undefined;
}

/** Beginnings anew without a stable time between them; all on the hosted clock, ms. */
export interface AnewRow {
  readonly attempts: number;
  /** Of the first one. */
  readonly since: number;
  readonly last: number;
  /** Not again before this. */
  readonly notBefore: number;
  readonly isDegraded: boolean;
}

/** What is known of an entity that sends to this one (rules M1, E1). */
export interface SenderRow {
  readonly incarnation: string;
  readonly seq: number;
  readonly epoch: number;
  /** Histories that were replaced: nothing of them is taken any more. */
  readonly past: readonly string[];
  /** Final refusals of late, so that a repetition hears the same; at most 16. */
  readonly refusals: readonly (readonly [number, Refusal])[];
}

/** A declared effect that is not confirmed. */
export interface PendingEffect {
  readonly cell: Address;
  readonly incarnation: number;
  readonly name: string;
  readonly params: unknown;
  readonly class: EffectClass;
  /** Wall time of its turn. */
  readonly since: number;
  readonly author: string | undefined;
  readonly messageId: string | undefined;
  readonly trace?: string;
}

/** An input that made its cell fail three times, or a state that was given up (hosting H13). */
export interface ParkedRow {
  readonly at: number;
  readonly offender: Address;
  readonly reason: string;
  readonly input: unknown;
  /** The state that was replaced by a start from the beginning. */
  readonly state?: unknown;
}

/** A message that waits for another state of its actor. */
export interface StashRow {
  readonly input: Extract<Input, { kind: "message" }>;
  /** The state has changed since: it is on its way. */
  readonly isReleased: boolean;
}

/** A message that found the mailbox full. */
export interface ShelfRow {
  readonly input: Extract<Input, { kind: "message" }>;
  /** Wall time of its shelving. */
  readonly at: number;
  /** What it counts against the shelf's limit. */
  readonly bytes: number;
}

export interface ChildRow extends ChildSpec {
  /** Order of starting. */
  readonly order: number;
}

export interface RestTables {
  timers: TimerRow;
  outbox: OutboxRow;
  /** Next seq by receiver. */
  lines: number;
  taken: TakenEntry;
  senders: SenderRow;
  /** System id to the ref of its cell. */
  systemIds: unknown;
  pending: PendingEffect;
  /** Key of an ask that waits for its answer, to the cell that asked. */
  asks: { readonly cell: Address; readonly incarnation: number; readonly deadline: number };
  attempts: number;
  parked: ParkedRow;
  children: ChildRow;
  /** Postponed messages in the order of their keys. */
  stash: StashRow;
  /** Shelved messages in the order of their keys, which are numbers. */
  shelf: ShelfRow;
  restarts: RestartRow;
}

export type TableName = keyof RestTables;

/** All but `shelfBytes`, the sum of what is shelved, grow for ever. */
const COUNTERS = ["incarnation", "timer", "child", "parked", "stash", "shelf", "shelfBytes"] as const;
export type Counter = (typeof COUNTERS)[number];
type Counts = Readonly<Record<Counter, number>>;
const NO_COUNTS: Counts = { incarnation: 0, timer: 0, child: 0, parked: 0, stash: 0, shelf: 0, shelfBytes: 0 };
/** Of all entities that have counted their root and nothing else, which most have. */
const ONE_CELL: Counts = { ...NO_COUNTS, incarnation: 1 };

/** `counters` are written as one more table. */
export type RestChange = readonly [table: TableName | "counters", key: string, value: unknown];

export class Rest {
  #tables: Map<TableName, Map<string, unknown>> | undefined = undefined;
  readonly #undo: UndoLog;
  #counts: Counts = NO_COUNTS;
  #countsBefore: Counts | undefined = undefined;
  /** Rows as they were at the last commit, by what was changed since. */
  #changed: Map<TableName, Map<string, unknown>> | undefined = undefined;

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
    this.#undo.push(() => {
      if (existed) into.set(key, before);
      else into.delete(key);
    });
    this.#note(table, key, before);
    rows.set(key, value);
  }

  delete(table: TableName, key: string): boolean {
    const rows = this.#tables?.get(table);
    if (rows?.has(key) !== true) return false;
    const before = rows.get(key);
    this.#undo.push(() => rows.set(key, before));
    this.#note(table, key, before);
    rows.delete(key);
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
