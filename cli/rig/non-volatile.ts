// The modules' flash: small integers that outlive power loss, in memory or in one JSON file that outlives the process.

import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

export interface NonVolatile {
  of(module: string): { get(key: string): number | undefined; set(key: string, value: number): void };
}

/** @param onChange called after every write with all there is */
export function memoryNonVolatile(initial: ReadonlyMap<string, number> = new Map(), onChange: (all: ReadonlyMap<string, number>) => void = () => undefined): NonVolatile {
  const cells = new Map(initial);
  return {
    of: (module) => ({
      get: (key) => cells.get(`${module}/${key}`),
      set: (key, value) => {
        cells.set(`${module}/${key}`, value);
        onChange(cells);
      },
    }),
  };
}

/** A file that is missing or damaged counts as erased flash, as on a new part. */
export function fileNonVolatile(file: string): NonVolatile {
  return memoryNonVolatile(load(file), (all) => {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(`${file}.new`, JSON.stringify(Object.fromEntries(all)));
    renameSync(`${file}.new`, file);
  });
}

function load(file: string): Map<string, number> {
  try {
    const stored: unknown = JSON.parse(readFileSync(file, "utf8"));
    if (typeof stored !== "object" || stored === null) return new Map();
    return new Map(Object.entries(stored).filter((entry): entry is [string, number] => typeof entry[1] === "number"));
  } catch {
    return new Map();
  }
}
