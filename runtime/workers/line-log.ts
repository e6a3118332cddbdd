// What a thread or a process writes to stdout and stderr, as lines of the log: bounded in length, in rate and in what it costs us to read.
//
// N1. A line longer than the bound is cut; its entry says how many bytes are missing.
// N2. Lines over the rate are counted. The next entry that passes says how many; where none passes soon, an entry of its own does.
// N3. What is read at once is bounded, and so is what is read in a second (20 MiB): a program that floods its stdout waits for us, not the other way round.
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
const TELL_SUPPRESSED_MS = 1_000;
const NEWLINE = 10;

/** @param seen is shown each line, cut but not bound in rate, until it returns false */
export function logLines(
  stream: Readable | null | undefined,
  name: "stdout" | "stderr",
  log: Log,
  clock: Clock,
  { perSecond = LINE_DEFAULTS.perSecond, burst = LINE_DEFAULTS.burst, maxBytes = LINE_DEFAULTS.maxBytes }: LineLimits = {},
  seen?: (line: string) => boolean,
): void {
  // A process that could not begin may have none.
  if (stream === null || stream === undefined) return;
  const bound = new RateBound(clock, perSecond, burst);
  let kept: Buffer[] = [];
  let keptBytes = 0;
  let lineBytes = 0;
  let timer: TimeoutHandle | undefined;
  let shown = seen;

  const write = (fields: object, line: string): void => {
    const all = { stream: name, ...fields };
    if (name === "stderr") log.warn(all, line);
    else log.info(all, line);
  };
  const tellSuppressed = (): void => {
    timer = undefined;
    const suppressed = bound.takeSuppressed();
    if (suppressed > 0) write({ suppressed }, "lines over the rate were left out");
  };
  const tellSoon = (): void => {
    timer ??= clock.setTimeout(tellSuppressed, TELL_SUPPRESSED_MS, { unref: true });
  };
  const keep = (part: Buffer): void => {
    lineBytes += part.length;
    if (keptBytes >= maxBytes || part.length === 0) return;
    // A copy: a slice would hold on to the whole chunk.
    const head = Buffer.from(part.subarray(0, maxBytes - keptBytes));
    kept.push(head);
    keptBytes += head.length;
  };
  const endLine = (): void => {
    const cutBytes = lineBytes - keptBytes;
    const text = kept.length === 0 ? "" : Buffer.concat(kept).toString("utf8");
    kept = [];
    keptBytes = 0;
    lineBytes = 0;
    // A cut may go through a character.
    const line = (cutBytes > 0 ? text.replace(/�$/, "") : text).trimEnd();
    if (line === "") return;
    if (shown?.(line) === false) shown = undefined;
    const suppressed = bound.pass();
    if (suppressed === undefined) tellSoon();
    else write({ ...(suppressed > 0 ? { suppressed } : {}), ...(cutBytes > 0 ? { cutBytes } : {}) }, line);
  };
  const slice = sliceOf(stream, clock);
  stream.on("data", (chunk: Buffer | string) => {
    const bytes = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
    slice(bytes.length);
    let from = 0;
    for (let at = bytes.indexOf(NEWLINE); at !== -1; at = bytes.indexOf(NEWLINE, from)) {
      keep(bytes.subarray(from, at));
      endLine();
      from = at + 1;
      // Nobody would see them one by one: they are counted, and the rest after the last newline begins the next line.
      const last = shown === undefined && bound.isEmpty ? bytes.lastIndexOf(NEWLINE) : -1;
      if (last >= from) {
        bound.suppress(linesIn(bytes, from, last));
        tellSoon();
        from = last + 1;
      }
    }
    keep(bytes.subarray(from));
  });
  const finish = (): void => {
    endLine();
    clock.clearTimeout(timer);
    tellSuppressed();
  };
  stream.on("end", finish);
  stream.on("close", finish);
  stream.on("error", () => undefined);
}

/** N3: pauses the stream once a slice of time has had its bytes. */
function sliceOf(stream: Readable, clock: Clock): (bytes: number) => void {
  let began = clock.monotonic();
  let taken = 0;
  return (bytes) => {
    const now = clock.monotonic();
    if (now - began >= SLICE_MS) {
      began = now;
      taken = 0;
    }
    taken += bytes;
    if (taken < SLICE_BYTES || stream.isPaused()) return;
    stream.pause();
    clock.setTimeout(() => stream.resume(), SLICE_MS - (now - began));
  };
}

/** From `from` to the newline at `last`, both included. */
function linesIn(bytes: Buffer, from: number, last: number): number {
  let lines = 0;
  for (let at = from; at <= last; at++) if (bytes[at] === NEWLINE) lines++;
  return lines;
}
