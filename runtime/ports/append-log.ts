// A bounded log that is written at one end and read, sent and forgotten at the other: what a vehicle says and has not yet been heard (design section 8).
// Beyond its budget it drops what matters least; while the disk takes nothing it drops what is given. Both are said in a gap (S5).

/** A: alarms and acknowledgements, flushed to disk before `append` resolves. B: state. C: bulk. When room is short C goes first, then B, then A, the oldest of each. */
export type LogClass = "A" | "B" | "C";

export interface LogEntry {
  /** Wall time, ms since 1970. */
  readonly at: number;
  readonly class: LogClass;
  readonly bytes: Uint8Array;
}

/** What a reader meets, ascending by `seq` (of a gap: `to`). */
export type LogItem =
  | ({ readonly kind: "entry"; readonly seq: number } & LogEntry)
  | {
      readonly kind: "gap";
      /** First and last seq that it speaks of; entries of other classes may stand between them. */
      readonly from: number;
      readonly to: number;
      readonly class: LogClass | undefined;
      /** Entries lost; undefined when that is not known (it may be none). */
      readonly count: number | undefined;
      readonly reason: LogGapReason;
    };

/**
 * `over-budget`: dropped to stay under the budget. `not-flushed`: the process ended before the operating system had written them.
 * `not-written`: the disk had no room for them, or failed; they were never in the log, and the gap stands where they would, with seqs of its own.
 */
export type LogGapReason = "over-budget" | "not-flushed" | "not-written";

export interface LogTotals {
  /** Kept and not acknowledged. */
  readonly entries: number;
  /** Room that they take, bytes; at most the budget. */
  readonly bytes: number;
  /** Highest seq given; 0 when none. */
  readonly lastSeq: number;
  readonly acknowledged: number;
  /** Lost since the log was created; with what could not be written since it was opened and stands in no gap yet. */
  readonly dropped: number;
}

export interface AppendLogOpened {
  /** Random name of this run of seqs: replaced when the log begins anew, since seqs then repeat (rules T1). */
  readonly incarnation: string;
  readonly created: boolean;
  readonly movedAside?: { readonly path: string; readonly reason: string };
  readonly totals: LogTotals;
}

export interface AppendLog {
  /** @throws DROVER_STORE_NEWER, DROVER_STORE_LOCKED, DROVER_STORE_FAILED */
  open(): Promise<AppendLogOpened>;
  /**
   * All or nothing; the seqs are consecutive. An entry larger than a quarter of the budget is dropped at once and leaves a gap. At most 1,024 entries.
   * What it throws for is lost and counted, by class: a gap of it stands before the next entries that can be written. A kill before that loses the count.
   * @throws DROVER_STORE_FAILED
   */
  append(batch: readonly LogEntry[]): Promise<readonly number[]>;
  /** Writes the gaps of what could not be written, so that they do not wait for an entry. @returns the seq of the last; undefined: there is none. @throws DROVER_STORE_FAILED while it cannot */
  tellLosses(): Promise<number | undefined>;
  /** At most `limit` (1 to 10,000) items and about 4 MiB after `afterSeq`; fewer than that many only at the end or when the bytes are reached. */
  read(afterSeq: number, limit: number): Promise<readonly LogItem[]>;
  /** Forgets entries and gaps up to and including `upToSeq`; lower than before does nothing. */
  acknowledge(upToSeq: number): Promise<void>;
  totals(): Promise<LogTotals>;
  close(): Promise<void>;
}
