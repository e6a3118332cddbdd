// Formats of lines: the bytes of a recording cut at their line ends. One line is held, whatever the size of the recording.
//
// T1. A line that cannot be read is counted and named; the rest goes on.
// T2. A last line without its end is read. If it cannot be, the recording breaks off there.

import type { FrameBatch } from "../can/index.ts";
import type { LineParser } from "./line-parser.ts";
import type { LogFormat, RecordReader, RecordTally } from "./record-format.ts";

/** No line of any format is longer; longer ones are skipped without being held. */
const MAX_LINE_BYTES = 4_096;
const LF = 0x0a;
const CR = 0x0d;
const NO_BYTES = new Uint8Array(0);
const TOO_LONG = "the line is longer than any frame";

export class LineRecords implements RecordReader {
  readonly unit = "line";
  readonly #parser: LineParser;
  readonly #tally: RecordTally;
  /** The line that the last bytes broke off. */
  #rest: Uint8Array = NO_BYTES;
  #skipsToLineEnd = false;

  constructor(parser: LineParser, tally: RecordTally) {
    this.#parser = parser;
    this.#tally = tally;
  }

  get format(): LogFormat {
    return this.#parser.format;
  }

  get namesBuses(): boolean {
    return this.#parser.namesBuses;
  }

  read(bytes: Uint8Array, from: number, batch: FrameBatch): number {
    let at = from;
    while (at < bytes.length && batch.count < batch.capacity) {
      const end = bytes.indexOf(LF, at);
      if (end < 0) {
        this.#keepRest(bytes.subarray(at));
        return bytes.length;
      }
      const start = at;
      at = end + 1;
      if (this.#skipsToLineEnd) this.#skipsToLineEnd = false;
      else if (this.#rest.length > 0) {
        const line = Buffer.concat([this.#rest, bytes.subarray(start, end)]);
        this.#rest = NO_BYTES;
        this.#readLine(line, 0, line.length, batch);
      } else this.#readLine(bytes, start, end, batch);
    }
    return at;
  }

  end(_rest: Uint8Array, batch: FrameBatch): string | undefined {
    const last = this.#rest;
    this.#rest = NO_BYTES;
    if (last.length === 0 || this.#readLine(last, 0, last.length, batch)) return undefined;
    return `it breaks off in the middle of line ${String(this.#tally.records)}`;
  }

  #keepRest(bytes: Uint8Array): void {
    if (this.#skipsToLineEnd) return;
    if (this.#rest.length + bytes.length <= MAX_LINE_BYTES) {
      this.#rest = Buffer.concat([this.#rest, bytes]);
      return;
    }
    this.#tally.records++;
    this.#tally.reject(TOO_LONG, this.#rest.length > 0 ? this.#rest : bytes);
    this.#rest = NO_BYTES;
    this.#skipsToLineEnd = true;
  }

  /** Whether it could be read. */
  #readLine(bytes: Uint8Array, start: number, end: number, batch: FrameBatch): boolean {
    const line = ++this.#tally.records;
    const stop = end > start && bytes[end - 1] === CR ? end - 1 : end;
    const outcome = stop - start > MAX_LINE_BYTES ? { problem: TOO_LONG } : this.#parser.parse(bytes, start, stop, line, batch);
    if (typeof outcome === "string") return true;
    this.#tally.reject(outcome.problem, bytes.subarray(start, stop));
    return false;
  }
}
