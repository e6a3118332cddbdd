// A recording, read forward in batches: plain or gzipped, candump -L or PEAK TRC 1.1, told by content and not by name. One chunk of the file and one line are held, whatever its size.
//
// L1. A line that cannot be read is counted and named; the rest goes on.
// L2. Where the recording is damaged, all whole lines before the damage are read; the line that it cuts is not.
// L3. Nothing is read ahead of `fill` but what the stream itself buffers.
// L4. The format is judged by as much of the beginning as it takes, however small the pieces are in which it comes.

import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";

import type { FrameBatch } from "../can/index.ts";
import { openNamedStream, requirePlainFile } from "../../runtime/host/index.ts";
import { DroverError } from "../../runtime/ports/index.ts";
import { candumpParser } from "./candump-line.ts";
import { gunzipped, isGzip } from "./gunzipped.ts";
import { type ByteStream, chunksOf } from "./stream-chunks.ts";
import { createBusIndex, type LineParser } from "./line-parser.ts";
import { formatOf, tellsFormat, withoutMark } from "./log-format.ts";
import { trcParser } from "./trc-line.ts";

/** No line of any format is longer; longer ones are skipped without being held. */
const MAX_LINE_BYTES = 4_096;
const CHUNK_BYTES = 256 * 1024;
const MAX_PROBLEMS_KEPT = 10;
const MAX_QUOTED = 60;
const LF = 0x0a;
const CR = 0x0d;
const NO_BYTES = new Uint8Array(0);

export interface LineProblem {
  /** From 1. */
  readonly line: number;
  readonly problem: string;
  /** The beginning of the line. */
  readonly text: string;
}

export interface LogSummary {
  /** Lines seen so far. */
  readonly lines: number;
  readonly frames: number;
  /** Lines that cannot be read. */
  readonly unreadable: number;
  /** The first 10 of them. */
  readonly problems: readonly LineProblem[];
  /** Why the recording ended before its end (damaged compression, failing disk), or undefined. */
  readonly cutShort: string | undefined;
}

export interface LogReader {
  readonly name: string;
  /** Known after the first `fill`. */
  readonly format: "candump" | "trc";
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
  /** Bus name of a recording that has none (TRC). Default "can0". */
  readonly busName?: string;
  /** A pipe or a character device may stand for the file, as a person may name one; it is waited for until `signal`. Default false. */
  readonly orPipe?: boolean;
  /** Ends the reading: frames of what came by then are still given, a line that it breaks off is not. */
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
  #parser: LineParser | undefined;
  #chunk: Uint8Array = NO_BYTES;
  #at = 0;
  /** The line that the last chunk broke off. */
  #rest: Uint8Array = NO_BYTES;
  #skipsToLineEnd = false;
  #ended = false;
  #lines = 0;
  #frames = 0;
  #unreadable = 0;
  readonly #problems: LineProblem[] = [];
  #cutShort: string | undefined;

  constructor(source: ByteStream, name: string, options: LogOptions) {
    this.#source = source;
    this.name = name;
    this.#busName = options.busName ?? "can0";
    this.#signal = options.signal;
  }

  get format(): "candump" | "trc" {
    return this.#parser?.format ?? "candump";
  }

  get namesBuses(): boolean {
    return this.format !== "trc";
  }

  get summary(): LogSummary {
    return { lines: this.#lines, frames: this.#frames, unreadable: this.#unreadable, problems: [...this.#problems], cutShort: this.#cutShort };
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
    this.#parser = this.#parserFor(formatOf(head, this.name));
  }

  async fill(batch: FrameBatch, until: "full" | "pause" = "full"): Promise<number> {
    const before = batch.count;
    while (batch.count < batch.capacity && !this.#ended) {
      this.#readLines(batch);
      if (batch.count === batch.capacity || this.#at < this.#chunk.length) continue;
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
    this.#rest = NO_BYTES;
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

  /** Reads the whole lines of the chunk until the batch is full; keeps what the chunk breaks off. */
  #readLines(batch: FrameBatch): void {
    const chunk = this.#chunk;
    while (this.#at < chunk.length && batch.count < batch.capacity) {
      const end = chunk.indexOf(LF, this.#at);
      if (end < 0) {
        this.#keepRest(chunk.subarray(this.#at));
        this.#at = chunk.length;
        return;
      }
      const start = this.#at;
      this.#at = end + 1;
      if (this.#skipsToLineEnd) this.#skipsToLineEnd = false;
      else if (this.#rest.length > 0) {
        const line = Buffer.concat([this.#rest, chunk.subarray(start, end)]);
        this.#rest = NO_BYTES;
        this.#readLine(line, 0, line.length, batch);
      } else this.#readLine(chunk, start, end, batch);
    }
  }

  #keepRest(bytes: Uint8Array): void {
    if (this.#skipsToLineEnd) return;
    if (this.#rest.length + bytes.length <= MAX_LINE_BYTES) {
      this.#rest = Buffer.concat([this.#rest, bytes]);
      return;
    }
    this.#lines++;
    this.#reject("the line is longer than any frame", this.#rest.length > 0 ? this.#rest : bytes, 0, MAX_QUOTED);
    this.#rest = NO_BYTES;
    this.#skipsToLineEnd = true;
  }

  #readLine(bytes: Uint8Array, start: number, end: number, batch: FrameBatch): void {
    const line = ++this.#lines;
    const stop = end > start && bytes[end - 1] === CR ? end - 1 : end;
    if (stop - start > MAX_LINE_BYTES) {
      this.#reject("the line is longer than any frame", bytes, start, stop);
      return;
    }
    const outcome = this.#parser?.parse(bytes, start, stop, line, batch) ?? "nothing";
    if (typeof outcome !== "string") this.#reject(outcome.problem, bytes, start, stop);
  }

  #reject(problem: string, bytes: Uint8Array, start: number, end: number): void {
    this.#unreadable++;
    if (this.#problems.length >= MAX_PROBLEMS_KEPT) return;
    const text = Buffer.from(bytes.subarray(start, Math.min(end, start + MAX_QUOTED))).toString("latin1");
    this.#problems.push({ line: this.#lines, problem, text: text.replace(/[^\x20-\x7e]/g, "?") });
  }

  async #nextChunk(batch: FrameBatch): Promise<void> {
    const next = this.#chunks === undefined ? undefined : await this.#pull(this.#chunks);
    if (next !== undefined) {
      this.#chunk = next;
      this.#at = 0;
      return;
    }
    this.#ended = true;
    const last = this.#rest;
    this.#rest = NO_BYTES;
    // Where the recording was cut short, its last line was too: what is left of it says something else, or nothing.
    if (last.length > 0 && this.#cutShort === undefined && this.#signal?.aborted !== true) this.#readLine(last, 0, last.length, batch);
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

  #parserFor(format: LineParser["format"]): LineParser {
    if (format === "candump") return candumpParser(createBusIndex(this.buses));
    return trcParser(() => (this.buses.length === 0 ? this.buses.push(this.#busName) - 1 : 0));
  }
}
