// Loaded into a thread of ours, and into every thread that begins in it, before anything else: `--require`, which a thread inherits (thread.ts). So it is of the older kind.
//
// In place of `Worker` of node:worker_threads it puts one that lists what it begins, and gives V8 the room in which the watch finds a heap that is too full (begun-threads.ts, heap-watch.ts).

import type { WorkerOptions } from "node:worker_threads";

import type { BegunThreads } from "./begun-threads.ts";

/** The first of its flags: behind a value that Node does not know it would be none. */
const PRELOAD = ["--require", __filename];
const threads = process.getBuiltinModule("node:worker_threads");

class Worker extends threads.Worker {
  constructor(file: string | URL, options?: WorkerOptions) {
    const begun = threads.getEnvironmentData("drover.begun-threads") as BegunThreads | undefined;
    if (begun === undefined) {
      super(file, options);
      return;
    }
    const { execArgv, resourceLimits } = options ?? {};
    Atomics.add(begun.beginning, 0, 1);
    try {
      super(file, {
        ...options,
        ...(execArgv === undefined ? {} : { execArgv: [...PRELOAD, ...execArgv] }),
        resourceLimits: { ...resourceLimits, maxOldGenerationSizeMb: begun.v8LimitMb },
      });
      const at = Atomics.add(begun.count, 0, 1) % begun.ids.length;
      begun.limitsMb[at] = resourceLimits?.maxOldGenerationSizeMb ?? 0;
      Atomics.store(begun.ids, at, this.threadId);
    } finally {
      Atomics.sub(begun.beginning, 0, 1);
    }
  }
}

threads.Worker = Worker;
process.getBuiltinModule("node:module").syncBuiltinESMExports();
// It is nobody's business: what a process begins with these flags would load it too.
const at = process.execArgv.indexOf(__filename);
if (at > 0) process.execArgv.splice(at - 1, 2);
