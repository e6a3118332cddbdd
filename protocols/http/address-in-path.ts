// An actor's address in a path: one percent-encoded segment (design section 10). Whoever writes raw slashes is told the right way.

import { type Address, addressProblem } from "../../runtime/index.ts";
import type { Problem } from "./problem.ts";

/** Longest address, encoded: its slashes take three characters each. */
export const MAX_PARAM_CHARACTERS = 1024;

/** @param segment decoded by the router */
export function addressIn(segment: string): Address | Problem {
  const problem = addressProblem(segment);
  return problem === undefined ? (segment as Address) : { name: "address-invalid", detail: `"${segment.slice(0, 128)}": ${problem}.` };
}

/** Longest first. */
const SUFFIXES = ["/signals/stream", "/events", "/ask", "/history", "/stream", "/signals"];
const WITH_ADDRESS = /^\/v1\/(actors|vehicles)\/(.+)$/;

/** What to say to a path that has no route because its address stands there raw; undefined for any other path. @param path without the query */
export function rawSlashProblem(path: string): Problem | undefined {
  const [, collection, rest] = WITH_ADDRESS.exec(path) ?? [];
  if (collection === undefined || !rest?.includes("/")) return undefined;
  const decoded = decodedOrRaw(rest);
  const suffix = SUFFIXES.find((candidate) => decoded.endsWith(candidate) && addressProblem(decoded.slice(0, -candidate.length)) === undefined);
  const address = suffix === undefined ? decoded : decoded.slice(0, -suffix.length);
  if (addressProblem(address) !== undefined) {
    const example = `/v1/${collection}/${encodeURIComponent(collection === "vehicles" ? "acme/vehicle/rav4-01" : "acme/vehicle/rav4-01/module/torrent-0")}`;
    return { name: "address-not-encoded", detail: `An address is one path segment, e.g. ${example}.`, members: { example } };
  }
  const encoded = `/v1/${collection}/${encodeURIComponent(address)}${suffix ?? ""}`;
  return { name: "address-not-encoded", detail: `Write ${encoded} instead. A proxy in front of this node must pass %2F on as it is.`, members: { path: encoded } };
}

function decodedOrRaw(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
