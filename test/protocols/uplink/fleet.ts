// A vehicle and a cloud on one bus in memory: the vehicle's entity with its stream, the cloud's replicas, commands down. Either side can be killed and started again.

import { openStreamIngest, SentBound, type StreamIngest, startStreamShipper, type StreamShipper, UNSHIPPED_JOURNAL } from "../../../protocols/uplink/index.ts";
import { decodeRecord, decodeState, encodeRecord, encodeState } from "../../../runtime/entity/index.ts";
import { busRemote, openMessageDoor } from "../../../runtime/wire/index.ts";
import { createReplicas, createSystem, everyVehicle, type JournalLimit, parseAddress, type Registered, type Replicas, type System, vehicleNames } from "../../../runtime/index.ts";
import { silentLog } from "../../../runtime/ports/index.ts";
import { ManualClock, MemoryDisk, type MemoryStore, memoryStore, SeededRandom } from "../../../runtime/simulation/index.ts";
import { memoryNetwork, type MemoryNetwork } from "../../../runtime/simulation/memory-transport.ts";
import { vehicleTypeOf } from "./small-vehicle.ts";

export const VEHICLE = parseAddress("acme/vehicle/v1");
const names = vehicleNames("acme", "v1");

export interface Edge {
  readonly system: System;
  readonly store: MemoryStore;
  readonly disk: MemoryDisk;
  readonly shipper: StreamShipper;
  kill(): void;
  stop(): Promise<void>;
}

export interface Cloud {
  readonly system: System;
  readonly replicas: Replicas;
  readonly ingest: StreamIngest;
  readonly store: MemoryStore;
  readonly disk: MemoryDisk;
  kill(): void;
  stop(): Promise<void>;
}

export interface Fleet {
  readonly clock: ManualClock;
  readonly network: MemoryNetwork;
  readonly random: SeededRandom;
  /** @param options.limit of its journal: `UNSHIPPED_JOURNAL` unless told otherwise */
  edge(options?: { readonly disk?: MemoryDisk; readonly types?: readonly Registered[]; readonly limit?: JournalLimit; readonly keepRecords?: number }): Promise<Edge>;
  /** `isOlder`: it tells no hash of what it holds, and looks at none. */
  cloud(options?: { readonly disk?: MemoryDisk; readonly isOlder?: boolean }): Promise<Cloud>;
}

export function fleet(seed = 1, latencyMs: number | readonly [number, number] = 1): Fleet {
  const clock = new ManualClock();
  const random = new SeededRandom(seed);
  const network = memoryNetwork({ clock, random, latencyMs });
  const newId = (): string => random.id();

  async function edge({
    disk = new MemoryDisk(),
    types = [vehicleTypeOf(1)],
    limit = UNSHIPPED_JOURNAL,
    keepRecords,
  }: {
    readonly disk?: MemoryDisk;
    readonly types?: readonly Registered[];
    readonly limit?: JournalLimit;
    readonly keepRecords?: number;
  } = {}): Promise<Edge> {
    const store = memoryStore({ disk });
    await store.open();
    const sent = new SentBound({ entity: VEHICLE, store, log: silentLog });
    await sent.open();
    const transport = network.transport("edge");
    await transport.start();
    const sending = { node: "edge", session: random.id(), clock };
    const system = createSystem({ node: "edge", types, store, clock, random, log: silentLog, journalLimits: { vehicle: limit } });
    await system.start();
    await system.activate(VEHICLE, { input: undefined, labels: { plant: "one" } });
    const door = await openMessageDoor({ transport, pattern: names.down("in"), system, sending, log: silentLog, newId });
    const shipper = startStreamShipper({
      transport,
      key: names.up("stream"),
      entity: VEHICLE,
      system,
      store,
      sent,
      sending,
      newId,
      log: silentLog,
      random: () => random.next(),
      fork: async ({ incarnation, known }) => {
        const told = await system.fork(VEHICLE, incarnation, known);
        if (told.kind !== "accepted") throw new Error(told.kind);
      },
      ...(keepRecords === undefined ? {} : { keepRecords }),
    });
    const end = (): Promise<unknown> => Promise.all([door.close(), shipper.stop(), system.stop()]);
    return {
      system,
      store,
      disk,
      shipper,
      kill: () => {
        store.crash();
        network.cut("edge");
        void end();
        network.heal("edge");
      },
      stop: async () => {
        await end();
      },
    };
  }

  async function cloud({ disk = new MemoryDisk(), isOlder = false }: { readonly disk?: MemoryDisk; readonly isOlder?: boolean } = {}): Promise<Cloud> {
    const store = memoryStore({ disk });
    await store.open();
    const transport = network.transport("cloud");
    await transport.start();
    const sending = { node: "cloud", session: random.id(), clock };
    const system = createSystem({ node: "cloud", types: [], store, clock, random, log: silentLog });
    const replicas = createReplicas(
      { store, clock, log: silentLog, node: "cloud", types: new Map(), owner: () => ({ node: "edge", epoch: 1 }), heardAt: () => undefined },
      (type) => type === "vehicle",
    );
    await system.start();
    await replicas.open();
    system.mount(replicas);
    let isUp = true;
    system.setRemote(
      busRemote({
        transport,
        sending,
        newId,
        find: (entity) => (entity === VEHICLE ? { key: names.down("in"), node: "edge", reachable: isUp && transport.state.kind === "ready" } : undefined),
      }),
    );
    const ingest = await openStreamIngest({ transport, replicas: isOlder ? olderOf(replicas) : replicas, sending, newId, log: silentLog, heard: () => undefined });
    const door = await openMessageDoor({ transport, pattern: everyVehicle.up("in"), system, sending, log: silentLog, newId });
    const end = (): Promise<unknown> => Promise.all([ingest.close(), door.close(), system.stop()]);
    return {
      system,
      replicas,
      ingest,
      store,
      disk,
      kill: () => {
        isUp = false;
        store.crash();
        network.cut("cloud");
        void end();
        network.heal("cloud");
      },
      stop: async () => {
        await end();
      },
    };
  }

  return { clock, network, random, edge, cloud };
}

/** Records reach it without what it does not know, and its answers lack that. */
function olderOf(replicas: Replicas): Replicas {
  return {
    ...replicas,
    apply: async (batch) => {
      const { opening, records } = batch;
      const applied = await replicas.apply({
        ...batch,
        ...(opening === undefined ? {} : { opening: encodeState(without(decodeState(opening), "head", "fork")) }),
        records: records.map((record) => encodeRecord(without(decodeRecord(record), "prev"))),
      });
      return { ...applied, position: without(applied.position, "head") };
    },
  };
}

function without<T extends object>(from: T, ...keys: readonly (keyof T)[]): T {
  return Object.fromEntries(Object.entries(from).filter(([key]) => !keys.includes(key as keyof T))) as T;
}

/** Ends nodes while time goes on: a stop waits a little for what is under way. */
export async function ended(clock: ManualClock, ...nodes: readonly { stop(): Promise<void> }[]): Promise<void> {
  const stopped = Promise.all(nodes.map((node) => node.stop()));
  await clock.advance(5_000);
  await stopped;
}

/** Sends `count` steps of 1 to the vehicle and lets each be committed. */
export async function drive(edge: Edge, count: number): Promise<void> {
  for (let step = 0; step < count; step++) {
    const told = await edge.system.tell(VEHICLE, { type: "drive", by: 1 }, { keepMs: 1, withinMs: 1 });
    if (told.kind !== "accepted") throw new Error(`not driven: ${JSON.stringify(told)}`);
  }
}

export function odometer(of: { readonly system: System }): unknown {
  return (of.system.read(VEHICLE)?.context as { readonly odometer: number } | undefined)?.odometer;
}
