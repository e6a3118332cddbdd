// Formats of blocks: each says at its beginning how long it is. One block is held, whatever the size of the recording.
//
// K1. A block that is told to be longer than is held is passed over and named.
// K2. Where no block can be, the recording is damaged: nothing behind it can be placed, and the summary says from which byte on.

import type { FrameBatch } from "../can/index.ts";
import type { LogFormat, RecordReader, RecordTally } from "./record-format.ts";

/** The largest that is held. */
const MAX_BLOCK_BYTES = 256 * 1024;

export interface BlockFormat {
  readonly format: LogFormat;
  readonly namesBuses: boolean;
  /** Bytes that tell the size of the next block. */
  readonly headBytes: number;
  /** Of the whole block, at least `headBytes`; or why no block can begin like this. */
  readonly sizeOf: (head: DataView) => number | { readonly problem: string };
  /** Reads a whole block and appends at most one frame; returns why it cannot be read, or undefined. */
  readonly take: (block: DataView, batch: FrameBatch) => string | undefined;
}

export class BlockRecords implements RecordReader {
  readonly unit = "record";
  readonly #format: BlockFormat;
  readonly #tally: RecordTally;
  /** Of the recording, where the bytes of the next `read` begin. */
  #offset = 0;
  /** Of a block that is passed over. */
  #skip = 0;
  #damage: string | undefined;

  /** @param headerBytes what stands before the first block */
  constructor(format: BlockFormat, tally: RecordTally, headerBytes = 0) {
    this.#format = format;
    this.#tally = tally;
    this.#skip = headerBytes;
  }

  get format(): LogFormat {
    return this.#format.format;
  }

  get namesBuses(): boolean {
    return this.#format.namesBuses;
  }

  read(bytes: Uint8Array, from: number, batch: FrameBatch): number {
    let at = from;
    while (batch.count < batch.capacity && at < bytes.length) {
      if (this.#damage !== undefined) return this.#moved(from, bytes.length);
      if (this.#skip > 0) {
        const passed = Math.min(this.#skip, bytes.length - at);
        this.#skip -= passed;
        at += passed;
        continue;
      }
      const { headBytes } = this.#format;
      if (bytes.length - at < headBytes) break;
      const size = this.#format.sizeOf(new DataView(bytes.buffer, bytes.byteOffset + at, headBytes));
      if (typeof size !== "number") {
        this.#damage = `${size.problem} at byte ${String(this.#offset + at - from)}; what lies behind it cannot be read`;
        continue;
      }
      if (size > MAX_BLOCK_BYTES) {
        this.#tally.records++;
        this.#tally.reject(`a record of ${String(size)} bytes is longer than any frame`, this.#placeOf(at - from));
        this.#skip = size;
        continue;
      }
      if (bytes.length - at < size) break;
      this.#tally.records++;
      const problem = this.#format.take(new DataView(bytes.buffer, bytes.byteOffset + at, size), batch);
      if (problem !== undefined) this.#tally.reject(problem, this.#placeOf(at - from));
      at += size;
    }
    return this.#moved(from, at);
  }

  end(rest: Uint8Array): string | undefined {
    if (this.#damage !== undefined) return this.#damage;
    return rest.length > 0 || this.#skip > 0
      ? `it breaks off in the middle of record ${String(this.#tally.records + 1)}, at byte ${String(this.#offset + rest.length)}`
      : undefined;
  }

  #moved(from: number, to: number): number {
    this.#offset += to - from;
    return to;
  }

  #placeOf(passed: number): string {
    return `byte ${String(this.#offset + passed)}`;
  }
}
