// The log port over pino. A file is bounded: when it is full it becomes `.1`, and what stood there is gone.

import { mkdirSync, renameSync, statSync } from "node:fs";
import { dirname } from "node:path";
import type { Writable } from "node:stream";
import pino from "pino";
import type { Log } from "../../runtime/ports/index.ts";

export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface OpenLog {
  readonly log: Log;
  /** Hands over what is buffered. */
  close(): void;
}

const MAX_FILE_BYTES = 8 * 1_048_576;

export function isLogLevel(text: string): text is LogLevel {
  return (LOG_LEVELS as readonly string[]).includes(text);
}

export function streamLog(stream: Writable, level: LogLevel): OpenLog {
  return { log: pino({ level, base: null }, { write: (line: string) => void stream.write(line) }), close: () => undefined };
}

/** Appends to `path`; its folder is made. */
export function fileLog(path: string, level: LogLevel, maxBytes = MAX_FILE_BYTES): OpenLog {
  mkdirSync(dirname(path), { recursive: true });
  let bytes = sizeOf(path);
  if (bytes >= maxBytes) bytes = setAside(path);
  const file = pino.destination({ dest: path, sync: true, append: true });
  // A full disk must not end what is logged about.
  file.on("error", () => undefined);
  const write = (line: string): void => {
    file.write(line);
    bytes += Buffer.byteLength(line);
    if (bytes < maxBytes) return;
    bytes = setAside(path);
    file.reopen();
  };
  return {
    log: pino({ level, base: null }, { write }),
    close: () => {
      file.flushSync();
      file.end();
    },
  };
}

function setAside(path: string): 0 {
  try {
    renameSync(path, `${path}.1`);
  } catch {
    // It goes on growing until the next time; a log is not worth a failure.
  }
  return 0;
}

function sizeOf(path: string): number {
  try {
    return statSync(path).size;
  } catch {
    return 0;
  }
}
