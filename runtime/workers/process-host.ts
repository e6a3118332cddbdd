// Runs in the process: loads the worker's file, speaks for it, and ends with its parent. Not imported by anyone; process.ts starts it by its file name.
//
// H1. The channel closed: the parent is gone or let go of us. The worker has `shutdownMs` to end, then whatever carries our mark and the whole group is killed.
// H2. A main thread that loops never sees that: the guards beside it do (launch.ts). One of them survives the group and looks once more for what we began while we were killed.
// H3. SIGTERM and SIGINT ask the worker to end, whoever sent them.

import { Socket } from "node:net";

import { systemClock, systemRandom } from "../host/index.ts";
import { errorToData } from "./error-data.ts";
import { readFrames, writeFrame } from "./frames.ts";
import { RUN_MARK } from "./launch.ts";
import { sweep } from "./process-family.ts";
import { CHANNEL, type ToParent, type ToWorker } from "./wire.ts";
import { runWorker, type WorkerSide } from "./worker-side.ts";
import { workerIn } from "./worker.ts";

const LONGEST_FAREWELL_MS = 1_000;

const channel = new Socket({ fd: CHANNEL });
let side: WorkerSide | undefined;
/** Before the worker's code may change it. */
const mark = process.env[RUN_MARK];
let graceMs = LONGEST_FAREWELL_MS;

/** Everything we started, at last our group with ourselves. We lead it: process.ts starts us so. */
async function endAll(): Promise<void> {
  if (mark !== undefined) await sweep(mark);
  try {
    process.kill(-process.pid, "SIGKILL");
  } catch {
    process.exit(1);
  }
}

function post(message: ToParent): void {
  // A function or another thing that cannot be cloned throws here, in the hands of whoever sent it. A channel that is closed is no error of the sender.
  if (channel.writable) writeFrame(channel, message);
}

/** Leaves once what was posted is written. */
function leave(code: number): void {
  if (!channel.writable) {
    void endAll();
    return;
  }
  systemClock.setTimeout(() => process.exit(code), LONGEST_FAREWELL_MS);
  // Written in order: when this one is, so is everything before it.
  writeFrame(channel, { kind: "alive" } satisfies ToParent, () => process.exit(code));
}

function askToStop(): void {
  if (side === undefined) process.exit(0);
  side.stop();
}

function take(message: ToWorker): void {
  if (message.kind !== "run") {
    if (message.kind === "stop") askToStop();
    else side?.deliver(message);
    return;
  }
  const { order } = message;
  graceMs = order.shutdownMs;
  const type = import(order.module).then((exports: object) => workerIn(exports, order.module));
  side = runWorker(type, order, { post, clock: systemClock, random: systemRandom });
  void side.ended.then(() => {
    leave(0);
  });
}

readFrames(channel, {
  message: (message) => {
    take(message as ToWorker);
  },
  broken: () => {
    channel.destroy();
  },
});
channel.on("error", () => undefined);
channel.on("close", () => {
  if (side === undefined) void endAll();
  systemClock.setTimeout(() => void endAll(), graceMs);
  side?.stop();
  void side?.ended.then(endAll);
});
process.on("SIGTERM", askToStop);
process.on("SIGINT", askToStop);
process.on("uncaughtException", (error) => {
  if (side === undefined) {
    post({ kind: "end", error: errorToData(error) });
    leave(1);
  } else side.crash(error);
});
// Nobody reads any more; the channel's end says the rest.
process.stdout.on("error", () => undefined);
process.stderr.on("error", () => undefined);
post({ kind: "loaded" });
