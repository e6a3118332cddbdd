// A mark beside a store, which says that commits were confirmed in it: without it a store whose file or log is lost looks like a new one, or like itself some time ago (rules L2).
//
// M1. A store lives in eras: one begins with each opening and with each folding of the log. The first commit of an era carries the era's number into the store, in its own transaction,
//     and the mark is written after it. So what the mark names was committed, and a store that does not know of that era has gone back.
// M2. Found: the file, the log or both are gone, or were put back from earlier eras. Not found: a log that lost its end but not its era's first commit.
// M3. The mark costs a small file and a flush for each era, which is one in about 4 MiB of commits (rules L4). Where it cannot be written, or is damaged, it is as if there were none.
// M4. A flush of it that fails is a failed flush like any other: the same disk holds the store (rules L3).

import { closeSync, constants, fsyncSync, openSync, readFileSync, writeSync } from "node:fs";
import { crc32 } from "node:zlib";
import { flushFailure, isFlushFailure } from "./driver.ts";

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
