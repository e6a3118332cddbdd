// Looks at every list, document and stream of a node's API as its users do.

import { get } from "node:http";
import { readFileSync } from "node:fs";
import { join } from "node:path";

export interface ApiWatch {
  /** Paths that did not answer 200, with their status and words. */
  bad(...vehicles: readonly string[]): Promise<readonly string[]>;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- answers are read as they come
  json(path: string): Promise<any>;
  /** Status of a command. */
  ask(address: string, event: object): Promise<{ readonly status: number; readonly text: string }>;
  /** Text of an event stream as far as it has come; ends with `end`. */
  stream(path: string): { readonly text: () => string; readonly isOpen: () => boolean; end(): void };
}

const LISTS = ["/v1/actors?limit=1000", "/v1/actors?state=motion.moving", "/v1/actors?q=mov&kind=vehicle", "/v1/tree", "/v1/nodes", "/v1/dead-letters?limit=1000"];
const WHOLE = ["/metrics", "/v1/openapi.json", "/", "/health/ready"];

/** Far below what waits before a socket that listens (511): the kernel resets what comes beyond. */
const AT_ONCE = 100;

/** @param url asked at each request: a node that starts again listens elsewhere */
export function apiWatch(data: string, url: () => string): ApiWatch {
  const headers = (): Record<string, string> => ({ authorization: `Bearer ${readFileSync(join(data, "api-token"), "utf8").trim()}` });

  async function status(path: string): Promise<readonly [number, string]> {
    const response = await fetch(`${url()}${path}`, { headers: headers(), signal: AbortSignal.timeout(20_000) });
    return [response.status, await response.text()];
  }

  async function problem(path: string): Promise<string | undefined> {
    const [code, text] = await status(path);
    // What is busy says so, truly, on a machine whose cores run other tests too.
    if (code === 503 && text.includes('"reasons":["the event loop is late"]')) return undefined;
    if (code !== 200) return `${path}: ${String(code)} ${text.slice(0, 200)}`;
    // No page of it loses what a person can see: a list that is cut goes on.
    const next = path.startsWith("/v1/actors?limit") ? (JSON.parse(text) as { readonly next?: string }).next : undefined;
    return next === undefined ? undefined : problem(`/v1/actors?limit=1000&cursor=${encodeURIComponent(next)}`);
  }

  return {
    bad: async (...vehicles) => {
      const own = vehicles.flatMap((vehicle) => {
        const address = encodeURIComponent(vehicle);
        return [`/v1/actors/${address}`, `/v1/actors/${address}/history`, `/v1/vehicles/${address}/signals`];
      });
      const lists = await Promise.all([...LISTS, ...WHOLE].map(problem));
      const documents: (string | undefined)[] = [];
      for (let from = 0; from < own.length; from += AT_ONCE) documents.push(...(await Promise.all(own.slice(from, from + AT_ONCE).map(problem))));
      // What was refused is not there, and that is an answer.
      return [...lists, ...documents.filter((each) => each?.includes(": 404 ") !== true)].filter((each) => each !== undefined);
    },
    json: async (path) => JSON.parse((await status(path))[1]) as unknown,
    ask: async (address, event) => {
      const response = await fetch(`${url()}/v1/actors/${encodeURIComponent(address)}/ask?timeoutMs=2000`, {
        method: "POST",
        headers: { ...headers(), "content-type": "application/json" },
        body: JSON.stringify(event),
        signal: AbortSignal.timeout(20_000),
      });
      return { status: response.status, text: await response.text() };
    },
    stream: (path) => {
      let text = "";
      let isOpen = true;
      const request = get(`${url()}${path}`, { headers: { ...headers(), accept: "text/event-stream" } }, (response) => {
        response.setEncoding("utf8");
        response.on("data", (more: string) => {
          text += more;
        });
        response.on("close", () => {
          isOpen = false;
        });
      });
      request.on("error", () => {
        isOpen = false;
      });
      return { text: () => text, isOpen: () => isOpen, end: () => request.destroy() };
    },
  };
}
