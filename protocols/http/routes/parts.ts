// What the routes stand on.

import type { FastifyInstance } from "fastify";
import type { ChangeHub } from "../change-hub.ts";
import type { Decorate } from "../actor-document.ts";
import type { HttpFacadeOptions } from "../facade-options.ts";
import type { FailedLogins } from "../failed-logins.ts";
import type { OpenStreams } from "../open-streams.ts";
import type { SessionCookie } from "../session-cookie.ts";
import type { Sessions } from "../sessions.ts";
import type { LeftOut } from "../whole-lists.ts";

export interface RouteParts extends HttpFacadeOptions {
  readonly decorate: Decorate;
  readonly sessions: Sessions;
  readonly failures: FailedLogins;
  readonly streams: OpenStreams;
  readonly changes: ChangeHub;
  readonly ownCookie: SessionCookie;
  readonly leftOut: LeftOut;
  /** The event loop is late: the node answers, and should get no further work. */
  readonly isUnderPressure: () => boolean;
}

export type Routes = (app: FastifyInstance, parts: RouteParts) => void;
