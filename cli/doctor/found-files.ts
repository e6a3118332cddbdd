// What lies in a data folder and below: one node's, or those of a fleet's nodes side by side.

import { readdirSync } from "node:fs";
import { join } from "node:path";

const MAX_DEPTH = 3;

export interface Entry {
  readonly path: string;
  readonly name: string;
  readonly isFolder: boolean;
}

/** In order of their names; folders that `isClosed` are told, and not looked into. What cannot be read is passed over. */
export function entriesBelow(folder: string, isClosed: (entry: Entry) => boolean, depth = MAX_DEPTH): readonly Entry[] {
  return entriesOf(folder).flatMap((entry) => [entry, ...(entry.isFolder && depth > 0 && !isClosed(entry) ? entriesBelow(entry.path, isClosed, depth - 1) : [])]);
}

function entriesOf(folder: string): readonly Entry[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .map((entry) => ({ path: join(folder, entry.name), name: entry.name, isFolder: entry.isDirectory() }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch {
    return [];
  }
}

/** Why the folder cannot be read, if it cannot. */
export function failureOfReading(folder: string): NodeJS.ErrnoException | undefined {
  try {
    readdirSync(folder);
    return undefined;
  } catch (error) {
    return error as NodeJS.ErrnoException;
  }
}
