// A worker in a process of its own, leader of its own group: whatever it starts dies with it, and a native crash is its own.
//
// Asked to stop by message and by SIGTERM to the leader only (what it started is its to end, in its order); killed as a whole group.

import { fork, type ChildProcess } from "node:child_process";

import type { Clock, Log } from "../ports/index.ts";
import { childEnvironment, childFlags, hostFile, type ChildLimits } from "./child-environment.ts";
import { logLines } from "./line-log.ts";
import type { Carrier, ParentSide } from "./parent-side.ts";
import type { ToParent } from "./wire.ts";

const LAST_WORD_MS = 500;

export function runInProcess(parent: ParentSide, limits: ChildLimits, ports: { readonly clock: Clock; readonly log: Log }): void {
  const child = fork(hostFile("process-host"), [], {
    env: childEnvironment(limits.env),
    execArgv: childFlags(limits.maxHeapMb),
    detached: true,
    serialization: "advanced",
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  logLines(child.stdout, "stdout", ports.log, ports.clock);
  logLines(child.stderr, "stderr", ports.log, ports.clock);
  let failed: Error | undefined;
  child.on("message", (message) => {
    parent.message(message as ToParent);
  });
  child.on("error", (error) => {
    failed = error;
    // Never began: there will be no exit.
    if (child.pid === undefined) parent.gone({ error, detail: error.message });
  });
  child.on("exit", (code, signal) => {
    // What it started and left behind.
    killGroup(child);
    const detail = signal === null ? `its process ended with code ${String(code)} before its promise did` : `its process was ended by ${signal}`;
    const gone = (): void => {
      ports.clock.clearTimeout(late);
      parent.gone({ ...(failed === undefined ? {} : { error: failed }), detail, asAsked: signal === "SIGTERM" });
    };
    // Its last word may still be in the pipe when its exit is seen; the channel's end comes after it.
    const late = ports.clock.setTimeout(gone, LAST_WORD_MS);
    if (child.connected) child.once("disconnect", gone);
    else setImmediate(gone);
  });
  const carrier: Carrier = {
    pid: child.pid,
    post: (message) => {
      if (child.connected) child.send(message, () => undefined);
    },
    askToStop: () => void child.kill("SIGTERM"),
    kill: () => {
      killGroup(child);
    },
  };
  parent.carriedBy(carrier);
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    // ESRCH: nobody is left in the group.
  }
}
