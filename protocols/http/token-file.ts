// The files of the tokens: `tokens.json` with their hashes, `api-token` with the first one in the clear, both for their owner's eyes only.
//
// F1. A file is written beside its place, flushed, and renamed over it: a crash leaves the old or the new one.
// F2. What cannot be read is told by name, and lets nobody in; it is never taken for "no tokens", which would hand out a new admin. It stops the start of a cloud node; a vehicle runs on without its API.

import { chmod, mkdir, open, readFile, rename, rm, stat } from "node:fs/promises";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { DroverError } from "../../runtime/index.ts";
import { ROLES, type Role } from "./roles.ts";

export interface TokenRecord {
  /** Public part of the token's text; names it in logs. */
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  /** SHA-256 of the token's text, hex. The text has 256 random bits, so a slow hash would add nothing. */
  readonly hash: string;
  /** Wall ms. */
  readonly createdAt: number;
  /** Name of the token that made it; `node` for the first one. */
  readonly createdBy: string;
}

/** Stands in the file, where somebody edits it. */
const NOTE =
  "Read when the node starts, and written over when a token is made or removed while it runs. Change tokens with POST and DELETE /v1/tokens, or edit this while the node is stopped; without this file the next start ends all tokens and makes a first one.";
const TOKENS_FILE = "tokens.json";
const FIRST_TOKEN_FILE = "api-token";

/** undefined: there is no such file yet. @throws DROVER_TOKENS_UNUSABLE (F2) */
export async function readTokens(folder: string): Promise<readonly TokenRecord[] | undefined> {
  const path = join(folder, TOKENS_FILE);
  let value: unknown;
  try {
    const text = await readFile(path, "utf8");
    if (((await stat(path)).mode & 0o077) !== 0) await chmod(path, 0o600);
    value = JSON.parse(text);
  } catch (cause) {
    if (cause instanceof Error && (cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new DroverError("DROVER_TOKENS_UNUSABLE", `${path} cannot be read`, { cause });
  }
  const { v, tokens } = (typeof value === "object" && value !== null ? value : {}) as { readonly v?: unknown; readonly tokens?: unknown };
  if (v !== 1 || !Array.isArray(tokens) || !tokens.every(isRecord))
    throw new DroverError("DROVER_TOKENS_UNUSABLE", `${path}: expected {"v": 1, "tokens": [{"id", "name", "role", "hash", "createdAt", "createdBy"}]}`);
  return tokens;
}

/** @throws DROVER_TOKENS_UNUSABLE */
export async function writeTokens(folder: string, tokens: readonly TokenRecord[]): Promise<void> {
  await writePrivate(folder, TOKENS_FILE, `${JSON.stringify({ v: 1, note: NOTE, tokens }, undefined, 2)}\n`);
}

/** @throws DROVER_TOKENS_UNUSABLE */
export async function writeFirstToken(folder: string, text: string): Promise<void> {
  await writePrivate(folder, FIRST_TOKEN_FILE, `${text}\n`);
}

async function writePrivate(folder: string, name: string, text: string): Promise<void> {
  const path = join(folder, name);
  const fresh = `${path}.${randomBytes(6).toString("hex")}.new`;
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const file = await open(fresh, "wx", 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(fresh, path);
    await syncFolder(folder);
  } catch (cause) {
    await rm(fresh, { force: true }).catch(() => undefined);
    throw new DroverError("DROVER_TOKENS_UNUSABLE", `${path} cannot be written`, { cause });
  }
}

/** Without it a crash may take the rename back. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } catch {
    // Some file systems do not sync folders; the rename itself was done.
  } finally {
    await handle.close();
  }
}

function isRecord(value: unknown): value is TokenRecord {
  if (typeof value !== "object" || value === null) return false;
  const { id, name, role, hash, createdAt, createdBy } = value as Partial<Record<keyof TokenRecord, unknown>>;
  return (
    typeof id === "string" &&
    typeof name === "string" &&
    name !== "" &&
    ROLES.some((known) => known === role) &&
    typeof hash === "string" &&
    /^[0-9a-f]{64}$/.test(hash) &&
    typeof createdAt === "number" &&
    typeof createdBy === "string"
  );
}
