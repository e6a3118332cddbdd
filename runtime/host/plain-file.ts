// Files that a node reads by itself: configuration, a vehicle's files, the recordings of its buses. A named pipe or a device would be waited for without end, and a device may act when it is
// opened: it is looked at before, and said what it is. Where a person waits beside it a pipe is as good: named-stream.ts.

import { readFileSync, type Stats, statSync } from "node:fs";
import { DroverError } from "../errors.ts";

/**
 * Refuses what is there and is no plain file, without opening it.
 * @param expected what should be there, e.g. `a recording`
 * @returns whether there is anything
 * @throws DROVER_FILE_UNREADABLE with what it is instead; an error of the operating system where it cannot be looked at
 */
export function requirePlainFile(path: string, expected: string): boolean {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return false;
  if (!found.isFile()) throw new DroverError("DROVER_FILE_UNREADABLE", `${path} is ${fileKind(found)}, expected ${expected}`);
  return true;
}

/** @returns undefined where there is nothing @throws as `requirePlainFile`, and an error of the operating system where it cannot be read */
export function readPlainFileIfAny(path: string, expected: string): Uint8Array | undefined {
  return requirePlainFile(path, expected) ? readFileSync(path) : undefined;
}

/** @throws DROVER_FILE_UNREADABLE with what it is instead, or why it cannot be read */
export function readPlainFile(path: string, expected: string): Uint8Array {
  try {
    requirePlainFile(path, expected);
    return readFileSync(path);
  } catch (cause) {
    if (cause instanceof DroverError) throw cause;
    throw new DroverError("DROVER_FILE_UNREADABLE", `cannot open ${path}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

/** As UTF-8, without its byte order mark. @throws as `readPlainFile` */
export function readPlainText(path: string, expected: string): string {
  return new TextDecoder().decode(readPlainFile(path, expected));
}

export function fileKind(found: Stats): string {
  if (found.isDirectory()) return "a folder";
  if (found.isFIFO()) return "a pipe";
  if (found.isSocket()) return "a socket";
  return "a device";
}
