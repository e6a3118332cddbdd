// The page at `/`: three files from ui/, read once, served from memory. They hold nothing secret: whoever opens them signs in by /v1/session.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { isHeld } from "../entity-tag.ts";
import type { Routes } from "./parts.ts";

const FILES = [
  { path: "/", file: "index.html", type: "text/html; charset=utf-8" },
  { path: "/app.js", file: "app.js", type: "text/javascript; charset=utf-8" },
  { path: "/style.css", file: "style.css", type: "text/css; charset=utf-8" },
] as const;

export const pageRoutes: Routes = (app) => {
  for (const { path, file, type } of FILES) {
    const bytes = readFileSync(new URL(`../ui/${file}`, import.meta.url));
    const etag = `"${createHash("sha256").update(bytes).digest("base64url").slice(0, 22)}"`;
    app.get(path, { config: { role: "open" }, schema: { hide: true } }, (request, reply) => {
      // Asked for again at each visit, so that a new release is seen at once.
      reply.headers({ etag, "cache-control": "no-cache" });
      return isHeld(request.headers["if-none-match"], etag) ? reply.code(304).send() : reply.type(type).send(bytes);
    });
  }
};
