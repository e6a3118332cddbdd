// A test that needs a part of the machine: skipped by name where the part is missing, run all the same (and so failing) where DROVER_REQUIRE lists it.

import { accessSync, constants, existsSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** What a bare machine may lack. `DROVER_REQUIRE` is a comma-separated list of these. */
export type Part = "shared" | "broker" | "browser" | "python" | "netns" | "erlang" | "compiler" | "majors";

/** Options of a tap test. @param isPresent whether the part is on this machine */
export function needs(part: Part, isPresent: boolean): { readonly skip: string | false } {
  const isRequired = (process.env["DROVER_REQUIRE"] ?? "").split(",").some((required) => required.trim() === part);
  return { skip: isPresent || isRequired ? false : `needs ${part}` };
}

/** The path of a program, looked for along PATH and in the folders of system programs. */
export function program(...names: readonly string[]): string | undefined {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/sbin"].filter((folder) => folder !== "");
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable);
}

/** A path below the folder `shared` beside the checkout; undefined where it is not there. */
export function shared(...path: readonly string[]): string | undefined {
  const found = join(checkout(dirname(fileURLToPath(import.meta.url))), "..", "shared", ...path);
  return existsSync(found) ? found : undefined;
}

function checkout(folder: string): string {
  return existsSync(join(folder, "package-lock.json")) || dirname(folder) === folder ? folder : checkout(dirname(folder));
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
