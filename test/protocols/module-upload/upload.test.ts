// Handing an image to a module, at real servers: those that do as they should, those that fail in the middle, and those that mean harm.

import { statSync, truncateSync, writeFileSync } from "node:fs";
import type { Socket } from "node:net";
import { join } from "node:path";
import { test } from "tap";
import { upload, type UploadOutcome, type UploadProgress } from "../../../protocols/module-upload/index.ts";
import { systemClock } from "../../../runtime/host/index.ts";
import { bytesOf, closedPort, folder, httpModule, imageFile, largeFile, rawModule } from "./small-module.ts";

const ports = { clock: systemClock };
const LARGE = 64 * 1_024 * 1_024;

function afterHeaders(socket: Socket, run: (body: Buffer) => void): void {
  let text = Buffer.alloc(0);
  const look = (chunk: Buffer): void => {
    text = Buffer.concat([text, chunk]);
    const end = text.indexOf("\r\n\r\n");
    if (end === -1) return;
    socket.off("data", look);
    run(text.subarray(end + 4));
  };
  socket.on("data", look);
}

test("a module that takes the whole file has it byte for byte, and progress ends with its last one", async (t) => {
  const image = bytesOf(100_000);
  const chunks: Buffer[] = [];
  let head: unknown;
  const module = await httpModule(t, (request, response) => {
    const { host: _host, ...headers } = request.headers;
    head = { method: request.method, url: request.url, headers };
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => response.end("OK, rebooting\u0007\n"));
  });
  const told: UploadProgress[] = [];
  const outcome = await upload({ url: `${module.url}?slot=next`, file: imageFile(t, image), onProgress: (progress) => told.push(progress) }, ports);
  t.same(outcome, { kind: "taken", status: 200, text: "OK, rebooting", bytes: 100_000 });
  t.ok(Buffer.concat(chunks).equals(image));
  t.same(head, { method: "POST", url: "/ota?slot=next", headers: { "content-type": "application/octet-stream", "content-length": "100000", connection: "close" } });
  t.equal(told.length, Math.ceil(100_000 / 16_384));
  t.ok(told.every(({ sentBytes, bytes }, at) => bytes === 100_000 && sentBytes > (told[at - 1]?.sentBytes ?? 0)));
  t.equal(told.at(-1)?.sentBytes, 100_000);
  await module.quiet();
});

test("any other status is a refusal, with at most 1 KiB of its words", async (t) => {
  for (const status of [500, 404, 202, 204, 401]) {
    const module = await httpModule(t, (request, response) => {
      request.resume();
      request.on("end", () => {
        response.statusCode = status;
        response.end(status === 500 ? `no sound image${"!".repeat(100_000)}` : undefined);
      });
    });
    const outcome = await upload({ url: module.url, file: imageFile(t) }, ports);
    t.match(outcome, { kind: "refused", status, sentBytes: 100_000, bytes: 100_000 }, String(status));
    if (outcome.kind === "refused" && status === 500) t.ok(/^no sound image!+$/.test(outcome.text) && outcome.text.length === 1_024);
    await module.quiet();
  }
});

test("a redirect is not followed (U4)", async (t) => {
  let heard = 0;
  const other = await httpModule(t, (_request, response) => {
    heard++;
    response.end();
  });
  for (const status of [301, 302, 307, 308]) {
    const module = await httpModule(t, (request, response) => {
      request.resume();
      response.writeHead(status, { location: other.url }).end();
    });
    t.match(await upload({ url: module.url, file: imageFile(t) }, ports), { kind: "refused", status });
  }
  t.equal(heard, 0);
});

test("a refusal in the middle ends the sending", async (t) => {
  const module = await rawModule(t, (socket) => {
    afterHeaders(socket, () => {
      socket.pause();
      socket.write("HTTP/1.1 400 Bad Request\r\nContent-Length: 8\r\n\r\nno magic");
    });
  });
  const outcome = await upload({ url: module.url, file: largeFile(t) }, ports);
  t.match(outcome, { kind: "refused", status: 400, text: "no magic", bytes: LARGE });
  t.ok(outcome.kind === "refused" && outcome.sentBytes < LARGE);
  await module.quiet();
});

test("a 200 before the last byte is not taken for a whole image (U4)", async (t) => {
  const module = await rawModule(t, (socket) => {
    afterHeaders(socket, () => {
      socket.pause();
      socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK");
    });
  });
  const outcome = await upload({ url: module.url, file: largeFile(t) }, ports);
  t.match(outcome, { kind: "cut", why: "early", bytes: LARGE });
  t.ok(outcome.kind === "cut" && outcome.sentBytes < LARGE);
});

test("a connection that is lost in the middle is a cut, with what it had taken", async (t) => {
  for (const lose of ["destroy", "resetAndDestroy"] as const) {
    const module = await rawModule(t, (socket) => {
      let taken = 0;
      socket.on("data", (chunk: Buffer) => {
        taken += chunk.byteLength;
        if (taken > 200_000) socket[lose]();
      });
    });
    const outcome = await upload({ url: module.url, file: largeFile(t) }, ports);
    t.match(outcome, { kind: "cut", why: "closed", bytes: LARGE }, lose);
    t.ok(outcome.kind === "cut" && outcome.sentBytes > 100_000 && outcome.sentBytes < LARGE, JSON.stringify(outcome));
  }
});

test("a connection that is lost after the last byte is a cut of which nobody knows", async (t) => {
  const module = await httpModule(t, (request) => {
    request.resume();
    request.on("end", () => request.socket.destroy());
  });
  t.match(await upload({ url: module.url, file: imageFile(t) }, ports), { kind: "cut", why: "closed", sentBytes: 100_000, bytes: 100_000 });
});

test("a module that takes nothing more is waited for so long, and the file is not gathered meanwhile (U2)", async (t) => {
  const module = await rawModule(t, (socket) => {
    afterHeaders(socket, () => {
      socket.pause();
    });
  });
  const outcome = await upload({ url: module.url, file: largeFile(t), stallMs: 200 }, ports);
  t.match(outcome, { kind: "cut", why: "stalled", bytes: LARGE });
  t.ok(outcome.kind === "cut" && outcome.sentBytes < LARGE / 2, "more than the kernel's buffers was not read from the file");
  await module.quiet();
});

test("a module that takes a little at a time is given its time, and not more than all of it", async (t) => {
  const module = await rawModule(t, (socket) => {
    socket.pause();
    const timer = setInterval(() => socket.read(64 * 1_024), 10);
    socket.on("close", () => {
      clearInterval(timer);
    });
  });
  t.match(await upload({ url: module.url, file: largeFile(t), stallMs: 5_000, withinMs: 600 }, ports), { kind: "cut", why: "too-long" });
  await module.quiet();
});

test("a module that says nothing after the last byte, or says it a letter at a time, is not waited for without end (U3)", async (t) => {
  const silent = await httpModule(t, (request) => request.resume());
  const nothing = await upload({ url: silent.url, file: imageFile(t), answerMs: 100 }, ports);
  t.match(nothing, { kind: "cut", why: "no-answer", sentBytes: 100_000 });
  const slow = await rawModule(t, (socket) => {
    socket.resume();
    socket.write("HTTP/1.1 200 OK\r\nX: ");
    const timer = setInterval(() => socket.write("x"), 5);
    socket.on("close", () => {
      clearInterval(timer);
    });
  });
  t.match(await upload({ url: slow.url, file: imageFile(t), answerMs: 150 }, ports), { kind: "cut", why: "no-answer" });
  await Promise.all([silent.quiet(), slow.quiet()]);
});

test("an answer without end is read for its first words, and hung up on (U2)", async (t) => {
  const module = await httpModule(t, (request, response) => {
    request.resume();
    request.on("end", () => {
      response.writeHead(200);
      const more = (): void => {
        while (!response.destroyed && response.write("a".repeat(10_000)));
      };
      response.on("drain", more);
      more();
    });
  });
  const outcome = await upload({ url: module.url, file: imageFile(t) }, ports);
  t.match(outcome, { kind: "taken", text: "a".repeat(1_024) });
  await module.quiet();
});

test("words that do not end do not hold the status back", async (t) => {
  const module = await httpModule(t, (request, response) => {
    request.resume();
    request.on("end", () => response.writeHead(503).write("busy"));
  });
  t.match(await upload({ url: module.url, file: imageFile(t), answerMs: 100 }, ports), { kind: "refused", status: 503, text: "busy" });
});

test("what speaks no HTTP, or never ends its headers, is not HTTP", async (t) => {
  for (const words of ["SSH-2.0-dropbear\r\n", "HTTP/1.1 200 OK\r\nContent-Length: -3\r\n\r\n", `HTTP/1.1 200 OK\r\nX: ${"x".repeat(100_000)}`]) {
    const module = await rawModule(t, (socket) => {
      socket.resume();
      afterHeaders(socket, () => socket.write(words));
    });
    const outcome: UploadOutcome = await upload({ url: module.url, file: imageFile(t), answerMs: 5_000 }, ports);
    t.match(outcome, { kind: "cut", why: "not-http" }, words.slice(0, 40));
    await module.quiet();
  }
});

test("where nobody listens nothing was sent", async (t) => {
  const url = `http://127.0.0.1:${String(await closedPort(t))}/ota`;
  t.match(await upload({ url, file: imageFile(t) }, ports), { kind: "no-port", detail: "ECONNREFUSED" });
  const nobody = await upload({ url: "http://esp32-000000.invalid/ota", file: imageFile(t), connectMs: 2_000 }, ports);
  t.match(nobody, { kind: "no-port" });
});

test("a signal ends it at once: before, while it sends, while it waits for the answer (U3)", async (t) => {
  const before = new AbortController();
  before.abort();
  const module = await rawModule(t, () => undefined);
  t.match(await upload({ url: module.url, file: imageFile(t), signal: before.signal }, ports), { kind: "aborted", sentBytes: 0 });
  t.equal(module.sockets.length, 0);

  const sending = new AbortController();
  const outcome = await upload(
    {
      url: module.url,
      file: largeFile(t),
      signal: sending.signal,
      onProgress: () => {
        sending.abort();
      },
    },
    ports,
  );
  t.match(outcome, { kind: "aborted", sentBytes: 16_384, bytes: LARGE });
  await module.quiet();

  const waiting = new AbortController();
  const silent = await httpModule(t, (request) => {
    request.resume();
    request.on("end", () => {
      waiting.abort();
    });
  });
  t.match(await upload({ url: silent.url, file: imageFile(t), signal: waiting.signal }, ports), { kind: "aborted", sentBytes: 100_000, bytes: 100_000 });
  await silent.quiet();
});

test("what is no image is not sent, and one that shrinks under the hand is not completed", async (t) => {
  const module = await rawModule(t, () => undefined);
  const dir = folder(t);
  t.match(await upload({ url: module.url, file: join(dir, "none") }, ports), { kind: "no-image", detail: "ENOENT" });
  t.match(await upload({ url: module.url, file: dir }, ports), { kind: "no-image", detail: /no plain file|EISDIR/ });
  writeFileSync(join(dir, "empty"), "");
  t.match(await upload({ url: module.url, file: join(dir, "empty") }, ports), { kind: "no-image", detail: "it is empty" });
  t.equal(module.sockets.length, 0);

  const file = largeFile(t);
  let whole = false;
  const reading = await httpModule(t, (request) => {
    request.resume();
    request.on("end", () => (whole = request.complete));
    request.on("error", () => undefined);
  });
  const outcome = await upload(
    {
      url: reading.url,
      file,
      onProgress: ({ sentBytes }) => {
        if (sentBytes === 32_768) truncateSync(file, 65_536);
      },
    },
    ports,
  );
  t.match(outcome, { kind: "no-image", detail: `it ended after 65536 of ${String(LARGE)} bytes`, sentBytes: 65_536 });
  await reading.quiet();
  t.equal(whole, false, "the module knows that it has not come to its end");
  t.equal(statSync(file).size, 65_536);
});

test("what the caller's progress throws ends the upload, and reaches the caller", async (t) => {
  const module = await httpModule(t, (request) => {
    request.resume();
    request.on("error", () => undefined);
  });
  const progress = (): void => {
    throw new Error("no room on the screen");
  };
  await t.rejects(upload({ url: module.url, file: largeFile(t), onProgress: progress }, ports), { message: "no room on the screen" });
  await module.quiet();
});

test("an address that is no plain http URL is refused", async (t) => {
  await t.rejects(upload({ url: "https://10.0.0.1/ota", file: "none" }, ports), { code: "DROVER_CONFIG_INVALID" });
});
