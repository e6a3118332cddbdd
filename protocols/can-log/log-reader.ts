// A recording, read forward in batches: plain or gzipped, in any format of log-format.ts, told by content and not by name. One chunk of the file and one record are held, whatever its size.
//
// L1. A record that cannot be read is counted and named; the rest goes on.
// L2. Where the recording is damaged or breaks off, all whole records before that are read; the one that it cuts is not, and the summary says so.
// L3. Nothing is read ahead of `fill` but what the stream itself buffers.
// L4. The format is judged by as much of the beginning as it takes, however small the pieces are in which it comes.

import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";

import type { FrameBatch } from "../can/index.ts";
import { openNamedStream, requirePlainFile } from "../../runtime/host/index.ts";
import { DroverError } from "../../runtime/ports/index.ts";
import { gunzipped, isGzip } from "./gunzipped.ts";
import { type ByteStream, chunksOf } from "./stream-chunks.ts";
import { recordsOf, tellsFormat, withoutMark } from "./log-format.ts";
import { type LogFormat, type RecordProblem, type RecordReader, RecordTally } from "./record-format.ts";

const CHUNK_BYTES = 256 * 1024;
const NO_BYTES = new Uint8Array(0);

export interface LogSummary {
  /** Lines (of a binary format: records) seen so far. */
  readonly lines: number;
  readonly frames: number;
  /** Those that cannot be read. */
  readonly unreadable: number;
  /** The first 10 of them. */
  readonly problems: readonly RecordProblem[];
  /** Why the recording ended before its end (damaged compression, failing disk, a record that breaks off), or undefined. */
  readonly cutShort: string | undefined;
}

export interface LogReader {
  readonly name: string;
  readonly format: LogFormat;
  /** What the summary counts, and what places its problems. */
  readonly unit: RecordReader["unit"];
  /** By the index in `FrameBatch.buses`; grows as names are seen. */
  readonly buses: readonly string[];
  /** False where the format has no names of interfaces: all frames are then of one bus, named as asked for. */
  readonly namesBuses: boolean;
  readonly summary: LogSummary;
  /**
   * Appends frames. Returns how many; 0 only at the end (or with a full batch).
   * @param until `full` (default): until the batch is full or the recording ends. `pause`: until, besides, it has frames and what came of the stream is read.
   */
  fill(batch: FrameBatch, until?: "full" | "pause"): Promise<number>;
  close(): Promise<void>;
}

export interface LogOptions {
  /** Bus name of a recording that has none (PEAK TRC 1.0, 1.1). Default "can0". */
  readonly busName?: string;
  /** A pipe or a character device may stand for the file, as a person may name one; it is waited for until `signal`. Default false. */
  readonly orPipe?: boolean;
  /** Ends the reading: frames of what came by then are still given, a record that it breaks off is not. */
  readonly signal?: AbortSignal;
}

/** @throws DROVER_FILE_UNREADABLE, DROVER_CAN_LOG_INVALID (a format that is not read) */
export async function openLog(path: string, options: LogOptions = {}): Promise<LogReader> {
  if (options.orPipe !== true) await requireReadable(path);
  return await readLogStream(options.orPipe === true ? openNamedStream(path, "a recording", CHUNK_BYTES) : createReadStream(path, { highWaterMark: CHUNK_BYTES }), path, options);
}

/** @param stream bytes of a recording, e.g. standard input; destroyed by `close` @throws DROVER_CAN_LOG_INVALID */
export async function readLogStream(stream: ByteStream, name: string, options: LogOptions = {}): Promise<LogReader> {
  const reader = new StreamLogReader(stream, name, options);
  try {
    await reader.open();
  } catch (error) {
    await reader.close();
    throw error;
  }
  return reader;
}

async function requireReadable(path: string): Promise<void> {
  try {
    requirePlainFile(path, "a recording");
    await (await open(path, "r")).close();
  } catch (error) {
    if (error instanceof DroverError) throw error;
    throw new DroverError("DROVER_FILE_UNREADABLE", `cannot open ${path}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

class StreamLogReader implements LogReader {
  readonly name: string;
  readonly buses: string[] = [];
  readonly #source: ByteStream;
  readonly #busName: string;
  readonly #signal: AbortSignal | undefined;
  #chunks: AsyncIterator<Uint8Array> | undefined;
  readonly #tally = new RecordTally();
  #records: RecordReader | undefined;
  #chunk: Uint8Array = NO_BYTES;
  #at = 0;
  /** All bytes have come. */
  #isOver = false;
  /** All frames have been given. */
  #ended = false;
  #frames = 0;
  #cutShort: string | undefined;

  constructor(source: ByteStream, name: string, options: LogOptions) {
    this.#source = source;
    this.name = name;
    this.#busName = options.busName ?? "can0";
    this.#signal = options.signal;
  }

  get format(): LogFormat {
    return this.#records?.format ?? "candump";
  }

  get unit(): RecordReader["unit"] {
    return this.#records?.unit ?? "line";
  }

  get namesBuses(): boolean {
    return this.#records?.namesBuses ?? true;
  }

  get summary(): LogSummary {
    const { records, unreadable, problems } = this.#tally;
    return { lines: records, frames: this.#frames, unreadable, problems: [...problems], cutShort: this.#cutShort };
  }

  async open(): Promise<void> {
    this.#chunks = chunksOf(this.#source, this.#signal);
    await this.#gather((head) => head.length >= 2);
    if (isGzip(this.#chunk)) {
      this.#chunks = gunzipped(this.#chunk, this.#chunks);
      this.#chunk = NO_BYTES;
    }
    await this.#gather(tellsFormat);
    const head = withoutMark(this.#chunk);
    this.#at = this.#chunk.length - head.length;
    this.#records = recordsOf(head, this.name, { buses: this.buses, busName: this.#busName, tally: this.#tally });
  }

  async fill(batch: FrameBatch, until: "full" | "pause" = "full"): Promise<number> {
    const before = batch.count;
    while (batch.count < batch.capacity && !this.#ended) {
      if (this.#records !== undefined) this.#at = this.#records.read(this.#chunk, this.#at, batch);
      if (batch.count === batch.capacity) break;
      if (this.#isOver) {
        this.#ended = true;
        break;
      }
      if (until === "pause" && batch.count > before) break;
      await this.#nextChunk(batch);
    }
    const count = batch.count - before;
    this.#frames += count;
    return count;
  }

  async close(): Promise<void> {
    this.#ended = true;
    this.#chunk = NO_BYTES;
    this.#source.destroy();
    await this.#chunks?.return?.().catch(() => undefined);
  }

  /** Reads on until the first chunk is enough, or all. */
  async #gather(isEnough: (head: Uint8Array) => boolean): Promise<void> {
    while (!isEnough(this.#chunk)) {
      const next = this.#chunks === undefined ? undefined : await this.#pull(this.#chunks);
      if (next === undefined) return;
      this.#chunk = this.#chunk.length === 0 ? next : Buffer.concat([this.#chunk, next]);
    }
  }

  async #nextChunk(batch: FrameBatch): Promise<void> {
    const next = this.#chunks === undefined ? undefined : await this.#pull(this.#chunks);
    if (next !== undefined) {
      this.#chunk = this.#at === this.#chunk.length ? next : Buffer.concat([this.#chunk.subarray(this.#at), next]);
      this.#at = 0;
      return;
    }
    if (this.#ended) return;
    this.#isOver = true;
    // Where the recording was cut short, its last record was too: what is left of it says something else, or nothing.
    if (this.#cutShort === undefined && this.#signal?.aborted !== true) this.#cutShort = this.#records?.end(this.#chunk.subarray(this.#at), batch);
    this.#chunk = NO_BYTES;
    this.#at = 0;
  }

  async #pull(chunks: AsyncIterator<Uint8Array>): Promise<Uint8Array | undefined> {
    try {
      for (;;) {
        const next = await chunks.next();
        if (next.done === true) return undefined;
        if (next.value.length > 0) return next.value;
      }
    } catch (error) {
      if (!this.#ended && this.#signal?.aborted !== true) this.#cutShort = error instanceof Error ? error.message : String(error);
      return undefined;
    }
  }
}
