// The body of `drover can decode`: a recording and a DBC in, one JSON object per decoded frame out, words and counts on the other stream.

import type { Writable } from "node:stream";

import {
  type Columns,
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
import type { LogReader } from "../../protocols/can-log/index.ts";
import { readNamedFile, readNamedStream } from "../../runtime/host/index.ts";
import { type LineWriter, lineWriter } from "./decoded-line.ts";
import { layOverlayFile } from "./overlay-file.ts";
import { type LineOutput, lineOutput } from "./output.ts";
import { busFilter, isInput, openRecording, overRecording, type RecordingOptions, type Say, conclude } from "./recording.ts";

export interface CanDecodeOptions extends RecordingOptions {
  /** DBC file; it and the overlay may be pipes, as the recording. */
  readonly dbc: string;
  /** Default `exact`. */
  readonly match?: MatchRule;
  /** Overlay file (YAML) laid over the DBC. */
  readonly overlay?: string;
  /** Refuse the DBC at its first error. Default false. */
  readonly strict?: boolean;
}

const BATCH_FRAMES = 1_024;
const MAX_DIAGNOSTICS_SHOWN = 5;

/** Returns the exit code (design section 10). Throws for what files hold only where it is asked to. */
export async function runCanDecode(options: CanDecodeOptions, out: Writable, err: Writable): Promise<number> {
  return await overRecording("drover can decode", options, err, async (say) => {
    const database = await readDatabase(options, say);
    const reader = await openRecording(options);
    const output = lineOutput(out);
    try {
      return await decodeAll(createDecoder(database, { match: options.match ?? "exact", output: "raw" }), reader, options, output, say);
    } finally {
      output.release();
      await reader.close();
    }
  });
}

async function readDatabase(options: CanDecodeOptions, say: Say): Promise<Database> {
  const { dbc, overlay, strict } = options;
  const database = parseDbc(await bytesOf(dbc, "a DBC", options), { file: dbc, strict: strict ?? false });
  tellDiagnostics(database, dbc, say);
  return overlay === undefined ? database : layOverlayFile(database, new TextDecoder().decode(await bytesOf(overlay, "an overlay in YAML", options)), overlay);
}

async function bytesOf(path: string, expected: string, { input, interrupt }: CanDecodeOptions): Promise<Uint8Array> {
  return path !== "-" && isInput(path) && input !== undefined ? await readNamedStream(input, path, expected, interrupt) : await readNamedFile(path, expected, interrupt);
}

/** The first errors, the first warnings, and how many there are. */
function tellDiagnostics({ diagnostics, suppressedDiagnostics }: Database, file: string, say: Say): void {
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  const warnings = diagnostics.filter(({ severity }) => severity === "warning");
  for (const some of [errors, warnings])
    for (const { severity, position, message } of some.slice(0, MAX_DIAGNOSTICS_SHOWN)) say(`${formatPosition(position)}: ${severity === "error" ? "" : "warning: "}${message}`);
  const more = suppressedDiagnostics === 0 ? "" : ` and ${String(suppressedDiagnostics)} more`;
  if (diagnostics.length > 0)
    say(`${file}: ${String(errors.length)} errors, ${String(warnings.length)} warnings${more}; the first ${String(MAX_DIAGNOSTICS_SHOWN)} of each are shown`);
}

async function decodeAll(decoder: Decoder, reader: LogReader, options: CanDecodeOptions, output: LineOutput, say: Say): Promise<number> {
  const keepWanted = busFilter(options);
  const batch = createFrameBatch(BATCH_FRAMES);
  const columns = createColumns(BATCH_FRAMES, Math.max(widestMessage(decoder.database), BATCH_FRAMES * 8));
  const writers: (LineWriter | undefined)[] = decoder.database.messages.map(() => undefined);
  let matched = 0;
  // What came is shown before more is waited for.
  while ((await reader.fill(batch, "pause")) > 0) {
    keepWanted(batch, reader.buses);
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
  return output.open ? conclude(reader, options, `${String(matched)} decoded`, say) : 0;
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
