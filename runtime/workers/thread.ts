// A worker in a thread of this process: may loop, dies alone. It shares file descriptors, native crashes and memory with us.
//
// T1. Its channel is a port of its own that only thread-host.ts holds. Its `parentPort` is nobody's: what comes there is its failure, since a port that is flooded
//     cannot be paused and would hold up this thread.
// T2. What it writes to stdout and stderr is bound in its own thread (thread-host.ts): the streams of Node have no bound between threads.
// T3. Native code in it cannot be ended: it is let go of (kill-wait.ts), and goes on until that code returns.
// T4. What it begins itself is listed, and bounded with it (begun-threads.ts, heap-watch.ts).

import { fileURLToPath } from "node:url";
import { MessageChannel, receiveMessageOnPort, Worker, type WorkerOptions } from "node:worker_threads";

import { DroverError } from "../errors.ts";
import type { Clock, Log } from "../ports/index.ts";
import type { Carrier, ParentSide } from "./parent-side.ts";
import { begunThreads, type ThreadStart } from "./begun-threads.ts";
import { childEnvironment, childFlags, hostFile, type ChildLimits } from "./child-environment.ts";
import type { EndCause } from "./end-cause.ts";
import { heapLimits, THREAD_HEAP_MB, watchHeap } from "./heap-watch.ts";
import { logLines } from "./line-log.ts";
import { asError } from "./running.ts";

export function runInThread(parent: ParentSide, limits: ChildLimits, ports: { readonly clock: Clock; readonly log: Log }): void {
  const maxHeapMb = limits.maxHeapMb ?? THREAD_HEAP_MB;
  const { port1: port, port2: far } = new MessageChannel();
  const resourceLimits = heapLimits(maxHeapMb);
  const begun = begunThreads(resourceLimits.maxOldGenerationSizeMb);
  const thread = beginThread({ env: childEnvironment(limits), stdout: true, stderr: true, resourceLimits });
  const fail = (error: Error): void => {
    parent.fail(error);
  };
  const heap = watchHeap(thread, maxHeapMb, ports.clock, fail, begun);
  // What Node itself writes there, before the host is loaded.
  logLines(thread.stdout, "stdout", ports.log, ports.clock);
  logLines(thread.stderr, "stderr", ports.log, ports.clock);
  let uncaught: Error | undefined;
  thread.on("message", () => {
    thread.removeAllListeners("message");
    parent.fail(new DroverError("DROVER_WORKER_FAILED", "it sent a message through parentPort, which is not its channel"));
  });
  thread.on("error", (thrown: unknown) => {
    uncaught = asError(thrown);
  });
  thread.on("exit", (code) => {
    heap.stop();
    // Its last words may still be on their way: they are in the port by now.
    for (let left = receiveMessageOnPort(port); left !== undefined; left = receiveMessageOnPort(port)) parent.message(left.message);
    port.close();
    const isFull = (uncaught as { readonly code?: unknown } | undefined)?.code === "ERR_WORKER_OUT_OF_MEMORY";
    const end: EndCause = isFull ? { kind: "out-of-memory", limitMb: maxHeapMb } : { kind: "exit-code", code };
    const detail = isFull ? "its heap is full" : `its thread ended with code ${String(code)} before its promise did`;
    // What it threw says more than its code, except where the code is all there is.
    parent.gone({ ...(uncaught === undefined ? {} : { error: uncaught }), detail, ...(uncaught === undefined || isFull ? { end } : {}) });
  });
  port.on("message", (message: unknown) => {
    parent.message(message);
  });
  port.on("messageerror", fail);
  const carrier: Carrier = {
    pid: undefined,
    post: (message, transfer) => {
      port.postMessage(message, transfer ?? []);
    },
    askToStop: () => undefined,
    kill: () => void thread.terminate(),
    letGo: () => {
      heap.letGo();
      port.close();
      thread.stdout.destroy();
      thread.stderr.destroy();
      thread.unref();
    },
  };
  parent.carriedBy(carrier);
  thread.postMessage({ port: far, begun } satisfies ThreadStart, [far]);
}

/** T4. With the flags of this process that a thread may have: it would inherit these without a word, and only these. */
function beginThread(options: WorkerOptions): Worker {
  const preload = ["--require", fileURLToPath(hostFile("thread-preload"))];
  for (let flags = childFlags(undefined); ; )
    try {
      return new Worker(hostFile("thread-host"), { ...options, execArgv: [...preload, ...flags] });
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code !== "ERR_WORKER_INVALID_EXEC_ARGV" || flags.length === 0) throw error;
      const left = withoutNamed(flags, message);
      flags = left.length < flags.length ? left : [];
    }
}

/** Those of the whole process are named there; what stands after one is its value. */
function withoutNamed(flags: readonly string[], message: string): string[] {
  let isNamed = false;
  return flags.filter((flag) => {
    isNamed = flag.startsWith("-") ? message.includes(flag.split("=", 1).join()) : isNamed;
    return !isNamed;
  });
}
