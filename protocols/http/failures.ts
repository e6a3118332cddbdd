// What the server itself has to say when a request goes wrong: always a problem, never a stack, whether a handler threw, a body was no JSON or a path has no route. Bytes that are no HTTP: http-server.ts.

import type { IncomingMessage } from "node:http";
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { DroverError, errorCatalogue } from "../../runtime/index.ts";
import type { Log, Random } from "../../runtime/ports/index.ts";
import { rawSlashProblem } from "./address-in-path.ts";
import { BODY_FORBIDDEN_KEY, BODY_TOO_DEEP } from "./json-body.ts";
import { OTHER_VERSION } from "./http-server.ts";
import { type Problem, sendProblem } from "./problem.ts";
import type { ProblemName } from "./problem-kinds.ts";
import { SECURITY_HEADERS } from "./security-headers.ts";
import { traceOf } from "./trace.ts";
import { fieldProblems } from "./validation.ts";

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
    reply.headers(SECURITY_HEADERS);
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
  if (name === "body-too-large") {
    const { bodyLimit: maxBytes } = request.routeOptions;
    return { name, detail: `A body has at most ${String(maxBytes)} bytes here.`, members: { maxBytes } };
  }
  if (name === "unsupported-media-type")
    return {
      name,
      detail: `${request.headers["content-type"]?.slice(0, 100) ?? "A body without Content-Type"} is not taken.`,
      headers: { accept: request.routeOptions.config.takes ?? "application/json" },
    };
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
  const problems = fieldProblems(error.validation ?? []);
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

/** What Node lets through and HTTP does not (RFC 9112 sections 2.3, 3.2, 6.1). */
export function demandHttp(app: FastifyInstance): void {
  app.addHook("onRequest", async ({ raw }, reply) => {
    const problem = problemOfHead(raw);
    if (problem === undefined) return undefined;
    // What follows on the connection may not be where this side believes it to be.
    reply.header("connection", "close");
    return sendProblem(reply, problem);
  });
}

function problemOfHead({ httpVersion, headers, rawHeaders }: IncomingMessage): Problem | undefined {
  if (httpVersion !== "1.1" && httpVersion !== "1.0") return OTHER_VERSION;
  const coding = headers["transfer-encoding"];
  if (coding !== undefined && (httpVersion === "1.0" || coding.toLowerCase() !== "chunked"))
    return httpVersion === "1.0"
      ? { name: "bad-http", detail: "HTTP/1.0 has no Transfer-Encoding." }
      : { name: "not-implemented", detail: `The only transfer coding is chunked, and this is ${JSON.stringify(coding.slice(0, 100))}.` };
  if (httpVersion === "1.0") return undefined;
  const hosts = rawHeaders.filter((name, at) => at % 2 === 0 && name.toLowerCase() === "host").length;
  if (hosts === 0) return { name: "bad-http", detail: "There is no Host header." };
  if (hosts > 1) return { name: "bad-http", detail: `There are ${String(hosts)} Host headers.` };
  return HOST.test(headers.host ?? "") ? undefined : { name: "bad-http", detail: "The Host header is not the name of a host." };
}

/** @see RFC 3986 section 3.2.2 */
const HOST = /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~!$&'()*+,;=%-]*)(:[0-9]*)?$/;
