// From a stored state and the records after it back to an entity (rules R1, T3; design section 5).
//
// R1. A record is run again, by the version of the machines that made it (rules T4), and compared with what it came to. Nothing that it did to the world is done again.
// R2. Where they differ, or where such a version is not registered any more, what it came to is applied: that was committed and seen.
// R3. A state goes from version to version where the records do: an upgrade is a turn of its own. Where the newest state is of an older version than the registered one, that turn is
//     taken here, for whoever hosts the entity to commit before anything else (upgrading.ts).
//     A history that may have gone back goes on as a new incarnation in that turn, before anything else of it (rules T1).
// R4. Where a record carries the hash of the state, the state must have it (rules H2).
// R5. What a replayed step has changed in place of a context, which no outcome tells, is told, and what was committed is put back.
// R6. A record that does not follow the one before it by its hash (chain.ts) is told; what was committed stands.

import type { Address } from "../address.ts";
import type { EntityType } from "../actor/index.ts";
import { DroverError } from "../errors.ts";
import { isA } from "../is-a.ts";
import { decodeData, type LogicSnapshot } from "../xstate/index.ts";
import { Cell } from "./cell.ts";
import { changedMachines } from "./changed-machines.ts";
import { childrenOf, decodeSnapshotOf, encodeCell, innerOf, recordBytes } from "./cell-record.ts";
import { linkProblem } from "./chain.ts";
import { CommittedContexts } from "./committed-contexts.ts";
import { hasShape, shapeProblem } from "./context-shape.ts";
import type { CellRecord, EntityState, Input, JournalRecord, StateHash, SupervisionReport, Turn, TurnOutcome, TurnStamp } from "./contract.ts";
import { difference } from "./difference.ts";
import { type Entity, HostedEntity } from "./entity.ts";
import { forgetUnrecorded, placeEntry } from "./entering.ts";
import { messageOf } from "../message-of.ts";
import type { Interior } from "./interior.ts";
import { madeByOf } from "./made-by.ts";
import { lostPlan, type Plan } from "./plan.ts";
import { outcomeOf, stateOf } from "./recording.ts";
import { forgetUnrecordedTimers } from "./parked-rows.ts";
import type { TableName } from "./rest-tables.ts";
import { bytesOfData } from "./row-weight.ts";
import { hashOf } from "./state-hash.ts";
import type { TurnGuide } from "./turn.ts";
import { typeAt, typesOf, versionsOf } from "./versions.ts";

export interface Divergence {
  readonly revision: number;
  /** What differs first, as a path into the outcome; or why the record was not run. */
  readonly reason: string;
  /** The version that made it is not registered, or it begins from such a version's state: it was not run, and what was committed stands. No sign that anything is wrong. */
  readonly isNotRun?: true;
  /** The record before it is not the one that it was made after (R6). */
  readonly isUnlinked?: true;
  /** Set when every turn came out as recorded, and the state is another one all the same (R4). */
  readonly hashes?: { readonly recorded: StateHash; readonly computed: StateHash };
}

export interface Restored {
  readonly entity: Entity;
  readonly divergences: readonly Divergence[];
  /** The turn that took it to a new incarnation, or its actors to newer versions of their types, taken and not in any store: a full snapshot belongs to its commit (rules T1, T3). */
  readonly upgrade: Turn | undefined;
  /** The snapshot was made by other machines, shapes or another XState: a new one should follow, so that each record's `made` is said in full by a snapshot (rules R1). */
  readonly isRemade: boolean;
  /** Of actors whose machine was changed without a new version. */
  readonly changed: readonly SupervisionReport[];
}

/** Runs what authors wrote, and may throw in its place. */
export interface RestoreGuide {
  /** One recorded turn again. */
  replay<V>(entity: Entity, record: JournalRecord, run: (guide: TurnGuide) => V): V;
  /** @param run it names the actors that it comes to */
  upgrade<V>(run: (carries: (cell: Address) => void) => V): V;
  /** Of one actor's context against its declared shape. */
  check<V>(cell: Address, run: () => V): V;
}

export interface Stored {
  /** Name of the history, where neither a snapshot nor a record says it. */
  readonly incarnation?: string;
  readonly snapshot: EntityState | undefined;
  /** After the snapshot, ascending, without holes. */
  readonly records: readonly JournalRecord[];
  /** Hash of each of them; left out: not known, and the chain begins with the next record. */
  readonly links?: readonly string[];
  /** The incarnation to go on as, where the history may have gone back. */
  readonly forkAs?: string;
}

const STATUSES: ReadonlySet<string> = new Set<CellRecord["status"]>(["active", "done", "error", "stopped"]);
const CHANGED = "a machine was changed without a new version: ";
const LIVES: ReadonlySet<string> = new Set<Cell["life"]>(["made", "starting", "running", "ended"]);

/**
 * @param stamp of the upgrade, where there is one; default that of the last turn
 * @param guide default: what authors wrote is run as it is
 * @throws DROVER_STATE_INVALID naming the actor when a state does not fit the registered types, or a migration throws; DROVER_IMPURE_STEP, DROVER_STEP_PROMISE from a migration
 */
export function restoreEntity(type: EntityType, address: Address, stored: Stored, stamp?: () => TurnStamp, guide?: RestoreGuide): Restored {
  return named(address, () => restored(type, address, stored, stamp, guide));
}

/** The state as it was written, of whatever versions: only for a turn that begins with its upgrade, or needs none. @throws as `restoreEntity` */
export function placeState(type: EntityType, address: Address, state: EntityState | undefined, incarnation: string): HostedEntity {
  return named(address, () => {
    const entity = new HostedEntity(type, address, state?.incarnation ?? incarnation);
    if (state !== undefined) applyState(entity, state);
    return entity;
  });
}

function named<V>(address: Address, work: () => V): V {
  try {
    return work();
  } catch (cause) {
    if (isA(cause, DroverError)) throw cause;
    throw new DroverError("DROVER_STATE_INVALID", `the stored state of ${address} cannot be restored: ${messageOf(cause)}`, { cause });
  }
}

function restored(type: EntityType, address: Address, stored: Stored, stamp: (() => TurnStamp) | undefined, guide: RestoreGuide | undefined): Restored {
  const { snapshot, records, links } = stored;
  const incarnation = snapshot?.incarnation ?? records[0]?.incarnation ?? stored.incarnation ?? "";
  const types = typesOf(type, snapshot, records);
  const begin = types === undefined ? type : ((snapshot === undefined ? types[0] : typeAt(type, versionsOf(snapshot) ?? {})) ?? type);
  refuseNewer(type, snapshot, records);
  let entity = new HostedEntity(begin, address, incarnation);
  const divergences: Divergence[] = [];
  let isSound = true;
  if (snapshot !== undefined) applyState(entity, snapshot);
  const committed = new CommittedContexts(records.length === 0 ? [] : (snapshot?.cells ?? []));
  for (const [index, record] of records.entries()) {
    const then = types?.[index] ?? type;
    if (then !== entity.type) entity = carriedOver(entity, then);
    const notRun = whyNotRun(entity, record);
    const reason = notRun ?? replay(entity, record, guide);
    committed.note(record.outcome);
    const unlinked = linkProblem(record, entity.interior.head);
    if (unlinked !== undefined) divergences.push({ revision: record.revision, reason: unlinked, isUnlinked: true });
    entity.interior.head = links?.[index];
    if (reason !== undefined) {
      divergences.push({ revision: record.revision, reason, ...(notRun === undefined ? {} : { isNotRun: true }) });
      applyRecord(entity, record);
    }
    // What a turn that failed, or came out otherwise, has changed in place.
    const isLast = index === records.length - 1;
    const changed = reason !== undefined || isLast || hasFaulted(record) ? committed.putBack(entity.interior, fill) : undefined;
    if (changed !== undefined && reason === undefined) divergences.push({ revision: record.revision, reason: changed });
    const hashes = isSound ? otherHashes(entity, record) : undefined;
    if (hashes === undefined) continue;
    isSound = false;
    divergences.push({ revision: record.revision, reason: "the state is not the one that was committed", hashes });
  }
  if (entity.type !== type) entity = carriedOver(entity, type);
  const opening: Input[] = [];
  // That others know no more of it than there is here is the least.
  if (stored.forkAs !== undefined) opening.push({ kind: "forked", as: stored.forkAs, left: incarnation, known: entity.revision });
  if ([...entity.interior.cells.values()].some(isOld)) opening.push({ kind: "upgrade" });
  const upgrade = opening.length === 0 ? undefined : opened(entity, opening, stamp?.() ?? entity.stamp, guide);
  for (const cell of entity.interior.cells.values()) {
    const problem = guide === undefined || !hasShape(cell) ? shapeProblem(cell) : guide.check(cell.address, () => shapeProblem(cell));
    if (problem !== undefined) throw new Error(`${cell.address}: its context does not have the shape that "${cell.plan.actor.name}" declares: ${problem}`);
  }
  settle(entity);
  entity.interior.divergences = divergences.filter(({ isNotRun }) => isNotRun !== true).length;
  const last = records.at(-1);
  const isRemade = (snapshot?.madeBy !== undefined && difference(snapshot.madeBy, madeByOf(type).madeBy, "") !== undefined) || (last !== undefined && !isMadeByThese(type, last));
  const changed = changedMachines(entity.interior, stored, divergences.some(isByChange));
  return { entity, divergences, upgrade, isRemade, changed };
}

function opened(entity: HostedEntity, inputs: readonly Input[], stamp: TurnStamp, guide: RestoreGuide | undefined): Turn {
  const take = (): Turn => entity.turn(inputs, stamp);
  const turn =
    guide === undefined || !inputs.some(isUpgrade)
      ? take()
      : guide.upgrade((carries) => {
          entity.interior.carries = carries;
          return take();
        });
  entity.interior.carries = undefined;
  entity.commit();
  return turn;
}

function isUpgrade({ kind }: Input): boolean {
  return kind === "upgrade";
}

function hasFaulted({ results }: JournalRecord): boolean {
  return results.some(({ kind }) => kind === "faulted");
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

/** Of a record that the registered versions cannot run. */
function whyNotRun({ interior }: HostedEntity, { versions, inputs }: JournalRecord): string | undefined {
  for (const [name, version] of Object.entries(versions)) {
    const registered = interior.type.types.get(name);
    if (registered?.version !== version) return `made by version ${String(version)} of ${name}, registered is ${registered === undefined ? "none" : String(registered.version)}`;
  }
  if (!inputs.some(isUpgrade)) for (const cell of interior.cells.values()) if (isOld(cell)) return `${cell.address} has a state of another version of ${cell.plan.actor.name}`;
  return undefined;
}

function replay(entity: HostedEntity, record: JournalRecord, guide: RestoreGuide | undefined): string | undefined {
  const { interior } = entity;
  if (record.revision !== interior.revision + 1) return `revision ${String(record.revision)} does not follow ${String(interior.revision)}`;
  let reason: string | undefined;
  let opened = false;
  try {
    const inputs = decodeData(record.inputs, interior) as readonly Input[];
    if (guide === undefined) entity.turn(inputs, record.stamp);
    else guide.replay(entity, record, (turnGuide) => entity.turn(inputs, record.stamp, turnGuide));
    opened = true;
    forgetUnrecorded(record.outcome, (address) => interior.cells.get(address));
    forgetUnrecordedTimers(record.outcome, interior.rest);
    reason = difference(record.outcome, outcomeOf(interior, undefined), "");
  } catch (error) {
    reason = `running it again failed: ${messageOf(error)}`;
  }
  if (opened) {
    if (reason === undefined) entity.commit();
    else entity.rollback();
  }
  return reason === undefined || isMadeByThese(interior.type, record) ? reason : `${CHANGED}${reason}`;
}

function isByChange({ reason }: Divergence): boolean {
  return reason.startsWith(CHANGED);
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
  interior.head = state.head;
  interior.fork = state.fork;
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
  for (const [cell, record] of made) interior.cells.weigh(cell, weightOf(interior, cell, record));
  interior.earliest = undefined;
  interior.byExpiry = undefined;
  for (const [table, rows] of Object.entries(outcome.rest as Readonly<Record<string, readonly (readonly [string, unknown?])[]>>)) {
    for (const row of rows) {
      if (table === "counters") interior.rest.setCounter(row[0], row[1] as number);
      else if (row.length === 1) interior.rest.delete(table as TableName, row[0]);
      else interior.rest.put(table as TableName, row[0], decodeData(row[1], interior));
    }
  }
}

/** What it weighed before: the same inputs must be faults (rules R1). Of another version it is weighed again by its upgrade. */
function weightOf(interior: Interior, cell: Cell, record: CellRecord): number {
  if (isOld(cell)) return bytesOfData(record);
  encodeCell(cell, interior);
  return recordBytes();
}

function fill(interior: Interior, cell: Cell, record: CellRecord): void {
  const inner = innerOf(record);
  if (!STATUSES.has(record.status) || !LIVES.has(inner.life)) throw new Error(`${record.status} and ${inner.life} are no status and life of an actor`);
  if (inner.input !== undefined) cell.input = decodeData(inner.input, interior);
  cell.snapshot = snapshotOf(record, cell, interior);
  cell.id = inner.id;
  cell.life = inner.life;
  cell.book = inner.book ?? 0;
  cell.key = inner.key;
  placeEntry(cell, cell.plan.enterings, inner.entered);
  cell.recorded = record.version === cell.plan.actor.version ? undefined : record;
}

function place(interior: Interior, record: CellRecord): Cell {
  const existing = interior.cells.get(record.address);
  if (existing?.incarnation === record.incarnation) return existing;
  const plan = interior.planNamed(record.type) ?? lostBy(interior, record);
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

/** Of a source that its newer version does not have: the upgrade stops it. */
function lostBy({ type }: Interior, { type: path, version }: CellRecord): Plan | undefined {
  const actor = type.types.get(path.split("/")[0] ?? "");
  return actor !== undefined && version < actor.version ? lostPlan(actor, path) : undefined;
}

function snapshotOf(record: CellRecord, cell: Cell, interior: Interior): LogicSnapshot {
  const { actor, isLost } = cell.plan;
  if (record.version >= actor.version) return decodeSnapshotOf(record, cell, interior);
  try {
    if (isLost !== true) return decodeSnapshotOf(record, cell, interior);
  } catch {
    // A state that the present machine does not have.
  }
  // Kept as it is until the upgrade.
  const { value, status } = record;
  const [output, error] = [record.output, record.error].map((end) => (end === undefined ? undefined : decodeData(end, interior)));
  return { status, output, error, context: decodeData(record.context, interior), value, children: childrenOf(record, interior) } as LogicSnapshot;
}

function isOld(cell: Cell): boolean {
  return cell.recorded !== undefined;
}
