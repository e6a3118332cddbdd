// What a thread or a process writes to stdout and stderr, as lines of the log: bounded in length, in rate and in what it costs us to read.
//
// N1. A line longer than the bound is cut; its entry says how many bytes are missing.
// N2. Lines over the rate are counted. The next entry that passes says how many; where none passes soon, an entry of its own does.
// N3. What is read at once is bounded, in bytes and in lines that are looked at one by one (empty ones too), and so is what is read in a second: 20 MiB, 40,000 lines.
//     Lines beyond that are counted without a look; where somebody waits for one of them, the program waits for us.
// N4. The last line needs no newline.

import type { Readable } from "node:stream";

import type { Clock, Log, TimeoutHandle } from "../ports/index.ts";
import { RateBound } from "./rate-bound.ts";

export interface LineLimits {
  /** Lines in the log, on average, > 0, default 50. */
  readonly perSecond?: number | undefined;
  /** Lines at once, > 0, default 200. */
  readonly burst?: number | undefined;
  /** Longest line, bytes, > 0, default 4,096. */
  readonly maxBytes?: number | undefined;
}

const LINE_DEFAULTS = { perSecond: 50, burst: 200, maxBytes: 4_096 } as const;

const SLICE_MS = 25;
const SLICE_BYTES = 524_288;
const SLICE_LINES = 1_000;
const TELL_SUPPRESSED_MS = 1_000;
const NEWLINE = 10;

/** One stream, byte by byte as it comes. */
export class LineLog {
  readonly #name: "stdout" | "stderr";
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #maxBytes: number;
  readonly #bound: RateBound;
  #shown: ((line: string) => boolean) | undefined;
  #kept: Buffer[] = [];
  #keptBytes = 0;
  #lineBytes = 0;
  #sliceBegan: number;
  #sliceBytes = 0;
  #sliceLines = 0;
  #untoldSince: number | undefined;
  #timer: TimeoutHandle | undefined;

  /** @param seen is shown each line, cut but not bound in rate, until it returns false */
  constructor(name: "stdout" | "stderr", log: Log, clock: Clock, limits: LineLimits = {}, seen?: (line: string) => boolean) {
    this.#name = name;
    this.#log = log;
    this.#clock = clock;
    this.#maxBytes = limits.maxBytes ?? LINE_DEFAULTS.maxBytes;
    this.#bound = new RateBound(clock, limits.perSecond ?? LINE_DEFAULTS.perSecond, limits.burst ?? LINE_DEFAULTS.burst);
    this.#shown = seen;
    this.#sliceBegan = clock.monotonic();
  }

  /** How long nobody should read on, ms; 0 where this slice of time has room left. */
  get restMs(): number {
    const leftMs = SLICE_MS - (this.#clock.monotonic() - this.#sliceBegan);
    if (leftMs <= 0) return 0;
    return this.#sliceBytes >= SLICE_BYTES || (this.#shown !== undefined && this.#sliceLines >= SLICE_LINES) ? leftMs : 0;
  }

  /** What of it has to wait for the next slice, since somebody waits for a line of it. */
  take(bytes: Buffer): Buffer | undefined {
    this.#slice();
    this.#sliceBytes += bytes.length;
    let from = 0;
    for (let at = bytes.indexOf(NEWLINE); at !== -1; at = bytes.indexOf(NEWLINE, from)) {
      if (this.#shown !== undefined && this.#sliceLines >= SLICE_LINES) return bytes.subarray(from);
      if (this.#sliceLines >= SLICE_LINES || (this.#shown === undefined && this.#bound.isEmpty)) {
        from = this.#skip(bytes, from);
        break;
      }
      this.#sliceLines++;
      this.#keep(bytes.subarray(from, at));
      this.#endLine();
      from = at + 1;
    }
    this.#keep(bytes.subarray(from));
    return undefined;
  }

  /** There is no more. */
  finish(): void {
    this.#endLine();
    this.#clock.clearTimeout(this.#timer);
    this.#tellSuppressed();
  }

  #slice(): void {
    const now = this.#clock.monotonic();
    if (now - this.#sliceBegan < SLICE_MS) return;
    this.#sliceBegan = now;
    this.#sliceBytes = 0;
    this.#sliceLines = 0;
  }

  /** Nobody would see them one by one: they are counted, and what comes after the last newline begins the next line. */
  #skip(bytes: Buffer, from: number): number {
    const end = bytes.lastIndexOf(NEWLINE) + 1;
    let lines = 0;
    for (let at = from; at < end; at++) if (bytes[at] === NEWLINE) lines++;
    this.#dropLine();
    this.#suppress(lines);
    return end;
  }

  #keep(part: Buffer): void {
    this.#lineBytes += part.length;
    if (this.#keptBytes >= this.#maxBytes || part.length === 0) return;
    // A copy: a slice would hold on to the whole chunk.
    const head = Buffer.from(part.subarray(0, this.#maxBytes - this.#keptBytes));
    this.#kept.push(head);
    this.#keptBytes += head.length;
  }

  #dropLine(): void {
    this.#kept = [];
    this.#keptBytes = 0;
    this.#lineBytes = 0;
  }

  #endLine(): void {
    if (this.#lineBytes === 0) return;
    const cutBytes = this.#lineBytes - this.#keptBytes;
    const text = Buffer.concat(this.#kept).toString("utf8");
    this.#dropLine();
    // A cut may go through a character.
    const line = (cutBytes > 0 ? text.replace(/�$/, "") : text).trimEnd();
    if (line === "") return;
    if (this.#shown?.(line) === false) this.#shown = undefined;
    const suppressed = this.#bound.pass();
    if (suppressed === undefined) this.#suppress(0);
    else this.#write({ ...(suppressed > 0 ? { suppressed } : {}), ...(cutBytes > 0 ? { cutBytes } : {}) }, line);
  }

  #write(fields: object, line: string): void {
    const all = { stream: this.#name, ...fields };
    if (this.#name === "stderr") this.#log.warn(all, line);
    else this.#log.info(all, line);
  }

  #suppress(lines: number): void {
    this.#bound.suppress(lines);
    this.#timer ??= this.#clock.setTimeout(this.#tellSuppressed, TELL_SUPPRESSED_MS, { unref: true });
    // Where whoever writes does not let a timer fire.
    this.#untoldSince ??= this.#clock.monotonic();
    if (this.#clock.monotonic() - this.#untoldSince > 2 * TELL_SUPPRESSED_MS) this.#tellSuppressed();
  }

  readonly #tellSuppressed = (): void => {
    this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#untoldSince = undefined;
    const suppressed = this.#bound.takeSuppressed();
    if (suppressed > 0) this.#write({ suppressed }, "lines over the rate were left out");
  };
}

/** Reads a stream into the log. @param seen as of LineLog */
export function logLines(stream: Readable | null | undefined, name: "stdout" | "stderr", log: Log, clock: Clock, limits: LineLimits = {}, seen?: (line: string) => boolean): void {
  // A process that could not begin may have none.
  if (stream === null || stream === undefined) return;
  const lines = new LineLog(name, log, clock, limits, seen);
  let waiting: Buffer | undefined;
  let hasEnded = false;
  let timer: TimeoutHandle | undefined;
  /** False: nothing more is read for a while. */
  const take = (bytes: Buffer): boolean => {
    waiting = lines.take(bytes);
    const { restMs } = lines;
    if (waiting === undefined && restMs === 0) return true;
    stream.pause();
    timer ??= clock.setTimeout(goOn, Math.max(1, restMs));
    return false;
  };
  const goOn = (): void => {
    timer = undefined;
    const rest = waiting;
    waiting = undefined;
    if (rest !== undefined && !take(rest)) return;
    if (hasEnded) lines.finish();
    else stream.resume();
  };
  const finish = (): void => {
    hasEnded = true;
    if (waiting === undefined) lines.finish();
  };
  stream.on("data", (chunk: Buffer | string) => {
    take(typeof chunk === "string" ? Buffer.from(chunk) : chunk);
  });
  stream.on("end", finish);
  stream.on("close", finish);
  stream.on("error", () => undefined);
}
