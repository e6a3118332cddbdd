// What servers do wrong, and how long they are waited for.

import { createServer, type Socket } from "node:net";
import type { AddressInfo } from "node:net";
import { readdirSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { test } from "tap";
import { httpFetch, type HttpFetchOptions, type KeepOutcome, openImageStore } from "../../../protocols/image-store/index.ts";
import { systemClock } from "../../../runtime/host/index.ts";
import { cutAfter, imageOf, imageSource, type ImageSource, storeFolder, type Teardown } from "./image-source.ts";

const ports = { clock: systemClock };

/** A fresh store's answer, with what it leaves in its folder. */
async function keepOf(
  t: Teardown,
  source: Pick<ImageSource, "sha256" | "image" | "url"> & Partial<ImageSource>,
  options: Partial<HttpFetchOptions> = {},
  times = 1,
): Promise<KeepOutcome & { left: number }> {
  const folder = storeFolder(t);
  const images = openImageStore({ folder, maxBytes: 10_000_000 }, ports);
  const fetch = httpFetch({ url: source.url, ...options }, ports);
  let outcome: KeepOutcome = { kind: "aborted" };
  for (let time = 0; time < times; time++)
    outcome = await images.keep({ sha256: source.sha256, bytes: source.image.byteLength, fetch, onProgress: ({ keptBytes }) => source.kept?.(keptBytes) });
  return { ...outcome, left: readdirSync(folder).filter((name) => name.endsWith(".image")).length };
}

test("a status that will stay so is final, one that may pass is not", async (t) => {
  const source = await imageSource(t);
  for (const [status, isFinal] of [
    [404, true],
    [401, true],
    [410, true],
    [204, true],
    [408, false],
    [429, false],
    [500, false],
    [503, false],
  ] as const) {
    source.script.push((_request, response) => response.writeHead(status).end());
    t.match(await keepOf(t, source), { kind: "not-fetched", status, isFinal, keptBytes: 0, left: 0 }, String(status));
  }
});

test("a redirect is refused: what was given for one host is not told to another (G2)", async (t) => {
  const [source, other] = [await imageSource(t), await imageSource(t)];
  for (const status of [301, 302, 303, 307, 308]) {
    source.script.push((_request, response) => response.writeHead(status, { location: other.url }).end());
    t.match(await keepOf(t, source, { headers: { authorization: "secret" } }), { kind: "not-fetched", status, isFinal: true, reason: /redirects are refused/ });
  }
  t.equal(other.asked.length, 0);
});

test("an encoded answer is refused, whatever it would come to", async (t) => {
  const source = await imageSource(t);
  source.script.push((_request, response) => response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync(source.image)));
  t.match(await keepOf(t, source), { kind: "not-fetched", isFinal: true, reason: "encoded as gzip" });
});

test("a part that is not the one that was asked for is not taken (G1)", async (t) => {
  for (const headers of [
    { "content-range": "bytes 0-299999/300000" },
    { "content-range": "bytes 100001-299999/300000" },
    { "content-range": "lines 1-2/3" },
    { "content-type": "multipart/byteranges; boundary=x" },
  ]) {
    const source = await imageSource(t);
    source.script.push(cutAfter(source, 100_000), (_request, response) => response.writeHead(206, headers).end(source.image.subarray(100_001)));
    t.match(await keepOf(t, source, {}, 2), { kind: "not-fetched", isFinal: true, reason: /asked for bytes from 100000 on/, keptBytes: 100_000, left: 0 });
  }
});

test("a part of an image of another length is not taken", async (t) => {
  const source = await imageSource(t);
  const headers = { "content-range": "bytes 100000-399999/400000", etag: source.etag };
  source.script.push(cutAfter(source, 100_000), (_request, response) => response.writeHead(206, headers).end(imageOf(300_000)));
  t.match(await keepOf(t, source, {}, 2), { kind: "wrong-image", why: "length", left: 0 });
});

test("a 416 begins the image again, once", async (t) => {
  const source = await imageSource(t);
  const beyond: ImageSource["script"][number] = (_request, response) => response.writeHead(416).end();
  source.script.push(cutAfter(source, 100_000), beyond);
  t.match(await keepOf(t, source, {}, 2), { kind: "kept", downloadedBytes: 300_000 });
  source.script.push(cutAfter(source, 100_000), beyond, beyond);
  t.match(await keepOf(t, source, {}, 2), { kind: "not-fetched", status: 416, isFinal: true });
});

test("a source that goes on beyond the image is hung up on", async (t) => {
  const source = await imageSource(t);
  let closed = (): void => undefined;
  const isClosed = new Promise<void>((resolve) => (closed = resolve));
  source.script.push((_request, response) => {
    response.on("close", closed);
    const more = (): void => {
      while (!response.destroyed && response.write(source.image));
    };
    response.on("drain", more);
    response.setHeader("etag", source.etag ?? "");
    more();
  });
  t.match(await keepOf(t, source), { kind: "wrong-image", why: "length", left: 0 });
  await isClosed;
});

test("a source that says nothing, or stops in the middle, or trickles, is waited for so long and no longer (G3)", async (t) => {
  const source = await imageSource(t);
  source.script.push(() => undefined);
  t.match(await keepOf(t, source, { answerMs: 100 }), { kind: "not-fetched", reason: "no answer within 100 ms", isFinal: false, keptBytes: 0 });
  source.script.push((_request, response) => response.writeHead(200, { "content-length": 300_000 }).write(source.image.subarray(0, 1_000)));
  t.match(await keepOf(t, source, { stallMs: 100 }), { kind: "not-fetched", reason: "cut: nothing came for 100 ms", isFinal: false, keptBytes: 1_000 });
  source.script.push((_request, response) => {
    response.writeHead(200, { "content-length": 300_000 });
    let at = 0;
    const timer = setInterval(() => response.write(source.image.subarray(at, ++at)), 5);
    response.on("close", () => {
      clearInterval(timer);
    });
  });
  const trickled = await keepOf(t, source, { withinMs: 300 });
  t.match(trickled, { kind: "not-fetched", reason: "cut: not done within 300 ms", isFinal: false });
  t.ok(trickled.kind === "not-fetched" && trickled.keptBytes > 0);
});

test("where nobody listens, and what speaks no HTTP, is not final", async (t) => {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on("error", () => undefined);
    socket.resume();
    socket.write("220 ftp.example ready\r\n");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/`;
  const image = imageOf(10);
  t.match(await keepOf(t, { url, image, sha256: "0".repeat(64) }), { kind: "not-fetched", reason: /^HPE_/, isFinal: false });
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => server.close(resolve));
  t.match(await keepOf(t, { url, image, sha256: "0".repeat(64) }), { kind: "not-fetched", reason: "ECONNREFUSED", isFinal: false });
});

test("a source's length that is no number, or a lie, ends as a wrong image or a cut", async (t) => {
  const source = await imageSource(t);
  source.script.push((_request, response) => {
    response.writeHead(200, { "content-length": 300_000 }).write(source.image.subarray(0, 10), () => response.socket?.destroySoon());
  });
  t.match(await keepOf(t, source), { kind: "not-fetched", reason: /^cut: /, isFinal: false, left: 0 });
  source.script.push((_request, response) => response.writeHead(200, { "content-length": 3, etag: source.etag }).end("abc"));
  t.match(await keepOf(t, source), { kind: "wrong-image", why: "length", detail: "it has 3 bytes" });
});

test("an address that is none, or names a user, is refused without telling it", (t) => {
  for (const url of ["", "ftp://example.org/x", "file:///etc/passwd", "https://me:secret@example.org/x"]) {
    try {
      httpFetch({ url }, ports);
      t.fail(url);
    } catch (error) {
      t.match(error, { code: "DROVER_CONFIG_INVALID" }, url);
      t.notMatch(String(error), /secret/);
    }
  }
  t.end();
});

test("an answer that does not call itself the image, as a portal's page, is no verdict, and costs what has come only where it has the image's length (W4)", async (t) => {
  const page = Buffer.from("<html>Welcome! Accept our terms.</html>");
  const pages: ImageSource["script"] = [
    (_request, response) => response.writeHead(200, { "content-type": "text/html", "content-length": page.byteLength }).end(page),
    (_request, response) => {
      response.writeHead(200, { "content-type": "text/html" }).write(page);
      response.end();
    },
    (_request, response) => response.writeHead(200, { "content-length": 300_000 }).end(Buffer.alloc(300_000, "<")),
    (_request, response) => response.writeHead(200, { etag: '"another"' }).end(Buffer.alloc(300_001, "<")),
  ];
  for (const [at, answer] of pages.entries()) {
    const source = await imageSource(t);
    source.script.push(answer);
    t.match(await keepOf(t, source), { kind: "not-fetched", isFinal: false, keptBytes: 0, left: 0, reason: /^what came is not it .* a portal or a proxy$/ }, String(at));
    source.script.push(answer);
    t.match(await keepOf(t, source, {}, 2), { kind: "kept", downloadedBytes: 300_000 }, String(at));
    source.script.push(cutAfter(source, 100_000), answer);
    const begunAgain = at === 2;
    t.match(await keepOf(t, source, {}, 3), { kind: "kept", downloadedBytes: begunAgain ? 300_000 : 200_000 }, `${String(at)}: the line is cut, then it comes in between`);
  }
});
