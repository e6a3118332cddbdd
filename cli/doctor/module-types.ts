// The actor types and entity types that a module exports, as a node would register them.

import type { AnyActorType, EntityType } from "../../runtime/index.ts";
import { loadModule } from "../user-module/index.ts";

export interface LoadedTypes {
  /** By name, the newest of each; those of the entity types too. */
  readonly actors: ReadonlyMap<string, AnyActorType>;
  /** By name. */
  readonly entities: ReadonlyMap<string, EntityType>;
}

/** @throws DROVER_FILE_UNREADABLE when there is no such module */
export async function typesIn(module: string): Promise<LoadedTypes> {
  const actors = new Map<string, AnyActorType>();
  const alone = new Map<string, AnyActorType>();
  const exported: EntityType[] = [];
  for (const value of Object.values(await loadModule(module))) {
    const { kind } = (typeof value === "object" && value !== null ? value : {}) as { readonly kind?: unknown };
    if (kind === "entity") {
      exported.push(value as EntityType);
      for (const type of (value as EntityType).types.values()) keepNewer(actors, type);
    } else if (kind === "actor") {
      keepNewer(actors, value as AnyActorType);
      keepNewer(alone, value as AnyActorType);
    }
  }
  const entities = new Map<string, EntityType>();
  for (const given of exported) {
    const newer = [...alone.values()].filter(({ name, version }) => version > (given.types.get(name)?.version ?? Infinity));
    const entity = newer.length === 0 ? given : given.using(...newer);
    if ((entities.get(entity.name)?.root.version ?? 0) < entity.root.version) entities.set(entity.name, entity);
  }
  return { actors, entities };
}

function keepNewer(types: Map<string, AnyActorType>, type: AnyActorType): void {
  if ((types.get(type.name)?.version ?? 0) < type.version) types.set(type.name, type);
}
