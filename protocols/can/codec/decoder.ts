// Frames → rows of values. Messages are compiled when their first frame comes, so that a large DBC costs nothing at start.

import { compileMessage } from "./compiler.ts";
import type { Database } from "../model/index.ts";
import { type FrameBatch, SLOT_BYTES } from "../frames/index.ts";
import { interpretMessage } from "./interpreter.ts";
import { createMatcher, type MatchRule } from "./matcher.ts";
import { type RowDecoder, wholeFromBytes } from "./row-decoder.ts";

export interface DecoderOptions {
  /** Default `exact`. */
  readonly match?: MatchRule;
  /** What goes into the cells. Default `physical`. */
  readonly output?: "physical" | "raw";
  /** Default `compiled`; where the process forbids generated code it is `interpreted`. */
  readonly engine?: "compiled" | "interpreted";
}

/** Decoded rows, one after the other; each row has one cell a signal of its message. */
export interface Columns {
  rows: number;
  cells: number;
  /** By row: index into `Database.messages`. */
  readonly messageOf: Int32Array;
  /** By row: slot of the batch. */
  readonly slotOf: Uint32Array;
  /** By row: its first cell. */
  readonly cellOf: Uint32Array;
  /** By row: 1 when some of its cells may be absent (short or multiplexed frame) and `present` tells which. */
  readonly partial: Uint8Array;
  readonly values: Float64Array;
  /** By cell; says something in partial rows only. */
  readonly present: Uint8Array;
}

export interface Decoder {
  readonly database: Database;
  /** Index into `Database.messages`, or -1. */
  readonly match: (canId: number) => number;
  /** Row decoder of a message, compiled on first use. */
  readonly rowOf: (messageIndex: number) => RowDecoder;
  /** Payload length from which on `RowDecoder.whole` applies. */
  readonly wholeFrom: (messageIndex: number) => number;
  /**
   * Decodes the frames of `batch` from slot `from` (default 0) up to `to` (default `batch.count`), appending to `out`. Returns the first slot that was not decoded because `out` is
   * full; `to` when all were. A message that is wider than all of `out` is skipped.
   */
  readonly decodeColumns: (batch: FrameBatch, out: Columns, from?: number, to?: number) => number;
  /** Appends the row of a payload of any length to `out`, under slot `slot`. False when `out` is full; true also when no message matches, or it is wider than all of `out`. */
  readonly decodePayload: (payload: { readonly canId: number; readonly data: Uint8Array }, slot: number, out: Columns) => boolean;
}

export function createColumns(rows: number, cells: number): Columns {
  return {
    rows: 0,
    cells: 0,
    messageOf: new Int32Array(rows),
    slotOf: new Uint32Array(rows),
    cellOf: new Uint32Array(rows),
    partial: new Uint8Array(rows),
    values: new Float64Array(cells),
    present: new Uint8Array(cells),
  };
}

export function createDecoder(database: Database, options: DecoderOptions = {}): Decoder {
  const { match: rule = "exact", output = "physical", engine = "compiled" } = options;
  const match = createMatcher(database, rule);
  const widths = Uint32Array.from(database.messages, (message) => message.signals.length);
  const wholeFrom = Float64Array.from(database.messages, wholeFromBytes);
  const made: (RowDecoder | undefined)[] = database.messages.map(() => undefined);

  function rowOf(index: number): RowDecoder {
    const present = made[index];
    if (present !== undefined) return present;
    const message = database.messages[index];
    if (message === undefined) throw new RangeError(`no message ${String(index)}`);
    const fresh = engine === "compiled" ? compileOrInterpret(message, output) : interpretMessage(message, output);
    made[index] = fresh;
    wholes[index] = fresh.whole;
    checks[index] = fresh.checked;
    return fresh;
  }

  // Each entry replaces itself by the compiled function on its first call.
  const wholes: RowDecoder["whole"][] = database.messages.map((_, index) => (data, start, out, cell) => {
    rowOf(index).whole(data, start, out, cell);
  });
  const checks: RowDecoder["checked"][] = database.messages.map((_, index) => (data, start, length, out, cell, present) => {
    rowOf(index).checked(data, start, length, out, cell, present);
  });

  function decodeColumns(batch: FrameBatch, out: Columns, from = 0, to = batch.count): number {
    const { ids, lengths, data } = batch;
    const { messageOf, slotOf, cellOf, partial, values, present } = out;
    let { rows: row, cells: cell } = out;
    const maxRows = messageOf.length;
    const maxCells = values.length;
    let slot = from;
    for (; slot < to; slot++) {
      const index = match(ids[slot] ?? 0);
      if (index < 0) continue;
      const width = widths[index] ?? 0;
      if (row >= maxRows || cell + width > maxCells) {
        if (width <= maxCells) break;
        continue;
      }
      const length = lengths[slot] ?? 0;
      messageOf[row] = index;
      slotOf[row] = slot;
      cellOf[row] = cell;
      if (length >= (wholeFrom[index] ?? 0)) {
        partial[row] = 0;
        wholes[index]?.(data, slot * SLOT_BYTES, values, cell);
      } else {
        partial[row] = 1;
        checks[index]?.(data, slot * SLOT_BYTES, length, values, cell, present);
      }
      row++;
      cell += width;
    }
    out.rows = row;
    out.cells = cell;
    return slot;
  }

  function decodePayload({ canId, data }: { readonly canId: number; readonly data: Uint8Array }, slot: number, out: Columns): boolean {
    const index = match(canId);
    const width = widths[index] ?? 0;
    const { rows: row, cells: cell } = out;
    if (index < 0 || width > out.values.length) return true;
    if (row >= out.messageOf.length || cell + width > out.values.length) return false;
    const isWhole = data.length >= (wholeFrom[index] ?? 0);
    out.messageOf[row] = index;
    out.slotOf[row] = slot;
    out.cellOf[row] = cell;
    out.partial[row] = isWhole ? 0 : 1;
    if (isWhole) wholes[index]?.(data, 0, out.values, cell);
    else checks[index]?.(data, 0, data.length, out.values, cell, out.present);
    out.rows = row + 1;
    out.cells = cell + width;
    return true;
  }

  return { database, match, rowOf, wholeFrom: (index) => wholeFrom[index] ?? Number.POSITIVE_INFINITY, decodeColumns, decodePayload };
}

function compileOrInterpret(message: Database["messages"][number], output: "physical" | "raw"): RowDecoder {
  try {
    return compileMessage(message, output) ?? interpretMessage(message, output);
  } catch (error) {
    if (error instanceof EvalError) return interpretMessage(message, output);
    throw error;
  }
}
