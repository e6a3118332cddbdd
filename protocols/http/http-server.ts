// Node's HTTP server under the façade. What Node would answer by itself, without a body or not at all, is answered here: a problem (RFC 9457), whatever was wrong with the bytes.
//
// N1. Who asked before on the same connection has the answer first; what is wrong is answered after it, or in place of the answer to the request that it broke.
// N2. An answer has one beginning: where that of the broken request is on its way or over, the connection is closed without a word.
// N3. After such an answer nothing more is read as HTTP. What still comes is thrown away until the client has closed, at most `LINGER_MS`: a connection that is cut while bytes are unread
//     takes the answer with it (RFC 9112 section 9.6).
// N4. A request has arrived within `requestMs`; one with a long body only where its route has let it take longer, and then within LONGEST_MS.

import { createServer, type IncomingMessage, maxHeaderSize, METHODS, type RequestListener, type Server, type ServerResponse, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import type { Clock, Random, TimeoutHandle } from "../../runtime/ports/index.ts";
import { type Problem, PROBLEM_JSON, problemBody, problemStatus } from "./problem.ts";
import { SECURITY_HEADERS } from "./security-headers.ts";

export interface HttpTimes {
  /** A request must have arrived within this, ms; a client that sends a byte a second is cut. */
  readonly requestMs: number;
  /** How often that is looked at, ms. */
  readonly checkMs: number;
}

/** N4, ms. A route that lets a body take so long bounds how long nothing of it comes. */
const LONGEST_MS = 3_600_000;
const DEFAULT_TIMES: HttpTimes = { requestMs: 30_000, checkMs: 5_000 };
/** An idle connection is kept so long, ms: longer than the 60 s of the usual proxies, so that it is they who close. */
const KEEP_ALIVE_MS = 72_000;
/** Answers that come before have so long, ms; a stream never ends by itself. */
const BEFORE_MS = 2_000;
const LINGER_MS = 1_000;

/** What is said to all that is not HTTP/1.1 or HTTP/1.0. */
export const OTHER_VERSION: Problem = { name: "http-version", detail: "HTTP/1.1 is spoken here, and HTTP/1.0." };

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** What is known of a connection. */
interface Conversation {
  /** Not answered to the end, in order. */
  readonly open: Set<Exchange>;
  last: Exchange | undefined;
  /** N4: ends the times of requests that have not arrived. */
  readonly hurried: Set<() => void>;
}

export function httpServer(handler: RequestListener, { clock, random }: { readonly clock: Clock; readonly random: Random }, times: HttpTimes = DEFAULT_TIMES): Server {
  const conversations = new WeakMap<Duplex, Conversation>();
  const ended = new WeakSet<Duplex>();
  const server = createServer(
    {
      requireHostHeader: false, // `demandHttp` answers with a problem
      requestTimeout: LONGEST_MS,
      headersTimeout: times.requestMs,
      connectionsCheckingInterval: times.checkMs,
      keepAliveTimeout: KEEP_ALIVE_MS,
    },
    (request, response) => {
      follow({ request, response });
      // Those of RTSP and ICE, which Node's parser reads too and no router knows.
      if (METHODS.includes(request.method ?? "")) handler(request, response);
      else refuse(response, OTHER_VERSION);
    },
  );
  server.on("checkExpectation", (request, response) => {
    follow({ request, response });
    const detail = `This node knows no expectation but 100-continue, and this is ${JSON.stringify(request.headers.expect?.slice(0, 100) ?? "")}.`;
    refuse(response, { name: "expectation-failed", detail });
  });
  server.on("connect", (request, socket) => {
    end(socket, { name: "not-implemented", detail: `${request.method ?? "CONNECT"}: this node is no proxy.` });
  });
  server.on("clientError", (error: ClientError, socket) => {
    if (error.code === "ECONNRESET") socket.destroy();
    else end(socket, problemOf(error));
  });
  return server;

  function follow(exchange: Exchange): void {
    const conversation = conversations.get(exchange.request.socket) ?? begun(exchange.request.socket);
    conversation.open.add(exchange);
    conversation.last = exchange;
    exchange.response.once("close", () => conversation.open.delete(exchange));
    if (exchange.request.headers["content-length"] !== undefined || exchange.request.headers["transfer-encoding"] !== undefined) hurry(exchange, conversation);
  }

  /** It hears once of its socket's end, however many requests come over it. */
  function begun(socket: Duplex): Conversation {
    const conversation: Conversation = { open: new Set(), last: undefined, hurried: new Set() };
    conversations.set(socket, conversation);
    socket.once("close", () => {
      for (const over of conversation.hurried) over();
    });
    return conversation;
  }

  /** N4. */
  function hurry({ request, response }: Exchange, { hurried }: Conversation): void {
    const { socket } = request;
    let late: TimeoutHandle | undefined;
    const over = (): void => {
      clock.clearTimeout(late);
      hurried.delete(over);
    };
    const begin = (): void => {
      over();
      hurried.add(over);
      late = clock.setTimeout(
        () => {
          if (!request.complete) end(socket, problemOf({ name: "late", message: "", code: "ERR_HTTP_REQUEST_TIMEOUT" }));
        },
        times.requestMs,
        { unref: true },
      );
    };
    begin();
    hurries.set(request, { begin, over });
    request.once("end", over);
    // What is left of its body is thrown away, and no longer than another body may take.
    response.once("close", () => {
      if (request.complete) over();
    });
  }

  function refuse(response: ServerResponse, problem: Problem): void {
    const { status, headers, body } = answerTo(problem, random.id());
    response.writeHead(status, headers);
    response.end(body);
  }

  function end(socket: Duplex, problem: Problem): void {
    if (ended.has(socket) || socket.destroyed) return;
    ended.add(socket);
    socket.on("error", () => undefined);
    const { open, last } = conversations.get(socket) ?? { open: new Set<Exchange>(), last: undefined };
    const broken = last?.request.complete === false ? last : undefined;
    // N2.
    if (broken !== undefined && (!open.has(broken) || broken.response.headersSent)) {
      close(socket);
      return;
    }
    const before = [...open].filter((exchange) => exchange !== broken);
    const write = (): void => {
      const { status, headers, body } = answerTo(problem, random.id());
      const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
      close(socket, `HTTP/1.1 ${String(status)} ${STATUS_CODES[status] ?? ""}\r\n${lines.join("")}\r\n${body}`);
    };
    if (before.length === 0) {
      write();
      return;
    }
    // N1.
    const late = clock.setTimeout(() => socket.destroy(), BEFORE_MS, { unref: true });
    let left = before.length;
    for (const { response } of before)
      response.once("close", () => {
        if (--left > 0) return;
        clock.clearTimeout(late);
        write();
      });
  }

  /** N3. */
  function close(socket: Duplex, last?: string): void {
    if (socket.destroyed || !socket.writable) {
      socket.destroy();
      return;
    }
    const linger = clock.setTimeout(() => socket.destroy(), LINGER_MS, { unref: true });
    socket.once("close", () => {
      clock.clearTimeout(linger);
    });
    socket.once("end", () => socket.destroy());
    socket.end(last ?? "", () => {
      if (socket.readableEnded) socket.destroy();
    });
    socket.resume();
  }
}

interface Hurry {
  begin(): void;
  over(): void;
}

const hurries = new WeakMap<IncomingMessage, Hurry>();

/** N4. From here on its route sees to it that the body comes. @returns what lets it be hurried again, where the route reads no further */
export function takeItsTime(request: IncomingMessage): () => void {
  const hurry = hurries.get(request);
  hurry?.over();
  return () => {
    if (!request.complete) hurry?.begin();
  };
}

function answerTo(problem: Problem, traceId: string): { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: string } {
  const body = problemBody(problem, traceId);
  const headers = { ...SECURITY_HEADERS, "content-type": PROBLEM_JSON, "content-length": String(Buffer.byteLength(body)), connection: "close" };
  return { status: problemStatus(problem), headers, body };
}

interface ClientError extends Error {
  readonly code?: string;
  /** In llhttp's words. */
  readonly reason?: string;
  /** What was read last, and how much of it was fit. */
  readonly rawPacket?: Buffer;
  readonly bytesParsed?: number;
}

function problemOf({ code, reason, rawPacket, bytesParsed = 0 }: ClientError): Problem {
  switch (code) {
    case "HPE_HEADER_OVERFLOW":
      // Where it came in pieces nobody knows any more what they began with.
      return isFirstLine(rawPacket)
        ? { name: "url-too-long", detail: `The first line of a request and its header have at most ${String(maxHeaderSize)} bytes.` }
        : { name: "headers-too-large", detail: `The first line of a request and its header have at most ${String(maxHeaderSize)} bytes.` };
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return { name: "request-timeout", detail: "The request was not complete in time." };
    case "HPE_INVALID_VERSION":
    case "HPE_PAUSED_H2_UPGRADE":
      return OTHER_VERSION;
    case "HPE_INVALID_METHOD": {
      const [, method] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}) \S+ HTTP\/1\.[01]\r?$/.exec(lineAt(rawPacket, bytesParsed)) ?? [];
      return method === undefined ? { name: "bad-http", detail: "The first line is not that of a request." } : { name: "not-implemented", detail: `There is no method ${method}.` };
    }
    default:
      return { name: "bad-http", detail: `${reason ?? "It cannot be read"}.` };
  }
}

function isFirstLine(packet: Buffer | undefined): boolean {
  return packet !== undefined && /^[A-Z]+ \S/.test(packet.toString("latin1", 0, 40)) && (packet.indexOf("\n") === -1 ? packet.byteLength : packet.indexOf("\n")) >= maxHeaderSize;
}

function lineAt(packet: Buffer | undefined, offset: number): string {
  const text = packet?.toString("latin1") ?? "";
  const from = text.lastIndexOf("\n", Math.max(0, offset - 1)) + 1;
  const to = text.indexOf("\n", from);
  return text.slice(from, to === -1 ? undefined : to);
}
