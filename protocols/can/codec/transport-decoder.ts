// Frames → rows, as a decoder does, and the messages that travel in several frames too. Stands beside the decoder, so that who has no transport protocol pays nothing for it.
//
// M1. A message's row stands where its last frame is, and has that slot; behind the frame's own row where it has one.
// M2. A frame that shares its id with the message that it is a piece of (Reassembler.piecesShareId) has no row of its own.
// M3. Each frame reaches its reassembler once, also when `out` was full in between.

import type { FrameBatch } from "../frames/index.ts";
import type { Reassembler, TransportMessage } from "../reassembly/index.ts";
import type { Columns, Decoder } from "./decoder.ts";

export interface TransportDecoder {
  /** As `Decoder.decodeColumns`. Until it has returned `batch.count`, go on with the same batch, from the slot that it returned. */
  readonly decodeColumns: (batch: FrameBatch, out: Columns, from?: number) => number;
}

/** @param reassemblers of frames that several want the first has them; their counters tell what was given up */
export function createTransportDecoder(decoder: Decoder, reassemblers: readonly Reassembler[]): TransportDecoder {
  /** By reassembler: the next slot that it wants. */
  const nexts = new Float64Array(reassemblers.length);
  /** A message whose row had no place, and the slot of its last frame. */
  let held: { readonly message: TransportMessage; readonly slot: number } | undefined;

  function decodeColumns(batch: FrameBatch, out: Columns, from = 0): number {
    const { ids, count } = batch;
    let slot = from;
    if (held?.slot === from) {
      if (!decoder.decodePayload(held.message, from, out)) return from;
      slot++;
    }
    held = undefined;
    nexts.fill(0);
    while (slot < count) {
      const taker = advance(ids, slot, count);
      const piece = taker === undefined ? count : (nexts[taker] ?? count);
      const reassembler = taker === undefined ? undefined : reassemblers[taker];
      const to = reassembler === undefined || reassembler.piecesShareId ? piece : piece + 1;
      const reached = decoder.decodeColumns(batch, out, slot, to);
      if (reached < to) return reached;
      const message = reassembler?.take(batch, piece);
      if (message !== undefined && !decoder.decodePayload(message, piece, out)) {
        held = { message, slot: piece };
        return piece;
      }
      slot = piece + 1;
    }
    return count;
  }

  /** The reassembler whose next piece, from `slot` on, comes first. */
  function advance(ids: Uint32Array, slot: number, count: number): number | undefined {
    let first: number | undefined;
    let piece = count;
    for (let at = 0; at < reassemblers.length; at++) {
      let next = nexts[at] ?? 0;
      if (next <= slot) {
        next = reassemblers[at]?.next(ids, slot, count) ?? count;
        nexts[at] = next;
      }
      if (next < piece) {
        first = at;
        piece = next;
      }
    }
    return first;
  }

  return { decodeColumns };
}
