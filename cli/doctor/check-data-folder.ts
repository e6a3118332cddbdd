// Can the data folder be written, is there room, and how long does a flush take? Measured with a file of its own, beside the stores, which is removed again.

import { closeSync, existsSync, fsyncSync, mkdtempSync, openSync, rmSync, statfsSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Clock } from "../../runtime/ports/index.ts";
import { type Finding, note, ok, problem } from "./finding.ts";

const MEASURED_MS = 500;
const MOST_FLUSHES = 200;
const BLOCK_BYTES = 4_096;
const SLOW_FLUSH_MS = 50;
/** No disk that keeps its word is faster; memory and cards that only say so are. */
const TOO_FAST_MS = 0.02;
const LOW_BYTES = 200 * 1_048_576;

export function checkDataFolder(folder: string, clock: Clock): readonly Finding[] {
  const there = nearest(folder);
  let scratch: string;
  try {
    scratch = mkdtempSync(join(there, ".drover-doctor-"));
  } catch (error) {
    const why = "A node that cannot write keeps nothing and does not start.";
    return [problem("data-folder", `${there} cannot be written: ${(error as Error).message}`, why, "Give this user the folder, or name another with DROVER_DATA.", { folder })];
  }
  try {
    const written = ok("data-folder", there === folder ? `${folder} can be written` : `${folder} is not there yet and can be made`, { folder, exists: there === folder });
    return [written, checkFlush(scratch, clock), checkRoom(there)];
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function nearest(folder: string): string {
  let there = folder;
  while (!existsSync(there) && dirname(there) !== there) there = dirname(there);
  return there;
}

function checkFlush(scratch: string, clock: Clock): Finding {
  const times: number[] = [];
  try {
    const file = openSync(join(scratch, "flush"), "w");
    try {
      const block = Buffer.alloc(BLOCK_BYTES, 1);
      const end = clock.monotonic() + MEASURED_MS;
      while (times.length < MOST_FLUSHES && (times.length < 3 || clock.monotonic() < end)) {
        const from = clock.monotonic();
        writeSync(file, block);
        fsyncSync(file);
        times.push(clock.monotonic() - from);
      }
    } finally {
      closeSync(file);
    }
  } catch (error) {
    return problem(
      "flush",
      `a flush failed: ${(error as Error).message}`,
      "An acknowledged command is one that was flushed.",
      "Look for errors of the disk in the system's log, and for free space.",
    );
  }
  times.sort((a, b) => a - b);
  const p50Ms = round(times[Math.floor(times.length / 2)] ?? 0);
  const p99Ms = round(times[Math.floor(times.length * 0.99)] ?? 0);
  const perSecond = Math.round(1_000 / Math.max(0.001, p50Ms));
  const facts = { flushes: times.length, p50Ms, p99Ms, perSecond };
  const what = `a flush takes ${String(p50Ms)} ms (p99 ${String(p99Ms)} ms), ${String(perSecond)} a second`;
  if (p50Ms < TOO_FAST_MS)
    return note(
      "flush",
      what,
      "That is faster than a disk: it may confirm what a power cut takes back, commands among it.",
      "Keep the data on a disk that flushes; not on tmpfs, and not on a card whose cache lies.",
      facts,
    );
  if (p50Ms > SLOW_FLUSH_MS) return note("flush", what, "Each commit waits for one; commands answer no faster.", "Use a faster card or disk where commands must be quick.", facts);
  return ok("flush", what, facts);
}

function checkRoom(folder: string): Finding {
  const { bavail, bsize } = statfsSync(folder);
  const freeBytes = bavail * bsize;
  const what = `${String(Math.round(freeBytes / 1_048_576))} MB free`;
  if (freeBytes >= LOW_BYTES) return ok("room", what, { freeBytes });
  return problem("room", what, "On a full disk nothing more is accepted.", "Free some space, or move the data folder.", { freeBytes });
}

function round(ms: number): number {
  return Math.round(ms * 1_000) / 1_000;
}
