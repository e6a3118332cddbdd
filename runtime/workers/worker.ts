// What an author writes: one worker in one file, `<name>.worker.ts` (hosting A5).
//
//   export const clockTicks = worker({
//     module: import.meta.url,
//     async run({ config, ready, emit, clock }: WorkerContext<{ everyMs: number }, { at: number }>, signal) { … },
//   });

import { DroverError } from "../errors.ts";
import type { Clock, Log, Random } from "../ports/index.ts";
import type { EndCause } from "./end-cause.ts";
import type { Transfer } from "./wire.ts";

const MARK = Symbol.for("drover.worker");

export interface WorkerContext<C, E = never, R = never> {
  /** As given to `child`, after a round through JSON. */
  readonly config: C;
  /** How its run before ended, as its supervisor saw it; none: there was none, it ended in order, or no more is known than its error. */
  readonly endBefore?: EndCause | undefined;
  /** The worker does its work from now on; its parent waits for this, `startMs` at most. */
  readonly ready: () => void;
  /** A sign of life. Where `livenessMs` is given, silence of that length from `ready()` on is a failure. Cheap: call it as often as you like. */
  readonly alive: () => void;
  /**
   * Hands an item to `into`. False: no room, the item was dropped and counted; wait for `room()` or go on.
   * Items are structured-cloned on their way out of a thread or process; buffers named in `transfer` move out of a thread instead.
   */
  readonly emit: (item: E, transfer?: Transfer) => boolean;
  /** Resolves when at least half of the window toward the parent is free. */
  readonly room: () => Promise<void>;
  /** Takes what the parent sends; what came before is handed over first. A throw ends the worker. */
  readonly receive: (handler: (item: R) => void) => void;
  readonly log: Log;
  readonly clock: Clock;
  readonly random: Random;
}

export interface WorkerType<C = unknown, E = unknown, R = unknown> {
  readonly [MARK]: true;
  /** URL of the file that exports it. */
  readonly module: string;
  /** Its life is its promise: resolved is a normal end, rejected an abnormal one. `signal` asks it to end. */
  // A method on purpose: a worker of particular items is a worker for whoever starts it.
  run(context: WorkerContext<C, E, R>, signal: AbortSignal): Promise<void>;
}

/** @throws DROVER_TREE_INVALID when `module` is not the URL of a file */
export function worker<C, E = never, R = never>(type: {
  /** `import.meta.url` of the worker's file, so that a thread or a process can load it. */
  readonly module: string;
  readonly run: (context: WorkerContext<C, E, R>, signal: AbortSignal) => Promise<void>;
}): WorkerType<C, E, R> {
  if (!type.module.startsWith("file:"))
    throw new DroverError("DROVER_TREE_INVALID", `a worker's module is the file: URL of its own file (import.meta.url), got "${type.module.slice(0, 120)}"`);
  return Object.freeze({ [MARK]: true as const, module: type.module, run: type.run });
}

function isWorkerType(value: unknown): value is WorkerType {
  return typeof value === "object" && value !== null && (value as { readonly [MARK]?: unknown })[MARK] === true;
}

/** The one worker that a loaded module exports, under whatever name. @throws DROVER_WORKER_FAILED */
export function workerIn(exports: object, module: string): WorkerType {
  const found = [...new Set(Object.values(exports).filter(isWorkerType))];
  const [only] = found;
  if (only === undefined || found.length > 1) throw new DroverError("DROVER_WORKER_FAILED", `${module} exports ${String(found.length)} workers, expected one`);
  return only;
}
