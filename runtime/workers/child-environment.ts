// What a thread or process gets from the one that starts it.

import { extname } from "node:path";

/** Of a heap's bound, one of the semi-spaces at most. */
const SEMI_SPACE_SHARE = 32;

export interface ChildLimits {
  /** Added to what is inherited. `DROVER_*` is never inherited: configuration reaches a child by name only. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Names that are inherited; default all. */
  readonly inherit?: readonly string[] | undefined;
  /**
   * Bound of its JavaScript heap, MB, > 0; default 256 for a thread, V8's own for a process. In a thread it is that of all threads that it begins, too, and is looked at several times a second: what takes gigabytes in between,
   * or in one operation, ends this process too, and buffers do not count. Memory that you do not trust belongs in a process, with `memoryMb`.
   */
  readonly maxHeapMb?: number | undefined;
  /** For a process: where it runs; default where this one does. */
  readonly cwd?: string | undefined;
  /** For a process: of it and all that it starts, MB of RAM, > 0; default none. */
  readonly memoryMb?: number | undefined;
  /** For a process: -20 to 19; below 0 needs the right to. Default: that of this process. */
  readonly niceness?: number | undefined;
}

export function childEnvironment({ inherit, env }: Pick<ChildLimits, "inherit" | "env">): Record<string, string> {
  return { ...inheritedEnvironment(inherit), ...env };
}

/** @param names default all */
export function inheritedEnvironment(names: readonly string[] | undefined): Record<string, string> {
  const entries = Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return Object.fromEntries(entries.filter(([name]) => !name.startsWith("DROVER_") && (names === undefined || names.includes(name))));
}

/** The flags of this process, without those that name its own program text or its own debugger port. */
export function childFlags(maxHeapMb: number | undefined): string[] {
  const flags: string[] = [];
  let skip = false;
  for (const flag of process.execArgv) {
    if (skip) skip = false;
    else if (/^(-e|-p|-pe|--eval|--print)$/.test(flag)) skip = true;
    else if (!/^(-i|--interactive|--check|-c|--inspect.*|--test.*|--watch.*|--eval=.*|--print=.*)$/.test(flag)) flags.push(flag);
  }
  return maxHeapMb === undefined ? flags : [...flags, ...heapFlags(maxHeapMb)];
}

/** V8 takes up to three semi-spaces of 16 MB for what is new, however little the rest may have, and fills them before it collects: a small heap gets small ones. */
function heapFlags(maxHeapMb: number): readonly string[] {
  const semiSpaceMb = Math.min(16, Math.max(1, Math.floor(maxHeapMb / SEMI_SPACE_SHARE)));
  return [`--max-old-space-size=${String(maxHeapMb)}`, `--max-semi-space-size=${String(semiSpaceMb)}`];
}

/** The file that runs on the far side; beside this one and of its kind, `.js` when built, `.ts` where Node reads that. */
export function hostFile(name: "thread-host" | "thread-preload" | "process-host"): URL {
  const kind = extname(import.meta.url);
  return new URL(`./${name}${name === "thread-preload" ? kind.replace(".", ".c") : kind}`, import.meta.url);
}
