// What the checker asks its caller for: texts and databases by name. The caller does the I/O; the checker stays pure.

import type { Database } from "../../protocols/can/index.ts";
import type { Problem } from "../../runtime/index.ts";

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
  /** Names beside `from`, for suggestions. */
  names?(from: string): readonly string[];
}

/** File names under which a model is looked for beside the vehicle's file: `trailer@3` → `trailer@3.yaml`, `trailer.yaml`. */
export function modelFileNames(reference: string): readonly string[] {
  const name = reference.split("@", 1)[0] ?? reference;
  return reference === name ? [`${name}.yaml`] : [`${reference}.yaml`, `${name}.yaml`];
}
