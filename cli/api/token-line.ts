// Where the token of a started node is, as whoever starts one is told.
//
// L1. An operator may take the file away once the token is kept elsewhere: a node says that it is not there, and makes no other admin for it.

import { existsSync } from "node:fs";
import { join } from "node:path";

/** Ends all tokens; the next start makes the first one anew. */
export function newFirstToken(data: string): string {
  return `stop the node, delete ${join(data, "tokens.json")} (all its tokens end), and start it again`;
}

/** null: it is not there. */
export function tokenFileIn(data: string): string | null {
  const path = join(data, "api-token");
  return existsSync(path) ? path : null;
}

/** @param firstToken made by this start */
export function tokenLine(data: string, firstToken: string | undefined): string {
  const path = tokenFileIn(data);
  const words = path === null ? `not in ${join(data, "api-token")}, which is gone: use one that you have kept; if there is none, ${newFirstToken(data)}` : `in ${path}`;
  return `token         ${words}${firstToken === undefined ? "" : `; shown once: ${firstToken}`}`;
}
