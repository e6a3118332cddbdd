// Which versions of its actor types an entity ran when a record was made, and the entity type as it was then (rules T4).

import type { AnyActorType, EntityType } from "../actor/index.ts";
import type { EntityState, JournalRecord } from "./contract.ts";

export type Versions = Readonly<Record<string, number>>;

const byVersions = new WeakMap<EntityType, Map<string, EntityType>>();

/** The entity type with the named actor types in these versions, the others as they are now; undefined when one of them is not registered (any more). */
export function typeAt(type: EntityType, versions: Versions): EntityType | undefined {
  const older: AnyActorType[] = [];
  for (const [name, version] of Object.entries(versions)) {
    const now = type.types.get(name);
    if (now === undefined) return undefined;
    if (now.version === version) continue;
    const then = now.earlier.find((earlier) => earlier.version === version);
    if (then === undefined) return undefined;
    // What it was made from is known to it as it is to the newest: an upgrade runs again as it ran (rules T4).
    const earlier = now.earlier.filter((one) => one.version < version);
    older.push(earlier.every((one) => then.earlier.includes(one)) ? then : { ...then, earlier });
  }
  if (older.length === 0) return type;
  const key = older
    .map(({ name, version }) => `${name} ${String(version)}`)
    .sort()
    .join(" ");
  let known = byVersions.get(type);
  if (known === undefined) byVersions.set(type, (known = new Map<string, EntityType>()));
  let found = known.get(key);
  if (found === undefined) known.set(key, (found = type.using(...older)));
  return found;
}

/** Of the actors that a state holds; undefined when one actor type stands in it in two versions. */
export function versionsOf(state: EntityState): Versions | undefined {
  const versions: Record<string, number> = {};
  for (const { type, version } of state.cells) {
    const slash = type.indexOf("/");
    const name = slash === -1 ? type : type.slice(0, slash);
    if ((versions[name] ??= version) !== version) return undefined;
  }
  return versions;
}

/** The entity type under which each record was made; undefined when one of them cannot be run any more. */
export function typesOf(type: EntityType, start: EntityState | undefined, records: readonly JournalRecord[]): readonly EntityType[] | undefined {
  let versions = start === undefined ? {} : versionsOf(start);
  if (versions === undefined || typeAt(type, versions) === undefined) return undefined;
  const types: EntityType[] = [];
  for (const record of records) {
    versions = { ...versions, ...record.versions };
    const then = typeAt(type, versions);
    if (then === undefined) return undefined;
    types.push(then);
  }
  return types;
}
