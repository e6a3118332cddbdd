// Who gets in: tokens, roles, sessions, cookies (promise S10).

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "tap";
import { httpFacade, loadTokens, type Role } from "../../../protocols/http/index.ts";
import { silentLog } from "../../../runtime/ports/index.ts";
import { SeededRandom } from "../../../runtime/simulation/index.ts";
import { AT, isProblem, serving, servingCounter, type Serving } from "./serving.ts";

const EVENT = { method: "POST", url: `${AT}/events`, payload: { type: "count.add", by: 1 } } as const;

const ROUTES: readonly (readonly [method: "GET" | "POST" | "DELETE", url: string, role: Role | "open"])[] = [
  ["GET", "/", "open"],
  ["GET", "/ui/app.js", "open"],
  ["GET", "/ui/style.css", "open"],
  ["GET", "/health/live", "open"],
  ["GET", "/health/ready", "open"],
  ["GET", "/health/startup", "open"],
  ["GET", "/metrics", "viewer"],
  ["GET", "/v1/openapi.json", "viewer"],
  ["GET", "/v1/session", "viewer"],
  ["GET", "/v1/actors", "viewer"],
  ["GET", AT, "viewer"],
  ["GET", `${AT}/history`, "viewer"],
  ["GET", "/v1/tree", "viewer"],
  ["GET", "/v1/nodes", "viewer"],
  ["GET", "/v1/dead-letters", "viewer"],
  ["POST", "/v1/dead-letters/1/redeliver", "operator"],
  ["GET", "/v1/versions", "viewer"],
  ["POST", "/v1/versions", "operator"],
  ["POST", `${AT}/events`, "operator"],
  ["POST", `${AT}/ask`, "operator"],
  ["GET", "/v1/tokens", "admin"],
  ["POST", "/v1/tokens", "admin"],
  ["DELETE", "/v1/tokens/nobody", "admin"],
];

test("S10. every door asks who is there, and lets in whom its role allows", async (t) => {
  const { as } = await servingCounter(t);
  const order = ["none", "viewer", "operator", "admin"] as const;
  for (const [method, url, needed] of ROUTES) {
    for (const role of order) {
      const { statusCode } = await as(role, { method, url, ...(method === "POST" ? { payload: { type: "count.add", by: 1 } } : {}) });
      const isIn = needed === "open" || order.indexOf(role) >= order.indexOf(needed);
      if (isIn) t.ok(statusCode !== 401 && statusCode !== 403, `${method} ${url} as ${role}: ${String(statusCode)}`);
      else t.equal(statusCode, role === "none" ? 401 : 403, `${method} ${url} as ${role}`);
    }
  }
});

test("S10. a route that does not say who may use it is refused when it is added, also one that a node adds", async (t) => {
  const served = await serving(t);
  const facade = () => httpFacade({ ...served, log: silentLog, random: new SeededRandom(1), trees: () => [], nodes: () => [], ready: () => ({ ok: true, reasons: [] }) });
  t.throws(() => facade().get("/v1/own", () => "x"), { code: "DROVER_ROUTE_WITHOUT_ROLE", message: /GET \/v1\/own/ });
  t.throws(() => facade().get("/v1/own", { config: { role: "everybody" as never } }, () => "x"), { code: "DROVER_ROUTE_WITHOUT_ROLE" });
  const app = facade();
  app.get("/v1/own", { config: { role: "operator" } }, () => ({ own: true }));
  app.register(async (scope) => {
    scope.get("/v1/scoped", { config: { role: "viewer" } }, () => ({ own: true }));
  });
  const get = (url: string, role: Role) => app.inject({ url, headers: { authorization: `Bearer ${served.texts[role]}` } });
  t.equal((await app.inject("/v1/own")).statusCode, 401, "a node's own routes are behind the same doors");
  t.equal((await app.inject("/v1/scoped")).statusCode, 401);
  t.equal((await get("/v1/own", "viewer")).statusCode, 403);
  t.equal((await get("/v1/own", "operator")).statusCode, 200);
  t.equal((await get("/v1/scoped", "viewer")).statusCode, 200);
  await app.close();
});

test("whoever is not known is 401 with a challenge; a known one without the role is 403 with what is needed", async (t) => {
  const { as, app } = await servingCounter(t);
  for (const authorization of ["Bearer x", "Bearer", "Basic YTpi", "bearer drover_0000000000000000_" + "a".repeat(43), "drover_x", ""]) {
    const answer = await app.inject({ url: "/v1/actors", headers: { authorization } });
    isProblem(t, answer, 401, "unauthenticated");
    t.match(answer.headers["www-authenticate"], /^Bearer/);
  }
  t.match(isProblem(t, await as("viewer", EVENT), 403, "forbidden"), { needs: "operator", has: "viewer" });
  t.equal((await app.inject({ url: "/v1/actors", headers: { authorization: `bearer   ${(await serving(t)).texts.viewer}` } })).statusCode, 401, "a token of another node");
});

test("a token in a URL is refused on every path, before anything else looks at it", async (t) => {
  const { as, texts } = await servingCounter(t);
  for (const url of [
    `/v1/actors?token=${texts.viewer}`,
    "/v1/actors?access_token=x",
    `/?anything=${texts.admin}`,
    "/health/live?API_KEY=1",
    `/nowhere?a=1&a=${texts.admin}`,
    "/metrics?authorization=Bearer%20x",
  ]) {
    const answer = await as("admin", { url });
    isProblem(t, answer, 400, "token-in-url");
    t.notMatch(answer.body, texts.admin.slice(-10));
  }
});

test("a session's cookie is HttpOnly and SameSite=Strict, opens reads, and the token is in no answer", async (t) => {
  const served = await servingCounter(t);
  const { cookie, answer } = await signIn(served, "viewer");
  t.match(answer.headers["set-cookie"], /^drover_n1_80=[A-Za-z0-9_-]{43}; Max-Age=43200; Path=\/; HttpOnly; SameSite=Strict$/);
  t.match(answer.json(), { name: "vic", role: "viewer", expiresAt: Number });
  t.notMatch(answer.body, served.texts.viewer);
  t.equal((await served.app.inject({ url: "/v1/actors", headers: { cookie } })).statusCode, 200);
  t.match((await served.app.inject({ url: "/v1/session", headers: { cookie } })).json(), { name: "vic", role: "viewer", expiresAt: Number });
  t.equal(
    (await served.app.inject({ method: "POST", url: "/v1/session", headers: { authorization: `Bearer ${served.texts.admin}` } })).statusCode,
    200,
    "a token in the header serves too",
  );
  for (const payload of [{ token: "x" }, { token: 7 }, {}, { token: "" }, { token: "x".repeat(300) }, { token: "x", more: 1 }]) {
    t.ok([401, 422].includes((await served.app.inject({ method: "POST", url: "/v1/session", payload })).statusCode), JSON.stringify(payload));
  }
  isProblem(t, await served.app.inject({ method: "POST", url: "/v1/session" }), 401, "unauthenticated");
});

test("two nodes of one name and machine do not sign each other out: a cookie is that of the port that the browser asks", async (t) => {
  const nodes = [await servingCounter(t), await servingCounter(t)].map((served, index) => ({ served, host: `127.0.0.1:${String(8080 + index)}` }));
  // A browser keeps one cookie of a name for both.
  const jar = new Map<string, string>();
  for (const { served, host } of nodes) {
    const [name = "", value = ""] = (await signIn(served, "viewer", host)).cookie.split("=");
    jar.set(name, value);
  }
  const cookie = [...jar].map((each) => each.join("=")).join("; ");
  for (const { served, host } of nodes) t.equal((await served.app.inject({ url: "/v1/actors", headers: { host, cookie } })).statusCode, 200, host);
  t.match((await signIn(nodes[0]?.served as Serving, "viewer", "fleet.example")).cookie, /^drover_n1=/, "where the browser names no port");
  const [first, second] = nodes as [(typeof nodes)[0], (typeof nodes)[0]];
  const out = await first.served.app.inject({ method: "DELETE", url: "/v1/session", headers: { host: first.host, cookie, "sec-fetch-site": "same-origin" } });
  t.match(out.headers["set-cookie"], /^drover_n1_8080=;/);
  t.equal((await first.served.app.inject({ url: "/v1/actors", headers: { host: first.host, cookie } })).statusCode, 401);
  t.equal((await second.served.app.inject({ url: "/v1/actors", headers: { host: second.host, cookie } })).statusCode, 200, "only the one that was left");
});

test("a write by cookie needs a request of the same origin", async (t) => {
  const served = await servingCounter(t);
  const { cookie } = await signIn(served, "operator", "fleet.example:8080");
  const send = (headers: Record<string, string>) => served.app.inject({ ...EVENT, headers: { host: "fleet.example:8080", cookie, ...headers } });
  const foreign: readonly Record<string, string>[] = [
    {},
    { origin: "http://evil.example" },
    { origin: "http://fleet.example:9090" },
    { origin: "https://fleet.example:8080" },
    { origin: "null" },
    { "sec-fetch-site": "same-site" },
    { "sec-fetch-site": "cross-site", origin: "http://fleet.example:8080" },
    { "sec-fetch-site": "none" },
  ];
  for (const headers of foreign) {
    isProblem(t, await send(headers), 403, "cross-site");
    isProblem(t, await served.app.inject({ method: "DELETE", url: "/v1/session", headers: { host: "fleet.example:8080", cookie, ...headers } }), 403, "cross-site");
  }
  t.equal((await send({ origin: "http://fleet.example:8080" })).statusCode, 202);
  t.equal((await send({ "sec-fetch-site": "same-origin" })).statusCode, 202);
  t.equal((await send({ origin: "http://FLEET.example:8080" })).statusCode, 202);
  t.equal((await send({ "sec-fetch-site": "same-origin", origin: "https://behind.a.proxy" })).statusCode, 202, "the browser's word counts behind a proxy");
  const history = await served.as("viewer", { url: `${AT}/history?limit=1` });
  t.match(history.json(), { items: [{ inputs: [{ author: "ann" }] }] }, "the session's author is its token's name");
});

test("a session ends by itself, by its owner, with its token, and with the node", async (t) => {
  const served = await servingCounter(t);
  const read = async (cookie: string): Promise<number> => (await served.app.inject({ url: "/v1/actors", headers: { cookie } })).statusCode;
  const own = await signIn(served, "viewer");
  const out = await served.app.inject({ method: "DELETE", url: "/v1/session", headers: { cookie: own.cookie, "sec-fetch-site": "same-origin" } });
  t.equal(out.statusCode, 204);
  t.match(out.headers["set-cookie"], /^drover_n1_80=;/);
  t.equal(await read(own.cookie), 401);
  const old = await signIn(served, "viewer");
  await served.clock.advance(12 * 3_600_000 - 1);
  t.equal(await read(old.cookie), 200);
  served.clock.jump(-3_600_000);
  await served.clock.advance(1);
  t.equal(await read(old.cookie), 401, "after 12 h, whatever the wall clock says");
  const orphan = await signIn(served, "viewer");
  await served.tokens.remove("vic");
  t.equal(await read(orphan.cookie), 401);
  t.equal((await served.app.inject({ method: "DELETE", url: "/v1/session" })).statusCode, 204, "signing out twice is no error");
});

test("S5. sessions are bounded: the oldest ends for the newest", async (t) => {
  const served = await servingCounter(t);
  const first = await signIn(served, "viewer");
  const second = await signIn(served, "viewer");
  for (let n = 0; n < 999; n++) await signIn(served, "operator");
  t.equal((await served.app.inject({ url: "/v1/actors", headers: { cookie: first.cookie } })).statusCode, 401);
  t.equal((await served.app.inject({ url: "/v1/actors", headers: { cookie: second.cookie } })).statusCode, 200);
});

test("failed attempts are limited by where they come from; a valid token is not locked out, and time heals", async (t) => {
  const served = await servingCounter(t);
  const attempt = (remoteAddress: string) => served.app.inject({ method: "POST", url: "/v1/session", payload: { token: "wrong" }, remoteAddress });
  for (let n = 0; n < 10; n++) isProblem(t, await attempt("10.0.0.1"), 401, "unauthenticated");
  const refused = await attempt("10.0.0.1");
  isProblem(t, refused, 429, "too-many-failures");
  t.equal(refused.headers["retry-after"], "60");
  isProblem(t, await served.app.inject({ url: "/v1/actors", headers: { authorization: "Bearer wrong" }, remoteAddress: "10.0.0.1" }), 429, "too-many-failures");
  const signsIn = await served.app.inject({ method: "POST", url: "/v1/session", payload: { token: served.texts.viewer }, remoteAddress: "10.0.0.1" });
  t.equal(signsIn.statusCode, 200, "another person behind the same router");
  isProblem(t, await attempt("10.0.0.1"), 429, "too-many-failures");
  t.equal((await served.app.inject({ url: "/v1/actors", headers: { authorization: `Bearer ${served.texts.viewer}` }, remoteAddress: "10.0.0.1" })).statusCode, 200);
  isProblem(t, await attempt("10.0.0.2"), 401, "unauthenticated");
  await served.clock.advance(60_000);
  isProblem(t, await attempt("10.0.0.1"), 401, "unauthenticated");
  t.match((await served.as("viewer", { url: "/metrics" })).body, /drover_http_failed_logins_total 12\b/);
});

test("tokens are made, listed and removed by an admin; a text is told once; the last admin stays", async (t) => {
  const served = await servingCounter(t);
  const make = (payload: object) => served.as("admin", { method: "POST", url: "/v1/tokens", payload });
  const made = await make({ name: "wall-display", role: "viewer" });
  t.equal(made.statusCode, 201);
  const { token } = made.json<{ token: string }>();
  t.equal((await served.app.inject({ url: "/v1/actors", headers: { authorization: `Bearer ${token}` } })).statusCode, 200);
  const list = await served.as("admin", { url: "/v1/tokens" });
  t.match(list.json(), {
    items: [{ name: "admin", role: "admin", createdBy: "node" }, { name: "ann" }, { name: "vic" }, { name: "wall-display", role: "viewer", createdBy: "admin" }],
  });
  t.notMatch(list.body, /hash|[0-9a-f]{64}/);
  isProblem(t, await make({ name: "wall-display", role: "admin" }), 409, "token-exists");
  for (const bad of [
    { name: "", role: "viewer" },
    { name: "a b", role: "viewer" },
    { name: "x".repeat(65), role: "viewer" },
    { name: "x", role: "root" },
    { name: "x" },
    { name: "x", role: "viewer", more: 1 },
  ])
    isProblem(t, await make(bad), 422, "invalid");
  const remove = (name: string) => served.as("admin", { method: "DELETE", url: `/v1/tokens/${name}` });
  t.equal((await remove("wall-display")).statusCode, 204);
  t.equal((await served.app.inject({ url: "/v1/actors", headers: { authorization: `Bearer ${token}` } })).statusCode, 401);
  isProblem(t, await remove("wall-display"), 404, "no-such-token");
  isProblem(t, await remove("admin"), 409, "last-admin");
  const again = await loadTokens(served.folder, { clock: served.clock });
  t.equal(again.check(token), undefined, "and so after a restart");
  t.match(again.check(served.texts.operator), { name: "ann", role: "operator" });
});

test("what a browser must be told stands in every answer: no foreign script, no guessing, no keeping, no frame", async (t) => {
  const served = await serving(t);
  for (const url of ["/", "/ui/app.js", "/v1/actors", "/nowhere", "/health/live", "/v1/actors/%ZZ"]) {
    const { headers } = await served.as("viewer", { url });
    t.match(headers, { "x-content-type-options": "nosniff", "referrer-policy": "no-referrer", "x-frame-options": "DENY" }, url);
    t.match(headers["content-security-policy"], /default-src 'none'.*script-src 'self'/, url);
    t.notMatch(headers["content-security-policy"], /unsafe/);
    if (!["/", "/ui/app.js"].includes(url)) t.equal(headers["cache-control"], "no-store", url);
  }
  t.notMatch(
    readFileSync(join(import.meta.dirname, "../../../protocols/http/ui/index.html"), "utf8"),
    /<script>|<style>| on[a-z]+=|style=|https?:\/\//,
    "the page needs no exception",
  );
});

async function signIn(served: Serving, role: Role, host = "localhost:80") {
  const answer = await served.app.inject({ method: "POST", url: "/v1/session", headers: { host }, payload: { token: served.texts[role] } });
  const cookie = String(answer.headers["set-cookie"]).split(";", 1)[0] ?? "";
  return { answer, cookie };
}
