// The body of `drover can decode`: a recording and a DBC in, one JSON object per decoded frame out, words and counts on the other stream.

import type { Writable } from "node:stream";

import {
  type Columns,
  copySlot,
  createColumns,
  createDecoder,
  createFrameBatch,
  type Database,
  type Decoder,
  formatPosition,
  type FrameBatch,
  type MatchRule,
  parseDbc,
  SLOT_BYTES,
  widestMessage,
} from "../../protocols/can/index.ts";
import { type LogReader, noFrameOf, openLog, READ_FORMATS, readLogStream } from "../../protocols/can-log/index.ts";
import { readNamedFile, readNamedStream } from "../../runtime/host/index.ts";
import { DroverError, errorCatalogue } from "../../runtime/ports/index.ts";
import { type LineWriter, lineWriter } from "./decoded-line.ts";
import { EXIT } from "../terminal/index.ts";
import { layOverlayFile } from "./overlay-file.ts";
import { type LineOutput, lineOutput } from "./output.ts";

export interface CanDecodeOptions {
  /** DBC file; it, the recording and the overlay may be pipes. */
  readonly dbc: string;
  /** Recording in any format that is read, plain or gzipped, or `-` or /dev/stdin for `input`. */
  readonly log: string;
  /** Default `exact`. */
  readonly match?: MatchRule;
  /** Only frames of these buses; default all. A recording without names of interfaces (PEAK TRC 1.0, 1.1) has one bus: it has the name of the one that is asked for, else can0. */
  readonly buses?: readonly string[];
  /** Overlay file (YAML) laid over the DBC. */
  readonly overlay?: string;
  /** Refuse the DBC at its first error. Default false. */
  readonly strict?: boolean;
  /** Failures are thrown, for whoever tells them to a program. Default false: told in words. */
  readonly throws?: boolean;
  /** Standard input. */
  readonly input?: NodeJS.ReadableStream & { destroy(error?: Error): unknown };
  /** Ends the reading; what came by then is still written. */
  readonly interrupt?: AbortSignal;
}

const BATCH_FRAMES = 1_024;
const MAX_DIAGNOSTICS_SHOWN = 5;

/** Returns the exit code (design section 10). Throws for what files hold only where it is asked to. */
export async function runCanDecode(options: CanDecodeOptions, out: Writable, err: Writable): Promise<number> {
  const say = (text: string): void => {
    err.write(`drover can decode: ${text}\n`);
  };
  try {
    const database = await readDatabase(options, say);
    const reader = await openRecording(options);
    const output = lineOutput(out);
    try {
      return await decodeAll(createDecoder(database, { match: options.match ?? "exact", output: "raw" }), reader, options, output, say);
    } finally {
      output.release();
      await reader.close();
    }
  } catch (error) {
    if (options.interrupt?.aborted === true) return EXIT.interrupted;
    if (!(error instanceof DroverError) || options.throws === true) throw error;
    say(`${error.message}. ${errorCatalogue[error.code].advice}`);
    return errorCatalogue[error.code].exit;
  }
}

/** One bus that is asked for is the name of what a recording without names has. */
async function openRecording({ log, input, buses, interrupt }: CanDecodeOptions): Promise<LogReader> {
  const how = { ...(buses?.length === 1 && buses[0] !== undefined ? { busName: buses[0] } : {}), ...(interrupt === undefined ? {} : { signal: interrupt }) };
  return isInput(log) && input !== undefined ? await readLogStream(input, "standard input", how) : await openLog(log, { ...how, orPipe: true });
}

async function readDatabase(options: CanDecodeOptions, say: (text: string) => void): Promise<Database> {
  const { dbc, overlay, strict } = options;
  const database = parseDbc(await bytesOf(dbc, "a DBC", options), { file: dbc, strict: strict ?? false });
  tellDiagnostics(database, dbc, say);
  return overlay === undefined ? database : layOverlayFile(database, new TextDecoder().decode(await bytesOf(overlay, "an overlay in YAML", options)), overlay);
}

async function bytesOf(path: string, expected: string, { input, interrupt }: CanDecodeOptions): Promise<Uint8Array> {
  return path !== "-" && isInput(path) && input !== undefined ? await readNamedStream(input, path, expected, interrupt) : await readNamedFile(path, expected, interrupt);
}

/** Opened by its name, standard input could not be read where it is a socket. */
function isInput(path: string): boolean {
  return path === "-" || path === "/dev/stdin";
}

/** The first errors, the first warnings, and how many there are. */
function tellDiagnostics({ diagnostics, suppressedDiagnostics }: Database, file: string, say: (text: string) => void): void {
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  const warnings = diagnostics.filter(({ severity }) => severity === "warning");
  for (const some of [errors, warnings])
    for (const { severity, position, message } of some.slice(0, MAX_DIAGNOSTICS_SHOWN)) say(`${formatPosition(position)}: ${severity === "error" ? "" : "warning: "}${message}`);
  const more = suppressedDiagnostics === 0 ? "" : ` and ${String(suppressedDiagnostics)} more`;
  if (diagnostics.length > 0)
    say(`${file}: ${String(errors.length)} errors, ${String(warnings.length)} warnings${more}; the first ${String(MAX_DIAGNOSTICS_SHOWN)} of each are shown`);
}

async function decodeAll(decoder: Decoder, reader: LogReader, options: CanDecodeOptions, output: LineOutput, say: (text: string) => void): Promise<number> {
  const wanted = options.buses === undefined || options.buses.length === 0 ? undefined : new Set(options.buses);
  const batch = createFrameBatch(BATCH_FRAMES);
  const columns = createColumns(BATCH_FRAMES, Math.max(widestMessage(decoder.database), BATCH_FRAMES * 8));
  const writers: (LineWriter | undefined)[] = decoder.database.messages.map(() => undefined);
  let matched = 0;
  // What came is shown before more is waited for.
  while ((await reader.fill(batch, "pause")) > 0) {
    if (wanted !== undefined) keepBuses(batch, reader.buses, wanted);
    for (let slot = 0; slot < batch.count; ) {
      columns.rows = 0;
      columns.cells = 0;
      slot = decoder.decodeColumns(batch, columns, slot);
      matched += columns.rows;
      for (let row = 0; row < columns.rows; row++) output.add(line(decoder, writers, batch, columns, row, reader.buses));
      await output.flush();
      if (!output.open) return 0;
    }
    batch.count = 0;
  }
  return output.open ? conclude(reader, options, matched, say) : 0;
}

function line(decoder: Decoder, writers: (LineWriter | undefined)[], batch: FrameBatch, columns: Columns, row: number, buses: readonly string[]): string {
  const index = columns.messageOf[row] ?? 0;
  const slot = columns.slotOf[row] ?? 0;
  const message = decoder.database.messages[index];
  if (message === undefined) return "";
  const writer = (writers[index] ??= lineWriter(message));
  const head = { line: batch.lines[slot] ?? 0, timeS: batch.timesS[slot] ?? 0, bus: buses[batch.buses[slot] ?? 0] ?? "" };
  return writer.write(head, columns.values, columns.cellOf[row] ?? 0, columns.partial[row] === 1 ? columns.present : undefined, batch.data, slot * SLOT_BYTES);
}

/** Leaves only the frames of these buses in the batch. */
function keepBuses(batch: FrameBatch, buses: readonly string[], wanted: ReadonlySet<string>): void {
  const keeps = buses.map((name) => wanted.has(name));
  const { count } = batch;
  batch.count = 0;
  for (let slot = 0; slot < count; slot++) if (keeps[batch.buses[slot] ?? 0] === true) copySlot(batch, slot, batch);
}

function conclude(reader: LogReader, options: CanDecodeOptions, matched: number, say: (text: string) => void): number {
  const { summary } = reader;
  for (const { line: number, problem, text } of summary.problems) say(`${reader.name}:${String(number)}: ${problem}: ${text}`);
  if (summary.unreadable > summary.problems.length) say(`${reader.name}: ${String(summary.unreadable - summary.problems.length)} more lines cannot be read`);
  for (const bus of options.buses ?? []) if (!reader.buses.includes(bus)) say(noFrameOf(bus, reader.buses));
  say(`${String(summary.lines)} lines, ${String(summary.frames)} frames, ${String(matched)} decoded, ${String(summary.unreadable)} lines not readable`);
  if (summary.cutShort !== undefined) say(`${reader.name} ends early: ${summary.cutShort}`);
  if (summary.frames === 0 && summary.unreadable > 0) {
    say(`${reader.name}: no ${reader.unit} is a frame of ${READ_FORMATS}`);
    return EXIT.invalid;
  }
  if (summary.cutShort !== undefined) return EXIT.partial;
  return options.interrupt?.aborted === true ? EXIT.interrupted : EXIT.ok;
}
