// What comes before there is a request: bytes that are no HTTP, parts of HTTP that are not spoken here, requests that never end. Each has a problem for an answer, and no connection is left.

import { type AddressInfo, connect, type Server, type Socket } from "node:net";
import { test, type Test } from "tap";
import { httpServer, takeItsTime } from "../../../protocols/http/http-server.ts";
import { systemClock, systemRandom } from "../../../runtime/index.ts";
import { ManualClock, settle } from "../../../runtime/simulation/index.ts";
import { serving, servingCounter, type Serving, AT } from "./serving.ts";

interface Answered {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

interface Heard {
  readonly answers: readonly Answered[];
  /** How the connection ended: `closed` in order, `open` where the node keeps it, else the error. */
  readonly end: string;
}

/** The answers in a text, each by its Content-Length. */
function answersIn(text: string): readonly Answered[] {
  const answers: Answered[] = [];
  let rest = text;
  while (rest !== "") {
    const split = rest.indexOf("\r\n\r\n");
    if (split === -1) throw new Error(`no answer: ${rest.slice(0, 100)}`);
    const head = rest.slice(0, split);
    const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? "0");
    answers.push({ status: Number(head.slice(9, 12)), head, body: rest.slice(split + 4, split + 4 + length) });
    rest = rest.slice(split + 4 + length);
  }
  return answers;
}

/** Says `bytes`, each part after the one before has left, and hears until the node closes, or for a good connection until it has answered `count` times. */
function say(port: number, bytes: string | Buffer | readonly string[], count = Number.POSITIVE_INFINITY): Promise<Heard> {
  return new Promise((resolve) => {
    let heard = "";
    let end: Heard["end"] = "closed";
    const socket = connect(port, "127.0.0.1", () => {
      for (const part of Array.isArray(bytes) ? (bytes as readonly string[]) : [bytes as string | Buffer]) socket.write(part);
    });
    socket.setNoDelay(true);
    socket.on("data", (chunk) => {
      heard += chunk.toString("latin1");
      if (answersIn(heard).length < count) return;
      end = "open";
      socket.destroy();
    });
    socket.on("error", (error: NodeJS.ErrnoException) => {
      end = error.code ?? error.message;
    });
    socket.on("close", () => {
      resolve({ answers: answersIn(heard), end });
    });
  });
}

async function listening(served: Serving): Promise<number> {
  await served.app.listen({ host: "127.0.0.1", port: 0 });
  return (served.app.server.address() as AddressInfo).port;
}

function connections(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.getConnections((error, count) => {
      if (error === null) resolve(count);
      else reject(error);
    });
  });
}

async function nobodyLeft(t: Test, server: Server): Promise<void> {
  for (let look = 0; look < 200 && (await connections(server)) > 0; look++) await new Promise((resolve) => setTimeout(resolve, 5));
  t.equal(await connections(server), 0, "no connection is left");
}

const HOST = "host: x\r\n";
const JSON_BODY = `${HOST}content-type: application/json\r\n`;

/** Each is answered once, and its connection is closed. */
const REFUSED: readonly (readonly [name: string, bytes: string | Buffer | readonly string[], status: number, problem: string, detail?: RegExp])[] = [
  ["no HTTP at all", "nonsense\r\n\r\n", 400, "bad-http"],
  ["a TLS hello", Buffer.from("16030100a5010000a10303", "hex"), 400, "bad-http"],
  ["another protocol's first line", "GET / HTTQ/1.1\r\n\r\n", 400, "bad-http"],
  ["a line without a carriage return", "GET / HTTP/1.1\n\n", 505, "http-version"],
  ["a version of its own", `GET / HTTP/9.9\r\n${HOST}\r\n`, 505, "http-version"],
  ["HTTP/2.0 in the words of HTTP/1.1", `GET / HTTP/2.0\r\n${HOST}\r\n`, 505, "http-version"],
  ["the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "http-version"],
  ["HTTP/0.9", "GET /\r\n\r\n", 505, "http-version"],
  ["RTSP by a method of HTTP", `GET / RTSP/2.0\r\n${HOST}\r\n`, 505, "http-version"],
  ["RTSP", "DESCRIBE /v1/actors RTSP/2.0\r\n\r\n", 505, "http-version"],
  ["a method that nobody knows", `FROB / HTTP/1.1\r\n${HOST}\r\n`, 501, "not-implemented", /FROB/],
  ["a method in small letters", `get / HTTP/1.1\r\n${HOST}\r\n`, 501, "not-implemented", /get/],
  ["a method that is no word", `G@T / HTTP/1.1\r\n${HOST}\r\n`, 400, "bad-http"],
  ["CONNECT", `CONNECT example.com:80 HTTP/1.1\r\n${HOST}\r\n`, 501, "not-implemented", /no proxy/],
  ["CONNECT to a path", `CONNECT /v1/actors HTTP/1.1\r\n${HOST}\r\n`, 501, "not-implemented"],
  ["an expectation", `GET /health/live HTTP/1.1\r\n${HOST}expect: foo\r\n\r\n`, 417, "expectation-failed", /"foo"/],
  ["an expectation before a body", `POST /v1/session HTTP/1.1\r\n${JSON_BODY}content-length: 4\r\nexpect: 200-ok\r\n\r\n{`, 417, "expectation-failed"],
  ["no Host", "GET /health/live HTTP/1.1\r\n\r\n", 400, "bad-http", /no Host/],
  ["two Hosts", "GET /health/live HTTP/1.1\r\nhost: a\r\nHost: a\r\n\r\n", 400, "bad-http", /2 Host/],
  ["a Host that is none", "GET /health/live HTTP/1.1\r\nhost: a/b?c\r\n\r\n", 400, "bad-http", /not the name/],
  ["a header's name with a space", `GET / HTTP/1.1\r\n${HOST}a b: c\r\n\r\n`, 400, "bad-http"],
  ["a zero byte in a header", `GET / HTTP/1.1\r\n${HOST}a: b\0c\r\n\r\n`, 400, "bad-http"],
  ["bytes over 127 in the path", `GET /v1/actors/\u00fc HTTP/1.1\r\n${HOST}\r\n`, 400, "bad-http"],
  ["a header without end", `GET / HTTP/1.1\r\n${HOST}x: ${"y".repeat(20_000)}\r\n\r\n`, 431, "headers-too-large"],
  ["many headers", `GET / HTTP/1.1\r\n${HOST}${"a: b\r\n".repeat(20_000)}\r\n`, 431, "headers-too-large"],
  ["a megabyte of header", `GET / HTTP/1.1\r\n${HOST}x: ${"y".repeat(1_048_576)}`, 431, "headers-too-large"],
  ["a path without end", `GET /${"y".repeat(20_000)} HTTP/1.1\r\n${HOST}\r\n`, 414, "url-too-long"],
  ["two lengths", `POST /v1/session HTTP/1.1\r\n${JSON_BODY}content-length: 5\r\ncontent-length: 6\r\n\r\n{}`, 400, "bad-http"],
  ["a length below zero", `POST /v1/session HTTP/1.1\r\n${JSON_BODY}content-length: -1\r\n\r\n{}`, 400, "bad-http"],
  ["a length beyond all numbers", `POST /v1/session HTTP/1.1\r\n${JSON_BODY}content-length: ${"9".repeat(30)}\r\n\r\n{}`, 400, "bad-http"],
  ["a length beside chunks", `POST /v1/session HTTP/1.1\r\n${JSON_BODY}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`, 400, "bad-http"],
  ["a coding that is not the last", `POST /v1/session HTTP/1.1\r\n${JSON_BODY}transfer-encoding: gzip\r\n\r\nxx`, 400, "bad-http"],
  ["a coding before chunks", `POST /v1/session HTTP/1.1\r\n${JSON_BODY}transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n`, 501, "not-implemented", /gzip/],
  ["chunks in HTTP/1.0", `POST /v1/session HTTP/1.0\r\n${JSON_BODY}transfer-encoding: chunked\r\n\r\n0\r\n\r\n`, 400, "bad-http", /1\.0/],
  ["a chunk of no size", `POST /v1/session HTTP/1.1\r\n${JSON_BODY}transfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n`, 400, "bad-http"],
  ["a chunk's extension without end", `POST /v1/session HTTP/1.1\r\n${JSON_BODY}transfer-encoding: chunked\r\n\r\n2;${"a".repeat(20_000)}\r\n{}\r\n`, 400, "bad-http"],
];

test("what is no request of HTTP/1.1 is answered with a problem, a status of the standard, and the end of the connection", async (t) => {
  const served = await serving(t);
  const port = await listening(served);
  for (const [name, bytes, status, problem, detail] of REFUSED) {
    const { answers, end } = await say(port, bytes);
    t.equal(answers.length, 1, `${name}: one answer`);
    t.equal(end, "closed", `${name}: closed in order`);
    const [answer] = answers;
    if (answer === undefined) continue;
    t.equal(answer.status, status, name);
    t.match(answer.head, /\r\ncontent-type: application\/problem\+json/i, name);
    t.match(answer.head, /\r\nconnection: close/i, name);
    t.match(answer.head, /\r\nx-content-type-options: nosniff/i, name);
    t.match(JSON.parse(answer.body), { type: `urn:drover:problem:${problem}`, status, title: String, detail: detail ?? String, advice: String, traceId: /^[0-9a-f]{32}$/ }, name);
  }
  await nobodyLeft(t, served.app.server);
  t.equal((await served.as("none", { url: "/health/live" })).statusCode, 200);
});

test("what HTTP lets a server pass over is served as if it were not there, and the connection stays", async (t) => {
  const port = await listening(await serving(t));
  const websocket = "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
  for (const [name, bytes, status] of [
    ["a websocket", `GET /health/live HTTP/1.1\r\n${HOST}${websocket}\r\n`, 200],
    ["HTTP/2 by upgrade", `GET /health/live HTTP/1.1\r\n${HOST}connection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABk\r\n\r\n`, 200],
    ["an upgrade of a POST", `POST /v1/session HTTP/1.1\r\n${JSON_BODY}connection: upgrade\r\nupgrade: x\r\ncontent-length: 2\r\n\r\n{}`, 422],
    ["empty lines before it", `\r\n\r\nGET /health/live HTTP/1.1\r\n${HOST}\r\n`, 200],
    ["a whole URL", `GET http://x/health/live HTTP/1.1\r\n${HOST}\r\n`, 200],
    ["an address as Host", "GET /health/live HTTP/1.1\r\nhost: [::1]:8080\r\n\r\n", 200],
    ["an empty Host", "GET /health/live HTTP/1.1\r\nhost:\r\n\r\n", 200],
    ["TRACE", `TRACE /health/live HTTP/1.1\r\n${HOST}\r\n`, 405],
    ["a trailer", `POST /v1/session HTTP/1.1\r\n${JSON_BODY}transfer-encoding: Chunked\r\n\r\n2\r\n{}\r\n0\r\nx: y\r\n\r\n`, 422],
  ] as const) {
    const { answers, end } = await say(port, bytes, 1);
    t.same(
      answers.map((answer) => answer.status),
      [status],
      name,
    );
    t.equal(end, "open", name);
  }
  const { answers, end } = await say(port, "GET /health/live HTTP/1.0\r\n\r\n");
  t.match(answers, [{ status: 200 }], "HTTP/1.0 needs no Host");
  t.equal(end, "closed", "and closes");
  const continued = await say(port, `POST /v1/session HTTP/1.1\r\n${JSON_BODY}content-length: 2\r\nexpect: 100-continue\r\n\r\n{}`, 2);
  t.match(continued.answers, [{ status: 100 }, { status: 422 }], "100-continue is met");
});

test("who asked before has the answer first; of a request that breaks off in its body the answer is its own", async (t) => {
  const served = await serving(t);
  const port = await listening(served);
  const live = `GET /health/live HTTP/1.1\r\n${HOST}\r\n`;
  const statuses = async (bytes: string | readonly string[]): Promise<readonly number[]> => {
    const { answers, end } = await say(port, bytes);
    t.equal(end, "closed");
    return answers.map(({ status }) => status);
  };
  t.same(await statuses(`${live}nonsense\r\n\r\n`), [200, 400]);
  t.same(await statuses(`${live}${live}CONNECT a:1 HTTP/1.1\r\n${HOST}\r\n`), [200, 200, 501]);
  t.same(await statuses(`${live}GET / HTTP/1.1\r\n${HOST}expect: x\r\n\r\n`), [200, 417]);
  t.same(await statuses(`${live}POST /v1/session HTTP/1.1\r\n${JSON_BODY}transfer-encoding: chunked\r\n\r\nzz\r\n`), [200, 400]);
  t.same(await statuses(`GET /health/live HTTP/1.1\r\n${HOST}connection: close\r\n\r\nnonsense\r\n\r\n`), [200], "after the last word there is none");
  t.same(await statuses(`GET /v1/actors HTTP/1.1\r\n${HOST}transfer-encoding: chunked\r\n\r\n`.concat("zz\r\n")), [400]);
  await nobodyLeft(t, served.app.server);
});

test("a stream that is broken by its own client is closed without a second answer", async (t) => {
  const served = await servingCounter(t);
  const port = await listening(served);
  const closed = new Promise<string>((resolve) => {
    let heard = "";
    const socket = connect(port, "127.0.0.1", () => socket.write(`GET ${AT}/stream HTTP/1.1\r\n${HOST}authorization: Bearer ${served.texts.viewer}\r\n\r\n`));
    socket.on("data", (chunk) => {
      if (heard === "") socket.write("nonsense\r\n\r\n");
      heard += String(chunk);
      void served.clock.advance(2_000);
    });
    socket.on("error", () => undefined);
    socket.on("close", () => {
      resolve(heard);
    });
  });
  t.equal((await closed).match(/HTTP\/1\.1 /g)?.length, 1);
  await nobodyLeft(t, served.app.server);
});

test("a body that breaks off after its request was answered gets no second answer", async (t) => {
  const served = await serving(t);
  const port = await listening(served);
  const heard = await new Promise<string>((resolve) => {
    let text = "";
    const socket = connect(port, "127.0.0.1", () => socket.write(`POST ${AT}/events HTTP/1.1\r\n${JSON_BODY}transfer-encoding: chunked\r\n\r\n2\r\n{}\r\n`));
    socket.on("data", (chunk) => {
      if (text === "") socket.write("zz\r\n");
      text += String(chunk);
    });
    socket.on("error", () => undefined);
    socket.on("close", () => {
      resolve(text);
    });
  });
  t.same(
    answersIn(heard).map(({ status }) => status),
    [401],
  );
  await nobodyLeft(t, served.app.server);
});

test("who does not close after such an answer is cut after a second; who sends on is not read", async (t) => {
  const served = await serving(t);
  const port = await listening(served);
  for (const bytes of ["nonsense\r\n\r\n", `CONNECT a:1 HTTP/1.1\r\n${HOST}\r\n`]) {
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    socket.on("error", () => undefined);
    await new Promise<void>((resolve) => {
      socket.write(bytes);
      socket.on("data", () => undefined);
      socket.on("end", () => {
        resolve();
      });
    });
    socket.write(`GET /health/live HTTP/1.1\r\n${HOST}\r\n`);
    await new Promise((resolve) => setTimeout(resolve, 20));
    t.equal(await connections(served.app.server), 1, "it is still there");
    await served.clock.advance(1_000);
    await nobodyLeft(t, served.app.server);
    socket.destroy();
  }
});

test("a request that does not arrive in time is answered with 408, wherever it stopped", async (t) => {
  const server = httpServer(
    (request, response) => {
      request.on("end", () => response.end("whole"));
      request.on("error", () => undefined);
      request.resume();
    },
    { clock: systemClock, random: systemRandom },
    { requestMs: 150, checkMs: 25 },
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  for (const [name, bytes, before] of [
    ["in its first line", "GET /hea", []],
    ["in its header", `GET / HTTP/1.1\r\n${HOST}x: y`, []],
    ["in its body", `POST / HTTP/1.1\r\n${HOST}content-length: 5\r\n\r\n{}`, []],
    ["in its second request", `GET / HTTP/1.1\r\n${HOST}\r\nGET / HT`, [200]],
  ] as const) {
    const { answers, end } = await say(port, bytes);
    t.same(
      answers.map(({ status }) => status),
      [...before, 408],
      name,
    );
    t.match(JSON.parse(answers.at(-1)?.body ?? "{}"), { type: "urn:drover:problem:request-timeout", status: 408 }, name);
    t.equal(end, "closed", name);
  }
  await nobodyLeft(t, server);
});

test("N4. a body that its route lets take its time is not cut with the others; where the route reads no further, what is left of it is", async (t) => {
  const server = httpServer(
    (request, response) => {
      const hurry = takeItsTime(request);
      if (request.url === "/early") {
        hurry();
        response.writeHead(413, { "content-length": "0" }).end();
        return;
      }
      request.on("end", () => response.end("whole"));
      request.resume();
    },
    { clock: systemClock, random: systemRandom },
    { requestMs: 100, checkMs: 25 },
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  const talk = (path: string, rest: string, afterMs: number): Promise<string> =>
    new Promise((resolve) => {
      let heard = "";
      const socket = connect(port, "127.0.0.1", () => {
        socket.write(`POST ${path} HTTP/1.1\r\n${HOST}content-length: 5\r\n\r\nab`);
        setTimeout(() => socket.write(rest), afterMs);
      });
      socket.on("error", () => undefined);
      socket.on("data", (chunk) => {
        heard += String(chunk);
        if (path === "/long") socket.end();
      });
      socket.on("close", () => {
        resolve(heard);
      });
    });
  t.match(await talk("/long", "cde", 400), /^HTTP\/1\.1 200 [^]*whole/);
  t.match(await talk("/early", "c", 50), /^HTTP\/1\.1 413 /, "it has its answer, and its connection ends");
  await nobodyLeft(t, server);
});

test("S5. a connection over which many requests come has no more listeners than after the first, and leaves no time running when it ends in the middle of one", async (t) => {
  const clock = new ManualClock();
  const sockets: Socket[] = [];
  const server = httpServer(
    (request, response) => {
      request.on("end", () => response.end("whole"));
      request.on("error", () => undefined);
      request.resume();
    },
    { clock, random: systemRandom },
  );
  server.on("connection", (socket) => sockets.push(socket));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.teardown(() => server.close());
  const warnings: string[] = [];
  const warned = (warning: Error): void => void warnings.push(warning.name);
  process.on("warning", warned);
  t.teardown(() => process.off("warning", warned));
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  const listeners: number[] = [];
  for (let sent = 0; sent < 25; sent++) {
    const answered = new Promise((resolve) => socket.once("data", resolve));
    socket.write(`POST / HTTP/1.1\r\n${HOST}content-length: 2\r\n\r\n{}`);
    await answered;
    listeners.push(sockets[0]?.listenerCount("close") ?? -1);
  }
  t.equal(Math.max(...listeners), listeners[0]);
  t.equal(clock.pending, 0, "each that has arrived has no time left");
  socket.write(`POST / HTTP/1.1\r\n${HOST}content-length: 2\r\n\r\n{`);
  while (clock.pending === 0) await settle();
  socket.destroy();
  await nobodyLeft(t, server);
  t.equal(clock.pending, 0, "nor has one that never will");
  t.same(warnings, []);
});

test("a client that half closes in the middle is told; one that goes away leaves nothing", async (t) => {
  const served = await serving(t);
  const port = await listening(served);
  const told = new Promise<string>((resolve) => {
    let heard = "";
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true }, () => socket.end(`GET / HTTP/1.1\r\n${HOST}x`));
    socket.on("data", (chunk) => (heard += String(chunk)));
    socket.on("end", () => {
      resolve(heard);
    });
  });
  t.match(await told, /^HTTP\/1\.1 400 /);
  const gone: Socket[] = [];
  for (const bytes of [
    "",
    "GET / HT",
    "nonsense\r\n\r\n",
    `CONNECT a:1 HTTP/1.1\r\n${HOST}\r\n`,
    `GET / HTTP/1.1\r\n${HOST}expect: x\r\n\r\n`,
    `GET / HTTP/1.1\r\n${HOST}\r\nnonsense\r\n`,
  ]) {
    const socket = connect(port, "127.0.0.1", () => {
      socket.write(bytes, () => socket.resetAndDestroy());
      if (bytes === "") socket.resetAndDestroy();
    });
    socket.on("error", () => undefined);
    gone.push(socket);
  }
  await Promise.all(gone.map((socket) => new Promise((resolve) => socket.on("close", resolve))));
  await nobodyLeft(t, served.app.server);
  t.equal((await served.as("none", { url: "/health/live" })).statusCode, 200);
});
