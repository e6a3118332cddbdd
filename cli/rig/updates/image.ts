// A firmware image of a simulated module. It says so itself, and has what a real one has: a chip that it is built for, an identity of its own, and a hash at its end.
//
//   0   8  "SIMFW001"
//   8   4  length of the body, u32, most significant byte first
//   12  1  instance address
//   13  3  version: major, minor, patch
//   16 16  type, ASCII, zeros behind it, e.g. "torrent"
//   32 16  hardware: the chip, e.g. "esp32s3"
//   48 16  zeros
//   64     body
//      32  SHA-256 of everything before
//
// As on the real parts (research/trailcurrent.md 4.1) only soundness and chip are looked at when it is written: an image of another type or address is sound.

import { createHash } from "node:crypto";

export interface ImageIdentity {
  /** As in TrailCurrent's file names, e.g. `torrent`. */
  readonly type: string;
  /** The chip: `esp32`, `esp32s3`, `esp32c6`. */
  readonly hardware: string;
  /** Instance address, built in; 0..255. */
  readonly address: number;
  readonly version: readonly [number, number, number];
}

export type ReadImage = { readonly kind: "sound"; readonly identity: ImageIdentity } | { readonly kind: "unsound"; readonly reason: string };

export const IMAGE_MAGIC = Buffer.from("SIMFW001", "ascii");
const HEADER_BYTES = 64;
const NAME_BYTES = 16;
const DIGEST_BYTES = 32;
const NAME = /^[a-z0-9-]{1,16}$/;

/**
 * @param bodyBytes length of what stands for the code; default 65536. The same identity and length give the same bytes.
 * @throws RangeError for an identity that the header cannot hold
 */
export function makeImage({ type, hardware, address, version }: ImageIdentity, bodyBytes = 65_536): Uint8Array {
  if (!NAME.test(type) || !NAME.test(hardware)) throw new RangeError("type and hardware are 1 to 16 of a-z, 0-9 and -");
  if ([address, ...version].some((byte) => !Number.isInteger(byte) || byte < 0 || byte > 255)) throw new RangeError("address and version numbers are 0 to 255");
  const image = Buffer.alloc(HEADER_BYTES + bodyBytes + DIGEST_BYTES);
  IMAGE_MAGIC.copy(image);
  image.writeUInt32BE(bodyBytes, 8);
  image.set([address, ...version], 12);
  image.write(type, 16, "ascii");
  image.write(hardware, 32, "ascii");
  for (let at = 0; at < bodyBytes; at += DIGEST_BYTES) {
    const block = createHash("sha256").update(image.subarray(0, HEADER_BYTES)).update(String(at)).digest();
    block.copy(image, HEADER_BYTES + at, 0, Math.min(DIGEST_BYTES, bodyBytes - at));
  }
  digestOf(image).copy(image, HEADER_BYTES + bodyBytes);
  return image;
}

/** What a bootloader and the writer of a slot look at; bytes behind the image do not count. */
export function readImage(bytes: Uint8Array): ReadImage {
  const image = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (image.byteLength < HEADER_BYTES || !image.subarray(0, IMAGE_MAGIC.byteLength).equals(IMAGE_MAGIC)) return { kind: "unsound", reason: "it begins as no image" };
  const whole = HEADER_BYTES + image.readUInt32BE(8) + DIGEST_BYTES;
  if (image.byteLength < whole) return { kind: "unsound", reason: `it has ${String(image.byteLength)} of ${String(whole)} bytes` };
  if (!digestOf(image.subarray(0, whole)).equals(image.subarray(whole - DIGEST_BYTES, whole))) return { kind: "unsound", reason: "its hash is not that of its bytes" };
  const [address = 0, major = 0, minor = 0, patch = 0] = image.subarray(12, 16);
  return { kind: "sound", identity: { type: nameAt(image, 16), hardware: nameAt(image, 32), address, version: [major, minor, patch] } };
}

function digestOf(image: Uint8Array): Buffer {
  return createHash("sha256")
    .update(image.subarray(0, image.byteLength - DIGEST_BYTES))
    .digest();
}

function nameAt(image: Buffer, at: number): string {
  const field = image.subarray(at, at + NAME_BYTES);
  const end = field.indexOf(0);
  return field.toString("ascii", 0, end === -1 ? NAME_BYTES : end);
}
