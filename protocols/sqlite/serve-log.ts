// The calls of the log's facade, carried out on its file.

import { readFileSync } from "node:fs";
import type { LogEntry, LogTotals } from "../../runtime/ports/index.ts";
import { LogFile, type LogLosses, type LogSettings } from "./log-file.ts";
import type { Contents, OpenFile } from "./open-file.ts";
import type { Service } from "./service.ts";

/** Calls of the log's facade with their arguments. */
export interface LogCalls {
  readonly append: { readonly batch: readonly LogEntry[]; readonly unwritten: LogLosses };
  readonly read: { readonly afterSeq: number; readonly limit: number };
  readonly acknowledgeStep: number;
  readonly totals: undefined;
}

export interface Appended {
  readonly first: number;
  readonly totals: LogTotals;
}

export interface Forgotten {
  readonly more: boolean;
  readonly totals: LogTotals;
}

export interface ServeLogSettings {
  readonly maxBytes: number;
  readonly freshIncarnation: string;
  /** Default: what the operating system says, where it does. */
  readonly boot?: string;
}

export const logContents: Contents = {
  check: "quick_check",
  table: "entries",
  newest: { table: "entries", column: "sum" },
  problem: () => undefined,
  era: undefined,
  isMarked: undefined,
  migrated: () => undefined,
};

export function serveLog(file: OpenFile, given: unknown): Service {
  const settings = given as ServeLogSettings;
  const full: LogSettings = { maxBytes: settings.maxBytes, freshIncarnation: settings.freshIncarnation, boot: settings.boot ?? bootId() };
  const log = new LogFile(file.database, full, file.unclean);
  const calls: { readonly [Call in keyof LogCalls]: (argument: LogCalls[Call]) => unknown } = {
    append: ({ batch, unwritten }): Appended => ({ first: log.append(batch, unwritten), totals: log.totals() }),
    read: ({ afterSeq, limit }) => log.read(afterSeq, limit),
    acknowledgeStep: (upToSeq): Forgotten => ({ more: log.acknowledgeStep(upToSeq), totals: log.totals() }),
    totals: () => log.totals(),
  };
  return {
    opened: { incarnation: log.incarnation, totals: log.totals() },
    handle: (call, argument) => ({ value: (calls as Record<string, (argument: unknown) => unknown>)[call]?.(argument) }),
  };
}

/** Changes with every start of the machine. Empty where the operating system does not say. */
function bootId(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    return "";
  }
}
