// What a new version of actor types would do to a stored entity (rules T4): which of its live actors fit, which go through `migrate`, which would be stranded, and what becomes of their
// timers and children. Each is taken through the very upgrade that a recovery would take (upgrading.ts), on a copy, and nothing that it asks for is done. So is the entity as a whole, by the very
// restore of its start, where its entity type is given: what that refuses is refused here.

import { type Address, kindOf } from "../address.ts";
import { type AnyActorType, type EntityType, entityType } from "../actor/index.ts";
import { isA } from "../is-a.ts";
import { misplacedChildren } from "./children.ts";
import type { CellRecord, EntityState, JournalRecord } from "./contract.ts";
import type { HostedEntity } from "./entity.ts";
import { DroverError } from "../errors.ts";
import { messageOf } from "../message-of.ts";
import { madeByOf } from "./made-by.ts";
import { pastState } from "./past-state.ts";
import type { TimerRow } from "./rest-tables.ts";
import { restoreEntity } from "./restore.ts";
import { livingUnder, timersOf, whyStranded } from "./stranding.ts";

export interface ActorUpgrade {
  readonly address: Address;
  /** Name of the actor type. */
  readonly type: string;
  readonly from: number;
  readonly to: number;
  /** Its state value; null for a reducer. */
  readonly state: unknown;
  /**
   * `fits`: read as it is. `migrates`: goes through `migrate`. `stranded`: cannot be read, or has no way out of its state any more (stranding.ts). `newer`: made by a newer version.
   * `lost`: it could be read, and its entity as a whole is refused or begins anew.
   */
  readonly verdict: "fits" | "migrates" | "stranded" | "newer" | "lost";
  readonly reason?: string;
  /** Where it can be read. */
  readonly work?: UpgradeWork;
  /** The shape of its machine or context differs although the version does not. */
  readonly isChangedInPlace?: true;
}

/** What an upgrade makes of an actor: its state value, the names of its timers, the addresses of the children that its machine has made. */
export interface UpgradeWork {
  readonly state: unknown;
  readonly timers: Readonly<Record<"kept" | "armed" | "cancelled", readonly string[]>>;
  readonly children: Readonly<Record<"kept" | "begun" | "stopped", readonly string[]>>;
}

/** As a store gives it: records after the snapshot. */
interface StoredEntity {
  readonly entity: Address;
  readonly snapshot: EntityState | undefined;
  readonly records: readonly JournalRecord[];
}

type Row = readonly [key: string, row: unknown];

/** What a start makes of a stored entity as a whole. `anew`: its type keeps nothing, so that what is stored is not read. `misplaced`: children that the entity type has no place for any more, and why. */
export type EntityStart =
  | { readonly kind: "restored"; readonly misplaced: readonly string[] }
  | { readonly kind: "refused"; readonly reason: string; readonly isNewer: boolean }
  | { readonly kind: "anew" };

export interface EntityUpgrade {
  /** Undefined where its entity type is not given, and of a replica, which nobody starts here. */
  readonly start: EntityStart | undefined;
  readonly actors: readonly ActorUpgrade[];
  /** Versions that its journal names and that the types neither are nor have as `earlier`: their records are believed, not run again. By actor type. */
  readonly unreplayable: Readonly<Record<string, readonly number[]>>;
}

/**
 * @param types the new versions, by name; actors of other types are not looked at
 * @param entityTypes by name, as a node registers them; their actors are taken in the versions that these have
 */
export function upgradeOf(
  types: ReadonlyMap<string, AnyActorType>,
  stored: StoredEntity,
  entityTypes: ReadonlyMap<string, EntityType> = new Map<string, EntityType>(),
): EntityUpgrade {
  const state = newestState(stored.snapshot, stored.records);
  const whole = isReplica(stored.snapshot) ? undefined : entityTypes.get(kindOf(stored.entity));
  const start = whole === undefined ? undefined : startOf(whole, stored);
  const actors: ActorUpgrade[] = [];
  for (const cell of state?.cells ?? []) {
    const type = whole?.types.get(cell.type) ?? types.get(cell.type);
    if (state === undefined || type === undefined || cell.accepts === undefined || cell.status !== "active") continue;
    actors.push(withEntity(start, upgradeOfCell(type, cell, { ...state, entity: stored.entity }, stored.snapshot)));
  }
  const unreplayable: Record<string, number[]> = {};
  for (const { versions } of stored.records) {
    for (const [name, version] of Object.entries(versions)) {
      const type = whole?.types.get(name) ?? types.get(name);
      if (type === undefined || type.version === version || type.earlier.some((earlier) => earlier.version === version)) continue;
      const listed = (unreplayable[name] ??= []);
      if (!listed.includes(version)) listed.push(version);
    }
  }
  return { start, actors: actors.sort((a, b) => (a.address < b.address ? -1 : 1)), unreplayable };
}

/** It holds what is shown, and none of what only the owner's machines need. */
function isReplica(snapshot: EntityState | undefined): boolean {
  return snapshot?.rest === null;
}

/** As a recovery begins it. */
function startOf(type: EntityType, { entity, snapshot, records }: StoredEntity): EntityStart {
  if (type.durability === "volatile") return { kind: "anew" };
  try {
    const restored = restoreEntity(type, entity, { snapshot, records }).entity as HostedEntity;
    return { kind: "restored", misplaced: misplacedChildren(restored.interior) };
  } catch (error) {
    return { kind: "refused", reason: messageOf(error), isNewer: isNewer(error) };
  }
}

function withEntity(start: EntityStart | undefined, actor: ActorUpgrade): ActorUpgrade {
  if (start === undefined || start.kind === "restored") return actor;
  const { address, type, from, to, state, verdict } = actor;
  if (start.kind === "refused") return verdict === "fits" || verdict === "migrates" ? { address, type, from, to, state, verdict: "lost", reason: start.reason } : actor;
  return { address, type, from, to, state, verdict: "lost", reason: "it begins anew" };
}

function isNewer(error: unknown): boolean {
  return isA(error, DroverError) && error.code === "DROVER_STATE_NEWER";
}

/** As it was left. */
function newestState(snapshot: EntityState | undefined, records: readonly JournalRecord[]): EntityState | undefined {
  const last = records.at(-1);
  return last === undefined ? snapshot : pastState(last.revision, snapshot, records)?.state;
}

function upgradeOfCell(type: AnyActorType, cell: CellRecord, state: EntityState, snapshot: EntityState | undefined): ActorUpgrade {
  const facts = { address: cell.address, type: type.name, from: cell.version, to: type.version, state: cell.value };
  const alone = entityType({ root: type, durability: "events", placement: "cloud" });
  const before = actorAlone(cell, state);
  let after: EntityState;
  try {
    after = restoreEntity(alone, state.entity, { snapshot: before, records: [] }).entity.state();
  } catch (error) {
    return { ...facts, verdict: isNewer(error) ? "newer" : "stranded", reason: messageOf(error) };
  }
  const work = workBetween(before, after);
  const stuck = whyStranded(type, cell, before, after);
  if (stuck !== undefined) return { ...facts, verdict: "stranded", reason: stuck, work };
  const steps = Object.keys(type.migrate).filter((from) => Number(from) >= cell.version && Number(from) < type.version);
  const made = snapshot?.madeBy?.types[type.name];
  const isChanged = made?.version === type.version && cell.version === type.version && made.schema !== madeByOf(alone).madeBy.types[type.name]?.schema;
  return { ...facts, verdict: steps.length > 0 ? "migrates" : "fits", work, ...(isChanged ? { isChangedInPlace: true as const } : {}) };
}

/** An actor with what its machine has made and armed, as an entity of its own. */
function actorAlone(cell: CellRecord, state: EntityState): EntityState {
  const cells = state.cells.filter(({ address }) => address === cell.address || address.startsWith(`${cell.address}/~/`));
  const own = new Set(cells.map(({ incarnation }) => incarnation));
  const rest: Record<string, readonly Row[]> = {};
  for (const [table, rows] of Object.entries((state.rest ?? {}) as Readonly<Record<string, readonly Row[]>>)) {
    if (table === "counters") rest[table] = rows;
    else if (table === "timers" || table === "asks") rest[table] = rows.filter(([, row]) => own.has((row as { readonly incarnation: number }).incarnation));
    else if (table === "systemIds") rest[table] = rows.filter(([, row]) => own.has((row as { readonly $ref: { readonly incarnation: number } }).$ref.incarnation));
  }
  return { ...state, type: cell.type, labels: {}, cells, rest };
}

function workBetween(before: EntityState, after: EntityState): UpgradeWork {
  const generations = new Set(timersOf(before).map(({ generation }) => generation));
  const left = new Set(timersOf(after).map(({ generation }) => generation));
  const children = new Set(livingUnder(before).map(({ incarnation }) => incarnation));
  const alive = new Set(livingUnder(after).map(({ incarnation }) => incarnation));
  const names = (timers: readonly TimerRow[]): readonly string[] => timers.map(({ name }) => name);
  const places = (cells: readonly CellRecord[]): readonly string[] => cells.map(({ address }) => address);
  return {
    state: after.cells[0]?.value,
    timers: {
      kept: names(timersOf(after).filter(({ generation }) => generations.has(generation))),
      armed: names(timersOf(after).filter(({ generation }) => !generations.has(generation))),
      cancelled: names(timersOf(before).filter(({ generation }) => !left.has(generation))),
    },
    children: {
      kept: places(livingUnder(after).filter(({ incarnation }) => children.has(incarnation))),
      begun: places(livingUnder(after).filter(({ incarnation }) => !children.has(incarnation))),
      stopped: places(livingUnder(before).filter(({ incarnation }) => !alive.has(incarnation))),
    },
  };
}
