// The bound of a thread's heap. V8's own bound is not enough: where one allocation does not fit below it (an array of 80 MB, a map or an array that doubles), V8 ends the
// whole process. So V8 is given more than it may use, and this thread asks it now and then, through the inspector, which answers in a busy loop too.
//
// B1. What it holds beyond the limit is judged after a collection: garbage is no failure. Where its loop does not turn, no collection can be asked for: twice the limit.
//     That it does not turn is known when it has not collected for a quarter of a second; until then 256 MB of all the heaps' garbage do not count, which may have come between two looks.
// B2. It holds while this thread turns and what the thread takes between two looks is below the headroom. One operation that takes more in one go is still the end of
//     the process, and so are buffers, which are not in the heap: memory that one does not trust belongs in a process.
// B3. Node hands over what the inspector says wherever this thread is, in the middle of any function too (an interrupt of V8). What is done there could find anything half
//     done: a timer that was armed so broke Node's own queue of timers, and the process turned in it for ever. So there nothing is done but to put it off (`afterThis`).
// B4. The threads that it begins itself (begun-threads.ts) are asked too, and the limit is that of the sum. Of one that was not collected, what came since counts by half (B1).
//     A limit that they were given there is judged in the same way: V8's own would be the end of this process.
// B5. When it is over they are ended one by one: the thread that began them may be in native code, and then its own end is not theirs.

import { Session } from "node:inspector";
import type { Worker } from "node:worker_threads";

import type { Clock, TimeoutHandle } from "../ports/index.ts";
import { type BegunThreads, isBegun } from "./begun-threads.ts";
import { EndedError } from "./end-cause.ts";

/** Of a thread that says nothing about it, MB. */
export const THREAD_HEAP_MB = 256;
const HEADROOM_MB = 2_048;
const LOOK_EVERY_MS = 200;
/** Above half of the limit. */
const LOOK_OFTEN_MS = 50;
/** Above it: a list that doubles is at V8's largest array, and at the end of the process, within some hundred ms. */
const LOOK_CLOSELY_MS = 10;
/** A loop that never turns is not collected on demand: so much of the limit may be used, garbage included. */
const WITH_GARBAGE = 2;
/** B1. */
const COLLECTS_WITHIN_MS = 250;
const SPARED_MB = 256;
/** B4. A heap is collected again, while others are waited for, when it has grown by so much of what it held. */
const GROWN_SHARE = 0.25;
const MB = 1_048_576;
const USAGE = 1;
const COLLECT = 2;
const EXIT = 3;
const TERMINATE = 4;
const CALLS: Readonly<Record<number, object>> = {
  [USAGE]: { method: "Runtime.getHeapUsage" },
  [COLLECT]: { method: "HeapProfiler.collectGarbage" },
  [EXIT]: { method: "Runtime.evaluate", params: { expression: "process.exit(1)" } },
  [TERMINATE]: { method: "Runtime.terminateExecution" },
};

interface Heap {
  /** Its own limit (B4). */
  readonly limitMb: number | undefined;
  readonly isBegun: boolean;
  usedMb: number;
  /** After its last collection, 0 where there was none since it was beyond the limit. */
  heldMb: number;
  isCollected: "no" | "asked" | "just-now";
  /** Of `asked`: since when, monotonic ms. */
  askedAt: number;
  timer: TimeoutHandle | undefined;
}

export interface HeapWatch {
  /** Nothing is judged any more; what the thread has begun, or still begins, is ended (B5). */
  readonly letGo: () => void;
  readonly stop: () => void;
}

/** What V8 is told, so that there is time to look. */
export function heapLimits(limitMb: number): { readonly maxOldGenerationSizeMb: number } {
  return { maxOldGenerationSizeMb: limitMb + HEADROOM_MB };
}

/** Looks until `stop`. @param over called once @param begun where the thread lists what it begins */
export function watchHeap(thread: Worker, limitMb: number, clock: Clock, over: (error: EndedError) => void, begun?: BegunThreads): HeapWatch {
  const session = new Session();
  // Its number in the inspector's own count is another one.
  const { threadId } = thread;
  const heaps = new Map<string, Heap>();
  /** By session: somebody is beginning a thread, and it may be this one. */
  const strangers = new Map<string, number>();
  let strangersTimer: TimeoutHandle | undefined;
  let phase: "looking" | "ending" | "stopped" = "looking";

  /** B3. Until the function that is under way, and all that called it, has returned. */
  const afterThis = <P>(heard: (params: P) => void): ((message: { readonly params: P }) => void) => {
    return ({ params }) => {
      void Promise.resolve().then(() => {
        if (phase !== "stopped") heard(params);
      });
    };
  };
  const ask = (sessionId: string, id: number): void => {
    session.post("NodeWorker.sendMessageToWorker", { sessionId, message: JSON.stringify({ id, ...CALLS[id] }) });
  };
  const lookIn = (sessionId: string, heap: Heap, ms: number): void => {
    clock.clearTimeout(heap.timer);
    heap.timer = clock.setTimeout(
      () => {
        ask(sessionId, USAGE);
      },
      ms,
      { unref: true },
    );
  };
  /** In a function it would exit only when that returns. */
  const end = (sessionId: string): void => {
    ask(sessionId, EXIT);
    ask(sessionId, TERMINATE);
  };
  const letGo = (): void => {
    phase = "ending";
    for (const [sessionId, heap] of heaps) {
      clock.clearTimeout(heap.timer);
      if (heap.isBegun) end(sessionId);
    }
  };
  const isTooFull = (heap: readonly Heap[], allowedMb: number): boolean => {
    const sparedMb = SPARED_MB / heaps.size;
    const now = clock.monotonic();
    if (sum(heap, (each) => countedMb(each, each.isCollected === "asked" && now - each.askedAt > COLLECTS_WITHIN_MS ? 0 : sparedMb)) <= allowedMb) return false;
    letGo();
    over(heapIsFull(allowedMb, Math.round(sum(heap, ({ usedMb }) => usedMb))));
    return true;
  };
  const judge = (sessionId: string, heap: Heap): void => {
    const all = [...heaps.values()];
    if (isTooFull(all, limitMb) || (heap.limitMb !== undefined && isTooFull([heap], heap.limitMb))) return;
    const share = Math.max(sum(all, ({ usedMb }) => usedMb) / limitMb, heap.usedMb / (heap.limitMb ?? Number.POSITIVE_INFINITY));
    if (share <= 1) heap.heldMb = 0;
    else if (heap.isCollected === "no" && heap.usedMb > heap.heldMb * (1 + GROWN_SHARE)) {
      heap.isCollected = "asked";
      heap.askedAt = clock.monotonic();
      ask(sessionId, COLLECT);
    }
    if (heap.isCollected === "just-now") heap.isCollected = "no";
    lookIn(sessionId, heap, share > 1 ? LOOK_CLOSELY_MS : share > 0.5 ? LOOK_OFTEN_MS : LOOK_EVERY_MS);
  };
  const meet = (sessionId: string, id: number): void => {
    const known = id === threadId ? { limitMb: undefined } : begun === undefined ? "no" : isBegun(begun, id);
    if (known === "maybe") {
      strangers.set(sessionId, id);
      return;
    }
    strangers.delete(sessionId);
    if (known === "no") {
      session.post("NodeWorker.detach", { sessionId });
      return;
    }
    const heap: Heap = { limitMb: known.limitMb, isBegun: id !== threadId, usedMb: 0, heldMb: 0, isCollected: "no", askedAt: 0, timer: undefined };
    heaps.set(sessionId, heap);
    if (phase === "looking") lookIn(sessionId, heap, LOOK_OFTEN_MS);
    else if (heap.isBegun) end(sessionId);
  };
  const meetStrangers = (): void => {
    clock.clearTimeout(strangersTimer);
    for (const [sessionId, id] of strangers) meet(sessionId, id);
    if (strangers.size > 0) strangersTimer = clock.setTimeout(meetStrangers, LOOK_CLOSELY_MS, { unref: true });
  };
  session.on(
    "NodeWorker.attachedToWorker",
    afterThis(({ sessionId, workerInfo }) => {
      strangers.set(sessionId, Number(/^\[worker (\d+)\]/.exec(workerInfo.title)?.[1] ?? -1));
      meetStrangers();
    }),
  );
  session.on(
    "NodeWorker.detachedFromWorker",
    afterThis(({ sessionId }) => {
      strangers.delete(sessionId);
      clock.clearTimeout(heaps.get(sessionId)?.timer);
      heaps.delete(sessionId);
    }),
  );
  session.on(
    "NodeWorker.receivedMessageFromWorker",
    afterThis(({ sessionId, message }) => {
      const heap = heaps.get(sessionId);
      if (heap === undefined || phase !== "looking") return;
      const { id: about, result } = JSON.parse(message) as { readonly id?: number; readonly result?: { readonly usedSize?: number } };
      if (about === COLLECT) {
        heap.isCollected = "just-now";
        ask(sessionId, USAGE);
      } else if (result?.usedSize !== undefined) {
        heap.usedMb = result.usedSize / MB;
        if (heap.isCollected === "just-now") heap.heldMb = heap.usedMb;
        judge(sessionId, heap);
      }
    }),
  );
  session.connect();
  session.post("NodeWorker.enable", { waitForDebuggerOnStart: false });
  return {
    letGo,
    stop: () => {
      phase = "stopped";
      clock.clearTimeout(strangersTimer);
      for (const { timer } of heaps.values()) clock.clearTimeout(timer);
      session.disconnect();
    },
  };
}

/** B4. @param sparedMb of its garbage (B1) */
function countedMb({ usedMb, heldMb }: Heap, sparedMb: number): number {
  const known = Math.min(usedMb, heldMb);
  const garbage = usedMb - known;
  return known + Math.min(garbage / WITH_GARBAGE, Math.max(0, garbage - sparedMb));
}

function sum(heaps: readonly Heap[], of: (heap: Heap) => number): number {
  return heaps.reduce((total, heap) => total + of(heap), 0);
}

function heapIsFull(limitMb: number, usedMb: number): EndedError {
  const detail = `its heap is full: allowed are ${String(limitMb)} MB, it holds ${String(usedMb)} MB`;
  return new EndedError("DROVER_WORKER_FAILED", detail, { kind: "out-of-memory", limitMb, usedMb });
}
