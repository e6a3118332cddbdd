// Who belongs to a process: its group, what descends from it, and what carries its mark though it left both. Read from /proc; where there is none, nobody is found.

import { readdir, readFile } from "node:fs/promises";

import { RUN_MARK } from "./launch.ts";

interface Row {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
}

/** The pids of the group that `leader` leads and of whatever descends from one of them; itself included while it is there. */
export async function familyOf(leader: number): Promise<readonly number[]> {
  const rows = (await Promise.all((await allPids()).map(rowOf))).filter((row) => row !== undefined);
  const family = new Set(rows.filter(({ pid, group }) => pid === leader || group === leader).map(({ pid }) => pid));
  // Parents may have higher pids than their children, so until nobody is added.
  for (let before = -1; before !== family.size; ) {
    before = family.size;
    for (const { pid, parent } of rows) if (family.has(parent)) family.add(pid);
  }
  return [...family];
}

/** Memory in RAM of all of them together, bytes; what several of them share counts for each. */
export async function residentBytes(pids: readonly number[]): Promise<number> {
  const each = await Promise.all(pids.map(async (pid) => Number(/^VmRSS:\s+(\d+) kB$/m.exec(await read(pid, "status"))?.[1] ?? 0) * 1_024));
  return each.reduce((sum, bytes) => sum + bytes, 0);
}

/** As above, with each page that several processes share counted in parts: all of them together count it once. Where that is not told, as above. */
export async function ownBytes(pids: readonly number[]): Promise<number> {
  const each = await Promise.all(
    pids.map(async (pid) => {
      const told = /^Pss:\s+(\d+) kB$/m.exec(await read(pid, "smaps_rollup"))?.[1];
      return told === undefined ? residentBytes([pid]) : Number(told) * 1_024;
    }),
  );
  return each.reduce((sum, bytes) => sum + bytes, 0);
}

const LOOKS = 20;
/** One that begins its successor and ends may be missed by one look. */
const CLEAR_LOOKS = 2;

/** Kills what carries the mark, but not this process, until nobody is found any more: a daemon may start another one meanwhile. */
export async function sweep(mark: string): Promise<void> {
  for (let look = 0, clear = 0; look < LOOKS && clear < CLEAR_LOOKS; look++) {
    const found = await Promise.all((await allPids()).map(async (pid) => pid !== process.pid && (await carries(pid, mark)) && killOne(pid)));
    clear = found.includes(true) ? 0 : clear + 1;
  }
}

/** The pids of all that carry the mark. */
export async function marked(mark: string): Promise<readonly number[]> {
  const found = await Promise.all((await allPids()).map(async (pid) => ((await carries(pid, mark)) ? [pid] : [])));
  return found.flat();
}

/** As `marked`, for whoever asks again and again: a process is looked into once. Nobody gets the mark who began without it. */
export function lookoutFor(mark: string): () => Promise<readonly number[]> {
  let known = new Map<number, boolean>();
  return async () => {
    const pids = await allPids();
    known = new Map(await Promise.all(pids.map(async (pid) => [pid, known.get(pid) ?? (await carries(pid, mark))] as const)));
    return pids.filter((pid) => known.get(pid) === true);
  };
}

async function carries(pid: number, mark: string): Promise<boolean> {
  return (await read(pid, "environ")).split("\0").includes(`${RUN_MARK}=${mark}`);
}

/** True also where it has ended meanwhile: it was there. */
function killOne(pid: number): true {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended meanwhile, or is not ours to end.
  }
  return true;
}

async function allPids(): Promise<readonly number[]> {
  try {
    return (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  } catch {
    return [];
  }
}

async function rowOf(pid: number): Promise<Row | undefined> {
  const text = await read(pid, "stat");
  // The name is in parentheses and may hold both of them: what counts begins after the last one.
  const [, parent, group] = text
    .slice(text.lastIndexOf(")") + 2)
    .split(" ")
    .map(Number);
  return parent === undefined || group === undefined ? undefined : { pid, parent, group };
}

async function read(pid: number, file: string): Promise<string> {
  try {
    return await readFile(`/proc/${String(pid)}/${file}`, "latin1");
  } catch {
    // It has ended, or is another user's.
    return "";
  }
}
