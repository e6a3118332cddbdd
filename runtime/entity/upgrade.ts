// What a new version of actor types would do to a stored entity, without running anything of it (rules T4): which of its live actors fit, which go through `migrate`, which would be stranded.

import type { Address } from "../address.ts";
import { type AnyActorType, entityType } from "../actor/index.ts";
import type { CellRecord, EntityState, JournalRecord } from "./contract.ts";
import { DroverError } from "../errors.ts";
import { messageOf } from "./fault.ts";
import { madeByOf } from "./made-by.ts";
import { restoreEntity } from "./restore.ts";

export interface ActorUpgrade {
  readonly address: Address;
  /** Name of the actor type. */
  readonly type: string;
  readonly from: number;
  readonly to: number;
  /** Its state value; null for a reducer. */
  readonly state: unknown;
  /** `fits`: read as it is. `migrates`: goes through `migrate`. `stranded`: cannot be read. `newer`: made by a newer version. */
  readonly verdict: "fits" | "migrates" | "stranded" | "newer";
  readonly reason?: string;
  /** The shape of its machine or context differs although the version does not. */
  readonly isChangedInPlace?: true;
}

export interface EntityUpgrade {
  readonly actors: readonly ActorUpgrade[];
  /** Versions that its journal names and that the types neither are nor have as `earlier`: their records are believed, not run again. By actor type. */
  readonly unreplayable: Readonly<Record<string, readonly number[]>>;
}

/** @param types the new versions, by name; actors of other types are not looked at */
export function upgradeOf(
  types: ReadonlyMap<string, AnyActorType>,
  stored: { readonly entity: Address; readonly snapshot: EntityState | undefined; readonly records: readonly JournalRecord[] },
): EntityUpgrade {
  const cells = newestCells(stored.snapshot, stored.records);
  const actors: ActorUpgrade[] = [];
  for (const cell of cells.values()) {
    const type = types.get(cell.type);
    if (type === undefined || cell.accepts === undefined || cell.status !== "active") continue;
    actors.push(upgradeOfCell(type, cell, cells, stored));
  }
  const unreplayable: Record<string, number[]> = {};
  for (const { versions } of stored.records) {
    for (const [name, version] of Object.entries(versions)) {
      const type = types.get(name);
      if (type === undefined || type.version === version || type.earlier.some((earlier) => earlier.version === version)) continue;
      const listed = (unreplayable[name] ??= []);
      if (!listed.includes(version)) listed.push(version);
    }
  }
  return { actors: actors.sort((a, b) => (a.address < b.address ? -1 : 1)), unreplayable };
}

/** As a replica keeps them: by recorded outcomes. */
function newestCells(snapshot: EntityState | undefined, records: readonly JournalRecord[]): ReadonlyMap<string, CellRecord> {
  const cells = new Map<string, CellRecord>();
  for (const cell of snapshot?.cells ?? []) cells.set(cell.address, cell);
  for (const { outcome } of records) {
    for (const address of outcome.ended) cells.delete(address);
    for (const cell of outcome.cells) cells.set(cell.address, cell);
  }
  return cells;
}

function upgradeOfCell(
  type: AnyActorType,
  cell: CellRecord,
  cells: ReadonlyMap<string, CellRecord>,
  { entity, snapshot }: { readonly entity: Address; readonly snapshot: EntityState | undefined },
): ActorUpgrade {
  const facts = { address: cell.address, type: type.name, from: cell.version, to: type.version, state: cell.value };
  const alone = entityType({ root: type, durability: "events", placement: "cloud" });
  const state: EntityState = {
    v: 1,
    entity,
    type: type.name,
    incarnation: "",
    revision: 1,
    stamp: { now: 0, elapsed: 0, seed: 0 },
    labels: {},
    cells: [cell, ...[...cells.values()].filter(({ address }) => address.startsWith(`${cell.address}/~/`))],
    rest: {},
  };
  try {
    restoreEntity(alone, entity, { snapshot: state, records: [] });
  } catch (error) {
    return { ...facts, verdict: error instanceof DroverError && error.code === "DROVER_STATE_NEWER" ? "newer" : "stranded", reason: messageOf(error) };
  }
  const steps = Object.keys(type.migrate).filter((from) => Number(from) >= cell.version && Number(from) < type.version);
  const before = snapshot?.madeBy?.types[type.name];
  const isChanged = before?.version === type.version && cell.version === type.version && before.schema !== madeByOf(alone).madeBy.types[type.name]?.schema;
  return { ...facts, verdict: steps.length > 0 ? "migrates" : "fits", ...(isChanged ? { isChangedInPlace: true as const } : {}) };
}
