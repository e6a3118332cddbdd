// Named tokens: who may speak to this node, as what (promise S10). Only hashes are kept; a lookup takes as long for a wrong token as for a right one.
//
// T1. The first start makes one admin's token, writes it to `api-token` and hands it to whoever starts the node, to be shown once. `tokens.json` is written last: a crash
//     before that makes another first token at the next start, which replaces the file.
// T2. There is always an admin: the last one's token cannot be removed.
// T3. A change counts once its file is written. The file is read at the start alone: what is edited in it counts from the next one, if no change of ours has written over it.

import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { Clock } from "../../runtime/ports/index.ts";
import type { Role } from "./roles.ts";
import { readTokens, type TokenRecord, writeFirstToken, writeTokens } from "./token-file.ts";

export type TokenInfo = Omit<TokenRecord, "hash">;

export interface Tokens {
  /** Whose token this is; undefined for anything else. */
  check(text: string): TokenInfo | undefined;
  /** Whether the token still exists. */
  has(id: string): boolean;
  list(): readonly TokenInfo[];
  /** @throws DROVER_TOKENS_UNUSABLE when the file cannot be written; nothing has changed then (T3) */
  add(
    name: string,
    role: Role,
    createdBy: string,
  ): Promise<{ readonly kind: "added"; readonly token: string; readonly info: TokenInfo } | { readonly kind: "exists" } | { readonly kind: "limit" }>;
  /** @throws DROVER_TOKENS_UNUSABLE as `add` */
  remove(name: string): Promise<"removed" | "no-such-token" | "last-admin">;
}

export interface LoadedTokens extends Tokens {
  /** Text of a token made now, to be shown once; undefined when there were tokens before. */
  readonly firstToken: string | undefined;
}

export const TOKEN_NAME = "^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$";
const FIRST_NAME = "admin";
const MAX_TOKENS = 1_000;
const TOKEN_TEXT = /^drover_([0-9a-f]{16})_[A-Za-z0-9_-]{43}$/;
/** Compared against when nobody has the token's id, so that the time taken tells nothing. */
const NOBODY = "0".repeat(64);

/**
 * The tokens in `folder`; the first one is made when there are none (T1).
 * @throws DROVER_TOKENS_UNUSABLE when `tokens.json` is there and cannot be read, or the folder cannot be written
 */
export async function loadTokens(folder: string, { clock }: { readonly clock: Clock }): Promise<LoadedTokens> {
  const known = await readTokens(folder);
  if (known !== undefined) return { ...tokenBook(folder, known, clock), firstToken: undefined };
  const { text, record } = makeToken(FIRST_NAME, "admin", "node", clock);
  await writeFirstToken(folder, text);
  await writeTokens(folder, [record]);
  return { ...tokenBook(folder, [record], clock), firstToken: text };
}

/** Nobody's: who runs a node whose tokens are not known lets nobody in. `add` and `remove` throw `cause`. */
export function noTokens(cause: Error): Tokens {
  const refuse = (): Promise<never> => Promise.reject(cause);
  return { check: () => undefined, has: () => false, list: () => [], add: refuse, remove: refuse };
}

function tokenBook(folder: string, records: readonly TokenRecord[], clock: Clock): Tokens {
  let byId = new Map(records.map((record) => [record.id, record]));
  let writing: Promise<unknown> = Promise.resolve();

  /** One change at a time, each against what the one before it left. */
  function change<R>(run: () => Promise<R>): Promise<R> {
    const result = writing.then(run);
    writing = result.catch(() => undefined);
    return result;
  }

  async function keep(next: Map<string, TokenRecord>): Promise<void> {
    await writeTokens(folder, [...next.values()]);
    byId = next;
  }

  return {
    check: (text) => {
      const id = TOKEN_TEXT.exec(text)?.[1];
      const record = id === undefined ? undefined : byId.get(id);
      const fits = timingSafeEqual(Buffer.from(hashOf(text), "hex"), Buffer.from(record?.hash ?? NOBODY, "hex"));
      return fits && record !== undefined ? infoOf(record) : undefined;
    },
    has: (id) => byId.has(id),
    list: () => [...byId.values()].map(infoOf),
    add: (name, role, createdBy) =>
      change(async () => {
        if ([...byId.values()].some((record) => record.name === name)) return { kind: "exists" };
        if (byId.size >= MAX_TOKENS) return { kind: "limit" };
        const { text, record } = makeToken(name, role, createdBy, clock);
        await keep(new Map([...byId, [record.id, record]]));
        return { kind: "added", token: text, info: infoOf(record) };
      }),
    remove: (name) =>
      change(async () => {
        const record = [...byId.values()].find((candidate) => candidate.name === name);
        if (record === undefined) return "no-such-token";
        if (record.role === "admin" && ![...byId.values()].some((other) => other !== record && other.role === "admin")) return "last-admin";
        const next = new Map(byId);
        next.delete(record.id);
        await keep(next);
        return "removed";
      }),
  };
}

function makeToken(name: string, role: Role, createdBy: string, clock: Clock): { readonly text: string; readonly record: TokenRecord } {
  const id = randomBytes(8).toString("hex");
  const text = `drover_${id}_${randomBytes(32).toString("base64url")}`;
  return { text, record: { id, name, role, hash: hashOf(text), createdAt: clock.now(), createdBy } };
}

function hashOf(text: string): string {
  return createHash("sha256").update(text, "utf8").digest("hex");
}

function infoOf({ id, name, role, createdAt, createdBy }: TokenRecord): TokenInfo {
  return { id, name, role, createdAt, createdBy };
}
