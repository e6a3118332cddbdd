// The end of a process that must not go on (rules L3).

import { writeSync } from "node:fs";
import { isMainThread } from "node:worker_threads";
import type { Log } from "../ports/index.ts";

/** Ends this process with exit code 1, without stopping anything in order: whatever supervises it starts the next one. Says so on standard error too, since the log may be silent or not yet written. */
export function endProcess(log: Log, reason: string): void {
  log.error({ reason }, "this process ends: after a flush that failed nothing more may be acknowledged");
  try {
    writeSync(2, `this process ends: ${reason}; nothing more may be acknowledged\n`);
  } catch {
    // Nobody reads there: it ends all the same.
  }
  if (isMainThread) process.exit(1);
  // Of a thread, `exit` would end the thread alone.
  process.kill(process.pid, "SIGKILL");
}
