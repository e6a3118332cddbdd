// Which threads a thread of ours has begun itself, at any depth, and what V8 is told of their heaps: written there (thread-preload.cts), read here, in memory that both share.
//
// A thread is known to the inspector before `new Worker` has returned there. So whoever begins one says that first, and while somebody does, what is not listed may still be.

import type { MessagePort } from "node:worker_threads";

/** Under this name the lists are among a thread's environment data, which every thread that it begins is handed too. */
export const BEGUN_THREADS = "drover.begun-threads";

/** The newest are listed: more cannot begin while this thread looks away. */
const LISTED = 1_024;

export interface BegunThreads {
  /** How many are being begun right now. */
  readonly beginning: Int32Array;
  /** How many have begun, ever. */
  readonly count: Int32Array;
  /** Their numbers, a ring. */
  readonly ids: Int32Array;
  /** What whoever began them allows, MB, 0 where it says nothing. */
  readonly limitsMb: Float64Array;
  /** What V8 is told of each. */
  readonly v8LimitMb: number;
}

/** The first message to a thread of ours. */
export interface ThreadStart {
  readonly port: MessagePort;
  readonly begun: BegunThreads;
}

export function begunThreads(v8LimitMb: number): BegunThreads {
  const ints = (length: number): Int32Array => new Int32Array(new SharedArrayBuffer(4 * length));
  return { beginning: ints(1), count: ints(1), ids: ints(LISTED), limitsMb: new Float64Array(new SharedArrayBuffer(8 * LISTED)), v8LimitMb };
}

/** "maybe": it will be known when nobody begins one any more. */
export function isBegun({ beginning, ids, limitsMb }: BegunThreads, threadId: number): { readonly limitMb: number | undefined } | "maybe" | "no" {
  // In this order: who is not beginning one now has listed it.
  const isBeginning = Atomics.load(beginning, 0) > 0;
  for (let at = 0; at < ids.length; at++) {
    if (Atomics.load(ids, at) === threadId) {
      const limitMb = limitsMb[at] ?? 0;
      return { limitMb: limitMb > 0 ? limitMb : undefined };
    }
  }
  return isBeginning ? "maybe" : "no";
}
