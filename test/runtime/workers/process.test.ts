// What only processes do: die of signals, lead a group, and end with their parent.

import { fork, spawn } from "node:child_process";
import { readlinkSync } from "node:fs";
import type { Socket } from "node:net";
import { getPriority } from "node:os";
import { fileURLToPath } from "node:url";

import { test } from "tap";

import { systemClock, systemRandom } from "../../../runtime/host/index.ts";
import { silentLog } from "../../../runtime/ports/index.ts";
import { child, startTree, supervisor } from "../../../runtime/supervision/index.ts";
import { startWorker, stopWithin } from "../../../runtime/workers/index.ts";
import { childFlags } from "../../../runtime/workers/child-environment.ts";
import { readFrames, writeFrame } from "../../../runtime/workers/frames.ts";
import { CHANNEL, type RunOrder, type ToWorker } from "../../../runtime/workers/wire.ts";
import { echo, type EchoItem } from "./echo.worker.ts";
import { gone, heard } from "./listening.ts";

const ports = { clock: systemClock, random: systemRandom, log: silentLog };
const pidOf = (item: EchoItem): number => ("pid" in item ? (item.pid ?? 0) : 0);

test("S4. a process that is killed from outside is restarted, and its siblings never notice", async (t) => {
  const items = heard<EchoItem>();
  const spec = supervisor("root", { strategy: "one-for-one" }, [child("a", echo, {}, { isolation: "process", into: items.take }), child("b", echo, {}, { isolation: "process" })]);
  const tree = await startTree(spec, ports);
  const before = tree.describe().children;
  const [a, b] = before;
  t.match(before, [{ kind: "worker", isolation: "process", state: "running", pid: Number }, { pid: Number }]);
  const restarted = new Promise<void>((resolve) => {
    tree.onReport((report) => {
      if (report.context === "child_restarted") resolve();
    });
  });
  process.kill(a?.pid ?? 0, "SIGKILL");
  await restarted;
  t.match(tree.describe().children, [
    { state: "running", restarts: 1, lastExit: { reason: "failed", error: /ended by SIGKILL/ } },
    { state: "running", restarts: 0, pid: b?.pid },
  ]);
  t.not(tree.describe().children[0]?.pid, a?.pid);
  await tree.stop();
  t.match(tree.describe().children, [
    { state: "stopped", lastExit: { reason: "shutdown" } },
    { state: "stopped", lastExit: { reason: "shutdown" } },
  ]);
});

test("what a process has started dies with it, however it ends", async (t) => {
  for (const how of ["stop", "kill", "crash"] as const) {
    const items = heard<EchoItem>();
    const running = await startWorker(echo, { after: "child" }, { isolation: "process", into: items.take }, ports);
    const grandchild = pidOf(await items.first((item) => "said" in item && item.said === "child"));
    t.ok(grandchild > 0);
    if (how === "stop") await stopWithin(running, systemClock, { shutdownMs: 5_000 });
    else if (how === "kill") running.kill();
    else process.kill(running.pid ?? 0, "SIGKILL");
    await running.exited;
    await gone(grandchild);
    t.pass(how);
  }
});

test("a process asked to end by SIGTERM from outside ends in order, and normally", async (t) => {
  const items = heard<EchoItem>();
  const running = await startWorker(echo, {}, { isolation: "process", into: items.take }, ports);
  await items.first((item) => "said" in item && item.said === "up");
  process.kill(running.pid ?? 0, "SIGTERM");
  t.strictSame(await running.exited, { kind: "normal" });
});

test("S4. a parent that is killed leaves no orphan: not one that loops, no daemon that a worker began", async (t) => {
  for (const after of ["child", "loop", "daemon"] as const) {
    const parent = fork(fileURLToPath(new URL("./parent-program.js", import.meta.url)), [after], { stdio: ["ignore", "ignore", "inherit", "ipc"] });
    const pids = await new Promise<readonly number[]>((resolve) => {
      parent.on("message", (message) => {
        resolve(message as readonly number[]);
      });
    });
    t.ok(pids.length > 0 && pids.every((pid) => pid > 0), `${after}: ${String(pids.length)} processes below it`);
    // The guard of the looping one is a thread that starts beside it.
    parent.kill("SIGKILL");
    await Promise.all(pids.map(gone));
    t.pass(`${after}: all gone`);
  }
});

test("A5. a process ends when its channel closes though its parent lives, and takes along what it started", async (t) => {
  const host = spawn(process.execPath, [...process.execArgv, fileURLToPath(new URL("../../../runtime/workers/process-host.js", import.meta.url))], {
    detached: true,
    stdio: ["ignore", "ignore", "inherit", "pipe"],
  });
  const channel = host.stdio[CHANNEL] as Socket;
  const order: RunOrder = { module: echo.module, config: { after: "child" }, window: { items: 10, bytes: 10_000 }, livenessMs: undefined, shutdownMs: 1_000 };
  const grandchild = await new Promise<number>((resolve, reject) => {
    readFrames(channel, {
      message: (message) => {
        const { kind, item } = message as { readonly kind: string; readonly item?: EchoItem & { said?: unknown } };
        if (kind === "loaded") writeFrame(channel, { kind: "run", order } satisfies ToWorker);
        if (kind === "item" && item?.said === "child") resolve(pidOf(item));
      },
      broken: reject,
    });
  });
  const ended = new Promise<unknown>((resolve) => host.on("exit", (_code, signal) => resolve(signal)));
  channel.destroy();
  t.equal(await ended, "SIGKILL", "its own, of the whole group");
  await gone(grandchild);
});

test("a process has its own environment, folder, niceness and memory", async (t) => {
  const folder = t.testdir({});
  const items = heard<EchoItem>();
  const options = { isolation: "process", into: items.take, niceness: 6, inherit: ["PATH"], cwd: folder } as const;
  process.env["UNLISTED"] = "no";
  const running = await startWorker(echo, { env: "UNLISTED" }, options, ports);
  t.match(await items.first((item) => "said" in item), { said: "(not set)" });
  t.equal(getPriority(running.pid ?? 0), 6);
  t.equal(readlinkSync(`/proc/${String(running.pid)}/cwd`), folder);
  await stopWithin(running, systemClock, { shutdownMs: 5_000 });
  await t.rejects(startWorker(echo, {}, { isolation: "process", cwd: `${folder}/missing` }, ports), {
    message: /working directory .*missing is no folder/,
    end: { kind: "cannot-run" },
  });
  const greedy = await startWorker(echo, { after: "fill-heap" }, { isolation: "process", memoryMb: 150, maxHeapMb: 2_000 }, ports);
  t.match(await greedy.exited, { kind: "failed", error: { end: { kind: "out-of-memory", limitMb: 150 } } });
  for (const bad of [{ niceness: 20 }, { memoryMb: 0 }]) t.throws(() => child("a", echo, {}, bad), { code: "DROVER_TREE_INVALID" }, JSON.stringify(bad));
});

test("a process that cannot load its worker says what was wrong", async (t) => {
  const { worker } = await import("../../../runtime/workers/index.ts");
  const missing = worker<Record<string, never>>({ module: new URL("./no-such.worker.js", import.meta.url).href, run: () => Promise.resolve() });
  const noWorker = worker<Record<string, never>>({ module: new URL("./listening.js", import.meta.url).href, run: () => Promise.resolve() });
  for (const isolation of ["thread", "process"] as const) {
    await t.rejects(startWorker(missing, {}, { isolation }, ports), { code: "DROVER_WORKER_FAILED", message: /no-such\.worker\.js/ }, isolation);
    await t.rejects(startWorker(noWorker, {}, { isolation }, ports), { code: "DROVER_WORKER_FAILED", message: /exports 0 workers, expected one/ }, isolation);
  }
});

test("a process with little room for its heap keeps little for what is new", (t) => {
  const semiSpaceMb = (maxHeapMb: number): number => Number(/--max-semi-space-size=(\d+)/.exec(childFlags(maxHeapMb).join(" "))?.[1]);
  t.same([8, 64, 128, 512, 4_096].map(semiSpaceMb), [1, 2, 4, 16, 16], "three of them are at most a tenth of the rest");
  t.notMatch(childFlags(undefined).join(" "), /semi-space/, "V8's own where nothing is said");
  t.end();
});
