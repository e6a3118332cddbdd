// The log port over pino. A file is bounded: when it is full it becomes `.1`, and what stood there is gone.

import { closeSync, mkdirSync, openSync, renameSync, statSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import type { Writable } from "node:stream";
import pino from "pino";
import { systemClock } from "../../runtime/host/index.ts";
import type { Log } from "../../runtime/ports/index.ts";

export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface OpenLog {
  readonly log: Log;
  /** Lines told later are lost. */
  readonly close: () => void;
}

const MAX_FILE_BYTES = 8 * 1_048_576;
/** pino's number of "warn". */
const LOST_LEVEL = pino.levels.values["warn"] ?? 40;

export function isLogLevel(text: string): text is LogLevel {
  return (LOG_LEVELS as readonly string[]).includes(text);
}

export function streamLog(stream: Writable, level: LogLevel): OpenLog {
  return { log: pino({ level, base: null }, { write: (line: string) => void stream.write(line) }), close: () => undefined };
}

/**
 * Appends to `path`; its folder is made. A line is written when it is told or it is lost: a full disk neither ends, nor holds up, nor fills the memory of what is
 * logged about, and the first line that fits again says how many are missing.
 */
export function fileLog(path: string, level: LogLevel, maxBytes = MAX_FILE_BYTES): OpenLog {
  mkdirSync(dirname(path), { recursive: true });
  let bytes = sizeOf(path);
  if (bytes >= maxBytes) bytes = setAside(path);
  let file: number | undefined = openSync(path, "a");
  let lost = 0;
  /** The last line went out in part. */
  let torn = false;
  const append = (line: string): boolean => {
    const data = Buffer.from(torn ? `\n${line}` : line);
    const written = appended(file, data);
    bytes += written;
    if (written > 0) torn = written < data.length;
    return written === data.length;
  };
  const write = (line: string): void => {
    if (lost > 0 && append(lostLine(lost))) lost = 0;
    if (lost > 0 || !append(line)) lost += 1;
    if (bytes < maxBytes) return;
    bytes = setAside(path);
    const next = reopened(path);
    if (file === undefined || next === undefined) return;
    closeSync(file);
    file = next;
  };
  return {
    log: pino({ level, base: null }, { write }),
    close: () => {
      if (file !== undefined) closeSync(file);
      file = undefined;
    },
  };
}

/** Bytes of `data` that the file took. */
function appended(file: number | undefined, data: Buffer): number {
  if (file === undefined) return 0;
  try {
    return writeSync(file, data);
  } catch {
    return 0;
  }
}

function lostLine(count: number): string {
  return `${JSON.stringify({ level: LOST_LEVEL, time: systemClock.now(), msg: "lines before this one are missing: the file took none", lines: count })}\n`;
}

/** Nothing when it cannot be opened: lines go on into the old one until the next time. */
function reopened(path: string): number | undefined {
  try {
    return openSync(path, "a");
  } catch {
    return undefined;
  }
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
