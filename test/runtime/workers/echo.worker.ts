// Does what its config says; for the tests of workers in threads and processes.

import { execSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeSync } from "node:fs";
import { serialize } from "node:v8";
import { parentPort, Worker } from "node:worker_threads";

import { DroverError } from "../../../runtime/errors.ts";
import { CHANNEL } from "../../../runtime/workers/wire.ts";
import { worker, type WorkerContext } from "../../../runtime/workers/index.ts";

export interface EchoConfig {
  /** Lines that it does before it is ready. */
  readonly before?: "throw" | "throw-ours" | "never-ready" | "end" | "exit-0" | "exit-3" | "segv";
  /** What it does once it is ready. */
  readonly after?:
    | "throw-later"
    | "reject"
    | "reject-ours"
    | "end"
    | "exit"
    | "loop"
    | "mute-loop"
    | "native"
    | "console-flood"
    | "blank-lines"
    | "ignore-stop"
    | "silent"
    | "chatter"
    | "child"
    | "daemon"
    | "fill-heap"
    | "fill-heap-in-one-list"
    | "fill-heap-in-large-pieces"
    | "fill-heap-of-its-thread"
    | "fill-heap-of-its-threads-thread"
    | "fill-small-heap-of-its-thread"
    | "fill-heap-of-its-thread-in-native"
    | "fill-heaps-of-its-threads"
    | "use-threads-in-turn"
    | "make-garbage"
    | "make-garbage-at-once"
    | "flood"
    | "unhandled"
    | "abort"
    | "segv";
  /** What `native` waits for. */
  readonly fifo?: string;
  readonly env?: string;
  /** Says how its run before ended. */
  readonly tellsBefore?: true;
  /** What it says past its own side of the protocol. */
  readonly says?: "null" | "end-null" | "log-level" | "flood" | "bytes" | "endless";
}

export type EchoItem = { readonly said: unknown; readonly pid?: number; readonly refused?: number } | { readonly bytes: Uint8Array };

const FLOOD_MS = 600;
/** Longer than what is let go of is waited for. */
const IN_NATIVE_S = 6;

/** What a library's thread does: it keeps what it makes, in pieces that V8's own bound does not fit. */
const FILL = "const kept = []; for (;;) kept.push(new Array(1e7).fill(1.5))";
/** Keeps so many MB. */
const keep = (mb: number, ms: number): string => `const kept = new Array(${String(mb)} * 131_072).fill(1.5); setTimeout(() => kept.length, ${String(ms)})`;
const inThread = (code: string): string => `const { Worker } = require("node:worker_threads"); new Worker(${JSON.stringify(code)}, { eval: true, execArgv: [], env: {} })`;

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

/** As frames.ts writes it. */
function framed(message: unknown): Buffer {
  const body = serialize(message);
  const head = Buffer.alloc(4);
  head.writeUInt32LE(body.length);
  return Buffer.concat([head, body]);
}

function writeAll(bytes: Buffer): void {
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(CHANNEL, bytes, at);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
    }
  }
}

function say(what: NonNullable<EchoConfig["says"]>): void {
  const post = (message: unknown): void => {
    if (parentPort !== null) parentPort.postMessage(message);
    else writeAll(framed(message));
  };
  if (what === "null") post(null);
  else if (what === "end-null") post({ kind: "end", error: null });
  else if (what === "bytes") writeAll(Buffer.from("\u0010\0\0\0no message at all"));
  else if (what === "endless") writeAll(Buffer.alloc(8, 0xff));
  else if (what === "log-level") post({ kind: "log", level: "nope", fields: {}, message: "x" });
  else for (let word = 0; word < 100_000; word++) post({ kind: "alive" });
}

export const echo = worker({
  module: import.meta.url,
  async run({ config, endBefore, ready, alive, emit, room, receive, log, clock }: WorkerContext<EchoConfig, EchoItem, unknown>, signal) {
    receive((item) => {
      if (item === "throw") throw new RangeError("the handler threw");
      emit(item instanceof Uint8Array ? { bytes: item } : { said: item });
    });
    if (config.before === "throw") throw new RangeError("no such device");
    if (config.before === "throw-ours") throw ours();
    if (config.before === "end") return;
    if (config.before === "exit-0") process.exit(0);
    if (config.before === "exit-3") process.exit(3);
    if (config.before === "segv") process.kill(process.pid, "SIGSEGV");
    if (config.before === "never-ready" || config.before === "segv") await never(signal);
    ready();
    log.info({ from: "worker" }, "it runs");
    if (config.env !== undefined) emit({ said: process.env[config.env] ?? "(not set)" });
    if (config.tellsBefore === true) emit({ said: { endBefore: endBefore ?? null } });
    if (config.says !== undefined) say(config.says);
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
      case "mute-loop":
        for (;;);
      case "native":
        emit({ said: "native" });
        await new Promise((resolve) => setImmediate(resolve));
        readFileSync(config.fifo ?? "");
        return;
      case "console-flood":
        for (const until = Date.now() + FLOOD_MS; Date.now() < until; ) console.log("x".repeat(200));
        return;
      case "blank-lines":
        for (const until = Date.now() + FLOOD_MS; Date.now() < until; ) {
          process.stdout.write("\n".repeat(1_000));
          await new Promise((resolve) => setImmediate(resolve));
        }
        return;
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
      case "daemon": {
        const daemon = spawn("sh", ["-c", "trap '' TERM HUP; while :; do sleep 0.1; done"], { detached: true, stdio: "ignore" });
        daemon.unref();
        emit({ said: "daemon", pid: daemon.pid ?? 0 });
        break;
      }
      case "fill-heap": {
        const kept: unknown[] = [];
        for (;;) kept.push(Array.from({ length: 1_000 }, () => ({ kept: kept.length })));
      }
      case "fill-heap-in-one-list": {
        const kept: number[] = [];
        for (let value = 0.5; ; value++) kept.push(value);
      }
      case "fill-heap-in-large-pieces": {
        const kept: unknown[] = [];
        for (;;) kept.push(new Array(1e7).fill({}));
      }
      case "fill-heap-of-its-thread":
        new Worker(FILL, { eval: true });
        // As a library that waits for its pool does.
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
        break;
      case "fill-heap-of-its-threads-thread":
        new Worker(inThread(inThread(FILL)), { eval: true, execArgv: [] });
        break;
      case "fill-small-heap-of-its-thread":
        new Worker(FILL, { eval: true, resourceLimits: { maxOldGenerationSizeMb: 50 } });
        break;
      case "fill-heap-of-its-thread-in-native":
        new Worker(FILL, { eval: true });
        execSync(`sleep ${String(IN_NATIVE_S)}`);
        break;
      case "fill-heaps-of-its-threads":
        for (let each = 0; each < 5; each++) new Worker(keep(80, 3_600_000), { eval: true });
        break;
      case "use-threads-in-turn":
        // More than its limit, and never at a time.
        for (let each = 0; each < 5; each++) {
          const thread = new Worker(keep(80, FLOOD_MS), { eval: true });
          await once(thread, "exit");
        }
        return;
      case "make-garbage": {
        const large: number[][] = [];
        for (const until = Date.now() + 2 * FLOOD_MS; Date.now() < until; ) {
          large[0] = Array.from({ length: 1_000_000 }, (_, index) => index + 0.5);
          await new Promise((resolve) => setImmediate(resolve));
        }
        return;
      }
      case "make-garbage-at-once": {
        let large: number[] = [];
        for (let time = 0; time < 5; time++) {
          for (let n = 0; n < 14; n++) large = new Array<number>(1_000_000).fill(1.5);
          // Longer than the heap is looked at in.
          await new Promise((resolve) => clock.setTimeout(() => resolve(large.length), 230));
        }
        return;
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
