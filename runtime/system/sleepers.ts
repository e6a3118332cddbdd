// Entities out of memory whose actor types have newer versions come back once, so that what their states wait for now is armed and running (rules T4; promise S7).
//
// S1. The versions that the actor types of a passivating entity type had are kept in the store. Where they differ at a start, all its entities are brought into memory, one after the
//     other and behind every command; idle as they are, they leave again by themselves. A start that ends before it is through begins again with the next.
// S2. Where all are of version 1 there was none before.
// S3. One that cannot be upgraded stays where it is, as when it is called; it keeps nobody else from it.

import { type Address, parseAddress } from "../address.ts";
import type { EntityType } from "../actor/index.ts";
import type { Log, Store } from "../ports/index.ts";

const PREFIX = "versions/";
const PAGE = 500;

export interface SleepersPorts {
  readonly store: Store;
  readonly log: Log;
  /** Brings an entity into memory, unless it is there. Rejects when that could not be done. */
  readonly wake: (entity: Address) => Promise<void>;
  readonly isStopped: () => boolean;
}

/** Resolves when all were tried, or the system has stopped. Never rejects. */
export async function upgradeSleepers(types: Iterable<EntityType>, ports: SleepersPorts): Promise<void> {
  const { store, log, isStopped } = ports;
  for (const type of types) {
    if (type.passivateAfterMs === undefined || ![...type.types.values()].some(({ version }) => version > 1)) continue;
    try {
      const now = versionsOf(type);
      const before = await store.values.get(PREFIX + type.name);
      if (before !== undefined && Buffer.from(before).toString() === now) continue;
      await wakeAll(type, ports);
      if (!isStopped()) await store.values.set(PREFIX + type.name, Buffer.from(now));
    } catch (cause) {
      if (!isStopped())
        log.warn({ err: cause, type: type.name }, "entities out of memory could not all be brought to the new versions of their actor types; it is tried again at the next start");
    }
  }
}

function versionsOf({ types }: EntityType): string {
  return JSON.stringify([...types.values()].map(({ name, version }) => [name, version]).sort());
}

async function wakeAll(type: EntityType, { store, log, wake, isStopped }: SleepersPorts): Promise<void> {
  for (let after: string | undefined; ; ) {
    const page = await store.entities(after, PAGE);
    for (const head of page) {
      if (isStopped()) return;
      if (head.type !== type.name) continue;
      await wake(parseAddress(head.entity)).catch((cause: unknown) => {
        if (!isStopped()) log.warn({ err: cause, entity: head.entity }, "an entity out of memory could not be brought to the new versions of its actor types");
      });
    }
    after = page.at(-1)?.entity;
    if (page.length < PAGE) return;
  }
}
