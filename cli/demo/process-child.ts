// A worker in a process of its own whose configuration is only known when it starts: where the broker listens is known when the cloud runs.

import type { Log } from "../../runtime/ports/index.ts";
import { type ChildSpec, hosted } from "../../runtime/supervision/index.ts";
import { type Startable, startWorker, type WorkerOptions, type WorkerType } from "../../runtime/workers/index.ts";

const START_MS = 30_000;
/** One that does not end must leave the others their time within the stop of the whole demo. */
const SHUTDOWN_MS = 2_000;

export interface ProcessChildOptions<E> extends Pick<WorkerOptions<E, never>, "into" | "env" | "maxHeapMb" | "livenessMs"> {
  /** Of this process alone. */
  readonly log: Log;
  /** Stands between the tree and the start, e.g. to begin several at once. */
  readonly wrap?: (startable: Startable) => Startable;
}

/** @param config asked at each start; a throw is a start failure */
export function processChild<C, E>(id: string, type: WorkerType<C, E, never>, config: () => C, options: ProcessChildOptions<E>): ChildSpec {
  const { log, wrap, ...rest } = options;
  const left = { runs: 0 };
  const startable: Startable = {
    start: async ({ signal, hurry, clock, random }) =>
      startWorker(
        type,
        config(),
        { ...rest, isolation: "process", startMs: START_MS, shutdownMs: SHUTDOWN_MS },
        { clock, random, log, signal, left, ...(hurry === undefined ? {} : { hurry }) },
      ),
  };
  // The worker's own deadlines come first, so that what it says is what is heard.
  return hosted(id, wrap?.(startable) ?? startable, { kind: "worker", startMs: START_MS + 1_000, shutdownMs: SHUTDOWN_MS });
}
