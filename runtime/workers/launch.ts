// How a process of ours or of anybody is begun: at the head of its own group, and with something beside it that ends the group when this node is gone.
//
// G1. `/bin/sh` is started first, says nothing, and becomes the program (`exec`): pid, exit code and signal are the program's own. Before that it waits for our
//     word, so that niceness and control group hold from the program's first instruction on.
// G2. The guard is a shell of a few hundred kB that nobody is parent of: a program that waits for all of its children does not wait for it. It holds the far end of a
//     pipe whose near end only this process has. When that closes, however we died, it asks the group to end, and kills after a grace.
// G3. What left the group (a daemon) is found by the mark in its environment, DROVER_RUN, which every descendant inherits unless it takes pains not to.
// G4. The guard shares the program's group, so that the number of the group cannot be given to others before we have killed it; it ignores the signals that ask.

import { setPriority } from "node:os";
import type { Writable } from "node:stream";

import type { ControlGroup } from "./control-group.ts";
import { EndedError } from "./end-cause.ts";

export const SHELL = "/bin/sh";
export const RUN_MARK = "DROVER_RUN";

/** @param gate number of the file descriptor of the pipe  @param close further descriptors that are none of the guard's business */
function script(gate: number, close: readonly number[]): string {
  const pipe = String(gate);
  return `read -r go <&${pipe} || exit 0
grace=$1 mark=$2 folder=$3
shift 3
( ( trap '' HUP INT QUIT TERM PIPE ALRM USR1 USR2
    exec <&${pipe} ${[gate, ...close].map((fd) => `${String(fd)}>&-`).join(" ")} >/dev/null 2>&1
    PATH=$PATH:/usr/bin:/bin
    cd /
    while read -r go; do :; done
    kill -s TERM 0
    sleep "$grace"
    for entry in $(grep -ls "${RUN_MARK}=$mark" /proc/[0-9]*/environ); do
      entry=\${entry#/proc/}
      kill -s KILL "\${entry%/environ}"
    done
    [ -z "$folder" ] || echo 1 >"$folder/cgroup.kill"
    kill -s KILL 0 ) & )
exec ${pipe}>&-
export ${RUN_MARK}="$mark"
unset PWD OLDPWD SHLVL go grace mark folder
exec "$@"
`;
}

export interface Guarding {
  /** The file descriptor of the pipe in the new process. */
  readonly gate: number;
  /** Further descriptors that are none of the guard's business. */
  readonly close: readonly number[];
  /** From our death to the kill of what has not ended by then. */
  readonly graceMs: number;
  readonly mark: string;
  readonly group: ControlGroup | undefined;
}

/** What the shell is called with, before the program and its own arguments. */
export function shellArguments({ gate, close, graceMs, mark, group }: Guarding): readonly string[] {
  return ["-c", script(gate, close), "drover", String(Math.max(0, graceMs) / 1_000), mark, group?.folder ?? ""];
}

/** What holds for the program from its first instruction on; then it begins. @throws EndedError where this process may not do that */
export function letGo(pid: number, gate: Writable, niceness: number | undefined, group: ControlGroup | undefined): void {
  // Nobody there any more: its exit says so.
  gate.on("error", () => undefined);
  group?.add(pid);
  try {
    if (niceness !== undefined) setPriority(pid, niceness);
  } catch (error) {
    const detail = `niceness ${String(niceness)} is not allowed to this process (${(error as NodeJS.ErrnoException).code ?? "unknown"})`;
    throw new EndedError("DROVER_WORKER_FAILED", detail, { kind: "cannot-run", detail }, error);
  }
  gate.write("go\n");
}

/** The whole group with its guard. Harmless where nobody is left in it. */
export function signalGroup(pid: number | undefined, signal: "SIGTERM" | "SIGKILL"): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // ESRCH: nobody is left.
  }
}
