// A list of kept children in a file: written beside its place, flushed, renamed over it, and the folder flushed. At every moment one whole list is there.

import { open, readFile, rename } from "node:fs/promises";
import { dirname } from "node:path";

import type { KeptChild, KeptChildren, Log } from "../ports/index.ts";

/** A file that is no such list is moved aside (`.damaged`) and told. */
export function keptFile(path: string, log: Log): KeptChildren {
  return {
    async load() {
      const text = await readIfThere(path);
      if (text === undefined) return [];
      const children = childrenIn(text);
      if (children !== undefined) return children;
      await rename(path, `${path}.damaged`);
      log.error({ path: `${path}.damaged` }, "the list of kept children is damaged and was moved aside");
      return [];
    },
    async save(children) {
      await writeFlushed(`${path}.new`, `${JSON.stringify({ version: 1, children }, null, 2)}\n`);
      await rename(`${path}.new`, path);
      await flushFolder(dirname(path));
    },
  };
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

function childrenIn(text: string): readonly KeptChild[] | undefined {
  try {
    const { version, children } = JSON.parse(text) as { readonly version?: unknown; readonly children?: unknown };
    const isList = version === 1 && Array.isArray(children) && children.every((child: unknown) => typeof (child as KeptChild | null)?.id === "string");
    return isList ? (children as readonly KeptChild[]) : undefined;
  } catch {
    return undefined;
  }
}

async function writeFlushed(path: string, text: string): Promise<void> {
  const file = await open(path, "w", 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function flushFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
