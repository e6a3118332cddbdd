// Paths that a configuration file writes relative to its own folder.

import { isAbsolute, join, resolve } from "node:path";
import type { Shape } from "./settings.ts";

/** Sources of a bus whose path is a file or a folder. */
const FILE_SCHEMES = /^(log|rig):(.+)$/s;

/** A copy of `value` in which every relative path that `shape` marks begins with `folder`. */
export function withPathsFrom(folder: string, value: unknown, shape: Shape): unknown {
  if (typeof value === "string") return shape["x-path"] === undefined ? value : fromFolder(folder, value, shape["x-path"]);
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const shapes = [shape, ...(shape.anyOf ?? [])];
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => {
      const known = shapes.map(({ properties, patternProperties }) => properties?.[key] ?? Object.values(patternProperties ?? {})[0]).find((each) => each !== undefined);
      return [key, known === undefined ? inner : withPathsFrom(folder, inner, known)];
    }),
  );
}

function fromFolder(folder: string, text: string, kind: "file" | "url" | "command"): string {
  // A path that begins with the folder's name would be looked for along PATH.
  if (kind === "command") return text.includes("/") ? resolve(folder, text) : text;
  if (kind === "file") return isAbsolute(text) ? text : join(folder, text);
  const [, scheme, path = ""] = FILE_SCHEMES.exec(text) ?? [];
  return scheme === undefined || isAbsolute(path) ? text : `${scheme}:${join(folder, path)}`;
}
