// Does what its config says; for the tests of workers in threads and processes.

import { spawn } from "node:child_process";

import { DroverError } from "../../../runtime/errors.ts";
import { worker, type WorkerContext } from "../../../runtime/workers/index.ts";

export interface EchoConfig {
  /** Lines that it does before it is ready. */
  readonly before?: "throw" | "throw-ours" | "never-ready" | "end";
  /** What it does once it is ready. */
  readonly after?:
    | "throw-later"
    | "reject"
    | "reject-ours"
    | "end"
    | "exit"
    | "loop"
    | "ignore-stop"
    | "silent"
    | "chatter"
    | "child"
    | "fill-heap"
    | "flood"
    | "unhandled"
    | "abort"
    | "segv";
  readonly env?: string;
}

export type EchoItem = { readonly said: unknown; readonly pid?: number; readonly refused?: number } | { readonly bytes: Uint8Array };

function never(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => {
      resolve();
    });
  });
}

function ours(): DroverError {
  const cause = Object.assign(new Error("no such file"), { code: "ENOENT" });
  return new DroverError("DROVER_CONFIG_INVALID", "no such key", { cause, retryable: true, position: { line: 3, column: 7 } });
}

export const echo = worker({
  module: import.meta.url,
  async run({ config, ready, alive, emit, room, receive, log, clock }: WorkerContext<EchoConfig, EchoItem, unknown>, signal) {
    receive((item) => {
      if (item === "throw") throw new RangeError("the handler threw");
      emit(item instanceof Uint8Array ? { bytes: item } : { said: item });
    });
    if (config.before === "throw") throw new RangeError("no such device");
    if (config.before === "throw-ours") throw ours();
    if (config.before === "end") return;
    if (config.before === "never-ready") await never(signal);
    ready();
    log.info({ from: "worker" }, "it runs");
    if (config.env !== undefined) emit({ said: process.env[config.env] ?? "(not set)" });
    switch (config.after) {
      case "throw-later":
        clock.setTimeout(() => {
          throw new RangeError("thrown in a timer");
        }, 10);
        break;
      case "reject":
        throw new TypeError("it cannot go on", { cause: new Error("the cable is out") });
      case "reject-ours":
        throw ours();
      case "end":
        return;
      case "unhandled":
        void Promise.reject(new RangeError("nobody looked"));
        break;
      case "abort":
        process.abort();
        break;
      case "segv":
        process.kill(process.pid, "SIGSEGV");
        break;
      case "exit":
        process.exit(3);
        break;
      case "loop":
        emit({ said: "looping", pid: process.pid });
        alive();
        await new Promise((resolve) => setImmediate(resolve));
        for (;;);
      case "ignore-stop":
        await new Promise(() => clock.setTimeout(() => undefined, 3_600_000, { unref: true }));
        break;
      case "silent":
        alive();
        break;
      case "chatter":
        for (let line = 0; line < 1_000; line++) process.stdout.write(`line ${String(line)} ${"x".repeat(100)}\n`);
        process.stderr.write("a complaint");
        break;
      case "child": {
        const grandchild = spawn("sleep", ["3600"], { stdio: "ignore" });
        emit({ said: "child", pid: grandchild.pid ?? 0 });
        break;
      }
      case "fill-heap": {
        const kept: unknown[] = [];
        for (;;) kept.push(Array.from({ length: 1_000 }, () => ({ kept: kept.length })));
      }
      case "flood": {
        let refused = 0;
        for (let item = 0; item < 3_000; item++) if (!emit({ said: item })) refused++;
        await room();
        emit({ said: "refused", refused });
        break;
      }
      case undefined:
        break;
    }
    emit({ said: "up", pid: process.pid });
    await never(signal);
  },
});
