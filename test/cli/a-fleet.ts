// A cloud node and one vehicle's node in this process, on free ports, for tests of commands.

import { join } from "node:path";
import type { Test } from "tap";
import { type CloudNode, createCloudNode, realPorts as cloudPorts } from "../../cloud-node/index.ts";
import { createEdgeNode } from "../../edge-node/index.ts";
import { writeEndpoint } from "../../cli/api/index.ts";
import { nodeCredential } from "../../protocols/mqtt/index.ts";
import { systemClock } from "../../runtime/index.ts";
import { root } from "../project/checkout.ts";
import { scratch } from "./captured.ts";

export interface AFleet {
  /** The cloud's data folder, as DROVER_DATA names it. */
  readonly data: string;
  readonly cloud: CloudNode;
  readonly url: string;
}

/** `demo/vehicle/trailer-01` on a bus that is silent. */
export async function aFleet(t: Test): Promise<AFleet> {
  const data = scratch(t);
  const cloud = createCloudNode({ data, http: { port: 0 }, broker: { port: 0 } }, cloudPorts);
  await cloud.start();
  t.teardown(() => cloud.stop());
  const { http = "", broker = "" } = cloud.urls;
  const credentials = join(data, "credentials");
  nodeCredential(credentials, "edge-trailer-01", { kind: "vehicle", tenant: "demo", vehicle: "trailer-01" });
  const edge = createEdgeNode({
    vehicle: join(root, "cli/demo/vehicles/trailer-01.yaml"),
    data: join(data, "trailer-01"),
    buses: { can0: "virtual:test" },
    uplink: { url: broker, credentials },
  });
  await edge.start();
  t.teardown(() => edge.stop());
  writeEndpoint(data, { url: http });
  await until("the cloud knows the vehicle", () => cloud.system.read("demo/vehicle/trailer-01" as never) !== undefined);
  return { data, cloud, url: http };
}

/** Looks again until it holds; for what other processes and sockets do. @throws after `withinMs` */
export async function until(what: string, holds: () => boolean | Promise<boolean>, withinMs = 15_000): Promise<void> {
  const end = systemClock.monotonic() + withinMs;
  while (!(await holds())) {
    if (systemClock.monotonic() > end) throw new Error(`waited ${String(withinMs)} ms for: ${what}`);
    await new Promise<void>((resolve) => {
      systemClock.setTimeout(resolve, 50);
    });
  }
}
