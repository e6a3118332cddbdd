// A vehicle's node on a desk: memory instead of disks and networks, a clock that moves when told, the real vehicle files of the demo.

import { readFileSync } from "node:fs";
import { SimulatedRig } from "../../cli/rig/index.ts";
import { TRAILER_MODULES } from "../../cli/rig/modules/index.ts";
import type { Identity } from "../../protocols/sqlite/index.ts";
import { createEdgeNode, type EdgeConfig, type EdgeNode, type EdgePorts } from "../../edge-node/index.ts";
import type { UpdatePorts } from "../../edge-node/update-ports.ts";
import { type ActorView, parseAddress } from "../../runtime/index.ts";
import { type AppendLog, type Log, silentLog, type Transport } from "../../runtime/ports/index.ts";
import { ManualClock, MemoryDisk, memoryStore, SeededRandom } from "../../runtime/simulation/index.ts";
import { memoryLog } from "../../runtime/simulation/memory-log.ts";
import { RigInTime } from "./rig-in-time.ts";

export const VEHICLES = new URL("../../cli/demo/vehicles/", import.meta.url).pathname;

/** What outlives a node: its disks. */
export interface Desk {
  readonly clock: ManualClock;
  readonly random: SeededRandom;
  readonly disk: MemoryDisk;
  readonly telemetry: AppendLog;
  identity: Identity | undefined;
  readonly files: Map<string, string>;
  transport: Transport | undefined;
  updates: UpdatePorts | undefined;
  log: Log;
  ports(): EdgePorts;
}

export function desk(): Desk {
  const clock = new ManualClock();
  const random = new SeededRandom(7);
  const self: Desk = {
    clock,
    random,
    disk: new MemoryDisk(),
    telemetry: memoryLog({ maxBytes: 1_000_000 }),
    identity: undefined,
    files: new Map(),
    transport: undefined,
    updates: undefined,
    log: silentLog,
    ports: () => ({
      clock,
      random,
      log: self.log,
      files: {
        read: (path) => {
          const text = self.files.get(path);
          if (text !== undefined) return new TextEncoder().encode(text);
          try {
            return readFileSync(path);
          } catch {
            return undefined;
          }
        },
        names: () => [...self.files.keys()].map((path) => path.slice(path.lastIndexOf("/") + 1)),
      },
      identity: {
        load: async () => (self.identity === undefined ? undefined : { identity: self.identity, repaired: undefined }),
        save: async (_folder, identity) => {
          self.identity = identity;
        },
      },
      store: () => memoryStore({ disk: self.disk }),
      telemetryLog: () => self.telemetry,
      transport: () => {
        if (self.transport === undefined) throw new Error("no transport on this desk");
        return self.transport;
      },
      ...(self.updates === undefined ? {} : { updates: () => self.updates as UpdatePorts }),
    }),
  };
  return self;
}

/** Its telemetry log stands on a disk of its own that is full when told. */
export function deskWithFullDisk(): { readonly at: Desk; readonly setFull: (isFull: boolean) => void } {
  let isDiskFull = false;
  const at = Object.assign(desk(), { telemetry: memoryLog({ maxBytes: 1_000_000, isDiskFull: () => isDiskFull }) });
  return {
    at,
    setFull: (isFull) => {
      isDiskFull = isFull;
    },
  };
}

export interface Trailer {
  readonly node: EdgeNode;
  readonly rig: SimulatedRig;
  readonly source: RigInTime;
  module(name: string): ActorView;
  vehicle(): ActorView;
}

/** Bytes of the command frames that were on the wire, oldest first, e.g. `25:0000`. */
export function commandFrames(rig: SimulatedRig): readonly string[] {
  return rig.frames
    .log()
    .filter(({ from }) => from === "client")
    .map(({ id, data }) => `${id.toString(16)}:${data}`);
}

/** @param only these modules; a quiet rig makes long waits short. Default: all @param firmware folder of their slots; without it they have none */
export function rigOn(at: Desk, only?: readonly string[], firmware?: string): SimulatedRig {
  const cells = new Map<string, Map<string, number>>();
  const of = (module: string): { get(key: string): number | undefined; set(key: string, value: number): void } => {
    const own = cells.get(module) ?? new Map<string, number>();
    cells.set(module, own);
    return { get: (key) => own.get(key), set: (key, value) => void own.set(key, value) };
  };
  const rig = new SimulatedRig(
    { clock: at.clock, random: new SeededRandom(3), nonVolatile: { of } },
    { modules: TRAILER_MODULES.filter(({ name }) => only?.includes(name) ?? true), ...(firmware === undefined ? {} : { updates: { folder: firmware, seed: 1 } }) },
  );
  rig.start();
  return rig;
}

/** The demo's trailer, running, its modules seen. */
export async function trailer(at: Desk, rig: SimulatedRig = rigOn(at), more: Partial<EdgeConfig> = {}): Promise<Trailer> {
  const sources: RigInTime[] = [];
  const config: EdgeConfig = {
    vehicle: `${VEHICLES}trailer-01.yaml`,
    data: "memory",
    buses: {
      can0: () => {
        const made = new RigInTime(rig, at.clock);
        sources.push(made);
        return made;
      },
    },
    ...more,
  };
  const node = createEdgeNode(config, at.ports());
  // A server listens in real time: while the node waits for that, its clock stands.
  await (config.http === undefined ? running(at, node.start()) : node.start());
  await at.clock.advance(1_500);
  const source = sources.at(-1);
  if (source === undefined) throw new Error("the bus was not opened");
  return { node, rig, source, module: (name) => viewOf(node, `${node.vehicle}/module/${name}`), vehicle: () => viewOf(node, node.vehicle) };
}

/** The node once more on its disks, which are slow; it is not waited for until its modules are seen. */
export async function startedAgain(at: Desk, rig: SimulatedRig, { commitMs, loadMs }: { readonly commitMs: number; readonly loadMs: number }): Promise<Pick<Trailer, "node">> {
  const waited = (ms: number): Promise<void> => new Promise((resolve) => void at.clock.setTimeout(resolve, ms));
  const store: EdgePorts["store"] = () => {
    const kept = memoryStore({ disk: at.disk, delay: () => waited(commitMs) });
    return { ...kept, load: (entity) => waited(loadMs).then(() => kept.load(entity)) };
  };
  const config = { vehicle: `${VEHICLES}trailer-01.yaml`, data: "memory", buses: { can0: () => new RigInTime(rig, at.clock) } };
  const node = createEdgeNode(config, { ...at.ports(), store });
  await running(at, node.start());
  return { node };
}

export function viewOf(node: EdgeNode, address: string): ActorView {
  const view = node.system.read(parseAddress(address));
  if (view === undefined) throw new Error(`${address} is not there`);
  return view;
}

/** Awaits what needs the clock to move: at most `withinMs` of its time. */
export async function running<T>(at: Pick<Desk, "clock">, work: Promise<T>, withinMs = 10_000): Promise<T> {
  let done = false;
  const watched = work.finally(() => {
    done = true;
  });
  watched.catch(() => undefined);
  for (let ms = 0; ms < withinMs && !isDone(); ms += 10) await at.clock.advance(10);
  if (!isDone()) throw new Error(`not done within ${withinMs} ms of the clock`);
  return watched;

  function isDone(): boolean {
    return done;
  }
}
