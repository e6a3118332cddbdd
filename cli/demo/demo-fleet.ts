// The demo's tree: which processes there are, what each is told, who restarts them.
//
//   demo  one-for-one, backoff
//   ├─ cloud       process
//   ├─ announcer   tells this tree to the cloud
//   ├─ rig         process: the hardware of all trailers
//   ├─ rav4-01     process: an edge node on a recording, listen-only
//   ├─ truck-01    process: the same
//   └─ trailer-01  process: an edge node on its rig; trailer-02 and so on where more are asked for (trailers.ts)
//
// F1. No sibling goes with another: a vehicle does not notice that the cloud or another vehicle restarts (promise S6).
// F2. Ports that were free to choose are kept over restarts, so that the others find the cloud again. Where that port is taken meanwhile another is used, and the vehicles start anew with it.
// F3. So it is with the upload ports of a trailer's modules, which its rig tells.

import { join } from "node:path";
import { type CloudListening, cloudWorker } from "../../cloud-node/cloud.worker.ts";
import { type EdgeStats, edgeWorker, type EdgeWorkerConfig } from "../../edge-node/edge.worker.ts";
import { nodeCredential } from "../../protocols/mqtt/index.ts";
import { systemClock, systemRandom } from "../../runtime/host/index.ts";
import { DroverError, type Log } from "../../runtime/ports/index.ts";
import { type ChildSpec, createTree, hosted, supervisor, type Tree } from "../../runtime/supervision/index.ts";
import { type RigListening, rigWorker } from "../rig/index.ts";
import { announcer } from "./announcer.ts";
import { beginTogether } from "./begin-together.ts";
import { demoFile } from "./demo-file.ts";
import { processChild } from "./process-child.ts";
import { ofUpdated, type Trailer } from "./trailers.ts";

export const TENANT = "demo";

export interface DemoFleetOptions {
  readonly data: string;
  readonly trailers: readonly Trailer[];
  /** Of the API; 0 is any free one. */
  readonly httpPort: number;
  /** A log for each process. */
  readonly logOf: (child: string) => Log;
  readonly onListening: (where: CloudListening) => void;
}

export interface DemoFleet {
  readonly tree: Tree;
  /** By the names of their processes. */
  readonly vehicles: readonly string[];
  readonly stats: ReadonlyMap<string, EdgeStats>;
  /** Once the tree has ended: ends what it never took up. */
  readonly end: () => Promise<void>;
}

const LIVENESS_MS = 15_000;
/** Several times what they need; a leak ends one process, not the machine. */
const MAX_HEAP_MB = 128;
/** Of two cores; more at once would only wait for each other, each within its own deadline. */
const STARTS_AT_ONCE = 4;

export function createDemoFleet(options: DemoFleetOptions): DemoFleet {
  const { data, logOf, trailers } = options;
  const credentials = join(data, "credentials");
  const stats = new Map<string, EdgeStats>();
  // A process of the demo can be told by it, as its folder and its group can.
  const env = { DROVER_DATA: data };
  let where: CloudListening | undefined;
  let brokerTaken = false;

  const portOf = (url: string | undefined): number => (url === undefined ? 0 : Number(new URL(url).port));
  const cloudAt = (): CloudListening => {
    if (where === undefined) throw new DroverError("DROVER_WORKER_FAILED", "the cloud has not said where it listens");
    return where;
  };
  const listening = (item: CloudListening): void => {
    const moved = where !== undefined && (where.broker !== item.broker || where.http !== item.http);
    where = item;
    brokerTaken = false;
    options.onListening(item);
    if (moved) for (const child of ["announcer", ...vehicles]) void tree.at("")?.restartChild(child);
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
  const { add: wrap, end } = beginTogether({ clock: systemClock, random: systemRandom, log: logOf("demo") }, STARTS_AT_ONCE);
  /** F3. */
  const rigListens = ({ socketDir, uploadUrls }: RigListening): void => {
    const trailer = trailers.find(({ rig }) => rig.socketDir === socketDir);
    const urls = ofUpdated(uploadUrls);
    if (trailer === undefined || JSON.stringify(trailer.uploadUrls) === JSON.stringify(urls)) return;
    trailer.uploadUrls = urls;
    void tree.at("")?.restartChild(trailer.name);
  };
  const rig = processChild("rig", rigWorker, () => ({ rigs: trailers.map((trailer) => trailer.rig) }), {
    env,
    maxHeapMb: MAX_HEAP_MB,
    log: logOf("rig"),
    wrap,
    into: rigListens,
  });

  const edge = (vehicle: string, file: string, buses: Readonly<Record<string, string>>, more: () => Pick<EdgeWorkerConfig, "updates"> = () => ({})): ChildSpec =>
    processChild(
      vehicle,
      edgeWorker,
      () => {
        nodeCredential(credentials, `edge-${vehicle}`, { kind: "vehicle", tenant: TENANT, vehicle });
        return { vehicle: file, data: join(data, vehicle), buses, uplink: { url: cloudAt().broker, credentials }, ...more() };
      },
      { env, maxHeapMb: MAX_HEAP_MB, log: logOf(vehicle), livenessMs: LIVENESS_MS, wrap, into: (item) => stats.set(vehicle, item) },
    );

  const recording = (file: string): string => `log:${demoFile("data", file)}?rate=1&loop=true`;
  const edges = [
    edge("rav4-01", demoFile("vehicles", "rav4-01.yaml"), { can0: recording("comma2k19_rav4_60s.log.gz") }),
    edge("truck-01", demoFile("vehicles", "truck-01.yaml"), { can1: recording("j1939_truck_gnss.log.gz"), can2: recording("j1939_truck_gnss.log.gz") }),
    ...trailers.map((trailer) =>
      edge(trailer.name, trailer.vehicle, { can0: `rig:${trailer.rig.socketDir}` }, () => ({
        updates: { images: { url: `${cloudAt().http}/v1/images` }, upload_urls: trailer.uploadUrls },
      })),
    ),
  ];
  const vehicles = edges.map(({ id }) => id);
  const tree: Tree = createTree(
    supervisor("demo", { strategy: "one-for-one", backoff: { initialMs: 250, maxMs: 2_000, resetAfterMs: 30_000 } }, [
      cloud,
      hosted(
        "announcer",
        announcer({
          brokerUrl: () => cloudAt().broker,
          credential: nodeCredential(credentials, "demo", { kind: "everything" }),
          describe: () => tree.describe(),
          clock: systemClock,
          random: systemRandom,
          log: logOf("demo"),
        }),
        { kind: "worker" },
      ),
      rig,
      ...edges,
    ]),
    { clock: systemClock, random: systemRandom, log: logOf("demo") },
  );
  tree.onReport(({ offender, context, error }) => {
    if (offender === "cloud" && context === "start_error" && error instanceof DroverError && error.code === "DROVER_PORT_IN_USE") brokerTaken = true;
  });
  return { tree, vehicles, stats, end };
}
