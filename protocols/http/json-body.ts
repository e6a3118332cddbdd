// The one body that is taken: JSON in UTF-8, bounded in bytes and depth. Fastify's own parsers are removed: `text/plain` would be a request that any foreign page may send.

import type { FastifyError, FastifyInstance, FastifyRequest } from "fastify";

/** Of a body, bytes. A message is small; what is larger is no message. */
export const MAX_BODY_BYTES = 262_144;
/** Code that walks a message by recursion must not be led to the end of its stack. */
const MAX_DEPTH = 32;

export const BODY_TOO_DEEP = "DROVER_BODY_TOO_DEEP";
export const BODY_FORBIDDEN_KEY = "DROVER_BODY_FORBIDDEN_KEY";

export function takeJsonOnly(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  // Refuses "__proto__" and "constructor.prototype" keys.
  const parse = app.getDefaultJsonParser("error", "error");
  app.addContentTypeParser("application/json", { parseAs: "buffer" }, (request, body: Buffer, done) => {
    if (body.byteLength === 0) {
      done(null, undefined);
      return;
    }
    let text: string;
    try {
      text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(body);
    } catch {
      done(failure("FST_ERR_CTP_INVALID_JSON_BODY", "it is not UTF-8"));
      return;
    }
    void parse(request, text, (error, value) => {
      if (error !== null) done(failure(isJson(text) ? BODY_FORBIDDEN_KEY : "FST_ERR_CTP_INVALID_JSON_BODY", error.message));
      else if (isDeeperThan(value, MAX_DEPTH)) done(failure(BODY_TOO_DEEP, `it has more than ${String(MAX_DEPTH)} levels`));
      else done(null, value);
    });
  });
}

/** The body; undefined when the request has none, where Fastify says null. */
export function bodyOf(request: FastifyRequest): unknown {
  const { "content-length": length, "transfer-encoding": encoding } = request.headers;
  return (length === undefined || Number(length) === 0) && encoding === undefined ? undefined : request.body;
}

/** Of what the parser refuses: the one thing that it refuses in valid JSON is a key. */
function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function failure(code: string, message: string): FastifyError {
  return Object.assign(new Error(message), { code, statusCode: 400 });
}

/** Level by level, without recursion. */
function isDeeperThan(value: unknown, levels: number): boolean {
  let level: readonly unknown[] = [value];
  for (let depth = 0; depth <= levels; depth++) {
    level = level.flatMap((item): readonly unknown[] => (typeof item === "object" && item !== null ? Object.values(item) : []));
    if (level.length === 0) return false;
  }
  return true;
}
