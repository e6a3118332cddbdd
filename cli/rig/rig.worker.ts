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
  /** Where the modules' firmware slots live, and `upload-urls.json`; without it, they hear no trigger. */
  readonly firmwareFolder?: string;
  /** How often faster than real modules update; default 1. */
  readonly clockFactor?: number;
  /** Given: jitter and noise are the same in every run, and so is when upload ports open. */
  readonly seed?: number;
}

/** Told once it listens. */
export interface RigListening {
  readonly kind: "listening";
  readonly busSocket: string;
  readonly controlSocket: string;
  /** Of the modules' upload ports, by place: for the configuration of the edge node. Empty without firmware slots. */
  readonly uploadUrls: Readonly<Record<string, string>>;
}

export const rigWorker = worker({
  module: import.meta.url,
  async run({ config, ready, emit, clock, random, log }: WorkerContext<RigWorkerConfig, RigListening>, signal) {
    const { seed, ...options } = config;
    const seeded = seed === undefined ? { random } : { random: await seededRandom(seed), openingSeed: seed };
    const started = await startRig({ ...options, clock, log, ...seeded });
    emit({ kind: "listening", busSocket: started.busSocket, controlSocket: started.controlSocket, uploadUrls: started.rig.uploadUrls() });
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
    await started.stop();
  },
});

/** The simulation comes with the whole engine, of which a rig needs nothing else. */
async function seededRandom(seed: number): Promise<Random> {
  const { SeededRandom } = await import("../../runtime/simulation/index.ts");
  return new SeededRandom(seed);
}
