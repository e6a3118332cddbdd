// A control group (cgroup v2) for one process and all that it starts: a memory limit that the kernel holds, and a kill that nobody escapes.
//
// C1. Ours stand below the group of this process, or beside it: where memory is to be limited, the kernel wants processes in the leaves only, so a service manager
//     that delegates puts the node itself into a leaf (systemd: Delegate=memory, DelegateSubgroup=node).
// C2. A node that was killed leaves empty groups behind; the next one that makes a group beside them removes them.
// C3. Where no group can be made, or none with a memory limit, there is `undefined` and the caller does without.

import { mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

import type { Clock } from "../ports/index.ts";

export interface ControlGroup {
  readonly folder: string;
  /** The kernel holds the memory limit. */
  readonly limitsMemory: boolean;
  /** Moves a process into it; what it starts afterwards is born there. False where the kernel does not allow that. */
  add(pid: number): boolean;
  /** Processes that the kernel ended since memory ran out here. */
  outOfMemory(): number;
  /** Everybody in it. */
  kill(): void;
  /** The folder goes once its last process is gone; tries for a few seconds. */
  remove(): void;
}

const REMOVE_TRIES = 20;
const REMOVE_AGAIN_MS = 100;

/** The folder of this process's own group; undefined where there is no cgroup v2. @param proc `/proc`, or what stands for it */
export function ownGroupFolder(proc = "/proc"): string | undefined {
  try {
    const path = /^0::(\/.*)$/m.exec(readFileSync(join(proc, "self/cgroup"), "utf8"))?.[1];
    const mount = readFileSync(join(proc, "self/mounts"), "utf8")
      .split("\n")
      .map((line) => line.split(" "))
      .find(([, , type]) => type === "cgroup2")?.[1];
    return path === undefined || mount === undefined ? undefined : join(mount, path);
  } catch {
    return undefined;
  }
}

/** @param own folder of this process's group, see `ownGroupFolder`  @param limitMb of memory, swap excluded  @param make makes a group's folder */
export function makeControlGroup(
  own: string | undefined,
  name: string,
  limitMb: number | undefined,
  clock: Clock,
  make: (folder: string) => void = mkdirSync,
): ControlGroup | undefined {
  if (own === undefined) return undefined;
  const places = limitMb === undefined ? [own] : [own, dirname(own)];
  for (const above of places) {
    removeAbandoned(above);
    const folder = join(above, `drover-${String(process.pid)}-${name}`);
    try {
      make(folder);
    } catch {
      continue;
    }
    const limitsMemory = limitMb !== undefined && limitMemory(above, folder, limitMb);
    if (limitMb === undefined || limitsMemory) return groupIn(folder, limitsMemory, clock);
    removeNow(folder);
  }
  return limitMb === undefined ? undefined : makeControlGroup(own, name, undefined, clock, make);
}

function limitMemory(above: string, folder: string, limitMb: number): boolean {
  const bytes = String(Math.round(limitMb * 1_048_576));
  if (!tryWrite(join(folder, "memory.max"), bytes)) {
    tryWrite(join(above, "cgroup.subtree_control"), "+memory");
    if (!tryWrite(join(folder, "memory.max"), bytes)) return false;
  }
  tryWrite(join(folder, "memory.swap.max"), "0");
  tryWrite(join(folder, "memory.oom.group"), "1");
  return true;
}

function groupIn(folder: string, limitsMemory: boolean, clock: Clock): ControlGroup {
  const remove = (triesLeft: number): void => {
    if (!removeNow(folder) && triesLeft > 0)
      clock.setTimeout(
        () => {
          remove(triesLeft - 1);
        },
        REMOVE_AGAIN_MS,
        { unref: true },
      );
  };
  return {
    folder,
    limitsMemory,
    add: (pid) => tryWrite(join(folder, "cgroup.procs"), String(pid)),
    outOfMemory: () => {
      try {
        return Number(/^oom_kill (\d+)$/m.exec(readFileSync(join(folder, "memory.events"), "utf8"))?.[1] ?? 0);
      } catch {
        return 0;
      }
    },
    kill: () => void tryWrite(join(folder, "cgroup.kill"), "1"),
    remove: () => {
      remove(REMOVE_TRIES);
    },
  };
}

/** `wx` is not used: these files exist, and one that does not must not be made. */
function tryWrite(file: string, text: string): boolean {
  try {
    writeFileSync(file, text, { flag: "r+" });
    return true;
  } catch {
    return false;
  }
}

/** C2. The kernel refuses where somebody still lives in it. */
function removeAbandoned(above: string): void {
  try {
    for (const entry of readdirSync(above)) {
      const maker = Number(/^drover-(\d+)-/.exec(entry)?.[1] ?? process.pid);
      if (maker !== process.pid && !isAlive(maker)) removeNow(join(above, entry));
    }
  } catch {
    // Nothing can be listed here, so nothing can be made here.
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

function removeNow(folder: string): boolean {
  try {
    rmdirSync(folder);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT";
  }
}
