// Directories hold names; a file whose name is not lasting is lost with it.

import { closeSync, fsyncSync, openSync } from "node:fs";

/** Makes the names in a directory lasting. Does nothing where the operating system has no such call. */
export function syncDirectory(path: string): void {
  if (process.platform === "win32") return;
  const handle = openSync(path, "r");
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
