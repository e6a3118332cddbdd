// What the checker asks its caller for: texts and databases by name. The caller does the I/O; the checker stays pure.

import type { Database } from "../../protocols/can/index.ts";
import type { Problem } from "../../runtime/index.ts";
import type { CheckedFile } from "./checked-file.ts";

export interface FoundText {
  /** As problems shall name it. */
  readonly file: string;
  readonly text: string;
}

export type FoundDatabase =
  | { readonly kind: "found"; readonly file: string; readonly database: Database }
  | { readonly kind: "missing" }
  /** It is there and cannot be used; the problem lies in that file. */
  | { readonly kind: "unusable"; readonly problem: Problem };

export interface FileResolver {
  /** The text that `from` names, seen from the folder of `from`; undefined where there is none. */
  text(name: string, from: string): FoundText | undefined;
  /** The CAN database that `from` names. */
  database(name: string, from: string): FoundDatabase;
  /** Names in the folder of what `from` calls `name`, for suggestions. */
  names?(name: string, from: string): readonly string[];
}

/** File names under which a model is looked for beside the vehicle's file: `trailer@3` → `trailer@3.yaml`, `trailer.yaml`. */
export function modelFileNames(reference: string): readonly string[] {
  const name = reference.split("@", 1)[0] ?? reference;
  return reference === name ? [`${name}.yaml`] : [`${reference}.yaml`, `${name}.yaml`];
}

/** The file that was most likely meant by one that is not there, as `from` would write it: the nearest name in the same folder. */
export function nearestFile(name: string, from: CheckedFile, resolver: FileResolver): string | undefined {
  const folder = name.slice(0, name.lastIndexOf("/") + 1);
  const nearest = from.suggest(name.slice(folder.length), resolver.names?.(name, from.file) ?? []);
  return nearest === undefined ? undefined : folder + nearest;
}
