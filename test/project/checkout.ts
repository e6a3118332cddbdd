// Where the tests of the project itself find the checkout and the build that they run in.

import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));

/** The folder that the rooms were compiled into. */
export const built = join(here, "../..");

/** The top of the checkout. */
export const root = topOf(here);

function topOf(folder: string): string {
  if (existsSync(join(folder, "package-lock.json"))) return folder;
  const parent = dirname(folder);
  if (parent === folder) throw new Error(`no checkout above ${here}`);
  return topOf(parent);
}

export function textOf(...path: readonly string[]): string {
  return readFileSync(join(root, ...path), "utf8");
}
