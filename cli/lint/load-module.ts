// A user's module, to be read for what it exports.

import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { DroverError } from "../../runtime/index.ts";
import { CommandFailure, EXIT } from "../terminal/index.ts";

/** @param otherwise what may be named beside a file @throws DROVER_FILE_UNREADABLE for no such file */
export async function loadModule(file: string, otherwise?: string): Promise<Readonly<Record<string, unknown>>> {
  const path = resolve(file);
  if (!existsSync(path)) throw new DroverError("DROVER_FILE_UNREADABLE", `cannot open ${file}: there is no such file${otherwise === undefined ? "" : `; ${otherwise}`}`);
  try {
    return (await import(pathToFileURL(path).href)) as Record<string, unknown>;
  } catch (error) {
    throw new CommandFailure(
      {
        code: "module-not-loadable",
        title: "The module cannot be loaded.",
        detail: `${file}: ${error instanceof Error ? error.message : String(error)}`,
        advice: "Give JavaScript that this Node can import; TypeScript is compiled first.",
        exit: EXIT.invalid,
      },
      { cause: error },
    );
  }
}
