// A small fleet of real parts in this process: the cloud node on its own broker and SQLite, edge nodes on SQLite, the simulated rig, a network between them that can break.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ModuleContext, OutputState } from "../../actors/index.ts";
import { type CloudNode, createCloudNode, realPorts as cloudPorts } from "../../cloud-node/index.ts";
import { startRig, type StartedRig } from "../../cli/rig/index.ts";
import type { SeenCommand } from "../../cli/rig/command-frames.ts";
import { createEdgeNode, type EdgeNode } from "../../edge-node/index.ts";
import { realPorts as edgePorts } from "../../edge-node/ports.ts";
import { nodeCredential } from "../../protocols/mqtt/index.ts";
import { parseAddress, type System, systemClock, systemRandom } from "../../runtime/index.ts";
import type { Log } from "../../runtime/ports/index.ts";
import { lastingPort } from "../lasting-port.ts";
import { type Api, api } from "./api-client.ts";
import { type LinkProxy, linkProxy } from "./link-proxy.ts";
import { until } from "./until.ts";

export const TRAILER = "demo/vehicle/trailer-01";
export const TORRENT = `${TRAILER}/module/torrent-0`;
export const THERMA = `${TRAILER}/module/therma`;
/** Channel of each lamp of torrent-0, as in the frame. */
export const GALLEY = 0;
export const PORCH = 1;

const DEMO = new URL("../../cli/demo/", import.meta.url).pathname;
const BRIGHTNESS = 0x15;
const READY_WITHIN_MS = 15_000;
/** Right after a start the committed states are those of the run before: a module that this run has not heard is taken back within a beat of 50 ms. */
const PRESENT_FOR_MS = 250;

export type VehicleName = "trailer-01" | "rav4-01" | "truck-01";

/** What the test's end takes back. */
export interface Ending {
  teardown(handler: () => unknown): unknown;
}

export function scratchFolder(t: Ending): string {
  const folder = mkdtempSync(join(tmpdir(), "drv-"));
  t.teardown(() => {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });
  return folder;
}

export function demoFile(...path: readonly string[]): string {
  return join(DEMO, ...path);
}

/** Sources of a demo vehicle's buses. */
export function busesOf(vehicle: VehicleName, rigFolder: string): Readonly<Record<string, string>> {
  const recording = (file: string): string => `log:${demoFile("data", file)}?rate=1&loop=true`;
  switch (vehicle) {
    case "trailer-01":
      return { can0: `rig:${rigFolder}` };
    case "rav4-01":
      return { can0: recording("comma2k19_rav4_60s.log.gz") };
    case "truck-01":
      return { can1: recording("j1939_truck_gnss.log.gz"), can2: recording("j1939_truck_gnss.log.gz") };
  }
}

export async function rigIn(t: Ending, folder: string): Promise<StartedRig> {
  const rig = await startRig({ socketDir: folder, clock: systemClock, random: systemRandom });
  t.teardown(() => rig.stop());
  return rig;
}

/** Frames that set a lamp of torrent-0 and came from the node, oldest first. */
export function lampFrames({ rig }: StartedRig, channel: number, level?: number): readonly SeenCommand[] {
  return rig.frames.log(0, 100_000).filter(({ id, data, from }) => {
    const bytes = Buffer.from(data, "hex");
    return from === "client" && id === BRIGHTNESS && bytes[0] === channel && (level === undefined || bytes[1] === level);
  });
}

export function lamp({ rig }: StartedRig, channel: number): number {
  return (rig.moduleState("torrent-0") as { readonly outputs: readonly number[] }).outputs[channel] ?? Number.NaN;
}

/** Command frames of whatever kind that the node sent. */
export function nodeFrames({ rig }: StartedRig): readonly SeenCommand[] {
  return rig.frames.log(0, 100_000).filter(({ from }) => from === "client");
}

export interface Fleet {
  readonly data: string;
  readonly rig: StartedRig;
  readonly link: LinkProxy;
  readonly api: Api;
  readonly cloud: CloudNode;
  edge(vehicle?: VehicleName): EdgeNode;
  stopCloud(): Promise<void>;
  startCloud(): Promise<void>;
  stopEdge(vehicle?: VehicleName): Promise<void>;
  startEdge(vehicle?: VehicleName): Promise<void>;
  /** The vehicle's modules are seen and its link is up. */
  ready(vehicle?: VehicleName): Promise<void>;
  linkIs(up: boolean, vehicle?: VehicleName): Promise<void>;
}

export interface FleetOptions {
  readonly vehicles?: readonly VehicleName[];
  readonly log?: Log;
  /** The folder of their files, looked into at each start. Default: the demo's. */
  readonly files?: string;
}

export async function fleet(t: Ending, { vehicles = ["trailer-01"], log, files = demoFile("vehicles") }: FleetOptions = {}): Promise<Fleet> {
  const folder = scratchFolder(t);
  const data = join(folder, "cloud");
  const rigFolder = join(folder, "rig");
  const rig = await rigIn(t, rigFolder);
  const ports = { http: await lastingPort(), broker: await lastingPort() };
  const logged = log === undefined ? {} : { log };
  let cloud: CloudNode | undefined;
  const edges = new Map<VehicleName, EdgeNode>();
  const link = await linkProxy(() => ports.broker);

  async function startCloud(): Promise<void> {
    cloud = createCloudNode({ data, http: { port: ports.http }, broker: { port: ports.broker } }, { ...cloudPorts, ...logged });
    await cloud.start();
  }
  async function stopCloud(): Promise<void> {
    await cloud?.stop();
    cloud = undefined;
  }
  async function startEdge(vehicle: VehicleName = "trailer-01"): Promise<void> {
    const { node, secret } = nodeCredential(join(data, "credentials"), `edge-${vehicle}`, { kind: "vehicle", tenant: "demo", vehicle });
    const edge = createEdgeNode(
      {
        vehicle: join(files, `${vehicle}.yaml`),
        data: join(folder, vehicle),
        buses: busesOf(vehicle, rigFolder),
        uplink: { url: `mqtt://127.0.0.1:${link.port}`, username: node, password: secret },
      },
      { ...edgePorts, ...logged },
    );
    edges.set(vehicle, edge);
    await edge.start();
  }
  async function stopEdge(vehicle: VehicleName = "trailer-01"): Promise<void> {
    await edges.get(vehicle)?.stop();
    edges.delete(vehicle);
  }
  t.teardown(async () => {
    for (const vehicle of [...edges.keys()]) await stopEdge(vehicle);
    await stopCloud();
    await link.close();
  });

  const there = (): CloudNode => {
    if (cloud === undefined) throw new Error("the cloud node is stopped");
    return cloud;
  };
  const self: Fleet = {
    data,
    rig,
    link,
    api: api(data, () => `http://127.0.0.1:${ports.http}`),
    get cloud() {
      return there();
    },
    edge: (vehicle = "trailer-01") => {
      const edge = edges.get(vehicle);
      if (edge === undefined) throw new Error(`${vehicle} is stopped`);
      return edge;
    },
    startCloud,
    stopCloud,
    startEdge,
    stopEdge,
    linkIs: async (up, vehicle = "trailer-01") => {
      await until(`the cloud knows the link of ${vehicle} as ${up ? "up" : "down"}`, READY_WITHIN_MS, async () => {
        const { body } = await self.api.get("/v1/nodes");
        const node = (body?.items as readonly { readonly vehicle?: string; readonly state: string }[] | undefined)?.find((each) => each.vehicle === `demo/vehicle/${vehicle}`);
        return node !== undefined && (node.state === "up") === up;
      });
    },
    ready: async (vehicle = "trailer-01") => {
      await self.linkIs(true, vehicle);
      const [here, cloudNode] = [self.edge(vehicle), there()];
      const showsAll = ({ system }: { readonly system: System }): boolean => {
        const modules = [...system.views()].filter(({ kind, address }) => kind === "module" && address.includes(vehicle));
        return modules.length > 0 && modules.every(({ state }) => (state as { readonly presence?: string }).presence === "present");
      };
      let sinceMs = Number.POSITIVE_INFINITY;
      await until(`the vehicle and the cloud show the modules of ${vehicle}`, READY_WITHIN_MS, () => {
        const now = performance.now();
        const isShown = here.counters().signals.fresh > 0 && showsAll(here) && showsAll(cloudNode);
        sinceMs = isShown ? Math.min(sinceMs, now) : Number.POSITIVE_INFINITY;
        return now - sinceMs >= PRESENT_FOR_MS;
      });
    },
  };
  await startCloud();
  for (const vehicle of vehicles) await startEdge(vehicle);
  for (const vehicle of vehicles) await self.ready(vehicle);
  return self;
}

/** The module's committed context as the vehicle itself has it. */
export function outputAt(edge: EdgeNode, module: string, output: string): OutputState {
  const found = (edge.system.read(parseAddress(module))?.context as ModuleContext | undefined)?.outputs[output];
  if (found === undefined) throw new Error(`${module} has no output ${output}`);
  return found;
}

/** What the cloud's replica shows of it. */
export function outputSeen({ cloud }: Fleet, module: string, output: string): { readonly state: string; readonly turn: number } | undefined {
  const context = cloud.system.read(parseAddress(module))?.context as { readonly outputs: Readonly<Record<string, { readonly state: string; readonly turn: number }>> } | undefined;
  return context?.outputs[output];
}
