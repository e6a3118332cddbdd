// The types of a node: entity types by name, with the effects and tasks that the node supplies to their actor types.

import type { AnyActorType, EntityType, Registered } from "../actor/index.ts";
import { DroverError } from "../errors.ts";

export interface Registry {
  readonly entityTypes: ReadonlyMap<string, EntityType>;
  readonly actorTypes: ReadonlyMap<string, AnyActorType>;
}

/** @throws DROVER_TYPE_INVALID for an entity type registered twice or an actor type that no entity type has */
export function register(types: readonly Registered[]): Registry {
  const supplied = types.filter((type): type is AnyActorType => type.kind === "actor");
  const entityTypes = new Map<string, EntityType>();
  const actorTypes = new Map<string, AnyActorType>();
  for (const given of types) {
    if (given.kind !== "entity") continue;
    if (entityTypes.has(given.name)) throw new DroverError("DROVER_TYPE_INVALID", `the entity type "${given.name}" is registered twice`);
    const entity = given.using(...supplied.filter((type) => given.types.has(type.name)));
    entityTypes.set(entity.name, entity);
    for (const [name, type] of entity.types) actorTypes.set(name, type);
  }
  const unused = supplied.find((type) => actorTypes.get(type.name) !== type);
  if (unused !== undefined) throw new DroverError("DROVER_TYPE_INVALID", `the actor type "${unused.name}" belongs to no registered entity type`);
  return { entityTypes, actorTypes };
}
