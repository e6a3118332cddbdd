// A worker in a process of its own, leader of its own group: whatever it starts dies with it, and a native crash is its own. Begun by launch.ts like any program.
//
// Asked to stop by message and by SIGTERM to the leader only (what it started is its to end, in its order); killed as a whole group.

import { spawn } from "node:child_process";
import type { Socket } from "node:net";
import type { Writable } from "node:stream";
import { fileURLToPath } from "node:url";

import { DroverError } from "../errors.ts";
import type { Clock, Log, Random } from "../ports/index.ts";
import { childEnvironment, childFlags, hostFile, type ChildLimits } from "./child-environment.ts";
import { makeControlGroup, ownGroupFolder } from "./control-group.ts";
import { type EndCause, endOfProcess } from "./end-cause.ts";
import { readFrames, writeFrame } from "./frames.ts";
import { letGo, sendHome, SHELL, shellArguments, signalGroup } from "./launch.ts";
import { logLines } from "./line-log.ts";
import { outOfMemory, watchMemory } from "./memory-watch.ts";
import type { Carrier, ParentSide } from "./parent-side.ts";
import { sweep } from "./process-family.ts";
import { folderOf } from "./program-spec.ts";
import { asError } from "./running.ts";
import { CHANNEL } from "./wire.ts";

const LAST_WORD_MS = 500;
/** Its end on its own comes first: process-host.ts ends with its parent too. */
const ORPHAN_MARGIN_MS = 500;
const GATE = 4;

export function runInProcess(parent: ParentSide, limits: ChildLimits, ports: { readonly clock: Clock; readonly log: Log; readonly random: Random }): void {
  const { clock, log } = ports;
  const { maxHeapMb, memoryMb } = limits;
  const mark = ports.random.id();
  // A shell that cannot enter its folder would be taken for one that is missing.
  const cwd = limits.cwd === undefined ? undefined : folderOf(limits.cwd);
  const group = makeControlGroup(ownGroupFolder(), mark, memoryMb, clock);
  const before = shellArguments({ gate: GATE, close: [CHANNEL], graceMs: parent.shutdownMs + ORPHAN_MARGIN_MS, mark, group });
  const child = spawn(SHELL, [...before, process.execPath, ...childFlags(maxHeapMb), fileURLToPath(hostFile("process-host"))], {
    env: childEnvironment(limits),
    ...(cwd === undefined ? {} : { cwd }),
    detached: true,
    stdio: ["ignore", "pipe", "pipe", "pipe", "pipe"],
  });
  const channel = child.stdio[CHANNEL] as Socket;
  let heapIsFull = false;
  logLines(child.stdout, "stdout", log, clock);
  logLines(child.stderr, "stderr", log, clock, {}, (line) => {
    // The last word of V8 before it aborts.
    heapIsFull ||= line.includes("heap out of memory");
    return true;
  });
  const over = new AbortController();
  let failed: Error | undefined;
  readFrames(channel, {
    message: (message) => {
      parent.message(message);
    },
    broken: (reason) => {
      parent.fail(new DroverError("DROVER_WORKER_FAILED", `it wrote into its channel by itself: ${reason}`));
    },
  });
  // Nobody there any more: its exit says so.
  channel.on("error", () => undefined);
  child.on("error", (error) => {
    failed = error;
    // Never began: there will be no exit.
    if (child.pid === undefined) parent.gone({ error, detail: error.message });
  });
  const killAll = (): void => {
    group?.kill();
    signalGroup(child.pid, "SIGKILL");
  };
  child.on("exit", (code, signal) => {
    over.abort();
    if (memoryMb !== undefined && (group?.outOfMemory() ?? 0) > 0) parent.fail(outOfMemory(memoryMb, undefined));
    const end: EndCause = heapIsFull ? { kind: "out-of-memory", ...(maxHeapMb === undefined ? {} : { limitMb: maxHeapMb }) } : endOfProcess(code, signal);
    const detail = signal === null ? `its process ended with code ${String(code)} before its promise did` : `its process was ended by ${signal}`;
    // What it started and left behind.
    killAll();
    const gone = (): void => {
      clock.clearTimeout(late);
      sendHome(child.stdio[GATE] as Writable);
      group?.remove();
      parent.gone({ ...(failed === undefined ? {} : { error: failed }), detail: heapIsFull ? `its heap is full: ${detail}` : detail, end, asAsked: signal === "SIGTERM" });
    };
    const swept = sweep(mark);
    // Its last word may still be in the pipe when its exit is seen; the channel's end comes after it.
    const late = clock.setTimeout(() => {
      channel.destroy();
      gone();
    }, LAST_WORD_MS);
    if (channel.closed) void swept.then(gone);
    else channel.once("close", () => void swept.then(gone));
  });
  const carrier: Carrier = {
    pid: child.pid,
    post: (message) => {
      if (channel.writable) writeFrame(channel, message);
    },
    askToStop: () => void child.kill("SIGTERM"),
    kill: killAll,
    letGo: () => {
      over.abort();
      channel.destroy();
      child.stdout?.destroy();
      child.stderr?.destroy();
      child.unref();
    },
  };
  parent.carriedBy(carrier);
  const { pid } = child;
  if (pid === undefined) return;
  try {
    letGo(pid, child.stdio[GATE] as Writable, limits.niceness, group);
  } catch (error) {
    parent.fail(asError(error));
    return;
  }
  if (memoryMb !== undefined && group?.limitsMemory !== true)
    watchMemory({ pid, mark }, memoryMb, clock, over.signal, (usedMb) => {
      parent.fail(outOfMemory(memoryMb, usedMb));
    });
}
