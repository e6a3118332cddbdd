// The cookie of a session, as a request names it. Browsers keep cookies by host and know no ports: the nodes of one machine must not overwrite each other's, also where they have one name.

import type { FastifyRequest } from "fastify";

const PORT = /:(\d{1,5})$/;

export interface SessionCookie {
  /** With the port under which the browser asks for this node, which behind a proxy is another than it listens on; without one where the browser names none. */
  nameFor(request: Pick<FastifyRequest, "host">): string;
  /** Its value, where the request carries it. */
  heldBy(request: Pick<FastifyRequest, "host" | "cookies">): string | undefined;
}

export function sessionCookie(node: string): SessionCookie {
  const name = `drover_${node.replace(/[^A-Za-z0-9]/g, "_")}`;
  const nameFor: SessionCookie["nameFor"] = ({ host }) => {
    const port = PORT.exec(host)?.[1];
    return port === undefined ? name : `${name}_${port}`;
  };
  return { nameFor, heldBy: (request) => request.cookies[nameFor(request)] };
}
