// Rigs as a worker of their own process: they stand for hardware, so they are not among what is restarted with a node. One process has the rigs of all trailers of a demo.

import type { Random } from "../../runtime/ports/index.ts";
import { type WorkerContext, worker } from "../../runtime/workers/index.ts";
import { type StartedRig, startRig, type StartRigOptions } from "./start-rig.ts";

export interface RigSettings extends Pick<StartRigOptions, "bus" | "bitrate" | "clockFactor" | "firmwareFolder" | "nonVolatileFile" | "socketDir" | "switchedOn"> {
  /** Given: jitter and noise are the same in every run, and so is when upload ports open. */
  readonly seed?: number;
}

export interface RigWorkerConfig {
  /** Each with a folder for sockets, for flash and for firmware of its own. */
  readonly rigs: readonly RigSettings[];
}

/** Told of each rig once it listens. */
export interface RigListening {
  readonly kind: "listening";
  /** As in its settings. */
  readonly socketDir: string;
  readonly busSocket: string;
  readonly controlSocket: string;
  /** Of the modules' upload ports, by place: for the configuration of the edge node. Empty without firmware slots. */
  readonly uploadUrls: Readonly<Record<string, string>>;
}

export const rigWorker = worker({
  module: import.meta.url,
  async run({ config, ready, emit, clock, random, log }: WorkerContext<RigWorkerConfig, RigListening>, signal) {
    const started: StartedRig[] = [];
    const takenPorts = new Set<number>();
    try {
      for (const { seed, ...settings } of config.rigs) {
        const seeded = seed === undefined ? { random } : { random: await seededRandom(seed), openingSeed: seed };
        const rig = await startRig({ ...settings, takenPorts, clock, log, ...seeded });
        started.push(rig);
        emit({ kind: "listening", socketDir: settings.socketDir, busSocket: rig.busSocket, controlSocket: rig.controlSocket, uploadUrls: rig.rig.uploadUrls() });
      }
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
    } finally {
      await Promise.all(started.map((rig) => rig.stop()));
    }
  },
});

/** The simulation comes with the whole engine, of which a rig needs nothing else. */
async function seededRandom(seed: number): Promise<Random> {
  const { SeededRandom } = await import("../../runtime/simulation/index.ts");
  return new SeededRandom(seed);
}
