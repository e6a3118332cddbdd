// Keeps what a worker emits and logs, and lets a test wait for it. Asserts nothing.

import { readFileSync } from "node:fs";

import { systemClock } from "../../../runtime/host/index.ts";
import type { Log } from "../../../runtime/ports/index.ts";

export interface Heard<T> {
  readonly items: T[];
  readonly take: (item: T) => void;
  /** The first item, of those that came or come, that fits. The test's own timeout bounds it. */
  first(fits: (item: T) => boolean): Promise<T>;
}

export function heard<T>(): Heard<T> {
  const items: T[] = [];
  const waiting = new Set<(item: T) => void>();
  return {
    items,
    take: (item) => {
      items.push(item);
      for (const look of waiting) look(item);
    },
    first: (fits) => {
      const found = items.find(fits);
      if (found !== undefined) return Promise.resolve(found);
      return new Promise((resolve) => {
        const look = (item: T): void => {
          if (!fits(item)) return;
          waiting.delete(look);
          resolve(item);
        };
        waiting.add(look);
      });
    },
  };
}

export interface LogLine {
  readonly level: string;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string;
}

export function listeningLog(lines: Heard<LogLine>, bindings: object = {}): Log {
  const write = (level: string) => (fields: object, message: string) => {
    lines.take({ level, fields: { ...bindings, ...fields }, message });
  };
  return { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error"), child: (fields) => listeningLog(lines, { ...bindings, ...fields }) };
}

/** Resolves when no process of that id is left (a zombie counts as gone). */
export async function gone(pid: number): Promise<void> {
  for (;;) {
    try {
      process.kill(pid, 0);
      if (/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${String(pid)}/stat`, "utf8"))) return;
    } catch {
      return;
    }
    await new Promise<void>((resolve) => systemClock.setTimeout(resolve, 20));
  }
}
