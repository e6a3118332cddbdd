// A resolver over anything that gives bytes by path: the caller supplies the reading (a folder, an archive, a Map in a test), this the names and the parsing.

import { parseDbc } from "../../protocols/can/index.ts";
import type { DroverError } from "../../runtime/index.ts";
import type { FileResolver, FoundDatabase } from "./file-resolver.ts";

/**
 * @param read bytes of a file, or undefined where there is none; it may throw, which counts as unusable
 * @param names what lies in a folder, for suggestions
 */
export function resolverOver(read: (file: string) => Uint8Array | undefined, names?: (folder: string) => readonly string[]): FileResolver {
  const databases = new Map<string, FoundDatabase>();
  return {
    text: (name, from) => {
      const file = beside(name, from);
      const bytes = readOrUndefined(read, file);
      return bytes === undefined ? undefined : { file, text: new TextDecoder("utf-8", { ignoreBOM: false }).decode(bytes) };
    },
    database: (name, from) => {
      const file = beside(name, from);
      let found = databases.get(file);
      if (found === undefined) {
        found = readDatabase(read, file);
        databases.set(file, found);
      }
      return found;
    },
    ...(names === undefined ? {} : { names: (name: string, from: string) => names(folderOf(beside(name, from))) }),
  };
}

function readDatabase(read: (file: string) => Uint8Array | undefined, file: string): FoundDatabase {
  try {
    const bytes = read(file);
    if (bytes === undefined) return { kind: "missing" };
    return { kind: "found", file, database: parseDbc(bytes, { file }) };
  } catch (error) {
    // The reader throws DroverErrors with a position; anything else has none.
    const { position } = error as Partial<DroverError>;
    const message = error instanceof Error ? error.message : String(error);
    return { kind: "unusable", problem: { file, line: position?.line ?? 1, column: position?.column ?? 1, path: "", message, expected: "a CAN database (DBC)" } };
  }
}

function readOrUndefined(read: (file: string) => Uint8Array | undefined, file: string): Uint8Array | undefined {
  try {
    return read(file);
  } catch {
    return undefined;
  }
}

function folderOf(file: string): string {
  const slash = file.lastIndexOf("/");
  return slash === -1 ? "" : file.slice(0, slash + 1);
}

/** `../data/x.dbc` seen from `demo/vehicles/a.yaml` → `demo/data/x.dbc`; an absolute name stays. */
function beside(name: string, from: string): string {
  if (name.startsWith("/")) return name;
  const steps = `${folderOf(from)}${name}`.split("/");
  const kept: string[] = [];
  for (const step of steps) {
    if (step === "..") {
      const last = kept.at(-1);
      if (last === undefined || last === ".." || last === "") kept.push(step);
      else kept.pop();
    } else if (step !== "." && (step !== "" || kept.length === 0)) kept.push(step);
  }
  return kept.join("/");
}
