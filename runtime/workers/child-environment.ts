// What a thread or process gets from the one that starts it.

import { extname } from "node:path";

export interface ChildLimits {
  /** Added to what is inherited. `DROVER_*` is never inherited: configuration reaches a child by name only. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Bound of its JavaScript heap, MB; default V8's own. */
  readonly maxHeapMb?: number | undefined;
}

export function childEnvironment(added: Readonly<Record<string, string>> | undefined): Record<string, string> {
  const inherited = Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined && !entry[0].startsWith("DROVER_"));
  return { ...Object.fromEntries(inherited), ...added };
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
  return maxHeapMb === undefined ? flags : [...flags, `--max-old-space-size=${String(maxHeapMb)}`];
}

/** The file that runs on the far side; beside this one and of its kind, `.js` when built, `.ts` where Node reads that. */
export function hostFile(name: "thread-host" | "process-host" | "orphan-guard"): URL {
  return new URL(`./${name}${extname(import.meta.url)}`, import.meta.url);
}
