// Starts a worker under its isolation and waits until it is ready.

import { DroverError } from "../errors.ts";
import type { Clock, Log, Random } from "../ports/index.ts";
import { settledWithin } from "../settled-within.ts";
import { sureLog } from "../sure-log.ts";
import { DEFAULT_WINDOW } from "./channel.ts";
import type { ChildLimits } from "./child-environment.ts";
import { endCauseOf, lateStart } from "./end-cause.ts";
import { runInline } from "./inline.ts";
import { demandRoomFor, type LeftBehind } from "./kill-wait.ts";
import { ParentSide } from "./parent-side.ts";
import { runInProcess } from "./process.ts";
import { asError, errorOf, reasonOf, stopWithin, type Exit, type Isolation, type Running } from "./running.ts";
import { runInThread } from "./thread.ts";
import type { ChannelWindow, RunOrder, Transfer } from "./wire.ts";
import type { WorkerType } from "./worker.ts";

export const WORKER_DEFAULTS = { startMs: 10_000, shutdownMs: 5_000 } as const;

/** What the parent can do with a running worker beside supervising it. One link is one life: a restarted worker has another. */
export interface WorkerLink<R> {
  /** Hands an item to the worker's `receive`. False: no room, or it has ended; the item was not taken. */
  send(item: R, transfer?: Transfer): boolean;
  /** Resolves when at least half of the window toward the worker is free, or when it has ended. */
  room(): Promise<void>;
  /** How it ended: the place to fail what still waits for its answer. */
  readonly exited: Promise<Exit>;
  readonly pid?: number | undefined;
}

export interface WorkerOptions<E, R> extends ChildLimits {
  /** Default inline. */
  readonly isolation?: Isolation;
  /** Takes what the worker emits, synchronously. A throw ends the worker. */
  readonly into?: (item: E) => void;
  /** Called each time it has become ready, before the items that follow its `ready()`. A throw is a start failure. */
  readonly linked?: (link: WorkerLink<R>) => void;
  /** From the start to `ready()`, ms, > 0, default 10 s. */
  readonly startMs?: number;
  /** From the request to stop to the kill, ms, >= 0, default 5 s. */
  readonly shutdownMs?: number;
  /** Longest silence from `ready()` on: a worker that is given it calls `alive()` more often, ms, > 0; default off. */
  readonly livenessMs?: number;
  /** Bound of each direction of the channel; default 1,024 items and 16 MiB. */
  readonly window?: ChannelWindow;
}

export interface WorkerPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Aborted when the start is no longer wanted: what was begun is stopped, and killed after `shutdownMs`. */
  readonly signal?: AbortSignal;
  /** Aborted when there is no time for that: it is killed. */
  readonly hurry?: AbortSignal;
  /** The same for all runs of a child: how many could not be ended, and how the last one ended. */
  readonly left?: LeftBehind;
}

export interface RunningWorker<R> extends Running, WorkerLink<R> {
  readonly pid: number | undefined;
  readonly isolation: Isolation;
}

/**
 * Resolves when the worker is ready. Whatever was begun is ended before a rejection.
 * @throws DROVER_WORKER_START_TIMEOUT when it was not ready within `startMs`
 * @throws DROVER_WORKER_FAILED when it ended before it was ready; `cause` is its own error. A DroverError of its own comes as it is. Also where too many of its runs could not be ended.
 */
export async function startWorker<C, E, R>(type: WorkerType<C, E, R>, config: C, options: WorkerOptions<E, R>, ports: WorkerPorts): Promise<RunningWorker<R>> {
  const { clock, random, left } = ports;
  const log = sureLog(ports.log);
  const isolation = options.isolation ?? "inline";
  const startMs = options.startMs ?? WORKER_DEFAULTS.startMs;
  const order: RunOrder = {
    module: type.module,
    config: asJson(config),
    window: options.window ?? DEFAULT_WINDOW,
    livenessMs: options.livenessMs,
    shutdownMs: options.shutdownMs ?? WORKER_DEFAULTS.shutdownMs,
    ...(left?.ended === undefined ? {} : { endBefore: left.ended }),
  };
  demandRoomFor(left);
  // Inside, items are whatever the worker's own types say; nothing here looks into them.
  const parent = new ParentSide({
    isolation,
    order,
    into: options.into as ((item: unknown) => void) | undefined,
    linked: options.linked,
    log,
    clock,
    left,
  });
  if (left !== undefined)
    void parent.exited.then((exit) => {
      left.ended = endCauseOf(errorOf(exit));
    });
  if (isolation === "inline") runInline(parent, type, order, { clock, random, log });
  else if (isolation === "thread") runInThread(parent, options, ports);
  else runInProcess(parent, options, ports);

  const ready = await settledWithin(parent.ready, clock, startMs, ports.signal);
  if (ready !== true) throw await startFailure(parent, ready, startMs, ports);
  return parent;
}

async function startFailure(parent: ParentSide, ready: boolean | undefined, startMs: number, ports: WorkerPorts): Promise<Error> {
  if (ready === false) {
    const exit = await parent.exited;
    if (exit.kind !== "failed") return new DroverError("DROVER_WORKER_FAILED", `it ended before it was ready (${reasonOf(exit)})`);
    // One of ours keeps its code: a command line ends with the exit code of what was wrong, not of who found it.
    return exit.error instanceof DroverError ? exit.error : new DroverError("DROVER_WORKER_FAILED", `it failed before it was ready: ${exit.error.message}`, { cause: exit.error });
  }
  const aborted = ports.signal?.aborted === true;
  const shutdownMs = aborted ? parent.shutdownMs : 0;
  await stopWithin(parent, ports.clock, { shutdownMs, hurry: ports.hurry });
  return aborted ? asError(ports.signal.reason) : lateStart(startMs);
}

/** The same value on every isolation, and no surprise when a child moves from inline to a process. @throws DROVER_TREE_INVALID */
function asJson(config: unknown): unknown {
  try {
    return config === undefined ? undefined : (JSON.parse(JSON.stringify(config)) as unknown);
  } catch (error) {
    throw new DroverError("DROVER_TREE_INVALID", "a worker's config is JSON", { cause: error });
  }
}
