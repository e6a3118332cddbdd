// A folder and what is missing above it, made step by step.
//
// Node's own recursive mkdir asks for ever where a folder is there and nothing can be made in it with ENOENT (/proc), and neither a signal nor a deadline ends that.

import { mkdirSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { DroverError } from "../errors.ts";

/** For the owner alone (0700); folders that exist stay as they are. @param setting what to name in the error, e.g. `data` @throws DROVER_CONFIG_INVALID when it cannot be made, or is no folder */
export function makeFolder(path: string, setting: string): void {
  const missing: string[] = [];
  try {
    for (let folder = resolve(path); !isFolder(folder); folder = dirname(folder)) missing.unshift(folder);
    for (const folder of missing) make(folder);
  } catch (error) {
    const detail = error instanceof NotAFolder ? error.message : ((error as NodeJS.ErrnoException).code ?? String(error));
    throw new DroverError("DROVER_CONFIG_INVALID", `${setting}: the folder ${path} cannot be made or used: ${detail}`);
  }
}

class NotAFolder extends Error {}

function isFolder(path: string): boolean {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return false;
  if (!found.isDirectory()) throw new NotAFolder(`${path} is no folder`);
  return true;
}

function make(folder: string): void {
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    // Somebody else may have made it in between.
    if ((error as NodeJS.ErrnoException).code !== "EEXIST" || !isFolder(folder)) throw error;
  }
}
