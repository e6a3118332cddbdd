// Whether a request comes from a page of this very node: what a browser says of a page, a page cannot forge.

import type { IncomingHttpHeaders } from "node:http";

/** @param origin scheme and host under which this node was asked, e.g. `http://127.0.0.1:8080` */
export function isSameOrigin(headers: IncomingHttpHeaders, origin: string): boolean {
  const site = headers["sec-fetch-site"];
  if (site !== undefined && site !== "same-origin") return false;
  if (headers.origin !== undefined) return headers.origin.toLowerCase() === origin.toLowerCase();
  return site === "same-origin";
}
