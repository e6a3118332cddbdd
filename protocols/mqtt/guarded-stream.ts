// A socket as a broker may see it: every byte has passed the packet meter. It stands between the socket and aedes, which would buffer whatever a header announces.
//
// Its write side takes much more than a socket's own buffer before it says "wait": aedes holds one of its delivery slots for every message that waits for a full stream, so that one frozen
// client would stop them all. Whoever forwards must look at `writableLength` and drop (broker.ts does).

import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { type MeterLimits, type MeterViolation, PacketMeter } from "./packet-meter.ts";

/** Bytes written before the stream asks its writer to wait. */
const WRITE_BUFFER_BYTES = 16_777_216;

export class GuardedStream extends Duplex {
  readonly #socket: Socket;
  readonly #meter: PacketMeter;

  constructor(socket: Socket, limits: MeterLimits, violated: (violation: MeterViolation) => void) {
    super({ writableHighWaterMark: WRITE_BUFFER_BYTES, allowHalfOpen: false });
    this.#socket = socket;
    this.#meter = new PacketMeter(limits);
    socket.on("data", (chunk: Buffer) => {
      const violation = this.#meter.feed(chunk);
      if (violation !== undefined) {
        violated(violation);
        this.destroy();
      } else if (!this.push(chunk)) socket.pause();
    });
    socket.on("end", () => this.push(null));
    socket.on("close", () => this.destroy());
    socket.on("error", () => this.destroy());
  }

  get remoteAddress(): string {
    return this.#socket.remoteAddress ?? "unknown";
  }

  accepted(): void {
    this.#meter.accepted();
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#socket.write(chunk, done);
  }

  override _writev(chunks: readonly { readonly chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this.#socket.cork();
    chunks.forEach(({ chunk }, index) => this.#socket.write(chunk, index === chunks.length - 1 ? done : undefined));
    this.#socket.uncork();
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#socket.end(() => {
      done();
    });
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#socket.destroy();
    done(error);
  }
}
