// How a process of ours or of anybody is begun: at the head of its own group, and with something beside it that ends the group when this node is gone.
//
// G1. `/bin/sh` is started first, says nothing, and becomes the program (`exec`): pid, exit code and signal are the program's own. Before that it waits for our
//     word, so that niceness and control group hold from the program's first instruction on.
// G2. The guard is a shell of a few hundred kB that nobody is parent of: a program that waits for all of its children does not wait for it. It holds the far end of a
//     pipe whose near end only this process has. When that closes without a word, however we died, it asks the group to end, and kills after a grace.
// G3. What left the group (a daemon) is found by the mark in its environment, DROVER_RUN, which every descendant inherits unless it takes pains not to. It is looked for
//     until several looks in a row find nobody: what is killed may have begun another one meanwhile.
// G4. The guard stands twice, and either does the whole work. One shares the program's group, so that the number of the group cannot be given to others before we have
//     killed it. One is in a session of its own and survives whoever kills the group: the worker itself, which ends with its parent, or anybody. It begins as soon as the
//     group is gone. Both ignore the signals that ask.
// G5. A guard kills its own group and what carries the mark, nothing else: no number that somebody else may have by now.

import { setPriority } from "node:os";
import type { Writable } from "node:stream";

import type { ControlGroup } from "./control-group.ts";
import { EndedError } from "./end-cause.ts";

export const SHELL = "/bin/sh";
export const RUN_MARK = "DROVER_RUN";

const TICK_MS = 250;
const LONGEST_GRACE_MS = 2 ** 31 - 1;

/** Called with the group's number, the ticks of its grace, the mark, and the control group's folder or nothing. A word instead of the pipe's end: all is done, nothing is left to do. */
const GUARD = `read -r word && exit 0
kill -s TERM 0
ticks=$2
while [ "$ticks" -gt 0 ] && kill -s 0 -- "-$1"; do
  sleep ${String(TICK_MS / 1_000)}
  ticks=$((ticks - 1))
done
looks=0 clear=0
while [ "$clear" -lt 3 ] && [ "$looks" -lt 100 ]; do
  clear=$((clear + 1)) looks=$((looks + 1))
  for file in $(grep -lsF "${RUN_MARK}=$3" /proc/[0-9]*/environ); do
    clear=0 pid=\${file#/proc/}
    grep -qsF "${RUN_MARK}=$3" "$file" && kill -s KILL "\${pid%/environ}"
  done
  sleep 0.1
done
[ -z "$4" ] || echo 1 >"$4/cgroup.kill"
kill -s KILL 0
`;

/** @param gate number of the file descriptor of the pipe  @param close further descriptors that are none of the guard's business */
function script(gate: number, close: readonly number[]): string {
  const pipe = String(gate);
  // A shell gives what it starts with & nothing to read, unless it is told to.
  const fromPipe = `<&${pipe} ${[gate, ...close].map((fd) => `${String(fd)}>&-`).join(" ")} >/dev/null 2>&1`;
  return `read -r DROVER_GO <&${pipe} || exit 0
( ( trap '' HUP INT QUIT TERM PIPE ALRM USR1 USR2
    PATH=/usr/bin:/bin:$PATH
    cd /
    guard=$1
    set -- $$ "$2" "$3" "$4"
    setsid ${SHELL} -c "$guard" drover "$@" ${fromPipe} &
    exec ${fromPipe}
    eval "$guard" ) & )
exec ${pipe}>&-
export ${RUN_MARK}="$3"
unset PWD OLDPWD SHLVL DROVER_GO
shift 4
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
  const ticks = Math.ceil(Math.min(Math.max(0, graceMs), LONGEST_GRACE_MS) / TICK_MS);
  return ["-c", script(gate, close), "drover", GUARD, String(ticks), mark, group?.folder ?? ""];
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

/** To the guard that is left when the group is killed: what carried the mark is ended too. Without this word it looks for that itself. */
export function sendHome(gate: Writable): void {
  gate.end("done\n", () => {
    gate.destroy();
  });
}

/** The whole group with the guard in it. Harmless where nobody is left in it. */
export function signalGroup(pid: number | undefined, signal: "SIGTERM" | "SIGKILL"): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // ESRCH: nobody is left.
  }
}
