// A mark beside a store, which says that commits were confirmed in it: without it a store whose file or log is lost looks like a new one, or like itself some time ago (rules L2).
//
// M1. A store lives in eras: one begins with each opening and with each folding of the log. The first commit of an era carries the era's number into the store, in its own transaction,
//     and the mark is written after it. So what the mark names was committed, and a store that does not know of that era has gone back.
// M2. Found: the file, the log or both are gone, or were put back from earlier eras. Not found: a log that lost its end but not its era's first commit.
//     A store that was told that a mark stands beside it, and finds none, was put back from a copy by somebody who removed it: its histories may have gone back (rules T1). It is told so in its own first
//     commit, after an empty mark was put there: what was killed in between, has never been told, or comes from a release that did not tell, is not taken for one.
// M3. The mark costs a small file and a flush for each era, which is one in about 4 MiB of commits (rules L4). Where it cannot be written, or is damaged, it is as if there were none.
// M4. A flush of it that fails is a failed flush like any other: the same disk holds the store (rules L3).

import { closeSync, constants, fsyncSync, openSync, readFileSync, statSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { crc32 } from "node:zlib";
import { flushFailure, isFlushFailure } from "./driver.ts";
import { syncDirectory } from "./sync-directory.ts";

/** Beside a store's path. */
export const MARK_SUFFIX = ".mark";
const MARK_BYTES = 32;

/** The era that it names, from 1; 0: there is none, or it is damaged. */
export function readMark(path: string): number {
  try {
    const [era, sum] = readFileSync(path + MARK_SUFFIX, "utf8")
      .trim()
      .split(" ");
    return Number(sum) === crc32(`era ${String(era)}`) ? Number(era) : 0;
  } catch {
    return 0;
  }
}

export function hasMark(path: string): boolean {
  return statSync(path + MARK_SUFFIX, { throwIfNoEntry: false })?.isFile() === true;
}

/** One that names no era, where there is none. @returns whether one stands now, lastingly @throws a flush failure (M4) */
export function placeMark(path: string): boolean {
  if (hasMark(path)) return true;
  if (!writeMark(path, 0)) return false;
  try {
    syncDirectory(dirname(path));
    return true;
  } catch (cause) {
    // Some file systems cannot flush a directory.
    if ((cause as { readonly code?: unknown }).code === "EIO") throw flushFailure(dirname(path), cause);
    return false;
  }
}

/** Over the old one, within one sector: torn by a power cut it is damaged, and counts as none. @returns false where it could not be written @throws a flush failure (M4) */
export function writeMark(path: string, era: number): boolean {
  try {
    const file = openSync(path + MARK_SUFFIX, constants.O_RDWR | constants.O_CREAT, 0o600);
    try {
      writeSync(file, `${String(era)} ${String(crc32(`era ${String(era)}`))}`.padEnd(MARK_BYTES - 1) + "\n", 0);
      flush(file, path);
    } finally {
      closeSync(file);
    }
    return true;
  } catch (error) {
    if (isFlushFailure(error)) throw error;
    return false;
  }
}

function flush(file: number, path: string): void {
  try {
    fsyncSync(file);
  } catch (cause) {
    throw flushFailure(path + MARK_SUFFIX, cause);
  }
}
