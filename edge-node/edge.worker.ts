// A vehicle's node as an OS-process worker: what the demo runs. Who starts it loads this file alone; the node's code is loaded where it runs.

import { errorOf, isByOthers, untilAborted, worker, type WorkerContext } from "../runtime/workers/index.ts";
import type { EdgeConfig } from "./config.ts";
import type { EdgeCounters, EdgeNode } from "./contract.ts";

const STATS_EVERY_MS = 1_000;

/** Sources are URLs here: a worker's configuration is JSON. */
export type EdgeWorkerConfig = Omit<EdgeConfig, "buses"> & { readonly buses: Readonly<Record<string, string>> };

/** Told once a second. */
export interface EdgeStats extends EdgeCounters {
  readonly kind: "stats";
  readonly vehicle: string;
  /** Over the last second. */
  readonly framesPerSecond: number;
  readonly actors: number;
  /** Of children of the tree and of actors, since the start of the process. */
  readonly restarts: number;
}

export const edgeWorker = worker({
  module: import.meta.url,
  async run({ config, endBefore, ready, alive, emit, log, clock, random }: WorkerContext<EdgeWorkerConfig, EdgeStats>, signal) {
    const [{ createEdgeNode }, { realPorts, realStepWatch }] = await Promise.all([import("./edge-node.ts"), import("./ports.ts")]);
    const node = createEdgeNode(config, { ...realPorts, log, clock, random, stepWatch: (folder) => realStepWatch(folder, isByOthers(endBefore)) });
    await node.start();
    ready();
    let frames = 0;
    let lastMs = clock.monotonic();
    const tell = (): void => {
      timer = clock.setTimeout(tell, STATS_EVERY_MS);
      alive();
      const counters = node.counters();
      const nowMs = clock.monotonic();
      const framesPerSecond = Math.round(((counters.frames - frames) * 1_000) / Math.max(1, nowMs - lastMs));
      frames = counters.frames;
      lastMs = nowMs;
      emit({ kind: "stats", vehicle: node.vehicle, ...counters, framesPerSecond, ...countNodes(node.describe()) });
    };
    let timer = clock.setTimeout(tell, STATS_EVERY_MS);
    const failed = node.tree.exited.then((exit) => {
      if (!signal.aborted) throw errorOf(exit) ?? new Error("the edge node's tree ended");
    });
    try {
      await Promise.race([untilAborted(signal), failed]);
    } finally {
      clock.clearTimeout(timer);
      await node.stop();
    }
  },
});

function countNodes(node: ReturnType<EdgeNode["describe"]>): { readonly actors: number; readonly restarts: number } {
  let actors = node.kind === "actor" || node.kind === "entity" ? 1 : 0;
  let { restarts } = node;
  for (const child of node.children) {
    const inside = countNodes(child);
    actors += inside.actors;
    restarts += inside.restarts;
  }
  return { actors, restarts };
}
