// Cursors of lists: where the next page begins, bound to the filters it belongs to. They hold nothing secret and grant nothing, so they are not signed.

import { createHash } from "node:crypto";

const VERSION = 1;
const MAX_CHARACTERS = 1_400;

/** @param filters everything that decides what the list holds */
export function encodeCursor(after: string, filters: object): string {
  return Buffer.from(JSON.stringify([VERSION, digestOf(filters), after]), "utf8").toString("base64url");
}

/** Where to go on, or why the cursor is none. */
export function decodeCursor(cursor: string, filters: object): { readonly after: string } | { readonly problem: string } {
  const value = cursor.length <= MAX_CHARACTERS && /^[A-Za-z0-9_-]+$/.test(cursor) ? parsed(Buffer.from(cursor, "base64url").toString("utf8")) : undefined;
  if (!Array.isArray(value) || value.length !== 3) return { problem: "It cannot be read." };
  const [version, digest, after] = value as readonly unknown[];
  if (version !== VERSION || typeof after !== "string") return { problem: "It cannot be read." };
  return digest === digestOf(filters) ? { after } : { problem: "It belongs to a list with other filters." };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function digestOf(filters: object): string {
  return createHash("sha256").update(JSON.stringify(filters)).digest("base64url").slice(0, 16);
}
