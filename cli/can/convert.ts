// The body of `drover can convert`: a recording in, its frames in another format out, words and counts on the other stream. One batch is held, whatever the size of the recording.

import { createWriteStream, statSync } from "node:fs";
import { once } from "node:events";
import type { Writable } from "node:stream";

import { createFrameBatch } from "../../protocols/can/index.ts";
import { createCandumpWriter, type LogReader } from "../../protocols/can-log/index.ts";
import { CommandFailure, EXIT } from "../terminal/index.ts";
import { lineOutput } from "./output.ts";
import { busFilter, conclude, openRecording, overRecording, type RecordingOptions, type Say } from "./recording.ts";

export interface CanConvertOptions extends RecordingOptions {
  /** File to write to, instead of the output. It is written anew. */
  readonly file?: string;
  /** R or T behind each frame, as `candump -x` has it. Default false. */
  readonly directions?: boolean;
}

const BATCH_FRAMES = 1_024;

/** Writes `candump -L`. Returns the exit code (design section 10). @throws CommandFailure where the file cannot be written; what files hold only where it is asked to */
export async function runCanConvert(options: CanConvertOptions, out: Writable, err: Writable): Promise<number> {
  return await overRecording("drover can convert", options, err, async (say) => {
    const reader = await openRecording(options);
    try {
      if (options.file === undefined) return await convertAll(reader, options, out, say);
      return await intoFile(options.file, options.log, async (file) => await convertAll(reader, options, file, say));
    } finally {
      await reader.close();
    }
  });
}

async function convertAll(reader: LogReader, options: CanConvertOptions, out: Writable, say: Say): Promise<number> {
  const keepWanted = busFilter(options);
  const writer = createCandumpWriter({ directions: options.directions ?? false });
  const batch = createFrameBatch(BATCH_FRAMES);
  const output = lineOutput(out);
  let written = 0;
  try {
    // What came is shown before more is waited for.
    while ((await reader.fill(batch, "pause")) > 0) {
      keepWanted(batch, reader.buses);
      for (let slot = 0; slot < batch.count; slot++) output.add(writer.line(batch, slot, reader.buses));
      await output.flush();
      if (!output.open) return EXIT.ok;
      written += batch.count;
      batch.count = 0;
    }
  } finally {
    output.release();
  }
  return output.open ? conclude(reader, options, `${String(written)} written`, say) : EXIT.ok;
}

async function intoFile(path: string, log: string, write: (file: Writable) => Promise<number>): Promise<number> {
  if (isSameFile(path, log)) throw notWritten(`${path} is the recording itself`, "Name another file.");
  const file = createWriteStream(path);
  let failure: Error | undefined;
  file.on("error", (error) => (failure ??= error));
  try {
    const code = await write(file);
    if (!file.destroyed) {
      file.end();
      await once(file, "close");
    }
    if (failure === undefined) return code;
  } catch (error) {
    if (failure === undefined) throw error;
  } finally {
    file.destroy();
  }
  throw notWritten(`${path}: ${failure.message}`, "Mend where it goes, and run this again.");
}

function isSameFile(path: string, log: string): boolean {
  const [written, read] = [path, log].map((name) => statSync(name, { throwIfNoEntry: false }));
  return written?.isFile() === true && written.ino === read?.ino && written.dev === read.dev;
}

function notWritten(detail: string, advice: string): CommandFailure {
  return new CommandFailure({ code: "output-not-written", title: "The output could not be written.", detail, advice, exit: EXIT.failure });
}
