// The rig as a worker of its own process: it stands for hardware, so it is not among what is restarted with a node.

import type { Random } from "../../runtime/ports/index.ts";
import { type WorkerContext, worker } from "../../runtime/workers/index.ts";
import { startRig } from "./start-rig.ts";

export interface RigWorkerConfig {
  readonly socketDir: string;
  /** Default `can0`. */
  readonly bus?: string;
  /** Default 500000. */
  readonly bitrate?: number;
  /** Where the modules' flash lives; without it, it is lost with the process. */
  readonly nonVolatileFile?: string;
  /** Given: jitter and noise are the same in every run. */
  readonly seed?: number;
}

/** Told once it listens. */
export interface RigListening {
  readonly kind: "listening";
  readonly busSocket: string;
  readonly controlSocket: string;
}

export const rigWorker = worker({
  module: import.meta.url,
  async run({ config, ready, emit, clock, random, log }: WorkerContext<RigWorkerConfig, RigListening>, signal) {
    const { seed, ...options } = config;
    const rig = await startRig({ ...options, clock, random: seed === undefined ? random : await seededRandom(seed), log });
    emit({ kind: "listening", busSocket: rig.busSocket, controlSocket: rig.controlSocket });
    ready();
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      else
        signal.addEventListener(
          "abort",
          () => {
            resolve();
          },
          { once: true },
        );
    });
    await rig.stop();
  },
});

/** The simulation comes with the whole engine, of which a rig needs nothing else. */
async function seededRandom(seed: number): Promise<Random> {
  const { SeededRandom } = await import("../../runtime/simulation/index.ts");
  return new SeededRandom(seed);
}
