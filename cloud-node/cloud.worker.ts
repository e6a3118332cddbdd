// A cloud node as an OS-process worker: what the demo runs. Who starts it loads this file alone; the node's code is loaded where it runs.

import { errorOf, untilAborted, worker, type WorkerContext } from "../runtime/workers/index.ts";
import type { CloudConfig } from "./config.ts";

export interface CloudListening {
  readonly kind: "listening";
  readonly http: string;
  readonly broker: string;
  /** At the first start only. */
  readonly firstToken?: string;
}

export const cloudWorker = worker({
  module: import.meta.url,
  async run({ config, ready, emit, log }: WorkerContext<CloudConfig, CloudListening>, signal) {
    const [{ createCloudNode }, { realPorts }] = await Promise.all([import("./cloud-node.ts"), import("./ports.ts")]);
    const node = createCloudNode(config, { ...realPorts, log });
    await node.start();
    const { http = "", broker = "" } = node.urls;
    emit({ kind: "listening", http, broker, ...(node.firstToken === undefined ? {} : { firstToken: node.firstToken }) });
    ready();
    const failed = node.tree.exited.then((exit) => {
      if (!signal.aborted && exit.kind !== "normal") throw errorOf(exit) ?? new Error("the cloud node's tree ended");
    });
    await Promise.race([untilAborted(signal), failed]);
    await node.stop();
  },
});
