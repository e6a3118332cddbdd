// The page at `/` and its files under `/ui/`, read once, served from memory. They hold nothing secret: whoever opens them signs in by /v1/session.

import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { extname } from "node:path";
import { isHeld } from "../entity-tag.ts";
import type { Routes } from "./parts.ts";

const FOLDER = new URL("../ui/", import.meta.url);
const INDEX = "index.html";
const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};

export const pageRoutes: Routes = (app) => {
  for (const file of readdirSync(FOLDER)) {
    const type = TYPES[extname(file)];
    if (type === undefined) continue;
    const bytes = readFileSync(new URL(file, FOLDER));
    const etag = `"${createHash("sha256").update(bytes).digest("base64url").slice(0, 22)}"`;
    app.get(file === INDEX ? "/" : `/ui/${file}`, { config: { role: "open" }, schema: { hide: true } }, (request, reply) => {
      // Asked for again at each visit, so that a new release is seen at once.
      reply.headers({ etag, "cache-control": "no-cache" });
      return isHeld(request.headers["if-none-match"], etag) ? reply.code(304).send() : reply.type(type).send(bytes);
    });
  }
};
