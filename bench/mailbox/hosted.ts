// A system with memory ports and volatile actors, and the two doors by which messages come to them.

import { type Address, actorType, type AnyBehaviour, createSystem, entityType, messages, reducer, type System, systemClock, systemRandom } from "../../runtime/index.ts";
import { silentLog } from "../../runtime/ports/index.ts";
import { MemoryDisk, memoryStore } from "../../runtime/simulation/index.ts";
import { mustMatch, type Prepared, type Tally } from "../_helpers.ts";

/** Node-local messages that are under way at once: as many as mailboxes hold, which is what a burst after a stall looks like. */
export const BURST = 10_000;
/** Messages from outside that are under way at once. */
const TOLD_BURST = 2_048;
/** An entity keeps the outcome of at most 10,000 messages from outside; these share the load so that none is full (up to 200,000 a second) while ids are kept. */
const TOLD_ENTITIES = 64;
const ID_KEPT_MS = 3_000;

const goMessages = messages({ go: { body: {} } });
const GO = { type: "go" } as const;

/** A plain behaviour: the least that an actor can do. */
export function plainBehaviour(tally: Tally): AnyBehaviour {
  return reducer<{ readonly total: number }, unknown>({
    initial: () => ({ total: 0 }),
    step: (state) => {
      tally.one();
      return { total: state.total + 1 };
    },
  });
}

/** @param entities how many actors of this behaviour, each an entity */
export async function host(behaviour: AnyBehaviour, entities: number): Promise<{ readonly system: System; readonly addresses: readonly Address[] }> {
  const root = actorType({ name: "receiver", version: 1, messages: goMessages, behaviour: behaviour as never, mailbox: { messages: BURST } });
  const store = memoryStore({ disk: new MemoryDisk() });
  await store.open();
  const system = createSystem({
    node: "bench",
    types: [entityType({ root, durability: "volatile", placement: "cloud" })],
    store,
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
  });
  await system.start();
  const addresses = Array.from({ length: entities }, (_, at) => `bench/receiver/r-${String(at)}` as Address);
  for (const address of addresses) await system.activate(address, { input: undefined });
  return { system, addresses };
}

/** Node-local messages to one actor, which carry no id: queued one by one, each burst awaited at the receiver. */
export async function byNotify(behaviour: AnyBehaviour, tally: Tally): Promise<Prepared> {
  const { system, addresses } = await host(behaviour, 1);
  const to = addresses[0] as Address;
  let sent = 0;
  return {
    sample: async () => {
      const start = performance.now();
      const arrived = tally.reaches(sent + BURST);
      for (let at = 0; at < BURST; at++) if (!system.notify(to, GO)) throw new Error("the mailbox was full");
      await arrived;
      sent += BURST;
      return { work: BURST, elapsedMs: performance.now() - start };
    },
    finish: async () => {
      mustMatch("messages to one actor", tally.received, sent);
      await system.stop();
    },
  };
}

/** Messages from outside, each with its id, its check, its outcome kept and awaited. */
export async function byTell(behaviour: AnyBehaviour, tally: Tally): Promise<Prepared> {
  const { system, addresses } = await host(behaviour, TOLD_ENTITIES);
  const refused = new Map<string, number>();
  let accepted = 0;
  return {
    sample: async () => {
      const before = accepted;
      const start = performance.now();
      const told = await Promise.all(
        Array.from({ length: TOLD_BURST }, async (_, at) => system.tell(addresses[at % TOLD_ENTITIES] as Address, GO, { withinMs: ID_KEPT_MS, keepMs: ID_KEPT_MS })),
      );
      const elapsedMs = performance.now() - start;
      for (const { kind } of told) {
        if (kind === "accepted") accepted++;
        else refused.set(kind, (refused.get(kind) ?? 0) + 1);
      }
      return { work: accepted - before, elapsedMs };
    },
    finish: async () => {
      mustMatch("messages from outside", tally.received, accepted);
      if (refused.size > 0) throw new Error(`not accepted: ${JSON.stringify([...refused])}`);
      await system.stop();
    },
  };
}
