// A real HTTP server with one image, that does what a test says. Asserts nothing itself.

import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Teardown {
  teardown(run: () => Promise<void> | void): void;
}

export interface ImageSource {
  readonly url: string;
  readonly image: Buffer;
  readonly sha256: string;
  /** Headers of each request, in their order. */
  readonly asked: IncomingHttpHeaders[];
  /** What it does next; answers in full, with Range, where none is left. */
  readonly script: ((request: IncomingMessage, response: ServerResponse) => void)[];
  /** Its name, as a strong tag, where a test says nothing else. */
  etag: string | undefined;
  /** To be told how much the other side has kept: a cut waits for that. */
  kept: (keptBytes: number) => void;
}

export function imageOf(bytes: number, salt = 0): Buffer {
  return Buffer.from(Uint8Array.from({ length: bytes }, (_, at) => (at * 31 + (at >> 8) * 7 + salt) & 0xff));
}

export function sha256Of(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

export function storeFolder(t: Teardown): string {
  const path = mkdtempSync(join(tmpdir(), "image-store-"));
  t.teardown(() => {
    rmSync(path, { recursive: true, force: true });
  });
  return join(path, "images");
}

export async function imageSource(t: Teardown, image: Buffer = imageOf(300_000)): Promise<ImageSource> {
  const asked: IncomingHttpHeaders[] = [];
  const script: ImageSource["script"] = [];
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => {
    asked.push(request.headers);
    response.on("error", () => undefined);
    const next = script.shift() ?? ((...call: [IncomingMessage, ServerResponse]): void => serve(source, ...call));
    next(request, response);
  });
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise<void>((resolve) => {
      server.close(() => {
        resolve();
      });
    });
  });
  const source: ImageSource = {
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/image`,
    image,
    sha256: sha256Of(image),
    asked,
    script,
    etag: `"${sha256Of(image)}"`,
    kept: () => undefined,
  };
  return source;
}

/** As a good server does. */
function serve(source: ImageSource, request: IncomingMessage, response: ServerResponse): void {
  const { image, etag } = source;
  if (etag !== undefined) response.setHeader("etag", etag);
  const [, from] = /^bytes=(\d+)-$/.exec(request.headers.range ?? "") ?? [];
  const ifRange = request.headers["if-range"];
  if (from === undefined || (ifRange !== undefined && ifRange !== etag)) {
    response.setHeader("content-length", image.byteLength);
    response.end(image);
  } else if (Number(from) >= image.byteLength) {
    response.writeHead(416, { "content-range": `bytes */${String(image.byteLength)}` }).end();
  } else {
    response.writeHead(206, {
      "content-range": `bytes ${from}-${String(image.byteLength - 1)}/${String(image.byteLength)}`,
      "content-length": image.byteLength - Number(from),
    });
    response.end(image.subarray(Number(from)));
  }
}

/** The first so many bytes of what was asked for; once they are kept (`kept`) the line is cut. What has arrived and was not read yet is lost with it. */
export function cutAfter(source: ImageSource, bytes: number): ImageSource["script"][number] {
  return (request, response) => {
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
    if (source.etag !== undefined) response.setHeader("etag", source.etag);
    response.setHeader("content-length", source.image.byteLength - from);
    if (from > 0) response.writeHead(206, { "content-range": `bytes ${String(from)}-${String(source.image.byteLength - 1)}/${String(source.image.byteLength)}` });
    response.write(source.image.subarray(from, from + bytes));
    const before = source.kept;
    source.kept = (keptBytes) => {
      if (keptBytes < from + bytes) return;
      source.kept = before;
      response.socket?.destroy();
    };
  };
}
