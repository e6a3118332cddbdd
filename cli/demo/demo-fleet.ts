// The demo's tree: which processes there are, what each is told, who restarts them.
//
//   demo  one-for-one, backoff
//   ├─ cloud       process
//   ├─ announcer   tells this tree to the cloud
//   ├─ rig         process: the trailer's hardware
//   ├─ rav4-01     process: an edge node on a recording, listen-only
//   ├─ truck-01    process: the same
//   └─ trailer-01  process: an edge node on the rig
//
// F1. No sibling goes with another: a vehicle does not notice that the cloud or another vehicle restarts (promise S6).
// F2. Ports that were free to choose are kept over restarts, so that the others find the cloud again. Where that port is taken meanwhile another is used, and the vehicles start anew with it.

import { createHash } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type CloudListening, cloudWorker } from "../../cloud-node/cloud.worker.ts";
import { type EdgeStats, edgeWorker } from "../../edge-node/edge.worker.ts";
import { nodeCredential } from "../../protocols/mqtt/index.ts";
import { systemClock, systemRandom } from "../../runtime/host/index.ts";
import { DroverError, type Log } from "../../runtime/ports/index.ts";
import { type ChildSpec, createTree, hosted, supervisor, type Tree } from "../../runtime/supervision/index.ts";
import { rigWorker } from "../rig/index.ts";
import { announcer } from "./announcer.ts";
import { beginTogether } from "./begin-together.ts";
import { processChild } from "./process-child.ts";

export const VEHICLES = ["rav4-01", "truck-01", "trailer-01"] as const;
export type VehicleName = (typeof VEHICLES)[number];
export const TENANT = "demo";

export interface DemoFleetOptions {
  readonly data: string;
  /** Of the API; 0 is any free one. */
  readonly httpPort: number;
  /** A log for each process. */
  readonly logOf: (child: string) => Log;
  readonly onListening: (where: CloudListening) => void;
}

export interface DemoFleet {
  readonly tree: Tree;
  readonly stats: ReadonlyMap<string, EdgeStats>;
  /** Once the tree has ended: ends what it never took up. */
  readonly end: () => Promise<void>;
}

const LIVENESS_MS = 15_000;
/** Several times what they need; a leak ends one process, not the machine. */
const MAX_HEAP_MB = 128;
/** sun_path of the smallest supported system, less its terminating zero and the longest socket name of the rig. */
const MAX_SOCKET_FOLDER = 103 - "/control.sock".length;

export function createDemoFleet(options: DemoFleetOptions): DemoFleet {
  const { data, logOf } = options;
  const credentials = join(data, "credentials");
  const stats = new Map<string, EdgeStats>();
  // A process of the demo can be told by it, as its folder and its group can.
  const env = { DROVER_DATA: data };
  let where: CloudListening | undefined;
  let brokerTaken = false;

  const portOf = (url: string | undefined): number => (url === undefined ? 0 : Number(new URL(url).port));
  const brokerUrl = (): string => {
    if (where === undefined) throw new DroverError("DROVER_WORKER_FAILED", "the cloud has not said where its broker listens");
    return where.broker;
  };
  const listening = (item: CloudListening): void => {
    const moved = where !== undefined && where.broker !== item.broker;
    where = item;
    brokerTaken = false;
    options.onListening(item);
    if (moved) for (const child of ["announcer", ...VEHICLES]) void tree.at("")?.restartChild(child);
  };

  const cloud = processChild(
    "cloud",
    cloudWorker,
    () => {
      const config = { data, http: { port: options.httpPort === 0 ? portOf(where?.http) : options.httpPort }, broker: { port: brokerTaken ? 0 : portOf(where?.broker) } };
      brokerTaken = false;
      return config;
    },
    { env, maxHeapMb: MAX_HEAP_MB, log: logOf("cloud"), into: listening },
  );

  // The rig and the vehicles need the cloud's broker, and nothing of each other.
  const { add: wrap, end } = beginTogether({ clock: systemClock, random: systemRandom, log: logOf("demo") });
  const sockets = socketFolder(data);
  const rig = processChild("rig", rigWorker, () => ({ socketDir: sockets, nonVolatileFile: join(data, "rig-flash.json"), firmwareFolder: join(data, "rig-firmware") }), {
    env,
    maxHeapMb: MAX_HEAP_MB,
    log: logOf("rig"),
    wrap,
  });

  const edge = (vehicle: VehicleName, buses: Readonly<Record<string, string>>): ChildSpec =>
    processChild(
      vehicle,
      edgeWorker,
      () => {
        nodeCredential(credentials, `edge-${vehicle}`, { kind: "vehicle", tenant: TENANT, vehicle });
        return { vehicle: demoFile("vehicles", `${vehicle}.yaml`), data: join(data, vehicle), buses, uplink: { url: brokerUrl(), credentials } };
      },
      { env, maxHeapMb: MAX_HEAP_MB, log: logOf(vehicle), livenessMs: LIVENESS_MS, wrap, into: (item) => stats.set(vehicle, item) },
    );

  const recording = (file: string): string => `log:${demoFile("data", file)}?rate=1&loop=true`;
  const tree: Tree = createTree(
    supervisor("demo", { strategy: "one-for-one", backoff: { initialMs: 250, maxMs: 2_000, resetAfterMs: 30_000 } }, [
      cloud,
      hosted(
        "announcer",
        announcer({
          brokerUrl,
          credential: nodeCredential(credentials, "demo", { kind: "everything" }),
          describe: () => tree.describe(),
          clock: systemClock,
          random: systemRandom,
          log: logOf("demo"),
        }),
        { kind: "worker" },
      ),
      rig,
      edge("rav4-01", { can0: recording("comma2k19_rav4_60s.log.gz") }),
      edge("truck-01", { can1: recording("j1939_truck_gnss.log.gz"), can2: recording("j1939_truck_gnss.log.gz") }),
      edge("trailer-01", { can0: `rig:${sockets}` }),
    ]),
    { clock: systemClock, random: systemRandom, log: logOf("demo") },
  );
  tree.onReport(({ offender, context, error }) => {
    if (offender === "cloud" && context === "start_error" && error instanceof DroverError && error.code === "DROVER_PORT_IN_USE") brokerTaken = true;
  });
  return { tree, stats, end };
}

/** In the data folder, or beside other temporary files where that path is too long for a socket; the same one at every start. */
function socketFolder(data: string): string {
  const inside = join(data, "rig");
  if (Buffer.byteLength(inside) <= MAX_SOCKET_FOLDER) return inside;
  return join(tmpdir(), `drover-rig-${createHash("sha256").update(data).digest("hex").slice(0, 12)}`);
}

function demoFile(folder: "vehicles" | "data", name: string): string {
  return fileURLToPath(new URL(`./${folder}/${name}`, import.meta.url));
}
