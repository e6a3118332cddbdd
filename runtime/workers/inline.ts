// A worker in this thread: messages are function calls, and items are handed over at once.
// Nothing can end code that shares the thread: killing means that it is asked, cut off and let go of.

import type { Clock, Log, Random } from "../ports/index.ts";
import type { Carrier, ParentSide } from "./parent-side.ts";
import type { RunOrder } from "./wire.ts";
import { runWorker } from "./worker-side.ts";
import type { WorkerType } from "./worker.ts";

export function runInline(parent: ParentSide, type: WorkerType, order: RunOrder, ports: { readonly clock: Clock; readonly random: Random; readonly log: Log }): void {
  // The parent's side needs its carrier before the worker's first word; the worker's first word comes while it is being made.
  let side: ReturnType<typeof runWorker> | undefined;
  const carrier: Carrier = {
    pid: undefined,
    post: (message) => {
      side?.deliver(message);
    },
    askToStop: () => undefined,
    kill: () => {
      side?.stop();
      side?.cut();
      parent.gone({ detail: "it was let go of" });
    },
  };
  parent.carriedBy(carrier);
  side = runWorker(Promise.resolve(type), order, {
    clock: ports.clock,
    random: ports.random,
    log: ports.log,
    post: (message) => {
      parent.message(message);
    },
  });
  void side.ended.then(() => {
    parent.gone({ detail: "it ended" });
  });
}
