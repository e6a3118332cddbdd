// Whether a request comes from a page of this very node: what a browser says of a page, a page cannot forge.
// Sec-Fetch-Site is the browser's own comparison, made with the URL that it asked: it holds behind a proxy too, where this node sees another scheme or host.
// Browsers leave it out where the page came by plain HTTP from another host than loopback; there Origin is compared.

import type { IncomingHttpHeaders } from "node:http";

/** @param origin scheme and host under which this node was asked, e.g. `http://127.0.0.1:8080` */
export function isSameOrigin(headers: IncomingHttpHeaders, origin: string): boolean {
  const site = headers["sec-fetch-site"];
  return site === undefined ? headers.origin?.toLowerCase() === origin.toLowerCase() : site === "same-origin";
}
