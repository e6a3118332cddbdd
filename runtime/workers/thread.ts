// A worker in a thread of this process: may loop and may run out of heap, dies alone. It shares file descriptors and native crashes with us.

import { Worker } from "node:worker_threads";

import type { Clock, Log } from "../ports/index.ts";
import type { Carrier, ParentSide } from "./parent-side.ts";
import { childEnvironment, hostFile, type ChildLimits } from "./child-environment.ts";
import type { EndCause } from "./end-cause.ts";
import { logLines } from "./line-log.ts";
import { asError } from "./running.ts";
import type { ToParent } from "./wire.ts";

export function runInThread(parent: ParentSide, limits: ChildLimits, ports: { readonly clock: Clock; readonly log: Log }): void {
  const thread = new Worker(hostFile("thread-host"), {
    env: childEnvironment(limits),
    stdout: true,
    stderr: true,
    ...(limits.maxHeapMb === undefined ? {} : { resourceLimits: { maxOldGenerationSizeMb: limits.maxHeapMb } }),
  });
  logLines(thread.stdout, "stdout", ports.log, ports.clock);
  logLines(thread.stderr, "stderr", ports.log, ports.clock);
  let uncaught: Error | undefined;
  thread.on("message", (message: ToParent) => {
    parent.message(message);
  });
  thread.on("messageerror", (error) => {
    parent.fail(error);
  });
  thread.on("error", (thrown: unknown) => {
    uncaught = asError(thrown);
  });
  thread.on("exit", (code) => {
    const isFull = (uncaught as { readonly code?: unknown } | undefined)?.code === "ERR_WORKER_OUT_OF_MEMORY";
    const { maxHeapMb } = limits;
    const end: EndCause = isFull ? { kind: "out-of-memory", ...(maxHeapMb === undefined ? {} : { limitMb: maxHeapMb }) } : { kind: "exit-code", code };
    const detail = isFull ? "its heap is full" : `its thread ended with code ${String(code)} before its promise did`;
    // What it threw says more than its code, except where the code is all there is.
    parent.gone({ ...(uncaught === undefined ? {} : { error: uncaught }), detail, ...(uncaught === undefined || isFull ? { end } : {}) });
  });
  const carrier: Carrier = {
    pid: undefined,
    post: (message, transfer) => {
      thread.postMessage(message, transfer ?? []);
    },
    askToStop: () => undefined,
    kill: () => void thread.terminate(),
  };
  parent.carriedBy(carrier);
}
