// The resolver of vehicle files over the file system.

import { readdirSync } from "node:fs";
import { type FileResolver, resolverOver } from "../../actors/vehicle-file/index.ts";
import { readPlainFileIfAny } from "../../runtime/host/index.ts";

export function filesFromDisk(): FileResolver {
  return resolverOver(
    (file) => readPlainFileIfAny(file, "a plain file"),
    (folder) => {
      try {
        return readdirSync(folder === "" ? "." : folder);
      } catch {
        return [];
      }
    },
  );
}
