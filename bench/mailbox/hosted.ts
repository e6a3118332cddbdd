// A system with memory ports and volatile actors, and the two doors by which messages come to them.

import { type Address, actorType, type AnyBehaviour, createSystem, entityType, messages, reducer, type System, systemClock, systemRandom, type Told } from "../../runtime/index.ts";
import { silentLog } from "../../runtime/ports/index.ts";
import { MemoryDisk, memoryStore } from "../../runtime/simulation/index.ts";
import { mustMatch, type Prepared, type Tally } from "../_helpers.ts";

/** Node-local messages that are under way at once: as many as mailboxes hold, which is what a burst after a stall looks like. */
export const BURST = 10_000;
/** Messages from outside that are under way at once. */
export const TOLD_BURST = 2_048;
/** An entity keeps the outcome of at most 10,000 messages from outside; these share the load so that none is full (up to 200,000 a second) while ids are kept. */
const TOLD_ENTITIES = 64;
const ID_KEPT_MS = 3_000;

const goMessages = messages({ go: { body: {} } });
const GO = { type: "go" } as const;

/** Of a burst so many are timed: some thousands in a run, and reading the clock costs less than a hundredth of the least that is measured. */
export const PLAIN_TIMED_EVERY = 1_000;
export const MACHINE_TIMED_EVERY = 100;
const TOLD_TIMED_EVERY = 16;

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
export async function byNotify(behaviour: AnyBehaviour, tally: Tally, timedEvery: number): Promise<Prepared> {
  const { system, addresses } = await host(behaviour, 1);
  const to = addresses[0] as Address;
  let sent = 0;
  return {
    sample: async () => {
      const start = performance.now();
      const arrived = tally.due(BURST, timedEvery);
      for (let at = 0; at < BURST; at++) if (!system.notify(to, GO)) throw new Error("the mailbox was full");
      await arrived;
      const elapsedMs = performance.now() - start;
      sent += BURST;
      return { work: BURST, elapsedMs, latenciesMs: tally.timesMs };
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
  let ids = 0;
  return {
    sample: async () => {
      const before = accepted;
      const latenciesMs: number[] = [];
      const start = performance.now();
      const tell = async (at: number): Promise<Told> => {
        const outcome = await system.tell(addresses[at % TOLD_ENTITIES] as Address, GO, { id: `m${String(++ids)}`, withinMs: ID_KEPT_MS, keepMs: ID_KEPT_MS });
        if (at % TOLD_TIMED_EVERY === 0) latenciesMs.push(performance.now() - start);
        return outcome;
      };
      const told = await Promise.all(Array.from({ length: TOLD_BURST }, (_, at) => tell(at)));
      const elapsedMs = performance.now() - start;
      for (const { kind } of told) {
        if (kind === "accepted") accepted++;
        else refused.set(kind, (refused.get(kind) ?? 0) + 1);
      }
      return { work: accepted - before, elapsedMs, latenciesMs };
    },
    finish: async () => {
      mustMatch("messages from outside", tally.received, accepted);
      if (refused.size > 0) throw new Error(`not accepted: ${JSON.stringify([...refused])}`);
      await system.stop();
    },
  };
}
