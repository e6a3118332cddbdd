// Runs in the thread: loads the worker's file and speaks for it. Not imported by anyone; thread.ts starts it by its file name.
//
// Its channel is the port that it is handed first. Its stdout and stderr are lines of its log, bound here: between threads a stream of Node is a queue without bound.

import { Writable } from "node:stream";
import { parentPort, setEnvironmentData } from "node:worker_threads";

import { systemClock, systemRandom } from "../host/index.ts";
import type { Log } from "../ports/index.ts";
import { BEGUN_THREADS, type ThreadStart } from "./begun-threads.ts";
import { LineLog } from "./line-log.ts";
import type { ToParent, ToWorker } from "./wire.ts";
import { logToParent, runWorker, type WorkerSide } from "./worker-side.ts";
import { workerIn } from "./worker.ts";

if (parentPort === null) throw new Error("this file runs in a worker thread only");

parentPort.once("message", ({ port, begun }: ThreadStart) => {
  setEnvironmentData(BEGUN_THREADS, begun);
  const post = (message: ToParent, transfer?: readonly ArrayBuffer[]): void => {
    // Its last word is the last message.
    if (message.kind === "end") finish();
    port.postMessage(message, transfer ?? []);
  };
  const log = logToParent(systemClock, post);
  const outputs = [asLines("stdout", log), asLines("stderr", log)];
  const finish = (): void => {
    for (const output of outputs) output.finish();
  };
  let side: WorkerSide | undefined;
  process.on("exit", finish);
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
});

/** Takes the place of one of its streams, also for `console`. A write is done when it returns. */
function asLines(name: "stdout" | "stderr", log: Log): LineLog {
  const lines = new LineLog(name, log, systemClock);
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      lines.take(chunk);
      done();
    },
  });
  Object.defineProperty(process, name, { value: stream, configurable: true, enumerable: true });
  return lines;
}
