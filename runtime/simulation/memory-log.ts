// The append log in memory, with the losses of a real one: class C goes first, and a gap says what went.

import { DroverError } from "../errors.ts";
import type { AppendLog, AppendLogOpened, LogClass, LogEntry, LogItem, LogTotals } from "../ports/index.ts";
import { aFunction, aText, aWholeNumberFrom, demandShape, keysOf } from "../shape/index.ts";

type Entry = LogItem & { readonly kind: "entry" };
type Gap = LogItem & { readonly kind: "gap" };

const ROOM_BESIDE_BYTES = 48;
const FIRST_TO_GO: readonly LogClass[] = ["C", "B", "A"];

export interface MemoryLogOptions {
  /** Budget for what is kept, 48 bytes more than its own for each entry. */
  readonly maxBytes: number;
  readonly incarnation?: string;
  /** While it says so nothing can be written or forgotten. Default: never. */
  readonly isDiskFull?: () => boolean;
}

const OPTIONS = keysOf<MemoryLogOptions>({ maxBytes: aWholeNumberFrom(0), incarnation: aText, isDiskFull: aFunction }, ["maxBytes"]);

/** @throws DROVER_SIMULATION_INVALID for an option that is missing, unknown or of another kind */
export function memoryLog(options: MemoryLogOptions): AppendLog {
  demandShape(options, OPTIONS, "memoryLog", "DROVER_SIMULATION_INVALID", true);
  const { maxBytes, incarnation = "memory", isDiskFull = () => false } = options;
  const entries = new Map<number, Entry>();
  let gaps: Gap[] = [];
  let metUpTo = 0;
  let totals: LogTotals = { entries: 0, bytes: 0, lastSeq: 0, acknowledged: 0, dropped: 0 };
  /** Lost, and in no gap yet. */
  const unwritten = new Map<LogClass, number>();
  let isOpen = false;
  let created = true;

  function ensureOpen(): void {
    if (!isOpen) throw new DroverError("DROVER_STORE_FAILED", "the memory log is not open");
  }

  function ensureRoom(): void {
    ensureOpen();
    if (isDiskFull()) throw new DroverError("DROVER_STORE_FAILED", "the memory log's disk is full", { retryable: true });
  }

  const waiting = (): number => [...unwritten.values()].reduce((sum, count) => sum + count, 0);

  function writeLosses(): void {
    for (const logClass of FIRST_TO_GO) {
      const count = unwritten.get(logClass) ?? 0;
      if (count === 0) continue;
      const from = totals.lastSeq + 1;
      totals = { ...totals, lastSeq: totals.lastSeq + count, dropped: totals.dropped + count };
      gaps.push({ kind: "gap", from, to: totals.lastSeq, class: logClass, count, reason: "not-written" });
    }
    unwritten.clear();
  }

  function remove(entry: Entry): void {
    entries.delete(entry.seq);
    totals = { ...totals, entries: totals.entries - 1, bytes: totals.bytes - roomOf(entry) };
  }

  const isGrowing = ({ to, reason }: Gap): boolean => to > metUpTo && reason === "over-budget";

  function noteLoss(seq: number, logClass: LogClass): void {
    totals = { ...totals, dropped: totals.dropped + 1 };
    const before = gaps.filter((gap) => gap.class === logClass && gap.to < seq).at(-1);
    const grown: Gap =
      before !== undefined && isGrowing(before)
        ? { ...before, to: seq, count: (before.count ?? 0) + 1 }
        : { kind: "gap", from: seq, to: seq, class: logClass, count: 1, reason: "over-budget" };
    gaps = [...gaps.filter((gap) => gap !== before || !isGrowing(before)), grown].sort((one, other) => one.to - other.to);
  }

  function makeRoom(): void {
    for (const logClass of FIRST_TO_GO) {
      for (const entry of entries.values()) {
        if (totals.bytes <= maxBytes) return;
        if (entry.class !== logClass) continue;
        remove(entry);
        noteLoss(entry.seq, logClass);
      }
    }
  }

  return {
    open: async (): Promise<AppendLogOpened> => {
      await Promise.resolve();
      isOpen = true;
      const opened = { incarnation, created, totals };
      created = false;
      return opened;
    },
    append: async (batch: readonly LogEntry[]) => {
      const copies = batch.map(({ at, class: logClass, bytes }) => ({ at, class: logClass, bytes: new Uint8Array(bytes) }));
      await Promise.resolve();
      try {
        ensureRoom();
      } catch (error) {
        for (const { class: logClass } of copies) unwritten.set(logClass, (unwritten.get(logClass) ?? 0) + 1);
        throw error;
      }
      if (copies.length > 0) writeLosses();
      return copies.map((given) => {
        const entry: Entry = { kind: "entry", seq: totals.lastSeq + 1, ...given };
        totals = { ...totals, lastSeq: entry.seq };
        if (roomOf(entry) > maxBytes / 4) noteLoss(entry.seq, entry.class);
        else {
          entries.set(entry.seq, entry);
          totals = { ...totals, entries: totals.entries + 1, bytes: totals.bytes + roomOf(entry) };
          makeRoom();
        }
        return entry.seq;
      });
    },
    tellLosses: async () => {
      await Promise.resolve();
      if (waiting() === 0) return undefined;
      ensureRoom();
      writeLosses();
      return totals.lastSeq;
    },
    read: async (afterSeq, limit) => {
      await Promise.resolve();
      ensureOpen();
      const items = [...entries.values(), ...gaps].filter((item) => positionOf(item) > afterSeq).sort((one, other) => positionOf(one) - positionOf(other));
      const page = items.slice(0, limit);
      for (const item of page) if (item.kind === "gap") metUpTo = Math.max(metUpTo, item.to);
      return page;
    },
    acknowledge: async (upToSeq) => {
      await Promise.resolve();
      ensureRoom();
      const target = Math.min(upToSeq, totals.lastSeq);
      for (const entry of entries.values()) if (entry.seq <= target) remove(entry);
      gaps = gaps.filter((gap) => gap.to > target);
      totals = { ...totals, acknowledged: Math.max(totals.acknowledged, target) };
    },
    totals: async () => {
      await Promise.resolve();
      ensureOpen();
      return { ...totals, dropped: totals.dropped + waiting() };
    },
    close: async () => {
      await Promise.resolve();
      if (isOpen && !isDiskFull()) writeLosses();
      isOpen = false;
    },
  };
}

function roomOf({ bytes }: LogEntry): number {
  return bytes.byteLength + ROOM_BESIDE_BYTES;
}

function positionOf(item: LogItem): number {
  return item.kind === "entry" ? item.seq : item.to;
}
