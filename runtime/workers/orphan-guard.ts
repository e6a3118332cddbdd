// A thread beside a worker process: when the parent has ended and the main thread does not end the process by itself, it does. Started by process-host.ts.

import { workerData } from "node:worker_threads";

import { systemClock } from "../host/index.ts";

const LOOK_EVERY_MS = 500;
const MARGIN_MS = 500;

const { parentPid, graceMs } = workerData as { readonly parentPid: number; readonly graceMs: number };

function look(): void {
  // A process whose parent ended is given to another one.
  if (process.ppid === parentPid) systemClock.setTimeout(look, LOOK_EVERY_MS);
  else systemClock.setTimeout(end, graceMs + MARGIN_MS);
}

function end(): void {
  process.kill(-process.pid, "SIGKILL");
}

look();
