// Real servers that behave as a module's upload port may. They assert nothing themselves.

import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Teardown {
  teardown(run: () => Promise<void> | void): void;
}

export interface Listening {
  readonly url: string;
  readonly port: number;
  readonly server: Server;
  /** Every connection so far. */
  readonly sockets: readonly Socket[];
  /** All connections have ended. */
  quiet(): Promise<void>;
}

/** @param port a closed one that is to open now; any free one otherwise */
export function listening(t: Teardown, server: Server, port = 0): Promise<Listening> {
  const sockets: Socket[] = [];
  server.on("connection", (socket: Socket) => {
    sockets.push(socket);
    socket.on("error", () => undefined);
  });
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise<void>((resolve) => {
      server.close(() => {
        resolve();
      });
    });
  });
  return new Promise((resolve) => {
    server.listen(port, "127.0.0.1", () => {
      const at = (server.address() as AddressInfo).port;
      const quiet = async (): Promise<void> => {
        // Who does not read does not see the other side go.
        for (const socket of sockets) socket.resume();
        await Promise.all(sockets.filter((socket) => !socket.destroyed).map((socket) => new Promise((done) => socket.once("close", done))));
      };
      resolve({ url: `http://127.0.0.1:${String(at)}/ota`, port: at, server, sockets, quiet });
    });
  });
}

export function httpModule(t: Teardown, answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<Listening> {
  return listening(t, createHttpServer(answer));
}

/** Bytes for bytes: what no HTTP server would do. */
export function rawModule(t: Teardown, met: (socket: Socket) => void): Promise<Listening> {
  return listening(t, createServer(met));
}

/** A port where nobody listens any more. */
export async function closedPort(t: Teardown): Promise<number> {
  const { server, port } = await listening(t, createServer());
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export function folder(t: Teardown): string {
  const path = mkdtempSync(join(tmpdir(), "module-upload-"));
  t.teardown(() => {
    rmSync(path, { recursive: true, force: true });
  });
  return path;
}

/** Bytes that differ along the file. */
export function bytesOf(length: number): Buffer {
  return Buffer.from(Uint8Array.from({ length }, (_, at) => (at * 31 + (at >> 8)) & 0xff));
}

export function imageFile(t: Teardown, bytes: Uint8Array = bytesOf(100_000)): string {
  const path = join(folder(t), "image.bin");
  writeFileSync(path, bytes);
  return path;
}

/** More than the kernel takes for a peer that does not read; zeros. */
export function largeFile(t: Teardown, bytes = 64 * 1_024 * 1_024): string {
  const path = imageFile(t, new Uint8Array(0));
  truncateSync(path, bytes);
  return path;
}
