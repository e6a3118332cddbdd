// Messages on the pipe between a process and its parent: each the length of four bytes, little-endian, and what V8's serializer makes of it.
//
// F1. What comes is not trusted: a length beyond the bound, or bytes that are no message, end the reading with their reason. Nothing throws.
//     Node's own channel to a child (`process.send`) does not hold that: bytes that a child writes into it by itself end the parent.
// F2. At most what the pipe held is looked at in one turn of the event loop, so that a flood is no stall.

import type { Socket } from "node:net";
import { deserialize, serialize } from "node:v8";

const HEAD_BYTES = 4;
/** An item larger than the window passes alone (channel.ts C3), and this bounds it. */
const MAX_FRAME_BYTES = 512 * 1_048_576;

/** Throws what serialization throws, before anything is written. @param written called when the pipe has it, or never will */
export function writeFrame(pipe: Socket, message: unknown, written?: () => void): void {
  const body = serialize(message);
  if (body.length > MAX_FRAME_BYTES) throw new RangeError(`a message of ${String(body.length)} bytes; at most ${String(MAX_FRAME_BYTES)} pass between processes`);
  const head = Buffer.allocUnsafe(HEAD_BYTES);
  head.writeUInt32LE(body.length);
  pipe.cork();
  pipe.write(head);
  pipe.write(body, () => written?.());
  pipe.uncork();
}

/** Reads `pipe` until it ends, or until `broken` was called once. */
export function readFrames(pipe: Socket, on: { readonly message: (message: unknown) => void; readonly broken: (reason: string) => void }): void {
  const reader = new FrameReader();
  pipe.on("data", (chunk: Buffer) => {
    // F2.
    pipe.pause();
    const broken = reader.take(chunk, on.message);
    if (broken === undefined) setImmediate(() => pipe.resume());
    else {
      pipe.removeAllListeners("data");
      // Whoever writes on is not held up by a full pipe.
      pipe.resume();
      on.broken(broken);
    }
  });
}

class FrameReader {
  #chunks: Buffer[] = [];
  #held = 0;
  #wanted = HEAD_BYTES;
  #isBody = false;

  /** Why nothing more can be read, or undefined. */
  take(chunk: Buffer, message: (message: unknown) => void): string | undefined {
    this.#chunks.push(chunk);
    this.#held += chunk.length;
    while (this.#held >= this.#wanted) {
      const bytes = this.#next();
      if (this.#isBody) {
        const read = deserialized(bytes);
        if (read === undefined) return "bytes that are no message";
        message(read.message);
        this.#wanted = HEAD_BYTES;
      } else {
        this.#wanted = bytes.readUInt32LE();
        if (this.#wanted > MAX_FRAME_BYTES) return `a message of ${String(this.#wanted)} bytes; at most ${String(MAX_FRAME_BYTES)} pass`;
      }
      this.#isBody = !this.#isBody;
    }
    return undefined;
  }

  /** The next `wanted` bytes. */
  #next(): Buffer {
    const all = this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks);
    const rest = all.subarray(this.#wanted);
    this.#chunks = rest.length === 0 ? [] : [rest];
    this.#held = rest.length;
    return all.subarray(0, this.#wanted);
  }
}

function deserialized(bytes: Buffer): { readonly message: unknown } | undefined {
  try {
    return { message: deserialize(bytes) };
  } catch {
    return undefined;
  }
}
