// A vehicle with two lamps that is hosted on one node and kept as a replica on another: `one` is told seldom, `two` all the time.

import { actorType, createReplicas, createSystem, entityType, messages, parseAddress, reducer, type Replicas, type System, T } from "../../../runtime/index.ts";
import { silentLog } from "../../../runtime/ports/index.ts";
import { ManualClock, memoryStore, type MemoryStore, SeededRandom } from "../../../runtime/simulation/index.ts";

export const VEHICLE = parseAddress("t/vehicle/v");
export const ONE = parseAddress("t/vehicle/v/lamp/one");
const TWO = parseAddress("t/vehicle/v/lamp/two");

const lamp = actorType({
  name: "lamp",
  version: 1,
  messages: messages({ "lamp.set": { body: { level: T.Integer() } } }),
  behaviour: reducer<{ readonly level: number }, { readonly type: string; readonly level: number }>({ initial: () => ({ level: 0 }), step: (_, { level }) => ({ level }) }),
});
const root = actorType({
  name: "vehicle",
  version: 1,
  messages: messages({ start: { body: {} } }),
  behaviour: reducer<object, { readonly type: string }>({ initial: () => ({}), step: (state) => state }),
});
const lamps = entityType({ root, durability: "events", placement: "cloud", children: { lamp: { types: [lamp], strategy: "one-for-one" } }, passivateAfterMs: 60_000 });

export interface Lamps {
  readonly owner: System;
  readonly ownerStore: MemoryStore;
  readonly ownerClock: ManualClock;
  /** The system that the replica is mounted on. */
  readonly cloud: System;
  readonly cloudStore: MemoryStore;
  readonly replicas: Replicas;
  set(address: string, level: number): Promise<void>;
  /** So many turns of `two`. */
  others(count: number): Promise<void>;
  /** What the replica has not, up to now. */
  ship(): Promise<void>;
  /** A full state in the place of what the replica has not. */
  leap(): Promise<void>;
  stop(): Promise<void>;
}

export async function shippedLamps(): Promise<Lamps> {
  const [ownerClock, ownerStore, cloudStore] = [new ManualClock(), memoryStore(), memoryStore()];
  await Promise.all([ownerStore.open(), cloudStore.open()]);
  const owner = createSystem({ node: "owner", types: [lamps], store: ownerStore, clock: ownerClock, random: new SeededRandom(3), log: silentLog });
  const cloud = createSystem({ node: "cloud", types: [], store: cloudStore, clock: new ManualClock(), random: new SeededRandom(4), log: silentLog });
  await Promise.all([owner.start(), cloud.start()]);
  await owner.activate(VEHICLE, { input: undefined, children: ["one", "two"].map((id) => ({ kind: "lamp", id, type: "lamp", input: undefined })) });
  const replicas = createReplicas(
    { store: cloudStore, clock: new ManualClock(), log: silentLog, node: "cloud", types: new Map(), owner: () => ({ node: "owner", epoch: 1 }), heardAt: () => undefined },
    (type) => type === "vehicle",
  );
  cloud.mount(replicas);

  async function set(address: string, level: number): Promise<void> {
    const told = await owner.tell(address, { type: "lamp.set", level });
    if (told.kind !== "accepted") throw new Error(told.kind);
  }

  async function leap(): Promise<void> {
    const state = await owner.settledStateOf(VEHICLE);
    if (state === undefined) throw new Error("not hosted");
    await applied({ entity: VEHICLE, type: state.type, incarnation: state.incarnation, opening: state.encoded, after: state.revision, records: [] });
  }

  async function applied(batch: Parameters<Replicas["apply"]>[0]): Promise<void> {
    const result = await replicas.apply(batch);
    if (result.kind === "refused") throw new Error(result.reason);
  }

  await leap();
  return {
    owner,
    ownerStore,
    ownerClock,
    cloud,
    cloudStore,
    replicas,
    set,
    others: async (count) => {
      for (let n = 0; n < count; n++) await set(TWO, n);
    },
    ship: async () => {
      const { revision: after, incarnation = "" } = replicas.position(VEHICLE);
      const stored = await ownerStore.journal({ entity: VEHICLE, after, limit: 10_000, order: "oldest-first" });
      await applied({ entity: VEHICLE, type: "vehicle", incarnation, after, records: stored.map(({ record }) => record) });
    },
    leap,
    stop: async () => {
      await Promise.all([owner.stop(), cloud.stop()]);
    },
  };
}
