// The calls of the log's facade, carried out on its file.

import { readFileSync } from "node:fs";
import type { LogEntry, LogTotals } from "../../runtime/ports/index.ts";
import { LogFile, type LogLosses, type LogSettings } from "./log-file.ts";
import type { Contents, OpenFile } from "./open-file.ts";
import type { Handled, Service } from "./service.ts";

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

/** What a change writes beside the bytes of its entries, about: two pages. */
const CHANGE_BYTES = 2048;

export function serveLog(file: OpenFile, given: unknown): Service {
  const settings = given as ServeLogSettings;
  const full: LogSettings = { maxBytes: settings.maxBytes, freshIncarnation: settings.freshIncarnation, boot: settings.boot ?? bootId() };
  const log = new LogFile(file.database, full, file.unclean);
  const written = (bytes: number) => (): void => void file.written(bytes);
  const calls: { readonly [Call in keyof LogCalls]: (argument: LogCalls[Call]) => Handled } = {
    append: ({ batch, unwritten }) => ({
      value: { first: log.append(batch, unwritten), totals: log.totals() } satisfies Appended,
      afterwards: written(batch.reduce((sum, { bytes }) => sum + bytes.byteLength, CHANGE_BYTES)),
    }),
    read: ({ afterSeq, limit }) => ({ value: log.read(afterSeq, limit) }),
    acknowledgeStep: (upToSeq) => ({ value: { more: log.acknowledgeStep(upToSeq), totals: log.totals() } satisfies Forgotten, afterwards: written(CHANGE_BYTES) }),
    totals: () => ({ value: log.totals() }),
  };
  return {
    opened: { incarnation: log.incarnation, totals: log.totals() },
    handle: (call, argument) => (calls as Record<string, (argument: unknown) => Handled>)[call]?.(argument) ?? { value: undefined },
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
