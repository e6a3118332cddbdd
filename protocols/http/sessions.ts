// Sessions of people at a browser: a random cookie in place of the token, since a page's script must not see the token and EventSource sends no header.
// They live in memory, in bounded number, for a bounded time; a restart of the node ends them all, and so does the removal of their token.

import { createHash, randomBytes } from "node:crypto";
import type { Clock } from "../../runtime/ports/index.ts";
import type { TokenInfo, Tokens } from "./tokens.ts";

export interface Session {
  readonly token: TokenInfo;
  /** Wall ms; for the reader. */
  readonly expiresAt: number;
}

interface Kept extends Session {
  /** On the monotonic clock: a jump of the wall clock neither ends nor prolongs a session. */
  readonly endsAt: number;
}

export const SESSION_MS = 12 * 3_600_000;
const MAX_SESSIONS = 1_000;

export class Sessions {
  readonly #clock: Clock;
  readonly #tokens: Tokens;
  /** By the hash of the cookie's value, oldest first. */
  readonly #kept = new Map<string, Kept>();

  constructor(tokens: Tokens, clock: Clock) {
    this.#tokens = tokens;
    this.#clock = clock;
  }

  get size(): number {
    return this.#kept.size;
  }

  /** @returns the cookie's value. At the limit the oldest session ends. */
  begin(token: TokenInfo): { readonly cookie: string; readonly session: Session } {
    for (const key of this.#kept.keys()) this.#live(key);
    const oldest = this.#kept.size >= MAX_SESSIONS ? this.#kept.keys().next().value : undefined;
    if (oldest !== undefined) this.#kept.delete(oldest);
    const cookie = randomBytes(32).toString("base64url");
    const kept: Kept = { token, expiresAt: this.#clock.now() + SESSION_MS, endsAt: this.#clock.monotonic() + SESSION_MS };
    this.#kept.set(keyOf(cookie), kept);
    return { cookie, session: kept };
  }

  find(cookie: string): Session | undefined {
    return this.#live(keyOf(cookie));
  }

  end(cookie: string): void {
    this.#kept.delete(keyOf(cookie));
  }

  #live(key: string): Kept | undefined {
    const kept = this.#kept.get(key);
    if (kept === undefined) return undefined;
    if (this.#clock.monotonic() < kept.endsAt && this.#tokens.has(kept.token.id)) return kept;
    this.#kept.delete(key);
    return undefined;
  }
}

/** Looked up by its hash, so that the time of the lookup tells nothing of the values that are kept. */
function keyOf(cookie: string): string {
  return createHash("sha256").update(cookie, "utf8").digest("base64");
}
