// Runs in the thread: loads the worker's file and speaks for it. Not imported by anyone; thread.ts starts it by its file name.

import { parentPort } from "node:worker_threads";

import { systemClock, systemRandom } from "../host/index.ts";
import type { ToParent, ToWorker } from "./wire.ts";
import { runWorker, type WorkerSide } from "./worker-side.ts";
import { workerIn } from "./worker.ts";

const port = parentPort;
if (port === null) throw new Error("this file runs in a worker thread only");

let side: WorkerSide | undefined;
const post = (message: ToParent, transfer?: readonly ArrayBuffer[]): void => {
  port.postMessage(message, transfer ?? []);
};

port.on("message", (message: ToWorker) => {
  if (message.kind !== "run") {
    side?.deliver(message);
    // Asked to stop before there was anything to stop.
    if (side === undefined && message.kind === "stop") process.exit(0);
    return;
  }
  const { order } = message;
  const type = import(order.module).then((exports: object) => workerIn(exports, order.module));
  side = runWorker(type, order, { post, clock: systemClock, random: systemRandom });
  void side.ended.then(() => {
    // Whatever the worker left open must not keep the thread; `end` is already on its way.
    process.exit(0);
  });
});
post({ kind: "loaded" });
