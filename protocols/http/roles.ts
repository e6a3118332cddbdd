// Who may do what: three roles, each including the ones before it, and what every route says of itself.

import type { FastifyInstance } from "fastify";
import { DroverError } from "../../runtime/index.ts";
import type { Trace } from "./trace.ts";

export const ROLES = ["viewer", "operator", "admin"] as const;
export type Role = (typeof ROLES)[number];

/** `open`: for everybody, signed in or not. `vehicle`: for the node of a vehicle with its own credential, and for operators. */
export type RouteRole = "open" | "vehicle" | Role;

/** Who is answerable for a request. */
export interface Principal {
  /** The token's name: the author of the commands it sends. */
  readonly name: string;
  readonly role: Role;
  /** Cookies are sent by browsers unasked, so writes by them need more. */
  readonly by: "bearer" | "session";
  /** Whether the token, and the session if it is one, still stand: asked again by what lasts longer than a request. */
  stands(): boolean;
}

declare module "fastify" {
  interface FastifyContextConfig {
    /** Who may use the route; a route without it is refused when it is added. */
    readonly role?: RouteRole;
    /** Media type of the body; default application/json. */
    readonly takes?: string;
  }
  interface FastifyRequest {
    principal: Principal | undefined;
    /** Address of the vehicle whose node is asking, on a route of the role `vehicle`. */
    vehicle: string | undefined;
    trace: Trace;
  }
}

export function includes(role: Role, needed: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(needed);
}

/** Refuses a route that does not say who may use it. @throws DROVER_ROUTE_WITHOUT_ROLE from whoever adds the route */
export function demandRoles(app: FastifyInstance): void {
  app.addHook("onRoute", (route) => {
    const role: unknown = route.config?.role;
    if (role === "open" || role === "vehicle" || ROLES.some((known) => known === role)) return;
    throw new DroverError(
      "DROVER_ROUTE_WITHOUT_ROLE",
      `${String(route.method)} ${route.url}: config.role is ${role === undefined ? "missing" : JSON.stringify(role)}; "open", "vehicle", "viewer", "operator" or "admin" is expected`,
    );
  });
}
