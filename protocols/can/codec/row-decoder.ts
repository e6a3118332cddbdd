// A message's payload → a row of doubles, one cell a signal. Two makers with identical results: compiler.ts and interpreter.ts.

import type { CanMessage } from "../model/index.ts";

export interface RowDecoder {
  /** Every signal, whatever a multiplexer says. Only for payloads of at least `wholeFromBytes(message)` bytes. */
  readonly whole: (data: Uint8Array, start: number, out: Float64Array, cell: number) => void;
  /** Any payload: `present[cell + i]` becomes 1 and the value is written where signal i is there; else it becomes 0 and the cell is left as it was. */
  readonly checked: (data: Uint8Array, start: number, length: number, out: Float64Array, cell: number, present: Uint8Array) => void;
}

/** Length from which on every signal of the message is there; Infinity when a multiplexer decides. */
export function wholeFromBytes(message: CanMessage): number {
  let bytes = 0;
  for (const signal of message.signals) {
    if (signal.mux !== undefined) return Number.POSITIVE_INFINITY;
    bytes = Math.max(bytes, signal.needsBytes);
  }
  return bytes;
}
