// A client of the cloud's API as any other: HTTP, the token from the data folder, a key for each command.

import { readFileSync } from "node:fs";
import { join } from "node:path";

export interface Answered {
  /** 0: there was no answer. */
  readonly status: number;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- answers are read as they come
  readonly body: any;
  readonly ms: number;
}

export interface Event {
  readonly type: string;
  readonly [field: string]: unknown;
}

export interface Api {
  ask(address: string, event: Event, options?: { readonly key?: string; readonly timeoutMs?: number }): Promise<Answered>;
  tell(address: string, event: Event, key?: string): Promise<Answered>;
  actor(address: string): Promise<Answered>;
  get(path: string): Promise<Answered>;
  post(path: string, body: object): Promise<Answered>;
  /** Bytes as they are. */
  bring(path: string, bytes: Uint8Array): Promise<Answered>;
}

/** @param data the cloud's data folder @param url asked at each request */
export function api(data: string, url: () => string): Api {
  async function request(path: string, init: Omit<RequestInit, "headers"> & { readonly headers?: Record<string, string> } = {}): Promise<Answered> {
    const began = performance.now();
    try {
      const token = readFileSync(join(data, "api-token"), "utf8").trim();
      const response = await fetch(`${url()}${path}`, { ...init, headers: { authorization: `Bearer ${token}`, ...init.headers }, signal: AbortSignal.timeout(30_000) });
      const text = await response.text();
      const isJson = response.headers.get("content-type")?.includes("json") === true;
      return { status: response.status, body: text === "" ? undefined : isJson ? JSON.parse(text) : text, ms: performance.now() - began };
    } catch (cause) {
      return { status: 0, body: { cause: String((cause as Error).cause ?? cause) }, ms: performance.now() - began };
    }
  }

  function post(path: string, event: object, key: string | undefined): Promise<Answered> {
    const headers: Record<string, string> = { "content-type": "application/json", ...(key === undefined ? {} : { "idempotency-key": key }) };
    return request(path, { method: "POST", headers, body: JSON.stringify(event) });
  }

  return {
    ask: (address, event, { key, timeoutMs = 3_000 } = {}) => post(`/v1/actors/${encodeURIComponent(address)}/ask?timeoutMs=${timeoutMs}`, event, key),
    tell: (address, event, key) => post(`/v1/actors/${encodeURIComponent(address)}/events`, event, key),
    actor: (address) => request(`/v1/actors/${encodeURIComponent(address)}`),
    get: (path) => request(path),
    post: (path, body) => post(path, body, undefined),
    bring: (path, bytes) => request(path, { method: "POST", headers: { "content-type": "application/octet-stream" }, body: Buffer.from(bytes) }),
  };
}
