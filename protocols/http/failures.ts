// What the server itself has to say when a request goes wrong: always a problem, never a stack, whether a handler threw, a body was no JSON, a path has no route or the bytes were no HTTP.

import type { Socket } from "node:net";
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { DroverError, errorCatalogue } from "../../runtime/index.ts";
import type { Log, Random } from "../../runtime/ports/index.ts";
import { rawSlashProblem } from "./address-in-path.ts";
import { BODY_FORBIDDEN_KEY, BODY_TOO_DEEP, MAX_BODY_BYTES } from "./json-body.ts";
import { type Problem, PROBLEM_JSON, problemBody, sendProblem } from "./problem.ts";
import { type ProblemName, problemKinds } from "./problem-kinds.ts";
import { securityHeaderLines } from "./security-headers.ts";
import { traceOf } from "./trace.ts";

const BY_CODE: Readonly<Record<string, ProblemName>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: "unsupported-media-type",
  FST_ERR_CTP_BODY_TOO_LARGE: "body-too-large",
  FST_ERR_CTP_INVALID_JSON_BODY: "body-not-json",
  FST_ERR_CTP_EMPTY_JSON_BODY: "body-not-json",
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: "body-not-json",
  FST_ERR_BAD_URL: "url-invalid",
  FST_ERR_MAX_PARAM_LENGTH: "url-too-long",
  [BODY_TOO_DEEP]: "body-too-deep",
};

/** Answers for what a handler or hook threw. */
export function answerFailures(app: FastifyInstance, log: Log): void {
  app.setErrorHandler((error: FastifyError, request, reply) => sendProblem(reply, problemOfError(error, request, log)));
}

/** For what fails before there is a route: no hook has run, so trace and headers are set here. */
export function frameworkErrors(log: Log, random: Random): (error: FastifyError, request: FastifyRequest, reply: FastifyReply) => void {
  return (error, request, reply) => {
    request.trace = traceOf(request.headers["traceparent"], random);
    for (const line of securityHeaderLines.split("\r\n")) {
      const colon = line.indexOf(": ");
      if (colon > 0) reply.header(line.slice(0, colon), line.slice(colon + 2));
    }
    sendProblem(reply, problemOfError(error, request, log));
  };
}

function problemOfError(error: FastifyError, request: FastifyRequest, log: Log): Problem {
  if (error.validation !== undefined) return validationProblem(error);
  const name = Object.hasOwn(BY_CODE, error.code) ? BY_CODE[error.code] : undefined;
  if (error.code === BODY_FORBIDDEN_KEY) {
    const problems = [{ path: "/", message: `has a key that no message has: "__proto__", or "prototype" inside "constructor"` }];
    return { name: "invalid", detail: `The body ${problems[0]?.message ?? ""}.`, members: { problems } };
  }
  if (name === "body-too-large") return { name, detail: `A body has at most ${String(MAX_BODY_BYTES)} bytes.`, members: { maxBytes: MAX_BODY_BYTES } };
  if (name === "unsupported-media-type")
    return { name, detail: `${request.headers["content-type"]?.slice(0, 100) ?? "A body without Content-Type"} is not taken.`, headers: { accept: "application/json" } };
  if (name !== undefined) return { name, detail: `${error.message}.` };
  const thrown: unknown = error;
  if (thrown instanceof DroverError) {
    const entry: { readonly title: string; readonly advice: string; readonly status?: number } = errorCatalogue[thrown.code];
    log.error({ err: thrown, traceId: request.trace.traceId, method: request.method, route: request.routeOptions.url }, "a request failed");
    return { name: "internal", detail: entry.title, status: entry.status ?? 500, members: { code: thrown.code, advice: entry.advice } };
  }
  const status = error.statusCode;
  if (status !== undefined && status >= 400 && status < 500) return { name: "bad-http", status, detail: `${error.message}.` };
  log.error({ err: thrown, traceId: request.trace.traceId, method: request.method, route: request.routeOptions.url }, "a request failed");
  return { name: "internal", detail: "Its cause is in the node's log." };
}

function validationProblem(error: FastifyError): Problem {
  const problems = (error.validation ?? []).slice(0, 20).flatMap(({ keyword, instancePath, message, params }) => {
    const { additionalProperties, requiredProperties } = params as { readonly additionalProperties?: unknown; readonly requiredProperties?: unknown };
    if (keyword === "additionalProperties" && Array.isArray(additionalProperties))
      return additionalProperties.map((name) => ({ path: `${instancePath}/${String(name)}`, message: "is not known here" }));
    if (keyword === "required" && Array.isArray(requiredProperties)) return requiredProperties.map((name) => ({ path: `${instancePath}/${String(name)}`, message: "is missing" }));
    return [{ path: instancePath, message: message ?? "is not valid" }];
  });
  const detail = problems.map(({ path, message }) => `${path} ${message}`).join("; ");
  return { name: error.validationContext === "body" ? "invalid" : "query-invalid", detail: `${detail}.`, members: { problems } };
}

/** Answers for paths without a route: another method has one, the address stands raw, or there is nothing. Call before any route is added. */
export function answerUnknownPaths(app: FastifyInstance): void {
  const methodsByPath = new Map<string, { readonly pattern: RegExp; readonly methods: Set<string> }>();
  app.addHook("onRoute", ({ url, method }) => {
    const known = methodsByPath.get(url) ?? { pattern: patternOf(url), methods: new Set<string>() };
    for (const one of [method].flat()) known.methods.add(one);
    methodsByPath.set(url, known);
  });
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split("?", 1)[0] ?? "";
    const allow = [...methodsByPath.values()].filter(({ pattern }) => pattern.test(path)).flatMap(({ methods }) => [...methods]);
    if (allow.length > 0)
      return sendProblem(reply, {
        name: "method-not-allowed",
        detail: `${request.method} is not a method of this path.`,
        members: { allow },
        headers: { allow: allow.join(", ") },
      });
    return sendProblem(reply, rawSlashProblem(path) ?? { name: "not-found", detail: `${path.slice(0, 200)} leads nowhere.` });
  });
}

function patternOf(url: string): RegExp {
  const segments = url.split("/").map((segment) => (segment.startsWith(":") ? "[^/]+" : segment.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")));
  return new RegExp(`^${segments.join("/")}$`);
}

/** HTTP/1.1 asks for a Host; Node's own answer to a request without one has no body. */
export function demandHost(app: FastifyInstance): void {
  app.addHook("onRequest", async (request, reply) => {
    if (request.headers.host !== undefined || request.raw.httpVersion !== "1.1") return undefined;
    return sendProblem(reply, { name: "bad-http", detail: "There is no Host header." });
  });
}

const CLIENT_ERRORS: Readonly<Record<string, readonly [status: number, reason: string]>> = {
  HPE_HEADER_OVERFLOW: [431, "Request Header Fields Too Large"],
  ERR_HTTP_REQUEST_TIMEOUT: [408, "Request Timeout"],
};

/** Answers bytes that are no HTTP, and requests that never end. */
export function answerClientErrors(random: Random): (error: Error & { readonly code?: string }, socket: Socket) => void {
  return (error, socket) => {
    if (error.code === "ECONNRESET" || socket.destroyed) return;
    if (socket.writable && socket.bytesWritten === 0) {
      const [status, reason] = CLIENT_ERRORS[error.code ?? ""] ?? [problemKinds["bad-http"].status, "Bad Request"];
      const body = problemBody({ name: "bad-http", detail: `${reason}.`, status }, random.id());
      socket.write(
        `HTTP/1.1 ${String(status)} ${reason}\r\n${securityHeaderLines}content-type: ${PROBLEM_JSON}\r\ncontent-length: ${String(Buffer.byteLength(body))}\r\nconnection: close\r\n\r\n${body}`,
      );
    }
    socket.destroySoon();
  };
}
