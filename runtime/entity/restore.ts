// From a stored state and the records after it back to an entity (rules R1, T3; design section 5).
//
// R1. A record is run again, by the version of the machines that made it (rules T4), and compared with what it came to. Nothing that it did to the world is done again.
// R2. Where they differ, or where such a version is not registered any more, what it came to is applied: that was committed and seen.
// R3. A state goes from version to version where the records do, and at the end to the registered one, by the steps of `migrate`.
// R4. Where a record carries the hash of the state, the state must have it (rules H2).

import type { Address } from "../address.ts";
import type { AnyActorType, EntityType } from "../actor/index.ts";
import { DroverError } from "../errors.ts";
import type { CellRef } from "../xstate/index.ts";
import { decodeData, type LogicSnapshot } from "../xstate/index.ts";
import { Cell } from "./cell.ts";
import { decodeSnapshotOf, innerOf } from "./cell-record.ts";
import { shapeProblem } from "./context-shape.ts";
import type { CellRecord, EntityState, Input, JournalRecord, StateHash, TurnOutcome } from "./contract.ts";
import { type Entity, HostedEntity } from "./entity.ts";
import { messageOf } from "./fault.ts";
import type { Interior } from "./interior.ts";
import { madeByOf } from "./made-by.ts";
import { outcomeOf, stateOf } from "./recording.ts";
import type { TableName } from "./rest.ts";
import { hashOf } from "./state-hash.ts";
import { typeAt, typesOf, versionsOf } from "./versions.ts";

export interface Divergence {
  readonly revision: number;
  /** What differs first, as a path into the outcome; or why the record was not run. */
  readonly reason: string;
  /** Set when every turn came out as recorded, and the state is another one all the same (R4). */
  readonly hashes?: { readonly recorded: StateHash; readonly computed: StateHash };
}

export interface Restored {
  readonly entity: Entity;
  readonly divergences: readonly Divergence[];
  /** Some cell was taken to a newer version of its type: a full snapshot should follow (rules T3). */
  readonly migrated: boolean;
  /** The snapshot was made by other machines, shapes or another XState: a new one should follow, so that each record's `made` is said in full by a snapshot (rules R1). */
  readonly isRemade: boolean;
}

export interface Stored {
  /** Name of the history, where neither a snapshot nor a record says it. */
  readonly incarnation?: string;
  readonly snapshot: EntityState | undefined;
  /** After the snapshot, ascending, without holes. */
  readonly records: readonly JournalRecord[];
}

const STATUSES: ReadonlySet<string> = new Set<CellRecord["status"]>(["active", "done", "error", "stopped"]);
const LIVES: ReadonlySet<string> = new Set<Cell["life"]>(["made", "starting", "running", "ended"]);

/** @throws DROVER_STATE_INVALID naming the actor when a state does not fit the registered types, or a migration throws */
export function restoreEntity(type: EntityType, address: Address, stored: Stored): Restored {
  try {
    return restored(type, address, stored);
  } catch (cause) {
    if (cause instanceof DroverError) throw cause;
    throw new DroverError("DROVER_STATE_INVALID", `the stored state of ${address} cannot be restored: ${messageOf(cause)}`, { cause });
  }
}

function restored(type: EntityType, address: Address, stored: Stored): Restored {
  const { snapshot, records } = stored;
  const incarnation = snapshot?.incarnation ?? records[0]?.incarnation ?? stored.incarnation ?? "";
  const types = typesOf(type, snapshot, records);
  const begin = types === undefined ? type : ((snapshot === undefined ? types[0] : typeAt(type, versionsOf(snapshot) ?? {})) ?? type);
  refuseNewer(type, snapshot, records);
  let entity = new HostedEntity(begin, address, incarnation);
  let migrated = false;
  const divergences: Divergence[] = [];
  let isSound = true;
  if (snapshot !== undefined) applyState(entity, snapshot);
  for (const [index, record] of records.entries()) {
    const then = types?.[index] ?? type;
    if (then !== entity.type) {
      entity = carriedOver(entity, then);
      migrated = migrate(entity.interior) || migrated;
      settle(entity);
    }
    const reason = replay(entity, record);
    if (reason !== undefined) {
      divergences.push({ revision: record.revision, reason });
      applyRecord(entity, record);
    }
    const hashes = isSound ? otherHashes(entity, record) : undefined;
    if (hashes === undefined) continue;
    isSound = false;
    divergences.push({ revision: record.revision, reason: "the state is not the one that was committed", hashes });
  }
  if (entity.type !== type) entity = carriedOver(entity, type);
  migrated = migrate(entity.interior) || migrated;
  for (const cell of entity.interior.cells.values()) {
    const problem = shapeProblem(cell);
    if (problem !== undefined) throw new Error(`${cell.address}: its context does not have the shape that "${cell.plan.actor.name}" declares: ${problem}`);
  }
  settle(entity);
  entity.interior.divergences = divergences.length;
  const isRemade = snapshot?.madeBy !== undefined && difference(snapshot.madeBy, madeByOf(type).madeBy, "") !== undefined;
  return { entity, divergences, migrated, isRemade };
}

/** Before anything is read: a newer machine's state may look like anything to this one. @throws DROVER_STATE_NEWER */
function refuseNewer({ types }: EntityType, snapshot: EntityState | undefined, records: readonly JournalRecord[]): void {
  const refuse = (name: string, version: number, where: string): void => {
    const registered = types.get(name)?.version;
    if (registered !== undefined && version > registered)
      throw new DroverError("DROVER_STATE_NEWER", `${where} of version ${String(version)} of ${name}; registered is ${String(registered)}`);
  };
  for (const { type, version, address } of snapshot?.cells ?? []) refuse(type.split("/")[0] ?? "", version, `${address} has a state`);
  for (const { versions, revision } of records) for (const [name, version] of Object.entries(versions)) refuse(name, version, `revision ${String(revision)} is`);
}

/** The same state as an entity of another version of its type. */
function carriedOver(entity: HostedEntity, type: EntityType): HostedEntity {
  const next = new HostedEntity(type, entity.address, entity.incarnation);
  applyState(next, stateOf(entity.interior, entity.revision));
  return next;
}

/** R4. */
function otherHashes({ interior }: HostedEntity, record: JournalRecord): Divergence["hashes"] {
  const { hash } = record;
  // A state of a version that is not registered is kept as it was written, not as it would be written now.
  if (hash === undefined || [...interior.cells.values()].some(isOld)) return undefined;
  const computed = hashOf(stateOf(interior, record.revision));
  return computed.cells === hash.cells && computed.rest === hash.rest ? undefined : { recorded: hash, computed };
}

function replay(entity: HostedEntity, record: JournalRecord): string | undefined {
  const { interior } = entity;
  if (record.revision !== interior.revision + 1) return `revision ${String(record.revision)} does not follow ${String(interior.revision)}`;
  for (const [name, version] of Object.entries(record.versions)) {
    const registered = interior.type.types.get(name);
    if (registered?.version !== version) return `made by version ${String(version)} of ${name}, registered is ${registered === undefined ? "none" : String(registered.version)}`;
  }
  for (const cell of interior.cells.values()) if (isOld(cell)) return `${cell.address} has a state of another version of ${cell.plan.actor.name}`;
  let reason: string | undefined;
  let opened = false;
  try {
    entity.turn(decodeData(record.inputs, interior) as readonly Input[], record.stamp);
    opened = true;
    reason = difference(record.outcome, outcomeOf(interior, undefined), "");
  } catch (error) {
    reason = `running it again failed: ${messageOf(error)}`;
  }
  if (opened) {
    if (reason === undefined) entity.commit();
    else entity.rollback();
  }
  return reason === undefined || isMadeByThese(interior.type, record) ? reason : `a machine was changed without a new version: ${reason}`;
}

function isMadeByThese(type: EntityType, { made }: JournalRecord): boolean {
  return made === undefined || made === madeByOf(type).fingerprint;
}

function applyRecord(entity: HostedEntity, record: JournalRecord): void {
  const { interior } = entity;
  interior.stamp = record.stamp;
  const start = record.inputs.find((input) => input.kind === "start");
  if (start !== undefined) interior.labels = start.labels;
  applyOutcome(interior, record.outcome);
  interior.revision = record.revision;
  settle(entity);
}

function settle(entity: HostedEntity): void {
  const { interior } = entity;
  for (const cell of interior.cells.values()) cell.committed = cell.snapshot;
  interior.settle();
}

function applyState(entity: HostedEntity, state: EntityState): void {
  const { interior } = entity;
  interior.revision = state.revision;
  interior.stamp = state.stamp;
  interior.labels = state.labels;
  applyOutcome(interior, { cells: state.cells, ended: [], rest: state.rest, emitted: [] });
  settle(entity);
}

/** Puts recorded cells and rows in place without running anything. */
function applyOutcome(interior: Interior, outcome: TurnOutcome): void {
  for (const address of outcome.ended) interior.cells.delete(address);
  const made: (readonly [Cell, CellRecord])[] = [];
  // Parents come first: they are older. Refs are resolved when all cells are there.
  for (const record of [...outcome.cells].sort((a, b) => a.incarnation - b.incarnation)) made.push([place(interior, record), record]);
  for (const [cell, record] of made) {
    try {
      fill(interior, cell, record);
    } catch (cause) {
      throw new Error(`${record.address}: ${messageOf(cause)}`, { cause });
    }
  }
  for (const [table, rows] of Object.entries(outcome.rest as Readonly<Record<string, readonly (readonly [string, unknown?])[]>>)) {
    for (const row of rows) {
      if (table === "counters") interior.rest.setCounter(row[0], row[1] as number);
      else if (row.length === 1) interior.rest.delete(table as TableName, row[0]);
      else interior.rest.put(table as TableName, row[0], decodeData(row[1], interior));
    }
  }
}

function fill(interior: Interior, cell: Cell, record: CellRecord): void {
  const inner = innerOf(record);
  if (!STATUSES.has(record.status) || !LIVES.has(inner.life)) throw new Error(`${record.status} and ${inner.life} are no status and life of an actor`);
  if (inner.input !== undefined) cell.input = decodeData(inner.input, interior);
  cell.snapshot = snapshotOf(record, cell, interior);
  cell.life = inner.life;
  cell.book = inner.book ?? 0;
  cell.key = inner.key;
  cell.recordedVersion = record.version === cell.plan.actor.version ? undefined : record.version;
}

function place(interior: Interior, record: CellRecord): Cell {
  const existing = interior.cells.get(record.address);
  if (existing?.incarnation === record.incarnation) return existing;
  const plan = interior.planNamed(record.type);
  if (plan === undefined) throw new Error(`${record.address}: no actor type is registered for "${record.type}"`);
  const inner = innerOf(record);
  const parent = inner.parent === undefined ? undefined : interior.cells.get(inner.parent[0]);
  const cell = new Cell(
    interior,
    {
      plan,
      address: record.address,
      id: inner.id,
      incarnation: record.incarnation,
      parent,
      ...(inner.supervision === undefined ? {} : { supervision: inner.supervision }),
      ...(inner.systemId === undefined && inner.sync === undefined
        ? {}
        : { request: { id: inner.id, src: plan.src, logic: undefined, systemId: inner.systemId, syncSnapshot: inner.sync === true } }),
    },
    inner.life,
    { status: record.status, output: undefined, error: undefined },
  );
  interior.cells.set(cell);
  return cell;
}

function snapshotOf(record: CellRecord, cell: Cell, interior: Interior): LogicSnapshot {
  const { actor } = cell.plan;
  if (record.version >= actor.version || cell.supervision === undefined) return decodeSnapshotOf(record, cell, interior);
  try {
    return decodeSnapshotOf(record, cell, interior);
  } catch {
    // A state that the present machine does not have: kept as it is until it is migrated.
    return { status: record.status, output: undefined, error: undefined, context: decodeData(record.context, interior), value: record.value } as LogicSnapshot;
  }
}

function isOld(cell: Cell): boolean {
  return cell.recordedVersion !== undefined;
}

/** Takes cells of older versions to the registered one, step by step. @throws Error when a step is missing */
function migrate(interior: Interior): boolean {
  let migrated = false;
  for (const cell of interior.cells.values()) {
    const from = cell.recordedVersion;
    if (from === undefined) continue;
    const { actor, logic } = cell.plan;
    cell.recordedVersion = undefined;
    migrated = true;
    if (cell.supervision === undefined) continue;
    let state = { value: (cell.snapshot as { readonly value?: unknown }).value, context: cell.snapshot.context };
    for (let version = from; version < actor.version; version++) state = stepUp(actor, version, state, cell);
    if (logic.kind !== "machine") cell.snapshot = { ...cell.snapshot, context: state.context };
    else if (state.value !== (cell.snapshot as { readonly value?: unknown }).value || state.context !== cell.snapshot.context || !("_nodes" in cell.snapshot)) {
      const children = (cell.snapshot as { readonly children?: Readonly<Record<string, CellRef>> }).children ?? {};
      const restored = logic.machine.resolveState({ value: state.value as never, context: state.context }) as unknown as Record<string, unknown>;
      restored["children"] = children;
      cell.snapshot = restored as unknown as LogicSnapshot;
    }
  }
  return migrated;
}

function stepUp(
  actor: AnyActorType,
  version: number,
  state: { readonly value: unknown; readonly context: unknown },
  cell: Cell,
): { readonly value: unknown; readonly context: unknown } {
  const step = actor.migrate[version];
  if (step === undefined) {
    if ("_nodes" in cell.snapshot || cell.plan.logic.kind !== "machine") return state;
    throw new Error(
      `${cell.address}: the state ${JSON.stringify(state.value)} of version ${String(version)} of ${actor.name} is unknown to version ${String(actor.version)}, and it has no migrate[${String(version)}]`,
    );
  }
  return step(state);
}

/** The first place where two plain values differ; the order of keys does not count. */
export function difference(a: unknown, b: unknown, path: string): string | undefined {
  if (Object.is(a, b)) return undefined;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return `${path === "" ? "/" : path}: ${short(a)} was recorded, ${short(b)} came`;
  if (Array.isArray(a) !== Array.isArray(b)) return `${path}: list against object`;
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  for (const key of keys) {
    const left = (a as Readonly<Record<string, unknown>>)[key];
    const right = (b as Readonly<Record<string, unknown>>)[key];
    const found = difference(left, right, `${path}/${key}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

function short(value: unknown): string {
  const text = value === undefined ? "nothing" : JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
