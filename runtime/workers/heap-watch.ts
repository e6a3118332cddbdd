// The bound of a thread's heap. V8's own bound is not enough: where one allocation does not fit below it (an array of 80 MB, a map or an array that doubles), V8 ends the
// whole process. So V8 is given more than it may use, and this thread asks it now and then, through the inspector, which answers in a busy loop too.
//
// B1. What it holds beyond the limit is judged after a collection: garbage is no failure. Where its loop does not turn, no collection can be asked for: twice the limit.
// B2. It holds while this thread turns and what the thread takes between two looks is below the headroom. One operation that takes more in one go is still the end of
//     the process, and so are buffers, which are not in the heap: memory that one does not trust belongs in a process.
// B3. Node hands over what the inspector says wherever this thread is, in the middle of any function too (an interrupt of V8). What is done there could find anything half
//     done: a timer that was armed so broke Node's own queue of timers, and the process turned in it for ever. So there nothing is done but to put it off (`afterThis`).

import { Session } from "node:inspector";
import type { Worker } from "node:worker_threads";

import type { Clock, TimeoutHandle } from "../ports/index.ts";
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
const MB = 1_048_576;
const USAGE = 1;
const COLLECT = 2;
const METHODS: Readonly<Record<number, string>> = { [USAGE]: "Runtime.getHeapUsage", [COLLECT]: "HeapProfiler.collectGarbage" };

/** What V8 is told, so that there is time to look. */
export function heapLimits(limitMb: number): { readonly maxOldGenerationSizeMb: number } {
  return { maxOldGenerationSizeMb: limitMb + HEADROOM_MB };
}

/** Looks until `stop`. @param over called once */
export function watchHeap(thread: Worker, limitMb: number, clock: Clock, over: (error: EndedError) => void): { readonly stop: () => void } {
  const session = new Session();
  // Its number in the inspector's own count is another one.
  const title = `[worker ${String(thread.threadId)}]`;
  let worker: string | undefined;
  let timer: TimeoutHandle | undefined;
  let collection: "none" | "asked" | "done" = "none";
  let isStopped = false;

  /** B3. Until the function that is under way, and all that called it, has returned. */
  const afterThis = <P>(heard: (params: P) => void): ((message: { readonly params: P }) => void) => {
    return ({ params }) => {
      void Promise.resolve().then(() => {
        if (!isStopped) heard(params);
      });
    };
  };
  const ask = (id: number): void => {
    if (worker !== undefined) session.post("NodeWorker.sendMessageToWorker", { sessionId: worker, message: JSON.stringify({ id, method: METHODS[id] }) });
  };
  const lookIn = (ms: number): void => {
    clock.clearTimeout(timer);
    timer = clock.setTimeout(
      () => {
        ask(USAGE);
      },
      ms,
      { unref: true },
    );
  };
  const holds = (usedMb: number): void => {
    if (usedMb > limitMb * (collection === "done" ? 1 : WITH_GARBAGE)) {
      over(heapIsFull(limitMb, Math.round(usedMb)));
      return;
    }
    if (usedMb <= limitMb) collection = "none";
    else if (collection === "none") {
      collection = "asked";
      ask(COLLECT);
    }
    lookIn(usedMb > limitMb ? LOOK_CLOSELY_MS : usedMb > limitMb / 2 ? LOOK_OFTEN_MS : LOOK_EVERY_MS);
  };
  session.on(
    "NodeWorker.attachedToWorker",
    afterThis(({ sessionId, workerInfo }) => {
      if (!workerInfo.title.startsWith(title)) session.post("NodeWorker.detach", { sessionId });
      else {
        worker = sessionId;
        lookIn(LOOK_OFTEN_MS);
      }
    }),
  );
  session.on(
    "NodeWorker.receivedMessageFromWorker",
    afterThis(({ message }) => {
      const { id: about, result } = JSON.parse(message) as { readonly id?: number; readonly result?: { readonly usedSize?: number } };
      if (about === COLLECT) {
        collection = "done";
        ask(USAGE);
      } else if (result?.usedSize !== undefined) holds(result.usedSize / MB);
    }),
  );
  session.connect();
  session.post("NodeWorker.enable", { waitForDebuggerOnStart: false });
  return {
    stop: () => {
      isStopped = true;
      clock.clearTimeout(timer);
      session.disconnect();
    },
  };
}

function heapIsFull(limitMb: number, usedMb: number): EndedError {
  const detail = `its heap is full: allowed are ${String(limitMb)} MB, it holds ${String(usedMb)} MB`;
  return new EndedError("DROVER_WORKER_FAILED", detail, { kind: "out-of-memory", limitMb, usedMb });
}
