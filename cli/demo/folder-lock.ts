// One demo on one data folder. The lock names its holder; what a killed demo left behind is recognised as such and taken over.
//
// L1. The holder is told by its process id and the time at which that process began, so that a reused id is not taken for it.
// L2. The file appears whole or not at all (link of a finished file), and a dead one is moved away before it is judged, so that two that start at once do not both hold it.

import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeFolder } from "../../runtime/host/index.ts";
import { DroverError } from "../../runtime/ports/index.ts";

interface Holder {
  readonly pid: number;
  /** Of the process, as the system counts it; empty where the system does not say. */
  readonly began: string;
}

const NAME = "demo.lock";
const ATTEMPTS = 5;

/** Returns how to give it back. @throws DROVER_STORE_LOCKED when another demo runs on the folder; DROVER_STORE_FAILED when the folder cannot be written */
export function lockFolder(folder: string): () => void {
  const path = join(folder, NAME);
  const mine = JSON.stringify({ pid: process.pid, began: beganOf(process.pid) } satisfies Holder);
  const fresh = `${path}.${String(process.pid)}.new`;
  try {
    makeFolder(folder, "DROVER_DATA");
    writeFileSync(fresh, mine);
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      if (linked(fresh, path)) return () => release(path, mine);
      refuseIfAlive(path, folder);
      takeAway(path, folder);
    }
  } catch (cause) {
    if (cause instanceof DroverError) throw cause;
    throw new DroverError("DROVER_STORE_FAILED", `the data folder ${folder} cannot be used: ${(cause as Error).message}`, { cause });
  } finally {
    remove(fresh);
  }
  throw new DroverError("DROVER_STORE_LOCKED", `others start on the data folder ${folder} at the same moment`);
}

function linked(fresh: string, path: string): boolean {
  try {
    linkSync(fresh, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

function refuseIfAlive(path: string, folder: string): void {
  const holder = readHolder(path);
  if (holder !== undefined && isAlive(holder))
    throw new DroverError("DROVER_STORE_LOCKED", `the demo with process id ${String(holder.pid)} runs on the data folder ${folder}; DROVER_DATA or --data names another one`);
}

/** L2. Whoever was alive after all gets its file back, and this start is refused. */
function takeAway(path: string, folder: string): void {
  const aside = `${path}.${String(process.pid)}.old`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw error;
  }
  try {
    const holder = readHolder(aside);
    if (holder === undefined || !isAlive(holder)) return;
    linked(aside, path);
    refuseIfAlive(path, folder);
  } finally {
    remove(aside);
  }
}

function release(path: string, mine: string): void {
  try {
    if (readFileSync(path, "utf8") === mine) remove(path);
  } catch {
    // Gone already.
  }
}

/** Also where its folder is none. */
function remove(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // What cannot be removed was not made either.
  }
}

function readHolder(path: string): Holder | undefined {
  try {
    const { pid, began } = JSON.parse(readFileSync(path, "utf8")) as Partial<Holder>;
    return typeof pid === "number" && Number.isSafeInteger(pid) && pid > 0 && typeof began === "string" ? { pid, began } : undefined;
  } catch {
    return undefined;
  }
}

function isAlive({ pid, began }: Holder): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: somebody else's process, so it lives.
    if ((error as NodeJS.ErrnoException).code !== "EPERM") return false;
  }
  return beganOf(pid) === began;
}

/** Field 22 of /proc/PID/stat, clock ticks since boot; the program's name before it may hold anything. Linux only. */
function beganOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${String(pid)}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
  } catch {
    return "";
  }
}
