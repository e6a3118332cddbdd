// What every verb does that goes over a recording: opens it, chooses buses, and says at the end what could not be read, with the exit code that follows.

import type { Writable } from "node:stream";

import { copySlot, type FrameBatch } from "../../protocols/can/index.ts";
import { type LogReader, noFrameOf, openLog, READ_FORMATS, readLogStream } from "../../protocols/can-log/index.ts";
import { DroverError, errorCatalogue } from "../../runtime/ports/index.ts";
import { EXIT, type ExitCode } from "../terminal/index.ts";

export interface RecordingOptions {
  /** Recording in any format that is read, plain or gzipped, or `-` or /dev/stdin for `input`. It may be a pipe. */
  readonly log: string;
  /** Only frames of these buses; default all. A recording without names of interfaces (PEAK TRC 1.0, 1.1) has one bus: it has the name of the one that is asked for, else can0. */
  readonly buses?: readonly string[];
  /** Failures are thrown, for whoever tells them to a program. Default false: told in words. */
  readonly throws?: boolean;
  /** Standard input. */
  readonly input?: NodeJS.ReadableStream & { destroy(error?: Error): unknown };
  /** Ends the reading; what came by then is still written. */
  readonly interrupt?: AbortSignal;
}

export type Say = (text: string) => void;

/** Runs `body` and tells what it throws, unless `options` ask for that to be thrown. Returns the exit code (design section 10). */
export async function overRecording(verb: string, options: RecordingOptions, err: Writable, body: (say: Say) => Promise<number>): Promise<number> {
  const say = (text: string): void => {
    err.write(`${verb}: ${text}\n`);
  };
  try {
    return await body(say);
  } catch (error) {
    if (options.interrupt?.aborted === true) return EXIT.interrupted;
    if (!(error instanceof DroverError) || options.throws === true) throw error;
    say(`${error.message}. ${errorCatalogue[error.code].advice}`);
    return errorCatalogue[error.code].exit;
  }
}

/** One bus that is asked for is the name of what a recording without names has. */
export async function openRecording({ log, input, buses, interrupt }: RecordingOptions): Promise<LogReader> {
  const how = { ...(buses?.length === 1 && buses[0] !== undefined ? { busName: buses[0] } : {}), ...(interrupt === undefined ? {} : { signal: interrupt }) };
  return isInput(log) && input !== undefined ? await readLogStream(input, "standard input", how) : await openLog(log, { ...how, orPipe: true });
}

/** Opened by its name, standard input could not be read where it is a socket. */
export function isInput(path: string): boolean {
  return path === "-" || path === "/dev/stdin";
}

/** Leaves only the frames of the buses that are asked for in a batch. */
export function busFilter({ buses: asked }: RecordingOptions): (batch: FrameBatch, buses: readonly string[]) => void {
  if (asked === undefined || asked.length === 0) return () => undefined;
  const wanted = new Set(asked);
  return (batch, buses) => {
    const keeps = buses.map((name) => wanted.has(name));
    const { count } = batch;
    batch.count = 0;
    for (let slot = 0; slot < count; slot++) if (keeps[batch.buses[slot] ?? 0] === true) copySlot(batch, slot, batch);
  };
}

/** Says what could not be read and how much was. @param done such as `12 decoded` */
export function conclude(reader: LogReader, options: RecordingOptions, done: string, say: Say): ExitCode {
  const { summary, unit } = reader;
  for (const { line: number, problem, text } of summary.problems) say(`${reader.name}:${String(number)}: ${problem}: ${text}`);
  if (summary.unreadable > summary.problems.length) say(`${reader.name}: ${String(summary.unreadable - summary.problems.length)} more ${unit}s cannot be read`);
  for (const bus of options.buses ?? []) if (!reader.buses.includes(bus)) say(noFrameOf(bus, reader.buses));
  say(`${String(summary.lines)} ${unit}s, ${String(summary.frames)} frames, ${done}, ${String(summary.unreadable)} ${unit}s not readable`);
  if (summary.cutShort !== undefined) say(`${reader.name} ends early: ${summary.cutShort}`);
  if (summary.frames === 0 && summary.unreadable > 0) {
    say(`${reader.name}: no ${unit} is a frame of ${READ_FORMATS}`);
    return EXIT.invalid;
  }
  if (summary.cutShort !== undefined) return EXIT.partial;
  return options.interrupt?.aborted === true ? EXIT.interrupted : EXIT.ok;
}
