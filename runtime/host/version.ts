// The version of the package that this file came with.

import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

interface PackageFile {
  readonly version: string;
  readonly engines: { readonly node: string };
}

let read: PackageFile | undefined;

export function droverVersion(): string {
  return packageFile().version;
}

/** Lowest version of Node that the package runs on, e.g. `20.20.0`. */
export function lowestNode(): string {
  return packageFile().engines.node.replace(/^[^\d]*/, "");
}

function packageFile(): PackageFile {
  return (read ??= readPackageFile());
}

function readPackageFile(): PackageFile {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, "package.json")) && dirname(folder) !== folder) folder = dirname(folder);
  return JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as PackageFile;
}
