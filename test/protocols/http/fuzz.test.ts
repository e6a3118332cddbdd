// Random requests: whatever is sent, the answer is one of this API's and the node goes on.

import type { InjectOptions } from "fastify";
import { test } from "tap";
import { SeededRandom } from "../../../runtime/simulation/index.ts";
import { openStream } from "./event-reader.ts";
import { AT, COUNTER, servingCounter } from "./serving.ts";

const random = new SeededRandom(20_260_101);
const pick = <X>(items: readonly X[]): X => items[Math.floor(random.next() * items.length)] as X;
const times = <X>(most: number, make: () => X): X[] => Array.from({ length: Math.floor(random.next() * (most + 1)) }, make);
const CHARACTERS = [
  "a",
  "/",
  "%",
  "2",
  "F",
  ".",
  "..",
  "~",
  "@",
  ":",
  "?",
  "#",
  "&",
  "=",
  "\\",
  '"',
  "'",
  "<",
  "{",
  "}",
  "[",
  " ",
  "\t",
  "ü",
  "😀",
  "\u0000",
  "\u007f",
  "-",
  "_",
  "0",
  "9",
  "node",
  "acme",
  "counter",
  "__proto__",
  "constructor",
];
const text = (most: number): string => times(most, () => pick(CHARACTERS)).join("");
const value = (depth: number): unknown => {
  if (depth === 0 || random.next() < 0.4) return pick<unknown>([null, true, 0, -0, 1e308, -1, 3.5, "", "x", COUNTER, text(8), Number.MAX_SAFE_INTEGER]);
  return random.next() < 0.5
    ? times(4, () => value(depth - 1))
    : Object.fromEntries(times(4, () => [pick(["type", "by", "a", "__proto__x", "replyTo", "read", "guard", text(3)]), value(depth - 1)]));
};
const KNOWN = new Set([200, 202, 304, 400, 404, 405, 406, 409, 410, 412, 413, 414, 415, 422, 429, 503, 504]);

/** What the API answers beside what it is meant to; undefined when all is well. */
async function unlikely(as: Awaited<ReturnType<typeof servingCounter>>["as"], request: InjectOptions): Promise<string | undefined> {
  const answer = await as("operator", request);
  const isFine = KNOWN.has(answer.statusCode) && (answer.statusCode < 400 || String(answer.headers["content-type"]).startsWith("application/problem+json"));
  return isFine ? undefined : `${JSON.stringify(request)}: ${String(answer.statusCode)} ${answer.body.slice(0, 200)}`;
}

test("random paths, addresses and queries", async (t) => {
  const { as } = await servingCounter(t);
  const found: (string | undefined)[] = [];
  for (let n = 0; n < 600; n++) {
    const address = pick([
      encodeURIComponent(text(6)),
      encodeURIComponent(`acme/counter/${text(2)}`),
      text(5).replaceAll(/[?#\s]|[^\u0021-\u007e]/g, ""),
      "%2e%2e%2f",
      "acme%2Fcounter%2Fa",
    ]);
    const suffix = pick(["", "/history", "/events", "/ask", "/nothing"]);
    const query = pick([
      "",
      `?cursor=${encodeURIComponent(text(6))}`,
      `?limit=${encodeURIComponent(text(2))}`,
      `?${encodeURIComponent(text(3))}=${encodeURIComponent(text(3))}`,
      "?after=1&before=0",
      "?label=a%3Db&label=c",
      `?cursor=${Buffer.from(JSON.stringify(value(2))).toString("base64url")}`,
    ]);
    found.push(
      await unlikely(as, {
        method: "GET",
        url: pick([`/v1/actors/${address}${suffix}${query}`, `/v1/actors${query}`, `/v1/vehicles/${address}/signals${query}`, `/v1/dead-letters${query}`]),
      }),
    );
  }
  t.same(
    found.filter((item) => item !== undefined),
    [],
  );
});

test("random bodies and headers", async (t) => {
  const { as, system } = await servingCounter(t);
  const found: (string | undefined)[] = [];
  for (let n = 0; n < 600; n++) {
    const body = JSON.stringify(value(4));
    const cut = random.next() < 0.2 ? body.slice(0, Math.floor(random.next() * body.length)) : body;
    const headers: Record<string, string> = { "content-type": pick(["application/json", "application/json", "application/json; charset=latin1", "text/json", ""]) };
    if (random.next() < 0.3) headers["idempotency-key"] = text(4).replaceAll(/[^\u0020-\u007e]/g, "");
    if (random.next() < 0.2) headers["if-match"] = text(4).replaceAll(/[^\u0020-\u007e]/g, "");
    if (random.next() < 0.2) headers["traceparent"] = text(6).replaceAll(/[^\u0020-\u007e]/g, "");
    found.push(await unlikely(as, { method: "POST", url: pick([`${AT}/events`, `${AT}/ask?timeoutMs=1`]), headers, payload: cut }));
  }
  t.same(
    found.filter((item) => item !== undefined),
    [],
  );
  t.ok(system.read(COUNTER as never), "the actor lives");
});

test("random Last-Event-IDs all lead to the present state", async (t) => {
  const { app, texts, system } = await servingCounter(t);
  const { incarnation = "" } = system.read(COUNTER as never) ?? {};
  for (let n = 0; n < 100; n++) {
    const id = pick([text(4), `${incarnation}:${text(2)}`, `${text(2)}:1`, `${incarnation}:${String(Math.floor(random.next() * 4))}`, `${incarnation}:1:1`]).replaceAll(
      /[^\u0020-\u007e]/g,
      "",
    );
    const { statusCode, reader } = await openStream(app, `${AT}/stream`, { authorization: `Bearer ${texts.viewer}`, "last-event-id": id });
    t.equal(statusCode, 200, JSON.stringify(id));
    let event = await reader.next();
    while (event.event !== "snapshot") event = await reader.next();
    t.match(event, { event: "snapshot", data: { address: COUNTER } });
    await system.tell(COUNTER, { type: "count.add", by: 1 });
    t.match(await reader.next(), { event: "change" });
    reader.leave();
  }
});
