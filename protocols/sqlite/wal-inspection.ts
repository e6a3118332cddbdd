// Reads a write-ahead log before SQLite does. SQLite ends recovery at the first frame that does not fit and says nothing, so that a damaged page in the middle
// would take back commits that were acknowledged. What a crash leaves behind looks different from damage (https://sqlite.org/fileformat2.html#walformat):
//
//   header 32 bytes   magic · format · page size · checkpoint number · salt 1 · salt 2 · checksum (2 words)
//   frame             page number · pages in the database, 0 except at a commit · salt 1 · salt 2 · checksum (2 words) · page
//
// Numbers are big-endian. A frame's checksum continues that of the frame before it. Frames with other salts are left from before the last checkpoint.
//
// W1. With synchronous=FULL a commit is flushed before the next transaction writes. A broken frame that is followed by a commit and by still another frame was
//     therefore flushed once, and is damage; one in the last transaction is a write that the crash interrupted, and was never acknowledged. The frame after the
//     commit counts only if it continues the commit's checksum: others may be left from a transaction that was taken back.

import { closeSync, fstatSync, openSync, readSync } from "node:fs";

const HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;
const MAGIC_LITTLE_ENDIAN = 0x377f0682;
const MAGIC_BIG_ENDIAN = 0x377f0683;

type Checksum = readonly [number, number];

export interface WalContents {
  /** What is wrong with it (W1), or undefined: absent, empty, whole, or whole up to an interrupted write. Means something only for files written with synchronous=FULL. */
  readonly problem: string | undefined;
  /** Numbers of the pages, from 1, that the whole frames hold. */
  readonly pages: ReadonlySet<number>;
}

const NOTHING: WalContents = { problem: undefined, pages: new Set() };

/** Reads the log at `path`; nobody may be writing it. */
export function inspectWal(path: string): WalContents {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return NOTHING;
    throw error;
  }
  try {
    return inspect(file, fstatSync(file).size);
  } finally {
    closeSync(file);
  }
}

function inspect(file: number, sizeBytes: number): WalContents {
  // The header is flushed before the first frame is written: without a frame there was no commit.
  if (sizeBytes <= HEADER_BYTES) return NOTHING;
  const header = read(file, 0, HEADER_BYTES);
  const magic = header.getUint32(0);
  const littleEndian = magic === MAGIC_LITTLE_ENDIAN;
  if (!littleEndian && magic !== MAGIC_BIG_ENDIAN) return { ...NOTHING, problem: "the write-ahead log does not begin with its mark" };
  let sum = checksum([0, 0], header, 0, 24, littleEndian);
  if (sum[0] !== header.getUint32(24) || sum[1] !== header.getUint32(28)) return { ...NOTHING, problem: "the header of the write-ahead log does not fit its checksum" };
  const pageBytes = header.getUint32(8);
  const salts = [header.getUint32(16), header.getUint32(20)] as const;

  const pages = new Set<number>();
  let brokenFrame: number | undefined;
  let afterCommit = false;
  const frameBytes = FRAME_HEADER_BYTES + pageBytes;
  for (let index = 0, at = HEADER_BYTES; at + frameBytes <= sizeBytes; index++, at += frameBytes) {
    const frame = read(file, at, frameBytes);
    const isOurs = frame.getUint32(8) === salts[0] && frame.getUint32(12) === salts[1];
    const expected = checksum(checksum(sum, frame, 0, 8, littleEndian), frame, FRAME_HEADER_BYTES, pageBytes, littleEndian);
    // From here on by what the frame says of itself: behind a broken frame, each can still be held against the one before it.
    sum = [frame.getUint32(16), frame.getUint32(20)];
    const fits = isOurs && expected[0] === sum[0] && expected[1] === sum[1];
    if (brokenFrame === undefined && fits) pages.add(frame.getUint32(0));
    else brokenFrame ??= index;
    if (brokenFrame !== undefined && fits && afterCommit) return { pages, problem: `frame ${String(brokenFrame)} of the write-ahead log is damaged, and commits follow it` };
    afterCommit = brokenFrame !== undefined && isOurs && frame.getUint32(4) !== 0;
  }
  return { pages, problem: undefined };
}

function read(file: number, position: number, bytes: number): DataView {
  const buffer = Buffer.alloc(bytes);
  let filled = 0;
  while (filled < bytes) {
    const count = readSync(file, buffer, filled, bytes - filled, position + filled);
    if (count === 0) break;
    filled += count;
  }
  return new DataView(buffer.buffer, buffer.byteOffset, bytes);
}

function checksum(from: Checksum, data: DataView, offset: number, bytes: number, littleEndian: boolean): Checksum {
  let [first, second] = from;
  for (let at = offset; at < offset + bytes; at += 8) {
    first = (first + data.getUint32(at, littleEndian) + second) >>> 0;
    second = (second + data.getUint32(at + 4, littleEndian) + first) >>> 0;
  }
  return [first, second];
}
