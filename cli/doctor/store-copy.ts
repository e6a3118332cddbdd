// A store is looked at in a copy: opening a damaged one moves it aside, and that is for its node to see and tell (rules L2).

import { copyFileSync, existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";

/** Of what one moment's copy needs: the file, its log, and the mark that says what was committed in them. */
export function storeFiles(path: string): readonly string[] {
  return [path, `${path}-wal`, `${path}.mark`].filter(existsSync);
}

/** @returns "changed" when a running node wrote while it was copied: such a copy is of no one moment */
export async function onCopy<Result>(path: string, look: (copy: string) => Promise<Result>): Promise<Result | "changed"> {
  const scratch = mkdtempSync(join(tmpdir(), "drover-doctor-"));
  try {
    const files = storeFiles(path);
    const before = stateOf(files);
    for (const file of files) copyFileSync(file, join(scratch, basename(file)));
    return stateOf(files) === before ? await look(join(scratch, basename(path))) : "changed";
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Sizes and times of change: equal before and after a copy, the copy is of one moment. */
function stateOf(files: readonly string[]): string {
  return files
    .map((file) => {
      const { size, mtimeMs } = statSync(file);
      return `${String(size)} ${String(mtimeMs)}`;
    })
    .join("\n");
}
