// Requests that are wrong in themselves: each gets its own problem, and the node goes on.

import { test } from "tap";
import { problemKinds, problemType } from "../../../protocols/http/index.ts";
import { AT, fakeOver, isProblem, serving, servingCounter } from "./serving.ts";

const EVENTS = `${AT}/events`;

test("a body that is no JSON is 400, whatever is wrong with it", async (t) => {
  const { as } = await servingCounter(t);
  const json = { "content-type": "application/json" };
  for (const payload of ["{", "count.add", '{"type":"count.add",}', '{"a":1}{"b":2}'])
    isProblem(t, await as("operator", { method: "POST", url: EVENTS, headers: json, payload }), 400, "body-not-json");
  for (const payload of ['{"__proto__":{"x":1},"type":"count.add"}', '{"type":"count.add","constructor":{"prototype":{}}}'])
    t.match(isProblem(t, await as("operator", { method: "POST", url: EVENTS, headers: json, payload }), 422, "invalid"), { problems: [{ path: "/", message: /__proto__/ }] });
  isProblem(t, await as("operator", { method: "POST", url: EVENTS, headers: json, payload: Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]) }), 400, "body-not-json");
  isProblem(t, await as("operator", { method: "POST", url: EVENTS, headers: json }), 400, "body-not-json");
  isProblem(t, await as("operator", { method: "POST", url: EVENTS }), 400, "body-not-json");
  const deep = `{"type":"count.add","by":${"[".repeat(40)}${"]".repeat(40)}}`;
  isProblem(t, await as("operator", { method: "POST", url: EVENTS, headers: json, payload: deep }), 400, "body-too-deep");
  isProblem(t, await as("operator", { method: "POST", url: EVENTS, headers: json, payload: `${"[".repeat(100_000)}${"]".repeat(100_000)}` }), 400, "body-too-deep");
});

test("a body of another media type is 415, one that is too large is 413", async (t) => {
  const { as } = await servingCounter(t);
  for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/xml", "nonsense"]) {
    const answer = await as("operator", { method: "POST", url: EVENTS, headers: { "content-type": type }, payload: '{"type":"count.add","by":1}' });
    isProblem(t, answer, 415, "unsupported-media-type");
    t.equal(answer.headers.accept, "application/json");
  }
  const large = JSON.stringify({ type: "count.add", by: 1, pad: "x".repeat(262_144) });
  t.match(isProblem(t, await as("operator", { method: "POST", url: EVENTS, headers: { "content-type": "application/json" }, payload: large }), 413, "body-too-large"), {
    maxBytes: 262_144,
  });
  const signIn = { method: "POST", url: "/v1/session", headers: { "content-type": "application/json" } } as const;
  t.match(
    isProblem(t, await as("none", { ...signIn, payload: JSON.stringify({ token: "x".repeat(5_000) }) }), 413, "body-too-large"),
    { maxBytes: 4_096 },
    "before anybody has signed in",
  );
  t.equal(
    (await as("operator", { method: "POST", url: EVENTS, headers: { "content-type": "application/json; charset=utf-8" }, payload: '{"type":"count.add","by":1}' })).statusCode,
    202,
  );
});

test("a path without a route is 404, one with another method 405 with Allow", async (t) => {
  const { as } = await servingCounter(t);
  for (const url of ["/v1", "/v1/nothing", "/v2/actors", "/v1/actors/", "/..%2f..%2fetc/passwd", "/ui/app.js/x", "//", "/health", "/v1/ACTORS"]) {
    const answer = await as("none", { url });
    t.ok([400, 401, 404].includes(answer.statusCode), `${url}: ${String(answer.statusCode)}`);
    t.match(String(answer.headers["content-type"]), /problem\+json/);
  }
  isProblem(t, await as("none", { url: "/v1/nothing" }), 404, "not-found");
  for (const [method, url, allow] of [
    ["DELETE", AT, "GET, HEAD"],
    ["GET", EVENTS, "POST"],
    ["PUT", "/v1/actors", "GET, HEAD"],
    ["OPTIONS", "/v1/actors", "GET, HEAD"],
    ["POST", "/", "GET, HEAD"],
    ["PATCH", "/v1/session", "POST, GET, HEAD, DELETE"],
  ] as const) {
    const answer = await as("none", { method, url });
    isProblem(t, answer, 405, "method-not-allowed");
    t.equal(answer.headers.allow, allow, `${method} ${url}`);
  }
});

test("an address with raw slashes gets a problem that says how to write it", async (t) => {
  const { as } = await servingCounter(t);
  for (const [raw, right] of [
    ["/v1/actors/acme/counter/a", "/v1/actors/acme%2Fcounter%2Fa"],
    ["/v1/actors/acme/counter/a/events", "/v1/actors/acme%2Fcounter%2Fa/events"],
    ["/v1/actors/acme/vehicle/v/module/torrent-0/stream", "/v1/actors/acme%2Fvehicle%2Fv%2Fmodule%2Ftorrent-0/stream"],
    ["/v1/actors/acme%2Fcounter/a/history?limit=1", "/v1/actors/acme%2Fcounter%2Fa/history"],
    ["/v1/vehicles/acme/vehicle/v/signals", "/v1/vehicles/acme%2Fvehicle%2Fv/signals"],
    ["/v1/vehicles/acme/vehicle/v/signals/stream", "/v1/vehicles/acme%2Fvehicle%2Fv/signals/stream"],
    ["/v1/actors/acme/vehicle/events", "/v1/actors/acme%2Fvehicle%2Fevents"],
  ] as const) {
    const problem = isProblem(
      t,
      await as("operator", { method: raw.includes("events") ? "POST" : "GET", url: raw, ...(raw.includes("events") ? { payload: { type: "x" } } : {}) }),
      400,
      "address-not-encoded",
    );
    t.equal(problem["path"], right);
  }
  t.match(isProblem(t, await as("viewer", { url: "/v1/actors/acme/counter" }), 400, "address-not-encoded"), { example: /%2F/ });
});

test("an address that is none, a path that cannot be decoded or is too long: each its own problem", async (t) => {
  const { as } = await servingCounter(t);
  for (const bad of [
    "x",
    "acme/counter",
    "acme/counter/a/module",
    "acme//a",
    "acme/counter/..",
    "acme/counter/a b",
    "acme/counter/ü",
    "@node",
    `acme/counter/${"x".repeat(129)}`,
  ]) {
    isProblem(t, await as("viewer", { url: `/v1/actors/${encodeURIComponent(bad)}` }), 400, "address-invalid");
    isProblem(t, await as("operator", { method: "POST", url: `/v1/actors/${encodeURIComponent(bad)}/events`, payload: { type: "x" } }), 400, "address-invalid");
  }
  isProblem(t, await as("viewer", { url: "/v1/actors/%ZZ" }), 400, "url-invalid");
  isProblem(t, await as("viewer", { url: "/v1/actors/%ff" }), 400, "url-invalid");
  isProblem(t, await as("viewer", { url: `/v1/actors/${"x".repeat(1_025)}` }), 414, "url-too-long");
  const longest = `acme/${"counter/".repeat(1)}${"x".repeat(128)}/${"k".repeat(120)}/${"x".repeat(128)}`;
  isProblem(t, await as("viewer", { url: `/v1/actors/${encodeURIComponent(longest)}` }), 404, "no-such-actor");
});

test("an unknown actor is its own problem on every route that names one", async (t) => {
  const { as } = await servingCounter(t);
  const none = `/v1/actors/${encodeURIComponent("acme/counter/none")}`;
  for (const path of ["", "/history", "/stream"]) isProblem(t, await as("viewer", { url: `${none}${path}` }), 404, "no-such-actor");
  for (const path of ["/events", "/ask"])
    isProblem(t, await as("operator", { method: "POST", url: `${none}${path}`, payload: { type: "count.add", by: 1 } }), 404, "no-such-actor");
});

test("a handler that throws is 500 without its words; the node goes on", async (t) => {
  const { system } = await serving(t);
  const logged: object[] = [];
  const log = { debug: () => {}, info: () => {}, warn: () => {}, error: (fields: object) => void logged.push(fields), child: () => log };
  const { as } = await serving(t, {
    log,
    system: fakeOver(system, {
      list: () => {
        throw new Error("secret path /home/x");
      },
    }),
  });
  const answer = await as("viewer", { url: "/v1/actors" });
  const problem = isProblem(t, answer, 500, "internal");
  t.notMatch(answer.body, /secret/);
  t.match(logged, [{ traceId: problem["traceId"], err: { message: "secret path /home/x" } }], "the log has it, under the same trace");
  t.equal((await as("none", { url: "/health/live" })).statusCode, 200);
});

test("every kind of problem has a stable type, a status and words for its reader", (t) => {
  for (const [name, { status, title, advice }] of Object.entries(problemKinds)) {
    t.ok(status >= 400 && status < 600, name);
    t.match(title, /^[A-Z].*[.?]$/, name);
    t.match(advice, /^[A-Z`].*\.$/, name);
    t.equal(problemType(name as keyof typeof problemKinds), `urn:drover:problem:${name}`);
  }
  t.end();
});
