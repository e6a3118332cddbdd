// A user's module, to be read for what it exports.
//
// L1. It is loaded within its time, or the command says that it was not: one that waits for ever holds up nobody.
// L2. One that ends the process while it is loaded does not make the command succeed.

import { existsSync, writeSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { DroverError, settledWithin, systemClock } from "../../runtime/index.ts";
import { CommandFailure, EXIT } from "../terminal/index.ts";

const LOAD_WITHIN_MS = 10_000;
const STDERR = 2;

/** @param otherwise what may be named beside a file @param withinMs default 10 s @throws DROVER_FILE_UNREADABLE for no such file */
export async function loadModule(file: string, otherwise?: string, withinMs = LOAD_WITHIN_MS): Promise<Readonly<Record<string, unknown>>> {
  const path = resolve(file);
  if (!existsSync(path)) throw new DroverError("DROVER_FILE_UNREADABLE", `cannot open ${file}: there is no such file${otherwise === undefined ? "" : `; ${otherwise}`}`);
  const ended = (): void => {
    process.exitCode = EXIT.invalid;
    writeSync(STDERR, `${file} ended this process while it was loaded\n`);
  };
  process.once("exit", ended);
  try {
    const loaded = await settledWithin(import(pathToFileURL(path).href) as Promise<Record<string, unknown>>, systemClock, withinMs, undefined);
    if (loaded === undefined) throw new Error(`it was not loaded within ${String(withinMs)} ms: an await at its top level does not end`);
    return loaded;
  } catch (error) {
    throw notLoadable(file, error);
  } finally {
    process.off("exit", ended);
  }
}

function notLoadable(file: string, cause: unknown): CommandFailure {
  return new CommandFailure(
    {
      code: "module-not-loadable",
      title: "The module cannot be loaded.",
      detail: `${file}: ${cause instanceof Error ? cause.message : String(cause)}`,
      advice: "Give JavaScript that this Node can import, and that does nothing but export; TypeScript is compiled first.",
      exit: EXIT.invalid,
    },
    { cause },
  );
}
