// An image by HTTP or HTTPS, with Range.
//
// G1. A source that ignores the Range answers 200 and is taken from its first byte; a 206 counts only when it begins where it was asked to.
// G2. Redirects are refused: the headers that were given are for this host alone.
// G3. Each phase has its deadline: until the headers, between two chunks (while we wait for one), in all. Whoever reads slowly slows the source; nothing is gathered.

import { type ClientRequest, type IncomingMessage, request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { type Clock, DroverError, type TimeoutHandle } from "../../runtime/ports/index.ts";
import type { Fetch, FetchAsk, Fetched } from "./fetch.ts";

export interface HttpFetchOptions {
  readonly url: string;
  /** Sent with each request, e.g. `authorization`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Certificates to trust instead of those that Node knows, PEM. */
  readonly ca?: string;
  /** Until the headers are there, ms; default 30000. */
  readonly answerMs?: number;
  /** Between two chunks, ms; default 30000. */
  readonly stallMs?: number;
  /** One request in all, ms; default 1800000. What has come until then is kept. */
  readonly withinMs?: number;
}

/** Asking again may help: request timeout, too early, too many. */
const PASSING = new Set([408, 425, 429]);

/** @throws DROVER_CONFIG_INVALID for what is no http or https URL, or names a user */
export function httpFetch(options: HttpFetchOptions, { clock }: { readonly clock: Clock }): Fetch {
  const url = URL.canParse(options.url) ? new URL(options.url) : undefined;
  if (url === undefined || !["http:", "https:"].includes(url.protocol)) throw new DroverError("DROVER_CONFIG_INVALID", "the address of an image is no http or https URL");
  if (url.username !== "" || url.password !== "") throw new DroverError("DROVER_CONFIG_INVALID", "the address of an image names no user: give an authorization header");
  return (ask) => fetchOnce(url, options, ask, clock);
}

async function fetchOnce(url: URL, options: HttpFetchOptions, ask: FetchAsk, clock: Clock): Promise<Fetched> {
  const { answerMs = 30_000, stallMs = 30_000, withinMs = 1_800_000 } = options;
  if (ask.signal.aborted) return { kind: "failed", reason: "aborted", isFinal: false };
  const request = (url.protocol === "https:" ? httpsRequest : httpRequest)(url, {
    agent: false,
    headers: { ...options.headers, ...rangeOf(ask), "accept-encoding": "identity", connection: "close" },
    ...(options.ca === undefined ? {} : { ca: options.ca }),
  });
  const abort = (): void => {
    request.destroy(new Error("aborted"));
  };
  ask.signal.addEventListener("abort", abort);
  const end: End = { reason: undefined };
  const total = clock.setTimeout(() => {
    end.reason = `not done within ${String(withinMs)} ms`;
    request.destroy(new Error(end.reason));
  }, withinMs);
  const close = (): void => {
    clock.clearTimeout(total);
    ask.signal.removeEventListener("abort", abort);
    request.destroy();
  };
  try {
    const response = await responseOf(request, answerMs, clock);
    const judged = judge(response, ask);
    if (judged.kind === "body") return { ...judged, chunks: chunksOf(request, response, stallMs, end, clock), close };
    close();
    return judged;
  } catch (error) {
    close();
    return { kind: "failed", reason: wordsOf(error), isFinal: false };
  }
}

function rangeOf({ offset, etag }: FetchAsk): Readonly<Record<string, string>> {
  if (offset === 0) return {};
  return { range: `bytes=${String(offset)}-`, ...(etag === undefined ? {} : { "if-range": etag }) };
}

function responseOf(request: ClientRequest, answerMs: number, clock: Clock): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const timer = clock.setTimeout(() => {
      request.destroy(new Error(`no answer within ${String(answerMs)} ms`));
    }, answerMs);
    const end = (): void => {
      clock.clearTimeout(timer);
    };
    request.on("response", (response) => {
      end();
      // Destroyed before anybody reads: nobody is there to hear of it.
      response.on("error", () => undefined);
      resolve(response);
    });
    // Stays for the rest of its life: the reader of the body sees what happens then.
    request.on("error", (error) => {
      end();
      reject(error);
    });
    request.end();
  });
}

/** G1, G2. */
function judge(response: IncomingMessage, { offset }: FetchAsk): Exclude<Fetched, { kind: "body" }> | { kind: "body"; from: number; totalBytes?: number; etag?: string } {
  const status = response.statusCode ?? 0;
  const failed = (reason: string, isFinal: boolean): Fetched & { kind: "failed" } => ({ kind: "failed", reason, status, isFinal });
  if (status === 416 && offset > 0) return { kind: "beyond" };
  if (status >= 300 && status < 400) return failed(`${String(status)}: redirects are refused`, true);
  if (status !== 200 && status !== 206) return failed(`status ${String(status)}`, status < 500 && !PASSING.has(status));
  const encoding = response.headers["content-encoding"];
  if (encoding !== undefined && encoding !== "identity") return failed(`encoded as ${encoding.slice(0, 40)}`, true);
  const etag = strongTag(response.headers.etag);
  if (status === 200) {
    const length = response.headers["content-length"];
    return { kind: "body", from: 0, ...(length === undefined ? {} : { totalBytes: Number(length) }), ...etag };
  }
  const [, first, total] = /^bytes (\d{1,15})-\d{1,15}\/(\d{1,15}|\*)$/.exec(response.headers["content-range"] ?? "") ?? [];
  if (first === undefined || total === undefined || Number(first) !== offset)
    return failed(`asked for bytes from ${String(offset)} on, was given ${(response.headers["content-range"] ?? "a part that is not named").slice(0, 80)}`, true);
  return { kind: "body", from: offset, ...(total === "*" ? {} : { totalBytes: Number(total) }), ...etag };
}

/** Only a strong one says that bytes are the same (RFC 9110, 13.1.5). */
function strongTag(etag: string | undefined): { readonly etag?: string } {
  return etag?.startsWith('"') === true ? { etag } : {};
}

/** Why we ended it: a stream that is destroyed says only that it was. */
interface End {
  reason: string | undefined;
}

/** G3. */
async function* chunksOf(request: ClientRequest, response: IncomingMessage, stallMs: number, end: End, clock: Clock): AsyncGenerator<Uint8Array, undefined> {
  const chunks = response[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  let timer: TimeoutHandle | undefined;
  try {
    while (true) {
      timer = clock.setTimeout(() => {
        end.reason = `nothing came for ${String(stallMs)} ms`;
        request.destroy();
      }, stallMs);
      const next = await chunks.next();
      clock.clearTimeout(timer);
      if (next.done === true) return undefined;
      yield next.value;
    }
  } catch (error) {
    if (end.reason !== undefined) throw new Error(end.reason, { cause: error });
    throw error;
  } finally {
    clock.clearTimeout(timer);
  }
}

function wordsOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code ?? message;
}
