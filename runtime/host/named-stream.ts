// A file that a person names on a command line where a pipe is as good: `<(zcat drive.log.gz)`, a named pipe, a terminal, /dev/null.
// What a node reads by itself goes through plain-file.ts, which refuses those: a node must not wait for somebody to write.
//
// N1. No thread waits in the operating system: the process can end while nobody writes.

import { constants, createReadStream, fstatSync, openSync, type Stats, statSync } from "node:fs";
import { Socket } from "node:net";
import type { Readable } from "node:stream";
import { isatty, ReadStream } from "node:tty";
import { DroverError } from "../errors.ts";
import { fileKind, readPlainFile } from "./plain-file.ts";

/** More than any database or list that is written by hand or by a tool. */
const MAX_PIPED_BYTES = 64 * 1_024 * 1_024;

/**
 * @param expected what should be there, e.g. `a recording`
 * @param chunkBytes of a plain file, at most
 * @throws DROVER_FILE_UNREADABLE for a folder, a socket, a block device, and what cannot be opened
 */
export function openNamedStream(path: string, expected: string, chunkBytes = 64 * 1_024): Readable {
  try {
    const found = statSync(path);
    if (!canStream(found)) throw new DroverError("DROVER_FILE_UNREADABLE", `${path} is ${fileKind(found)}, expected ${expected}`);
    if (found.isFile()) return createReadStream("", { fd: openSync(path, "r"), highWaterMark: chunkBytes });
    // Without O_NONBLOCK opening a pipe waits for its writer.
    const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    if (fstatSync(fd).isFIFO()) return new Socket({ fd, readable: true, writable: false });
    return isatty(fd) ? new ReadStream(fd) : createReadStream("", { fd });
  } catch (cause) {
    if (cause instanceof DroverError) throw cause;
    throw new DroverError("DROVER_FILE_UNREADABLE", `cannot open ${path}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

/**
 * All of it; of a pipe or a device at most 64 MiB.
 * @param signal ends the waiting for a writer
 * @throws DROVER_FILE_UNREADABLE, and the signal's AbortError
 */
export async function readNamedFile(path: string, expected: string, signal?: AbortSignal): Promise<Uint8Array> {
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== false) return readPlainFile(path, expected);
  return await readNamedStream(openNamedStream(path, expected), path, expected, signal);
}

/** What comes of a stream until its end. @throws as `readNamedFile` */
export async function readNamedStream(
  stream: NodeJS.ReadableStream & { destroy(error?: Error): unknown },
  name: string,
  expected: string,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  const stop = (): void => void stream.destroy();
  if (signal?.aborted === true) stop();
  signal?.addEventListener("abort", stop, { once: true });
  try {
    for await (const chunk of stream) {
      const piece = Buffer.from(chunk as Uint8Array | string as Uint8Array);
      bytes += piece.length;
      if (bytes > MAX_PIPED_BYTES) throw new DroverError("DROVER_FILE_UNREADABLE", `${name}: more than ${String(MAX_PIPED_BYTES)} bytes came, expected ${expected}`);
      chunks.push(piece);
    }
  } catch (cause) {
    signal?.throwIfAborted();
    if (cause instanceof DroverError) throw cause;
    throw new DroverError("DROVER_FILE_UNREADABLE", `cannot read ${name}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  } finally {
    signal?.removeEventListener("abort", stop);
    stream.destroy();
  }
  signal?.throwIfAborted();
  return Buffer.concat(chunks);
}

function canStream(found: Stats): boolean {
  return found.isFile() || found.isFIFO() || found.isCharacterDevice();
}
