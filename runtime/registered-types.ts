// The types of a node: entity types by name, with the effects and tasks that the node supplies to their actor types.
//
// R1. Of an actor type that is supplied in several versions the newest is the one of its entity types, and each other one stands among its `earlier`.

import type { AnyActorType, EntityType, Registered } from "./actor/index.ts";
import { DroverError } from "./errors.ts";
import { suppliedAs } from "./supplied-versions.ts";

export interface Registry {
  readonly entityTypes: ReadonlyMap<string, EntityType>;
  readonly actorTypes: ReadonlyMap<string, AnyActorType>;
}

/** @throws DROVER_TYPE_INVALID for an entity type registered twice or an actor type that no entity type has */
export function register(types: readonly Registered[]): Registry {
  const supplied = types.filter((type): type is AnyActorType => type.kind === "actor");
  const entityTypes = new Map<string, EntityType>();
  const actorTypes = new Map<string, AnyActorType>();
  const used = new Set<AnyActorType>();
  for (const given of types) {
    if (given.kind !== "entity") continue;
    if (entityTypes.has(given.name)) throw new DroverError("DROVER_TYPE_INVALID", `the entity type "${given.name}" is registered twice`);
    const entity = given.using(...[...given.types.values()].map((type) => suppliedTo(type, supplied, used)));
    entityTypes.set(entity.name, entity);
    for (const [name, type] of entity.types) actorTypes.set(name, type);
  }
  const unused = supplied.find((type) => !used.has(type));
  if (unused !== undefined)
    throw new DroverError(
      "DROVER_TYPE_INVALID",
      `the actor type "${unused.name}" of version ${String(unused.version)} belongs to no registered entity type, nor to \`earlier\` of one`,
    );
  return { entityTypes, actorTypes };
}

/** R1. @param used those of the supplied ones that are a part of it */
function suppliedTo(type: AnyActorType, supplied: readonly AnyActorType[], used: Set<AnyActorType>): AnyActorType {
  const own = supplied.filter(({ name }) => name === type.name);
  const newest = own.reduce<AnyActorType | undefined>((best, each) => (best === undefined || each.version >= best.version ? each : best), undefined);
  const now = newest !== undefined && newest.version >= type.version ? newest : type;
  used.add(now);
  if (now.earlier.length === 0) return now;
  const earlier = now.earlier.map((then) => {
    const given = own.findLast(({ version }) => version === then.version);
    if (given !== undefined) used.add(given);
    return suppliedAs(given ?? then, now);
  });
  return { ...now, earlier };
}
