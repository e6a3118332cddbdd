// Of two registrations of an entity type: a node that was upgraded knows what the others have written; they do not know what it writes.

import type { EntityType } from "../actor/index.ts";

export function isNewer({ types }: EntityType, than: EntityType | undefined): boolean {
  return than === undefined || [...types.values()].some(({ name, version }) => version > (than.types.get(name)?.version ?? 0));
}
