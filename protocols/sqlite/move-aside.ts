// Takes a damaged store out of the way as a whole (rules L2): the file with its -wal, -shm and -journal, under their own names, into a folder of its own, so that
// SQLite's tools can still open it there. Only with no connection open.
//
// The file goes first: if the process ends half way, the next start meets a log without a file, which it knows as damage, and never a file without its log.

import { existsSync, mkdirSync, renameSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { MARK_SUFFIX } from "./store-mark.ts";
import { syncDirectory } from "./sync-directory.ts";

/** The mark goes last: until then a store that is half gone is known for what it is. */
const PARTS = ["", "-wal", "-shm", "-journal", MARK_SUFFIX];

/** @param at wall time, ms since 1970, for the folder's name @returns the folder */
export function moveAside(path: string, at: number): string {
  const folder = freeName(`${path}.damaged-${new Date(at).toISOString().replaceAll(/[-:]|\.\d+/g, "")}`);
  mkdirSync(folder, { mode: 0o700 });
  for (const part of PARTS) {
    if (existsSync(path + part)) renameSync(path + part, join(folder, basename(path) + part));
  }
  syncDirectory(folder);
  syncDirectory(dirname(path));
  return folder;
}

function freeName(wanted: string): string {
  for (let count = 1, name = wanted; ; count++, name = `${wanted}-${String(count)}`) if (!existsSync(name)) return name;
}
