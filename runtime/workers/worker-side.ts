// The worker's side of the line: runs the worker and speaks for it. The same for inline, thread and process; only `post` differs.
//
// W1. `end` is the last message, sent once; nothing is posted after it.
// W2. A throw of a receive handler, or the rejection of what it returned, aborts the signal; the worker has `shutdownMs` to clean up and ends with that cause in any case.
// W3. A rejection with the signal's own reason after a stop is an end in order, not a failure.

import type { Clock, Log, Random } from "../ports/index.ts";
import { guardedSignal } from "../guarded-signal.ts";
import { attempt } from "../when-rejected.ts";
import { Inbox, Outbox } from "./channel.ts";
import { deferred } from "./deferred.ts";
import { errorToData, MAX_TEXT } from "./error-data.ts";
import { RateBound } from "./rate-bound.ts";
import type { WorkerType } from "./worker.ts";
import { weigh } from "./weigh.ts";
import { type LogLevel, MAX_FIELDS_BYTES, type RunOrder, type ToParent, type ToWorker, type Transfer } from "./wire.ts";

const LOGS_PER_SECOND = 100;
const LOG_BURST = 400;
/** Of fields that cannot be cloned. */
const MAX_SHOWN_FIELDS = 64;
const MAX_SHOWN = 1_024;

export interface WorkerSidePorts {
  readonly post: (message: ToParent, transfer?: Transfer) => void;
  readonly clock: Clock;
  readonly random: Random;
  /** Given: the worker logs there directly. Otherwise its logs are passed to the parent, bounded in rate. */
  readonly log?: Log;
}

export interface WorkerSide {
  deliver(message: ToWorker): void;
  /** Asks the worker to end. */
  stop(): void;
  /** Ends it at once with a cause that came from outside its promise: nothing of it can be trusted any more. */
  crash(thrown: unknown): void;
  /** Nothing more leaves. */
  cut(): void;
  /** The worker has said its last word. */
  readonly ended: Promise<void>;
}

/** Begins at once. `type` may still be loading: a rejection ends the worker with that cause. */
export function runWorker(type: Promise<WorkerType> | WorkerType, order: RunOrder, ports: WorkerSidePorts): WorkerSide {
  const { clock } = ports;
  const abort = new AbortController();
  const ended = deferred<void>();
  let over = false;
  let toldReady = false;
  let cause: { readonly thrown: unknown } | undefined;
  const post = (message: ToParent, transfer?: Transfer): void => {
    if (!over) ports.post(message, transfer);
  };
  const outbox = new Outbox(order.window, post);
  const inbox = new Inbox(order.window, post);

  const settle = (thrown?: { readonly thrown: unknown }): void => {
    const failure = cause ?? (thrown !== undefined && !(abort.signal.aborted && isAbort(thrown.thrown, abort.signal)) ? thrown : undefined);
    post(failure === undefined ? { kind: "end" } : { kind: "end", error: errorToData(failure.thrown) });
    over = true;
    outbox.close();
    ended.resolve();
  };
  const fail = (thrown: unknown): void => {
    if (cause !== undefined || over) return;
    cause = { thrown };
    abort.abort();
    clock.setTimeout(
      () => {
        settle();
      },
      order.shutdownMs,
      { unref: true },
    );
  };
  const context = {
    config: order.config,
    endBefore: order.endBefore,
    ready: () => {
      if (toldReady) return;
      toldReady = true;
      post({ kind: "ready" });
    },
    alive: signsOfLife(order.livenessMs, clock, post),
    emit: (item: unknown, transfer?: Transfer) => !over && outbox.send(item, transfer),
    room: () => outbox.room(),
    receive: (handler: (item: unknown) => void) => {
      inbox.receive((item) => {
        attempt(() => handler(item), fail);
      });
    },
    log: ports.log ?? logToParent(clock, post),
    clock,
    random: ports.random,
  };
  const run = async (): Promise<void> => {
    const loaded = await type;
    const signal = guardedSignal(abort.signal, (thrown) => {
      context.log.warn({ err: thrown }, "what listens to the signal of this worker failed");
    });
    if (!signal.aborted) await loaded.run(context, signal);
  };
  run().then(
    () => {
      settle();
    },
    (thrown: unknown) => {
      settle({ thrown });
    },
  );

  return {
    deliver(message) {
      if (message.kind === "item") inbox.arrived(message.item, message.weight);
      else if (message.kind === "taken") outbox.taken(message.items);
      else if (message.kind === "dropped") context.log.warn({ items: message.items }, "items for this worker found no room and were dropped");
      else if (message.kind === "stop") abort.abort();
    },
    stop: () => {
      abort.abort();
    },
    crash: (thrown) => {
      cause ??= { thrown };
      abort.abort();
      settle();
    },
    cut: () => {
      over = true;
      outbox.close();
    },
    ended: ended.promise,
  };
}

function isAbort(thrown: unknown, signal: AbortSignal): boolean {
  try {
    return thrown === signal.reason || (thrown instanceof Error && (thrown.name === "AbortError" || thrown.cause === signal.reason));
  } catch {
    // Whatever throws when it is asked is a failure of its own.
    return false;
  }
}

/** At most eight words of life in each period: a worker may call it for every frame. */
function signsOfLife(livenessMs: number | undefined, clock: Clock, post: (message: ToParent) => void): () => void {
  if (livenessMs === undefined) return () => undefined;
  let told: number | undefined;
  return () => {
    const now = clock.monotonic();
    if (told !== undefined && now - told < livenessMs / 8) return;
    told = now;
    post({ kind: "alive" });
  };
}

/** Bounded in rate. */
export function logToParent(clock: Clock, post: (message: ToParent) => void, bindings: object = {}, bound = new RateBound(clock, LOGS_PER_SECOND, LOG_BURST)): Log {
  const write =
    (level: LogLevel) =>
    (fields: object, message: unknown): void => {
      const suppressed = bound.pass();
      if (suppressed === undefined) return;
      const all = { ...bindings, ...fields, ...(suppressed > 0 ? { suppressed } : {}) };
      // Plain JavaScript may call it with anything.
      const line = String(message).slice(0, MAX_TEXT);
      try {
        const bytes = weigh(all);
        post({ kind: "log", level, fields: bytes > MAX_FIELDS_BYTES ? { leftOutBytes: bytes } : all, message: line });
      } catch {
        // A field that cannot be cloned must not end the worker.
        post({ kind: "log", level, fields: shown(all), message: line });
      }
    };
  return { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error"), child: (fields) => logToParent(clock, post, { ...bindings, ...fields }, bound) };
}

function shown(fields: object): Record<string, string> {
  const entries: [string, string][] = [];
  for (const [key, value] of Object.entries(fields).slice(0, MAX_SHOWN_FIELDS)) {
    try {
      entries.push([key.slice(0, MAX_SHOWN), String(value).slice(0, MAX_SHOWN)]);
    } catch {
      entries.push([key, "(cannot be shown)"]);
    }
  }
  return Object.fromEntries(entries);
}
