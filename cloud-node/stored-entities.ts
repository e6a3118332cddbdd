// Brings back the entities that the store holds. What one stored state says to this version stops nobody else: it stays as it is, its entity is away, and the others run.

import { parseAddress, type System } from "../runtime/index.ts";
import { DroverError, type Log, type Store } from "../runtime/ports/index.ts";

export interface StoredEntitiesOptions {
  readonly system: Pick<System, "activate">;
  readonly store: Pick<Store, "entities">;
  /** Names of the types that are hosted here. */
  readonly types: readonly string[];
  readonly log: Log;
}

const PAGE = 500;

/** @returns which could not be read, and why @throws what the store fails with */
export async function activateStored({ system, store, types, log }: StoredEntitiesOptions): Promise<readonly string[]> {
  const unreadable: string[] = [];
  for (let after: string | undefined; ; ) {
    const page = await store.entities(after, PAGE);
    for (const { entity, type } of page) {
      if (!types.includes(type)) continue;
      try {
        await system.activate(parseAddress(entity), { input: undefined });
      } catch (error) {
        if (error instanceof DroverError && !error.code.startsWith("DROVER_STATE_") && error.code !== "DROVER_ACTOR_HUNG") throw error;
        log.error({ err: error, entity }, "a stored entity cannot be brought back; the node goes on without it, and it stays as it is");
        unreadable.push(`${entity}: ${(error as Error).message}`);
      }
    }
    after = page.at(-1)?.entity;
    if (page.length < PAGE) return unreadable;
  }
}
