// Who is asking, and may they: by Bearer token, or by the session cookie of the node's own page (promise S10).
//
// A1. A route's `config.role` decides; `open` routes ask nobody. What has no route has no role, and is answered 404.
// A2. A cookie alone opens reads. A write by cookie must also come from the same origin: the cookie is SameSite=Strict, but another port of the same host counts as the same site.
// A3. A route for vehicles takes a vehicle's own credential as HTTP Basic, and there alone: it opens nothing else. An operator is let in there as everywhere.
// A4. A token in a query is refused on every path, those without a route included, before anything else looks at it.

import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Clock } from "../../runtime/ports/index.ts";
import type { FailedLogins } from "./failed-logins.ts";
import { type Problem, sendProblem } from "./problem.ts";
import { includes, type Principal, type Role } from "./roles.ts";
import { isSameOrigin } from "./same-origin.ts";
import type { SessionCookie } from "./session-cookie.ts";
import type { Sessions } from "./sessions.ts";
import type { Tokens } from "./tokens.ts";

export interface AuthenticationParts {
  readonly tokens: Tokens;
  readonly sessions: Sessions;
  readonly failures: FailedLogins;
  readonly ownCookie: SessionCookie;
  readonly clock: Clock;
  readonly vehicleOf: ((node: string, secret: string) => string | undefined) | undefined;
}

const SECRET_PARAMETERS = new Set([
  "token",
  "access_token",
  "accesstoken",
  "api_key",
  "apikey",
  "api-key",
  "api_token",
  "auth",
  "authorization",
  "bearer",
  "password",
  "secret",
  "session",
]);
const SAFE_METHODS = new Set(["GET", "HEAD", "OPTIONS"]);

export function addAuthentication(app: FastifyInstance, parts: AuthenticationParts): void {
  app.addHook("onRequest", async (request, reply) => {
    const needed = request.routeOptions.config.role;
    if (needed === undefined || needed === "open") return undefined;
    const login = needed === "vehicle" ? basicOf(request.headers.authorization) : undefined;
    if (login !== undefined) {
      request.vehicle = parts.vehicleOf?.(login.user, login.secret);
      return request.vehicle === undefined ? refuse(reply, failedAttempt(request, parts.failures)) : undefined;
    }
    const found = identify(request, parts);
    if (!("stands" in found)) return refuse(reply, found);
    request.principal = found;
    const problem = admission(request, found, needed === "vehicle" ? "operator" : needed);
    return problem === undefined ? undefined : refuse(reply, problem);
  });
}

function identify(request: FastifyRequest, parts: AuthenticationParts): Principal | Problem {
  const { tokens, sessions, failures, ownCookie } = parts;
  const given = bearerOf(request.headers.authorization);
  if (given !== undefined) {
    const token = tokens.check(given);
    if (token !== undefined) return { name: token.name, role: token.role, by: "bearer", stands: () => tokens.has(token.id) };
    return failedAttempt(request, failures);
  }
  const cookie = ownCookie.heldBy(request);
  const session = cookie === undefined ? undefined : sessions.find(cookie);
  if (cookie === undefined || session === undefined) return { name: "unauthenticated", detail: cookie === undefined ? "No credentials were sent." : "The session has ended." };
  return { name: session.token.name, role: session.token.role, by: "session", stands: () => sessions.find(cookie) !== undefined };
}

/** What a failed attempt is answered, from a route that checks a token itself too. */
export function failedAttempt(request: FastifyRequest, failures: FailedLogins): Problem {
  const waitMs = failures.waitMs(request.ip);
  if (waitMs !== undefined) return { name: "too-many-failures", detail: "This address has failed too often.", retryAfterMs: waitMs };
  failures.failed(request.ip);
  return { name: "unauthenticated", detail: basicOf(request.headers.authorization) === undefined ? "The token is not known here." : "The node and its secret are not known here." };
}

function admission(request: FastifyRequest, principal: Principal, needed: Role): Problem | undefined {
  if (!includes(principal.role, needed))
    return { name: "forbidden", detail: `"${principal.name}" is ${principal.role}; ${needed} is needed.`, members: { needs: needed, has: principal.role } };
  return principal.by === "session" ? crossSiteProblem(request) : undefined;
}

/** A2; undefined when the request may go on. */
export function crossSiteProblem(request: FastifyRequest): Problem | undefined {
  if (SAFE_METHODS.has(request.method) || isSameOrigin(request.headers, `${request.protocol}://${request.host}`)) return undefined;
  return { name: "cross-site", detail: "Neither Origin nor Sec-Fetch-Site says that the request comes from this node's page." };
}

/** A3. undefined: another scheme, or none. */
function basicOf(header: string | undefined): { readonly user: string; readonly secret: string } | undefined {
  const given = header === undefined ? undefined : /^Basic +([A-Za-z0-9+/_-]{1,1024}={0,2}) *$/i.exec(header)?.[1];
  if (given === undefined) return undefined;
  const text = Buffer.from(given, "base64").toString("utf8");
  const colon = text.indexOf(":");
  return colon === -1 ? { user: text, secret: "" } : { user: text.slice(0, colon), secret: text.slice(colon + 1) };
}

/** The token in `Authorization: Bearer …`; another scheme gives text that is no token, and so a failed attempt. */
export function bearerOf(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  return /^Bearer +(\S+) *$/i.exec(header)?.[1] ?? "";
}

/** A4. Stands apart because it must also hold where there is no route. */
export function refuseSecretsInQueries(app: FastifyInstance): void {
  app.addHook("onRequest", async (request, reply) => {
    const secret = secretInQuery(request);
    return secret === undefined ? undefined : sendProblem(reply, { name: "token-in-url", detail: `The query parameter "${secret}" carries a secret.` });
  });
}

function secretInQuery(request: FastifyRequest): string | undefined {
  if (!request.raw.url?.includes("?")) return undefined;
  for (const [name, value] of Object.entries(request.query as Readonly<Record<string, unknown>>)) {
    if (SECRET_PARAMETERS.has(name.toLowerCase()) || [value].flat().some((item) => typeof item === "string" && item.startsWith("drover_"))) return name.slice(0, 64);
  }
  return undefined;
}

function refuse(reply: FastifyReply, problem: Problem): FastifyReply {
  if (problem.name === "unauthenticated") reply.header("www-authenticate", 'Bearer realm="drover"');
  return sendProblem(reply, problem);
}
