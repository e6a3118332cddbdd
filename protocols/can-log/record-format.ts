// What the reader of a recording asks of a format: bytes in as they come, frames out. Lines are one kind of record (line-records.ts), the objects and blocks of binary formats others.

import type { FrameBatch } from "../can/index.ts";

export type LogFormat = "candump" | "candump-long" | "trc" | "asc" | "pcap" | "pcapng" | "blf" | "mf4";

export interface RecordReader {
  readonly format: LogFormat;
  /** What is counted and what problems are placed by. */
  readonly unit: "line" | "record";
  /** Whether its frames tell of which bus they are. */
  readonly namesBuses: boolean;
  /**
   * Appends the frames of whole records from `bytes[at]` on, until the batch is full or no whole record is left.
   * @returns where it stopped. What lies behind it comes again, with more behind it: hold back no more than the largest record.
   */
  read(bytes: Uint8Array, at: number, batch: FrameBatch): number;
  /**
   * The recording has come to its own end; the batch has room for one frame. What `read` gives of no bytes afterwards still counts.
   * @param rest what `read` left
   * @returns why the recording breaks off here, or undefined
   */
  end(rest: Uint8Array, batch: FrameBatch): string | undefined;
}

export interface RecordProblem {
  /** Number of the line or record, from 1. */
  readonly line: number;
  readonly problem: string;
  /** The beginning of the line; of a record what it is. */
  readonly text: string;
}

const MAX_PROBLEMS_KEPT = 10;
const MAX_QUOTED = 60;

/** What was seen of a recording, and what could not be read of it. */
export class RecordTally {
  /** Records seen. */
  records = 0;
  unreadable = 0;
  /** The first 10. */
  readonly problems: RecordProblem[] = [];

  /** Of the record that was counted last. @param text it, or its beginning */
  reject(problem: string, text: Uint8Array | string): void {
    this.unreadable++;
    if (this.problems.length >= MAX_PROBLEMS_KEPT) return;
    const quoted = typeof text === "string" ? text.slice(0, MAX_QUOTED) : Buffer.from(text.subarray(0, MAX_QUOTED)).toString("latin1");
    this.problems.push({ line: this.records, problem, text: quoted.replace(/[^\x20-\x7e]/g, "?") });
  }
}
