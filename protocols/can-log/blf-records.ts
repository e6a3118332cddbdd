// Vector BLF: a file header of 144 bytes with the start, then objects, each behind `LOBJ`, least significant byte first:
//
//    0  "LOBJ"    4 u16 header bytes    6 u16 header version    8 u32 object bytes    12 u32 type
//   16  u32 unit of the time (1: 10 us, else 1 ns)    24 u64 time since the start                      not of containers
//
// A container (type 10: u16 at 16 is 0 plain or 2 zlib, the bytes from 32 on) holds a stretch of the stream of objects; an object may go on in the next one (blf-objects.ts reads them).
// The start is the local time of the machine that wrote it, which is not told; it is taken for UTC.
//
// V1. A container that cannot be unpacked costs what it holds: the next object that begins behind it is looked for.
// V2. Of one that the recording breaks off in, what can be unpacked is read.
// V3. Held are one container and what it unpacks to, at most 16 MiB.

import { constants, inflateSync } from "node:zlib";
import type { FrameBatch } from "../can/index.ts";
import { appendBlfObject } from "./blf-objects.ts";
import { createNumberedBuses } from "./bus-index.ts";
import type { RecordReader, RecordTally } from "./record-format.ts";

const FILE_HEADER_BYTES = 144;
const START_AT = 40;
const BASE_BYTES = 16;
const CONTAINER = 10;
const CONTAINER_HEADER_BYTES = 32;
const ZLIB = 2;
const SIGNATURE = Buffer.from("LOBJ");
const MAX_CONTAINER_BYTES = 4 * 1024 * 1024;
const MAX_UNPACKED_BYTES = 16 * 1024 * 1024;
const MAX_OBJECT_BYTES = 64 * 1024;
/** Of padding between two objects. */
const MAX_GAP_BYTES = 8;
const NO_BYTES = Buffer.alloc(0);

export function isBlf(head: Uint8Array): boolean {
  return Buffer.from(head.subarray(0, 4)).toString("latin1") === "LOGG";
}

/** Bytes that its header takes. */
export const BLF_HEAD_BYTES = FILE_HEADER_BYTES;

/** @param head with the file's header @param buses receives the names of its channels */
export function blfRecords(head: Uint8Array, buses: string[], tally: RecordTally): RecordReader {
  return new BlfRecords(head, buses, tally);
}

class BlfRecords implements RecordReader {
  readonly format = "blf";
  readonly unit = "record";
  readonly namesBuses = true;
  readonly #tally: RecordTally;
  readonly #startS: number;
  readonly #busOf: (channel: number) => number | undefined;
  /** Of the file's header, or of an object that is passed over. */
  #skip: number;
  /** Unpacked, and how far it is read. */
  #inner: Buffer = NO_BYTES;
  #at = 0;
  #isOutOfStep = false;

  constructor(head: Uint8Array, buses: string[], tally: RecordTally) {
    const view = new DataView(head.buffer, head.byteOffset, head.length);
    this.#skip = head.length < FILE_HEADER_BYTES ? FILE_HEADER_BYTES : Math.max(FILE_HEADER_BYTES, Math.min(view.getUint32(4, true), 65_536));
    this.#startS = head.length < FILE_HEADER_BYTES ? 0 : startOf(view);
    this.#busOf = createNumberedBuses(buses);
    this.#tally = tally;
  }

  read(bytes: Uint8Array, from: number, batch: FrameBatch): number {
    let at = from;
    for (;;) {
      this.#readInner(batch);
      if (batch.count === batch.capacity) return at;
      if (this.#skip > 0) {
        const passed = Math.min(this.#skip, bytes.length - at);
        this.#skip -= passed;
        at += passed;
        if (this.#skip > 0) return at;
      }
      const size = this.#outerSize(bytes, at);
      if (size === undefined) {
        const gap = this.#gapAt(bytes, at);
        if (gap === 0) return at;
        at += gap;
        continue;
      }
      if (size > MAX_CONTAINER_BYTES) {
        this.#reject(`a container of ${String(size)} bytes is larger than any`, "");
        this.#skip = size;
        continue;
      }
      if (bytes.length - at < size) return at;
      this.#unpack(Buffer.from(bytes.buffer, bytes.byteOffset + at, size), true);
      at += size;
    }
  }

  end(rest: Uint8Array): string | undefined {
    if (rest.length < BASE_BYTES && this.#skip === 0 && this.#at === this.#inner.length) return undefined;
    if (rest.length > CONTAINER_HEADER_BYTES) this.#unpack(Buffer.from(rest.buffer, rest.byteOffset, rest.length), false);
    return `it breaks off in the middle of an object behind record ${String(this.#tally.records)}`;
  }

  /** Of the object that begins at `at`; undefined where its head is not there yet. Leaves bytes that begin none behind. */
  #outerSize(bytes: Uint8Array, at: number): number | undefined {
    if (bytes.length - at < BASE_BYTES) return undefined;
    const view = new DataView(bytes.buffer, bytes.byteOffset + at, BASE_BYTES);
    return view.getUint32(0) === SIGNATURE.readUInt32BE(0) ? Math.max(view.getUint32(8, true), BASE_BYTES) : undefined;
  }

  /** Bytes before the next object; all but what may be the beginning of one where there is none. */
  #gapAt(bytes: Uint8Array, at: number): number {
    if (bytes.length - at < BASE_BYTES) return 0;
    const found = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).indexOf(SIGNATURE, at);
    const gap = (found < 0 ? bytes.length - SIGNATURE.length + 1 : found) - at;
    if (gap > MAX_GAP_BYTES) this.#lose("expected an object");
    return gap;
  }

  /** @param isWhole false for the beginning of a container */
  #unpack(object: Buffer, isWhole: boolean): void {
    const rest = this.#inner.subarray(this.#at);
    this.#at = 0;
    if (object.readUInt32LE(12) !== CONTAINER) {
      this.#inner = isWhole ? Buffer.concat([rest, object]) : rest;
      return;
    }
    if (object.length < CONTAINER_HEADER_BYTES) return this.#lose("a container without its header");
    const method = object.readUInt16LE(16);
    const packed = object.subarray(CONTAINER_HEADER_BYTES);
    if (method !== 0 && method !== ZLIB) return this.#lose(`a container that is packed in a way that is not known (${String(method)})`);
    try {
      const unpacked = method === 0 ? packed : inflateSync(packed, { maxOutputLength: MAX_UNPACKED_BYTES, finishFlush: isWhole ? constants.Z_FINISH : constants.Z_SYNC_FLUSH });
      this.#inner = Buffer.concat([rest, unpacked]);
    } catch (error) {
      this.#lose(`a container that cannot be unpacked: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  /** Reads whole objects until the batch is full; leaves the part of one. */
  #readInner(batch: FrameBatch): void {
    const inner = this.#inner;
    while (batch.count < batch.capacity) {
      const found = inner.indexOf(SIGNATURE, this.#at);
      if (found < 0 || found + BASE_BYTES > inner.length) {
        // What may be the beginning of a signature stays.
        if (found < 0) this.#at = Math.max(this.#at, inner.length - SIGNATURE.length + 1);
        return;
      }
      if (found - this.#at > MAX_GAP_BYTES && !this.#isOutOfStep) this.#reject("expected an object", "");
      this.#at = found;
      const size = inner.readUInt32LE(found + 8);
      if (size < BASE_BYTES || size > MAX_OBJECT_BYTES) {
        if (!this.#isOutOfStep && inner.readUInt32LE(found + 12) <= 1_000 && size > MAX_OBJECT_BYTES)
          this.#reject(`an object of ${String(size)} bytes is longer than any frame`, "");
        this.#isOutOfStep = true;
        this.#at = found + SIGNATURE.length;
        continue;
      }
      if (found + size > inner.length) return;
      this.#isOutOfStep = false;
      this.#tally.records++;
      const object = new DataView(inner.buffer, inner.byteOffset + found, size);
      const problem = appendBlfObject(batch, object, { startS: this.#startS, line: this.#tally.records, busOf: this.#busOf });
      if (problem !== undefined) this.#tally.reject(problem, `type ${String(object.getUint32(12, true))}`);
      this.#at = found + size;
    }
  }

  /** What is unpacked and not read yet does not go on behind this. */
  #lose(problem: string): void {
    this.#inner = NO_BYTES;
    this.#at = 0;
    this.#isOutOfStep = true;
    this.#reject(problem, "");
  }

  #reject(problem: string, text: string): void {
    this.#tally.records++;
    this.#tally.reject(problem, text);
  }
}

/** Year, month, day of the week, day, hour, minute, second, millisecond; 0 where they are no date. */
function startOf(view: DataView): number {
  const [year = 0, month = 0, , day = 0, hour = 0, minute = 0, second = 0, millisecond = 0] = Array.from({ length: 8 }, (_, at) => view.getUint16(START_AT + 2 * at, true));
  const startMs = Date.UTC(year, month - 1, day, hour, minute, second, millisecond);
  return year >= 1970 && year < 2_500 && month >= 1 && month <= 12 ? startMs / 1_000 : 0;
}
