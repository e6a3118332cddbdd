// A worker in this thread: messages are function calls, and items are handed over at once.
// Nothing can end code that shares the thread: killing means that it is asked, cut off and let go of.

import type { Clock, Log, Random } from "../ports/index.ts";
import type { Carrier, ParentSide } from "./parent-side.ts";
import type { RunOrder } from "./wire.ts";
import { runWorker } from "./worker-side.ts";
import type { WorkerType } from "./worker.ts";

export function runInline(parent: ParentSide, type: WorkerType, order: RunOrder, ports: { readonly clock: Clock; readonly random: Random; readonly log: Log }): void {
  const side = runWorker(Promise.resolve(type), order, {
    clock: ports.clock,
    random: ports.random,
    log: ports.log,
    post: (message) => {
      parent.message(message);
    },
  });
  const carrier: Carrier = {
    pid: undefined,
    post: (message) => {
      side.deliver(message);
    },
    askToStop: () => undefined,
    kill: () => {
      side.stop();
      side.cut();
      parent.gone({ detail: "it was let go of" });
    },
    letGo: () => undefined,
  };
  // In time: the worker's first word comes when its module, a promise, is there.
  parent.carriedBy(carrier);
  void side.ended.then(() => {
    parent.gone({ detail: "it ended" });
  });
}
