// An entity as it was after some revision, from what its records say came of each turn: no machine runs (rules T3, R1).
//
// P1. From a state that is not newer the records after it are applied. From one that is newer, what no record after `revision` has touched was already so;
//     what was touched and is said by no kept record before is not known any more, and counted.

import type { CellRecord, EntityState, JournalRecord, TurnOutcome } from "./contract.ts";

export interface PastState {
  readonly state: EntityState;
  /** Cells and rows that were there, or not, by records that the journal has forgotten. 0: the state is whole. */
  readonly unknown: number;
}

interface Found {
  readonly value: unknown;
}

/**
 * @param newest a full state, if there is one
 * @param records those kept, ascending, without holes, up to `revision` and up to the newest state at least
 * @returns undefined when `revision` itself is neither kept nor the state's own
 */
export function pastState(revision: number, newest: EntityState | undefined, records: readonly JournalRecord[]): PastState | undefined {
  const own = records.find((record) => record.revision === revision);
  if (own === undefined) return newest?.revision === revision ? { state: newest, unknown: 0 } : undefined;
  const isAfter = newest !== undefined && newest.revision <= revision;
  const base = new Map<string, Found>(isAfter ? itemsOf(newest) : []);
  const from = isAfter ? newest.revision : 0;
  for (const record of records) if (record.revision > from && record.revision <= revision) for (const [key, value] of changesOf(record.outcome)) base.set(key, { value });
  let unknown = 0;
  const reachesBack = isAfter || records[0]?.revision === 1;
  if (!reachesBack && newest !== undefined) {
    const touchedLater = new Set<string>();
    for (const record of records) if (record.revision > revision && record.revision <= newest.revision) for (const [key] of changesOf(record.outcome)) touchedLater.add(key);
    for (const [key, found] of itemsOf(newest)) if (!touchedLater.has(key) && !base.has(key)) base.set(key, found);
    for (const key of touchedLater) if (!base.has(key)) unknown++;
  }
  const start = records.find((record) => record.revision <= revision && record.inputs.some(({ kind }) => kind === "start"))?.inputs.find((input) => input.kind === "start");
  const type = newest?.type ?? own.entity.split("/")[1] ?? "";
  return { state: assemble(own, type, start?.labels ?? newest?.labels ?? {}, base), unknown };
}

/** Cells by address, rows by table and key. */
function* itemsOf(state: EntityState): Iterable<[string, Found]> {
  for (const cell of state.cells) yield [cellKey(cell.address), { value: cell }];
  // A replica keeps what is shown, not what only its owner's machine needs.
  for (const [table, rows] of Object.entries((state.rest ?? {}) as Tables)) for (const row of rows) yield [rowKey(table, row[0]), { value: row[1] }];
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

function assemble(own: JournalRecord, type: string, labels: Readonly<Record<string, string>>, items: ReadonlyMap<string, Found>): EntityState {
  const cells: CellRecord[] = [];
  const rest: Record<string, (readonly [string, unknown])[]> = {};
  for (const [key, { value }] of items) {
    if (value === undefined) continue;
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
