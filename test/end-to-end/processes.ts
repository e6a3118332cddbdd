// The fleet as the demo runs it: cloud node and edge nodes as OS processes under one supervision tree, which can be killed from outside. The rig stays in the test's
// process, so that what acts is counted where it acts.

import { join } from "node:path";
import { announcer } from "../../cli/demo/announcer.ts";
import { processChild } from "../../cli/demo/process-child.ts";
import type { StartedRig } from "../../cli/rig/index.ts";
import { type CloudListening, cloudWorker } from "../../cloud-node/index.ts";
import { edgeWorker } from "../../edge-node/index.ts";
import { nodeCredential } from "../../protocols/mqtt/index.ts";
import { createTree, hosted, supervisor, systemClock, systemRandom, type Tree } from "../../runtime/index.ts";
import { silentLog } from "../../runtime/ports/index.ts";
import { lastingPort } from "../lasting-port.ts";
import { type Api, api } from "./api-client.ts";
import { type Children, childrenOf } from "./children-of.ts";
import { busesOf, demoFile, type Ending, rigIn, scratchFolder, type VehicleName } from "./fleet.ts";
import { until } from "./until.ts";

export interface ProcessFleet extends Children {
  readonly data: string;
  readonly rig: StartedRig;
  readonly rigFolder: string;
  readonly api: Api;
  readonly tree: Tree;
  readonly brokerPort: number;
  isUp(vehicle: VehicleName): Promise<boolean>;
}

const STOP_WITHIN_MS = 8_000;

/** Resolves when all links are up. */
export async function processFleet(t: Ending, vehicles: readonly VehicleName[]): Promise<ProcessFleet> {
  const folder = scratchFolder(t);
  const data = join(folder, "data");
  const credentials = join(data, "credentials");
  const rigFolder = join(folder, "rig");
  const rig = await rigIn(t, rigFolder);
  const log = silentLog;
  let where: CloudListening | undefined;
  const [httpPort, brokerPort] = [await lastingPort(), await lastingPort()];

  const tree: Tree = createTree(
    supervisor("demo", { strategy: "one-for-one", backoff: { initialMs: 100, maxMs: 400, resetAfterMs: 30_000 } }, [
      processChild("cloud", cloudWorker, () => ({ data, http: { port: httpPort }, broker: { port: brokerPort } }), {
        log,
        into: (item) => {
          where = item;
        },
      }),
      hosted(
        "announcer",
        announcer({
          brokerUrl: () => where?.broker ?? "",
          credential: nodeCredential(credentials, "demo", { kind: "everything" }),
          describe: () => tree.describe(),
          clock: systemClock,
          random: systemRandom,
          log,
        }),
        { kind: "worker" },
      ),
      ...vehicles.map((vehicle) =>
        processChild(
          vehicle,
          edgeWorker,
          () => {
            nodeCredential(credentials, `edge-${vehicle}`, { kind: "vehicle", tenant: "demo", vehicle });
            return {
              vehicle: demoFile("vehicles", `${vehicle}.yaml`),
              data: join(data, vehicle),
              buses: busesOf(vehicle, rigFolder),
              uplink: { url: where?.broker ?? "", credentials },
            };
          },
          { log },
        ),
      ),
    ]),
    { clock: systemClock, random: systemRandom, log },
  );
  t.teardown(() => tree.stop(STOP_WITHIN_MS));
  await tree.start();

  const self: ProcessFleet = {
    data,
    rig,
    rigFolder,
    tree,
    api: api(data, () => where?.http ?? ""),
    ...childrenOf(tree),
    brokerPort,
    isUp: async (vehicle) => {
      const { status, body } = await self.api.get("/v1/nodes");
      return status === 200 && body.items.some((node: { readonly vehicle?: string; readonly state: string }) => node.vehicle === `demo/vehicle/${vehicle}` && node.state === "up");
    },
  };
  for (const vehicle of vehicles) await until(`${vehicle} is up`, 20_000, () => self.isUp(vehicle));
  return self;
}

/** Stops the node of trailer-01 where it stands. @returns lets it go on */
export function freeze(t: Ending, fleet: ProcessFleet): () => void {
  const pid = fleet.child("trailer-01").pid ?? 0;
  const goOn = (): void => {
    try {
      process.kill(pid, "SIGCONT");
    } catch {
      // It has ended.
    }
  };
  process.kill(pid, "SIGSTOP");
  t.teardown(goOn);
  return goOn;
}
