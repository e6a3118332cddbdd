// The record of a turn and the full state of an entity, as plain data (rules R1, T3).

import type { Address } from "../address.ts";
import { isA } from "../is-a.ts";
import { encodeData, encodedSize, NotCarried } from "../xstate/index.ts";
import type { Cell } from "./cell.ts";
import { encodeCell, recordBytes } from "./cell-record.ts";
import { checkSize, Growth } from "./context-limit.ts";
import { checkShape } from "./context-shape.ts";
import type { CellRecord, EntityState, EventData, Input, InputResult, JournalRecord, TurnOutcome } from "./contract.ts";
import { SupervisedFault } from "./fault.ts";
import { type Interior, supervisedOf } from "./interior.ts";
import type { Savepoint } from "./inside.ts";
import { madeByOf } from "./made-by.ts";
import type { RestChange } from "./rest.ts";
import { carriesHash, hashOf } from "./state-hash.ts";

/** Cells as they were encoded when their last input had been taken. */
export type Sealed = Map<Cell, CellRecord>;

/**
 * Encodes what has changed, so that data which cannot be kept, or is too much, is its input's fault.
 * @param before what all cells held when the input came
 * @throws SupervisedFault
 */
export function seal(interior: Interior, sealed: Sealed, before: number): void {
  sealCells(interior, interior.touched, sealed, before);
  if (interior.rest.hasChanges()) rowsOf(interior, interior.rest.changes());
}

/**
 * As `seal`, of what the start of one child has made: of all that began with it, each asks for its own alone.
 * @param cell of the child
 * @throws SupervisedFault
 */
export function sealStart(interior: Interior, { incarnation }: Cell, { cellBytes, mark }: Pick<Savepoint, "cellBytes" | "mark">): void {
  sealCells(
    interior,
    interior.touched.filter((cell) => cell.incarnation >= incarnation),
    new Map(),
    cellBytes,
  );
  rowsOf(interior, interior.rest.writtenSince(mark));
}

function sealCells(interior: Interior, cells: readonly Cell[], sealed: Sealed, before: number): void {
  const growth = new Growth(interior, before);
  for (const cell of cells) {
    if (interior.cells.get(cell.address) !== cell) continue;
    try {
      sealed.set(cell, encodeCell(cell, interior));
      checkSize(interior, cell, encodedSize());
      checkShape(interior, cell);
      growth.note(cell, recordBytes());
    } catch (error) {
      if (!isA(error, NotCarried)) throw error;
      interior.noteFailure(cell, undefined, error);
      throw new SupervisedFault(supervisedOf(cell), error);
    }
  }
  growth.check();
}

export function recordOf(interior: Interior, inputs: readonly Input[], results: readonly InputResult[], revision: number, sealed: Sealed | undefined): JournalRecord {
  const versions: Record<string, number> = {};
  for (const { plan } of interior.touched) versions[plan.actor.name] = plan.actor.version;
  if (interior.root !== undefined) versions[interior.root.plan.actor.name] = interior.root.plan.actor.version;
  const outcome = outcomeOf(interior, sealed);
  const owners = ownersOf(interior, inputs, outcome);
  const hash = sealed !== undefined && carriesHash(revision, interior.cells.size + interior.rest.rows) ? hashOf(stateOf(interior, revision)) : undefined;
  return {
    v: 1,
    entity: interior.address,
    incarnation: interior.nextIncarnation,
    revision,
    stamp: interior.stamp,
    versions,
    inputs: encodeData(inputs, interior) as readonly Input[],
    results: encodeData(results, interior) as readonly InputResult[],
    outcome,
    ...(owners.size === 0 ? {} : { owners: [...owners] }),
    made: madeByOf(interior.type).fingerprint,
    ...(hash === undefined ? {} : { hash }),
    ...(interior.head === undefined ? {} : { prev: interior.head }),
  };
}

/** Whose timers the open turn has taken or changed, by incarnation, where no changed cell tells it. */
function ownersOf({ rest }: Interior, inputs: readonly Input[], { cells }: TurnOutcome): ReadonlyMap<number, Address> {
  const owners = new Map<number, Address>();
  const note = (key: string): void => {
    const row = rest.committed("timers", key) ?? rest.get("timers", key);
    if (row !== undefined && !cells.some(({ incarnation }) => incarnation === row.incarnation)) owners.set(row.incarnation, row.owner);
  };
  for (const input of inputs) if (input.kind === "timer") note(input.timer);
  for (const key of rest.changedKeys("timers")) note(key);
  return owners;
}

/** What the open turn came to. */
export function outcomeOf(interior: Interior, sealed: Sealed | undefined): TurnOutcome {
  const cells = interior.touched.filter((cell) => interior.cells.get(cell.address) === cell).map((cell) => sealed?.get(cell) ?? encodeCell(cell, interior));
  return {
    cells: cells.sort((a, b) => a.incarnation - b.incarnation),
    ended: [...(interior.gone?.keys() ?? [])].filter((address) => !interior.cells.has(address)).sort(),
    rest: rowsOf(interior, interior.rest.changes()),
    emitted: interior.emitted.map(({ cell, event, plain }) => ({ cell, event: plain ?? (encodeData(event, interior) as EventData) })),
  };
}

/** @param head of the record that made it */
export function stateOf(interior: Interior, revision: number, head = interior.head): EntityState {
  return {
    v: 1,
    entity: interior.address,
    type: interior.type.name,
    incarnation: interior.nextIncarnation,
    revision,
    stamp: interior.stamp,
    labels: interior.labels,
    cells: [...interior.cells.values()].sort((a, b) => a.incarnation - b.incarnation).map((cell) => encodeCell(cell, interior)),
    rest: rowsOf(interior, interior.rest.all()),
    madeBy: madeByOf(interior.type).madeBy,
    ...(head === undefined ? {} : { head }),
    ...(interior.fork === undefined ? {} : { fork: interior.fork }),
  };
}

/** Rows by table: key and value, or the key alone where a row is gone. */
function rowsOf(interior: Interior, changes: readonly RestChange[]): Readonly<Record<string, readonly unknown[]>> {
  const tables: Record<string, unknown[]> = {};
  for (const [table, key, value] of changes) (tables[table] ??= []).push(value === undefined ? [key] : [key, encodeData(value, interior, `${table}/${key}`)]);
  return tables;
}
