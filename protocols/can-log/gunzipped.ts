// Compressed bytes → plain ones, as far as they are sound: what was unpacked before the damage comes out first, then the failure. The runtime's own gunzip drops what it holds when the
// checksum, the bytes behind the end, or the data are bad; here it unpacks the bare data only, and header, checksum and length are read here (RFC 1952).
//
// G1. Damage inside the data costs at most the last 4 KiB before it; a wrong checksum and bytes behind the end cost nothing.
// G2. Held are one piece of input and what it unpacks to, at most 16 MiB.

import { once } from "node:events";
import { crc32, createInflateRaw, type InflateRaw } from "node:zlib";

const PIECE_BYTES = 16 * 1_024;
const OUTPUT_BYTES = 4 * 1_024;
const FIXED_HEADER_BYTES = 10;
const MAX_HEADER_BYTES = 128 * 1_024;
const TRAILER_BYTES = 8;
const HAS_HEADER_CHECKSUM = 2;
const HAS_EXTRA = 4;
const HAS_NAME = 8;
const HAS_COMMENT = 16;
const ENDS_EARLY = "the compressed data breaks off";

export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/** @param first begins with the two bytes of gzip @throws what is wrong with the data, behind everything that could be unpacked */
export async function* gunzipped(first: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  const input = new Input(first, rest);
  do {
    await readHeader(input);
    const inflate = createInflateRaw({ chunkSize: OUTPUT_BYTES });
    let checksum = 0;
    let size = 0;
    try {
      for await (const bytes of unpacked(inflate, input)) {
        checksum = crc32(bytes, checksum);
        size = (size + bytes.length) % 2 ** 32;
        yield bytes;
      }
    } finally {
      inflate.destroy();
    }
    if (!(await input.has(TRAILER_BYTES))) throw new Error(ENDS_EARLY);
    const trailer = new DataView(input.bytes.buffer, input.bytes.byteOffset, TRAILER_BYTES);
    if (trailer.getUint32(0, true) !== checksum || trailer.getUint32(4, true) !== size) throw new Error("the checksum of the compressed data is wrong");
    input.take(TRAILER_BYTES);
    // Members may follow each other; zeros behind the last are padding.
  } while ((await input.has(1)) && input.bytes[0] !== 0);
}

/** Bytes that were read and not used. */
class Input {
  bytes: Uint8Array;
  readonly #rest: AsyncIterator<Uint8Array>;

  constructor(first: Uint8Array, rest: AsyncIterator<Uint8Array>) {
    this.bytes = first;
    this.#rest = rest;
  }

  /** Reads on until there are so many bytes; false where there are not. */
  async has(count: number): Promise<boolean> {
    while (this.bytes.length < count) {
      const next = await this.#rest.next();
      if (next.done === true) return false;
      this.bytes = this.bytes.length === 0 ? next.value : Buffer.concat([this.bytes, next.value]);
    }
    return true;
  }

  take(count: number): void {
    this.bytes = this.bytes.subarray(count);
  }
}

async function readHeader(input: Input): Promise<void> {
  if (!(await input.has(FIXED_HEADER_BYTES))) throw new Error(isGzip(input.bytes) ? ENDS_EARLY : "there are foreign bytes behind the compressed data");
  if (!isGzip(input.bytes)) throw new Error("there are foreign bytes behind the compressed data");
  const flags = input.bytes[3] ?? 0;
  if (input.bytes[2] !== 8 || flags >= 32) throw new Error("the compression is not one that gzip knows");
  let at = FIXED_HEADER_BYTES;
  const need = async (end: number): Promise<void> => {
    if (end > MAX_HEADER_BYTES || !(await input.has(end))) throw new Error(ENDS_EARLY);
  };
  if ((flags & HAS_EXTRA) !== 0) {
    await need(at + 2);
    at += 2 + (input.bytes[at] ?? 0) + 256 * (input.bytes[at + 1] ?? 0);
  }
  for (const text of [HAS_NAME, HAS_COMMENT]) {
    if ((flags & text) === 0) continue;
    do await need(++at);
    while (input.bytes[at - 1] !== 0);
  }
  if ((flags & HAS_HEADER_CHECKSUM) !== 0) at += 2;
  await need(at);
  input.take(at);
}

/** Up to the end of the data; leaves in `input` what lies behind it. */
async function* unpacked(inflate: InflateRaw, input: Input): AsyncGenerator<Uint8Array> {
  let pending: Uint8Array[] = [];
  inflate.on("data", (bytes: Uint8Array) => pending.push(bytes));
  const ended = once(inflate, "end").then(
    () => "ended" as const,
    (error: unknown) => (error instanceof Error ? error : new Error(String(error))),
  );
  for (;;) {
    if (!(await input.has(1))) throw new Error(ENDS_EARLY);
    const piece = input.bytes.subarray(0, PIECE_BYTES);
    const before = inflate.bytesWritten;
    const taken = new Promise<"taken">((resolve) => inflate.write(piece, (error) => (error ? undefined : resolve("taken"))));
    const outcome = await Promise.race([ended, taken]);
    const bytes = pending.length === 1 ? pending[0] : Buffer.concat(pending);
    pending = [];
    if (bytes !== undefined && bytes.length > 0) yield bytes;
    if (outcome instanceof Error) throw outcome;
    input.take(inflate.bytesWritten - before);
    if (outcome === "ended") return;
  }
}
