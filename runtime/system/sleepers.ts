// Entities out of memory whose actor types have newer versions come back once, so that what their states wait for now is armed and running (rules T4; promise S7).
//
// S1. The versions that the actor types of a passivating entity type had are kept in the store. Where they differ at a start, all its entities are brought into memory, one after the
//     other and behind every command; idle as they are, they leave again by themselves. A start that ends before it is through begins again with the next.
// S2. Where all are of version 1 there was none before.
// S3. One that cannot be upgraded stays where it is, as when it is called; it keeps nobody else from it.
// S4. Where the store failed, that says nothing of the entity: those that it failed for are tried again, with backoff, as long as the system runs; what is left then begins again with the next start.

import { type Address, parseAddress } from "../address.ts";
import type { EntityType } from "../actor/index.ts";
import { backoffMs } from "../backoff.ts";
import { DroverError } from "../errors.ts";
import { isA } from "../is-a.ts";
import type { Clock, Log, Random, Store } from "../ports/index.ts";
import { settledWithin } from "../settled-within.ts";

const PREFIX = "versions/";
const PAGE = 500;
/** S4. */
const AGAIN = { initialMs: 1_000, maxMs: 600_000 };

export interface SleepersPorts {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Brings an entity into memory, unless it is there. Rejects when that could not be done. */
  readonly wake: (entity: Address) => Promise<void>;
  /** Aborted when the system stops. */
  readonly signal: AbortSignal;
}

/** Resolves when all were brought that can be, or the system has stopped. Never rejects. */
export async function upgradeSleepers(types: Iterable<EntityType>, ports: SleepersPorts): Promise<void> {
  const concerned = [...types].filter((type) => type.passivateAfterMs !== undefined && [...type.types.values()].some(({ version }) => version > 1));
  await Promise.all(concerned.map((type) => upgradeType(type, ports)));
}

async function upgradeType(type: EntityType, ports: SleepersPorts): Promise<void> {
  const { store, random, log, signal } = ports;
  const now = versionsOf(type);
  /** Of those that the store failed for; undefined: nobody was tried yet. */
  let left: readonly Address[] | undefined;
  for (let failures = 0; !signal.aborted; failures++) {
    try {
      const before = await store.values.get(PREFIX + type.name);
      if (before !== undefined && Buffer.from(before).toString() === now) return;
      left = await wakeAll(left ?? storedOf(type, ports), ports);
      if (left.length === 0 && !isOver(signal)) {
        await store.values.set(PREFIX + type.name, Buffer.from(now));
        return;
      }
    } catch (cause) {
      if (!isOver(signal)) log.warn({ err: cause, type: type.name }, "entities out of memory could not all be brought to the new versions of their actor types; it is tried again");
    }
    await pause(
      backoffMs(failures + 1, () => random.next(), AGAIN),
      ports,
    );
  }
}

function versionsOf({ types }: EntityType): string {
  return JSON.stringify([...types.values()].map(({ name, version }) => [name, version]).sort());
}

async function* storedOf(type: EntityType, { store }: SleepersPorts): AsyncIterable<Address> {
  for (let after: string | undefined; ; ) {
    const page = await store.entities(after, PAGE);
    for (const head of page) if (head.type === type.name) yield parseAddress(head.entity);
    after = page.at(-1)?.entity;
    if (page.length < PAGE) return;
  }
}

/** Those that the store has failed for (S4). */
async function wakeAll(sleepers: AsyncIterable<Address> | readonly Address[], { log, wake, signal }: SleepersPorts): Promise<readonly Address[]> {
  const left: Address[] = [];
  for await (const entity of sleepers) {
    if (signal.aborted) break;
    await wake(entity).catch((cause: unknown) => {
      if (isOver(signal)) return;
      if (isOfStore(cause)) left.push(entity);
      log.warn({ err: cause, entity }, "an entity out of memory could not be brought to the new versions of its actor types");
    });
  }
  return left;
}

function isOfStore(cause: unknown): boolean {
  return !isA(cause, DroverError) || cause.code === "DROVER_STORE_FAILED";
}

function pause(ms: number, { clock, signal }: SleepersPorts): Promise<unknown> {
  return settledWithin(new Promise<never>(() => undefined), clock, ms, signal, { unref: true });
}

function isOver({ aborted }: AbortSignal): boolean {
  return aborted;
}
