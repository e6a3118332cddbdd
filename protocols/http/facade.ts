// The HTTP façade over a system: what both kinds of node serve. It is built without listening; a node adds routes of its own with `register` before it listens.
//
// H1. Every route states its role (`config.role`), or the façade does not start.
// H2. Every answer that is no success is a problem (RFC 9457), wherever the request failed.
// H3. Nothing here waits without a bound: connections, bodies, streams, sessions, tokens and waits for replies have theirs where they are kept.

import cookie from "@fastify/cookie";
import swagger from "@fastify/swagger";
import underPressure from "@fastify/under-pressure";
import fastify, { type FastifyInstance, type FastifyPluginAsync } from "fastify";
import { LimitedLog } from "../../runtime/index.ts";
import { MAX_PARAM_CHARACTERS } from "./address-in-path.ts";
import { addAuthentication, refuseSecretsInQueries } from "./authentication.ts";
import { ChangeHub } from "./change-hub.ts";
import type { HttpFacadeOptions } from "./facade-options.ts";
import { FailedLogins } from "./failed-logins.ts";
import { answerFailures, answerUnknownPaths, demandHttp, frameworkErrors } from "./failures.ts";
import { httpServer } from "./http-server.ts";
import { MAX_BODY_BYTES, takeJsonOnly } from "./json-body.ts";
import { openapiDocument } from "./openapi-document.ts";
import { OpenStreams } from "./open-streams.ts";
import { demandRoles } from "./roles.ts";
import { actorRoutes } from "./routes/actors.ts";
import { actorStreamRoutes } from "./routes/actor-stream.ts";
import { commandRoutes } from "./routes/commands.ts";
import { healthRoutes } from "./routes/health.ts";
import { historyRoutes } from "./routes/history.ts";
import { inspectionRoutes } from "./routes/inspection.ts";
import { metricsRoutes } from "./routes/metrics.ts";
import { nodeRoutes } from "./routes/node.ts";
import { openapiRoutes } from "./routes/openapi.ts";
import { pageRoutes } from "./routes/page.ts";
import type { RouteParts, Routes } from "./routes/parts.ts";
import { sessionRoutes } from "./routes/session.ts";
import { signalRoutes } from "./routes/signals.ts";
import { tokenRoutes } from "./routes/tokens.ts";
import { versionRoutes } from "./routes/versions.ts";
import { schemaCompilers } from "./schema-compilers.ts";
import { addSchemas } from "./schemas.ts";
import { addSecurityHeaders } from "./security-headers.ts";
import { sessionCookie } from "./session-cookie.ts";
import { Sessions } from "./sessions.ts";
import { endInOrder } from "./stopping.ts";
import { traceOf } from "./trace.ts";
import { checkBySchema } from "./validation.ts";
import { answerWholeLists } from "./whole-lists.ts";

/** At once: streams of many pages among them. */
const MAX_CONNECTIONS = 4_096;
/** Mean lateness of the event loop, ms, past which the node says that it is not ready. */
const MAX_LOOP_DELAY_MS = 1_000;

const ROUTES: readonly Routes[] = [
  actorRoutes,
  commandRoutes,
  historyRoutes,
  inspectionRoutes,
  actorStreamRoutes,
  signalRoutes,
  nodeRoutes,
  versionRoutes,
  sessionRoutes,
  tokenRoutes,
  healthRoutes,
  metricsRoutes,
  openapiRoutes,
  pageRoutes,
];

/** H3. Nobody has said who he is before a request is read: what is beyond is closed at once, and told. */
function boundConnections({ server }: FastifyInstance, { log, clock, maxConnections = MAX_CONNECTIONS }: HttpFacadeOptions): void {
  const limited = new LimitedLog(log, clock);
  server.maxConnections = maxConnections;
  server.on("drop", (connection?: { readonly remoteAddress?: string }) => {
    limited.warn({ from: connection?.remoteAddress, atMost: maxConnections }, "a connection was closed: there are too many");
  });
}

/** @throws DROVER_ROUTE_WITHOUT_ROLE from `ready` or from the call that adds a route without a role */
export function httpFacade(options: HttpFacadeOptions): FastifyInstance {
  const { log, random, clock, tokens, system } = options;
  const app = fastify({
    logger: false,
    bodyLimit: MAX_BODY_BYTES,
    serverFactory: (handler) => httpServer(handler, { clock, random }),
    clientErrorHandler: () => undefined, // the server answers
    forceCloseConnections: "idle",
    return503OnClosing: false, // it is no problem+json; `endInOrder` answers
    routerOptions: { maxParamLength: MAX_PARAM_CHARACTERS },
    frameworkErrors: frameworkErrors(log, random),
    schemaController: schemaCompilers,
  });
  boundConnections(app, options);
  const streams = new OpenStreams(clock);

  app.decorateRequest("principal", undefined);
  app.decorateRequest("vehicle", undefined);
  // Set by the first hook of every request.
  app.decorateRequest("trace", undefined as never);
  app.addHook("onRequest", async (request) => {
    request.trace = traceOf(request.headers["traceparent"], random);
  });
  addSecurityHeaders(app);
  endInOrder(app, clock, () => {
    streams.closeAll();
  });
  demandHttp(app);
  refuseSecretsInQueries(app);
  demandRoles(app);
  takeJsonOnly(app);
  checkBySchema(app);
  answerFailures(app, log);
  answerUnknownPaths(app);
  const leftOut = answerWholeLists(app, log, clock);

  const sessions = new Sessions(tokens, clock);
  const failures = new FailedLogins(clock, log);
  const ownCookie = sessionCookie(system.node);
  const parts: RouteParts = {
    ...options,
    decorate: options.decorate ?? (() => undefined),
    sessions,
    failures,
    streams,
    changes: new ChangeHub(system),
    ownCookie,
    leftOut,
    isUnderPressure: () => app.isUnderPressure(),
  };

  app.register(cookie);
  // Shedding nothing: it tells readiness, and what was asked is answered.
  app.register(underPressure, { maxEventLoopDelay: MAX_LOOP_DELAY_MS, pressureHandler: () => undefined });
  app.register(swagger, openapiDocument(options.version ?? "0"));
  app.register(
    onTheSameLevel(async (same) => {
      addAuthentication(same, { tokens, sessions, failures, ownCookie, clock, vehicleOf: options.vehicleOf });
      addSchemas(same);
      for (const add of ROUTES) add(same, parts);
      options.routes?.(same, { streams, changes: parts.changes });
    }),
  );
  return app;
}

/** A plugin whose hooks hold for the whole façade, so that a node's own routes are behind the same doors. */
function onTheSameLevel(plugin: FastifyPluginAsync): FastifyPluginAsync {
  return Object.assign(plugin, { [Symbol.for("skip-override")]: true });
}
