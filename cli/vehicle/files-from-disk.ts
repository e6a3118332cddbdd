// The resolver of vehicle files over the file system.

import { readdirSync, readFileSync } from "node:fs";
import { type FileResolver, resolverOver } from "../../actors/vehicle-file/index.ts";

export function filesFromDisk(): FileResolver {
  return resolverOver(
    (file) => {
      try {
        return readFileSync(file);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
        throw error;
      }
    },
    (folder) => {
      try {
        return readdirSync(folder === "" ? "." : folder);
      } catch {
        return [];
      }
    },
  );
}
