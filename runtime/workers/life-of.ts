// A Startable from a function whose promise is its life, like a worker's, but for code that needs more than JSON: ports, a system, a server.
// It runs in this thread.

import type { Clock, Log, Random } from "../ports/index.ts";
import { startWorker } from "./start-worker.ts";
import type { Startable } from "./running.ts";
import { worker } from "./worker.ts";

export interface LifeContext {
  /** It does its work from now on. */
  readonly ready: () => void;
  readonly log: Log;
  readonly clock: Clock;
  readonly random: Random;
}

/** Its start ends at `ready()`; resolved is a normal end, rejected an abnormal one; `signal` asks it to end. */
export function lifeOf(run: (context: LifeContext, signal: AbortSignal) => Promise<void>): Startable {
  const type = worker<undefined>({ module: import.meta.url, run });
  // Whoever supervises it keeps the deadline of its start.
  return { start: (context) => startWorker(type, undefined, { startMs: Number.POSITIVE_INFINITY }, context) };
}
