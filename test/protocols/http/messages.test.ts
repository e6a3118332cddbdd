// Messages to actors over HTTP: what the sender learns, and under which status.

import type { InjectOptions } from "fastify";
import { test } from "tap";
import { parseAddress, type Refusal } from "../../../runtime/index.ts";
import { settle } from "../../../runtime/simulation/index.ts";
import { AT, COUNTER, fakeOver, holdingStore, isProblem, serving, servingCounter } from "./serving.ts";

const EVENTS = `${AT}/events`;
const ASK = `${AT}/ask`;
const total = (view: { readonly context: unknown } | undefined): number | undefined => (view?.context as { readonly total: number } | undefined)?.total;

test("M3. an event is answered 202 after the commit that contains it, with its id, durability and revision", async (t) => {
  const { as, store, system } = await servingCounter(t);
  const answer = await as("operator", { method: "POST", url: EVENTS, payload: { type: "count.add", by: 3 } });
  t.equal(answer.statusCode, 202);
  const body = answer.json<{ revision: number }>();
  t.match(body, { outcome: "accepted", durable: "local", id: /^[0-9a-f]{32}$/ });
  t.equal((await store.revisionOf(COUNTER))?.revision, body.revision, "the store holds that revision");
  t.equal(total(system.read(parseAddress(COUNTER))), 3);
});

test("M2. the same Idempotency-Key acts once and answers the same; another message under it is refused", async (t) => {
  const { as, system } = await servingCounter(t);
  const send = (by: number) => as("operator", { method: "POST", url: ASK, headers: { "idempotency-key": "order-1" }, payload: { type: "count.add", by } });
  const first = await send(5);
  t.equal(first.statusCode, 200);
  t.same(first.json(), { outcome: "replied", id: "order-1", reply: { total: 5 } });
  t.same((await send(5)).json(), first.json());
  t.equal(total(system.read(parseAddress(COUNTER))), 5, "it acted once");
  isProblem(t, await send(6), 422, "id-reused");
  const told = await as("operator", { method: "POST", url: EVENTS, headers: { "idempotency-key": "tell-1" }, payload: { type: "count.add", by: 1 } });
  const again = await as("operator", { method: "POST", url: EVENTS, headers: { "idempotency-key": "tell-1" }, payload: { type: "count.add", by: 1 } });
  t.same(again.json(), told.json(), "told twice, taken once");
  t.equal(total(system.read(parseAddress(COUNTER))), 6);
  const other = await as("admin", { method: "POST", url: EVENTS, headers: { "idempotency-key": "tell-1" }, payload: { type: "count.add", by: 1 } });
  isProblem(t, other, 422, "id-reused");
});

test("every command keeps its author, its id and its trace", async (t) => {
  const heard: unknown[] = [];
  const { as, system } = await servingCounter(t);
  const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const answer = await as("operator", { method: "POST", url: EVENTS, headers: { "idempotency-key": "k1", traceparent }, payload: { type: "count.add", by: 1 } });
  t.equal(answer.statusCode, 202);
  t.match(await system.history(parseAddress(COUNTER), { limit: 1, order: "newest-first" }), {
    items: [{ inputs: [{ type: "count.add", author: "ann", id: "k1", result: "accepted" }] }],
  });

  const faked = await servingCounter(t, {});
  const spied = await serving(t, {
    system: fakeOver(faked.system, {
      tell: async (_to, _event, options) => {
        heard.push(options);
        return { kind: "no-such-actor" };
      },
    }),
  });
  const problem = isProblem(t, await spied.as("operator", { method: "POST", url: EVENTS, headers: { traceparent }, payload: { type: "count.add", by: 1 } }), 404, "no-such-actor");
  t.equal(problem["traceId"], "0af7651916cd43dd8448eb211c80319c", "the problem names the sender's trace");
  t.match(heard, [{ author: "ann", trace: /^00-0af7651916cd43dd8448eb211c80319c-[0-9a-f]{16}-01$/ }], "and it is passed on");
  t.notMatch(heard, [{ trace: traceparent }], "with a span of this node's own");
  for (const bad of ["", "00-00000000000000000000000000000000-b7ad6b7169203331-01", "zz", `ff-${"a".repeat(32)}-${"b".repeat(16)}-01`, "x".repeat(9_000)]) {
    const answered = await spied.as("operator", { method: "POST", url: EVENTS, headers: { traceparent: bad }, payload: { type: "count.add", by: 1 } });
    t.match(answered.json(), { traceId: /^(?!0{32})[0-9a-f]{32}$/ }, "a trace that cannot be read begins anew");
  }
});

test("a message that the state does not take is 409 with what it would take; one outside the protocol is 422 with each field", async (t) => {
  const { as } = await servingCounter(t);
  t.match(isProblem(t, await as("operator", { method: "POST", url: EVENTS, payload: { type: "count.nonsense" } }), 422, "invalid"), {
    problems: [{ path: "/type" }],
    accepts: ["count.add", "count.later"],
  });
  t.match(
    isProblem(t, await as("operator", { method: "POST", url: EVENTS, payload: { type: "count.add", by: "3" } }), 422, "invalid"),
    { problems: [{ path: "/by" }] },
    "nothing is converted",
  );
  t.match(isProblem(t, await as("operator", { method: "POST", url: EVENTS, payload: { type: "count.add", by: 1, more: 2 } }), 422, "invalid"), { problems: [{ path: "/more" }] });
  isProblem(t, await as("operator", { method: "POST", url: EVENTS, payload: { type: "count.tick" } }), 422, "invalid");
  isProblem(t, await as("operator", { method: "POST", url: EVENTS, payload: { type: "xstate.init" } }), 422, "invalid");
  for (const payload of ["[]", "3", '"x"', "null", '{"by":1}', '{"type":7}']) {
    isProblem(t, await as("operator", { method: "POST", url: EVENTS, headers: { "content-type": "application/json" }, payload }), 422, "invalid");
  }
  await as("operator", { method: "POST", url: EVENTS, payload: { type: "count.close" } });
  t.match(isProblem(t, await as("operator", { method: "POST", url: EVENTS, payload: { type: "count.add", by: 1 } }), 409, "refused"), {
    accepts: [],
    detail: /count\.add was refused/,
  });
});

test("a refusal for which there are no words tells a state that does not know the message from one that takes it at other times", async (t) => {
  const details = ["relay.set", "light.set"].map(async (type) => {
    const { as } = await withOutcome(t, { kind: "refused", accepts: ["relay.set"] });
    return isProblem(t, await as("operator", { method: "POST", url: EVENTS, payload: { type } }), 409, "refused")["detail"];
  });
  t.same(await Promise.all(details), [
    "relay.set was refused: its present state takes it, but not as things are or not with these values.",
    "light.set was refused: its present state does not take it.",
  ]);
});

test("a refusal by a guard says its reason in words, where it has one", async (t) => {
  const reason = "the bus can0 is down since 2026-11-22T10:00:00.000Z: unplugged";
  const { as } = await withOutcome(t, { kind: "refused", accepts: [], guard: { condition: "can0 up", open: false, reads: [], reason } });
  const problem = isProblem(t, await as("operator", { method: "POST", url: EVENTS, payload: { type: "light.set" } }), 409, "refused");
  t.equal(problem["detail"], `light.set was refused: ${reason}.`);
  t.same(problem["guard"], { condition: "can0 up", open: false, reads: [], reason });
});

test("a refusal by a guard says which condition, which value, how old", async (t) => {
  const refusal: Refusal = {
    kind: "refused",
    accepts: ["light.set"],
    reason: "guard",
    guard: {
      condition: "parked",
      open: undefined,
      reads: [
        { signal: "Vehicle.Speed", value: 12.500000000000002, ageMs: 400.3 },
        { signal: "Tow.Connected", value: undefined, ageMs: undefined },
      ],
    },
  };
  const { as } = await withOutcome(t, refusal);
  const problem = isProblem(t, await as("operator", { method: "POST", url: EVENTS, payload: { type: "awning.set" } }), 409, "refused");
  t.equal(problem["detail"], 'awning.set was refused: the condition "parked" is unknown (Vehicle.Speed = 12.5, 0.4 s old, Tow.Connected has no value, never seen).');
  t.same(problem["guard"], {
    condition: "parked",
    open: null,
    reads: [
      { signal: "Vehicle.Speed", value: 12.500000000000002, ageMs: 400 },
      { signal: "Tow.Connected", value: null, ageMs: null },
    ],
  });
  t.same(problem["accepts"], ["light.set"]);
});

const OUTCOMES: readonly (readonly [Refusal, number, string, object])[] = [
  [{ kind: "no-such-actor" }, 404, "no-such-actor", {}],
  [{ kind: "full", retryAfterMs: 1_500 }, 429, "full", { retryAfterMs: 1_500, detail: /was not taken: the actor has no room for it now\.$/ }],
  [{ kind: "full", retryAfterMs: 1_500, reason: "256 requests wait" }, 429, "full", { reason: "256 requests wait", detail: /was not taken: 256 requests wait\.$/ }],
  [{ kind: "owner-away", asOf: 1_767_225_590_000 }, 503, "owner-away", { asOf: 1_767_225_590_000, ageMs: 10_000 }],
  [{ kind: "owner-away" }, 503, "owner-away", { asOf: null, ageMs: null }],
  [{ kind: "owner-away", reason: "it hung twice" }, 503, "owner-away", { reason: "it hung twice", detail: /kept out of its node: it hung twice\. / }],
  [{ kind: "deadline" }, 504, "deadline", {}],
  [{ kind: "not-stored", reason: "disk full" }, 503, "not-stored", { reason: "disk full" }],
  [{ kind: "too-old" }, 410, "too-old", {}],
  [{ kind: "unknown", reason: "the link was lost" }, 504, "outcome-unknown", { reason: "the link was lost", advice: /same Idempotency-Key/ }],
  [{ kind: "id-reused" }, 422, "id-reused", {}],
];

test("each outcome of a message is a problem type of its own, with the id to ask for it again", async (t) => {
  for (const [refusal, status, name, members] of OUTCOMES) {
    const { as } = await withOutcome(t, refusal);
    for (const url of [EVENTS, ASK]) {
      const answer = await as("operator", { method: "POST", url, headers: { "idempotency-key": "k-9" }, payload: { type: "count.add", by: 1 } });
      t.match(isProblem(t, answer, status, name), { id: "k-9", ...members });
      t.equal(answer.headers["retry-after"] !== undefined, ["full", "owner-away", "not-stored"].includes(name), `${name}: Retry-After where it helps`);
    }
  }
  const types = OUTCOMES.map(([, , name]) => name);
  t.equal(new Set(types).size, types.length - 3, "full stands twice, owner-away three times");
});

test("an owner that is away is 503 with the age of what is known here, also where the sender of the word did not say it", async (t) => {
  const { system, clock } = await servingCounter(t);
  const view = system.read(parseAddress(COUNTER));
  if (view === undefined) throw new Error("there is no counter");
  const { as } = await serving(t, { system: fakeOver(system, { tell: async () => ({ kind: "owner-away" }), read: () => ({ ...view, asOf: clock.now() - 65_000 }) }) });
  const answer = await as("operator", { method: "POST", url: EVENTS, payload: { type: "light.set" } });
  t.match(isProblem(t, answer, 503, "owner-away"), {
    asOf: clock.now() - 65_000,
    ageMs: 65_000,
    detail: "light.set was not sent by this request. Its last known state is 65.0 s old.",
  });
});

test("the store's no is 503, and what it refused did not happen", async (t) => {
  const { as, store } = await servingCounter(t);
  const before = await store.revisionOf(COUNTER);
  store.refuseNext(COUNTER, "bad data");
  isProblem(t, await as("operator", { method: "POST", url: EVENTS, payload: { type: "count.add", by: 1 } }), 503, "not-stored");
  t.same(await store.revisionOf(COUNTER), before);
});

test("a mailbox that is full is 429 with Retry-After; nothing is lost of what was taken", async (t) => {
  const { store, hold, release } = await holdingStore();
  const { as, system } = await servingCounter(t, { hosted: { store } });
  const send = (key: string) => as("operator", { method: "POST", url: EVENTS, headers: { "idempotency-key": key }, payload: { type: "count.add", by: 1 } });
  hold();
  const wave = () => Array.from({ length: 1_000 }, () => system.tell(COUNTER, { type: "count.add", by: 1 }));
  const early = wave();
  // What the turn under way took leaves room in the mailbox, which the second wave fills.
  await settle();
  early.push(...wave());
  const full = await send("late");
  isProblem(t, full, 429, "full");
  t.ok(Number(full.headers["retry-after"]) >= 1);
  release();
  const taken = (await Promise.all(early)).filter((told) => told.kind === "accepted").length;
  t.ok(taken >= 1_000, String(taken));
  t.equal((await send("late")).statusCode, 202, "the same key once there is room");
  t.equal(total(system.read(parseAddress(COUNTER))), taken + 1, "each one that was accepted counted once, each refused one not at all");
});

test("a request that waits for its owner is 202 with waiting, for an event and for an ask", async (t) => {
  const { as } = await withOutcome(t, { kind: "accepted", durable: "local", waiting: true });
  for (const url of [EVENTS, ASK]) {
    const answer = await as("operator", { method: "POST", url, headers: { "idempotency-key": "k" }, payload: { type: "climate.setpoint.request" } });
    t.equal(answer.statusCode, 202);
    t.same(answer.json(), { outcome: "accepted", id: "k", durable: "local", waiting: true });
  }
});

test("an ask that is not answered in time is 504 outcome-unknown, and the same key gives the answer later", async (t) => {
  const { as, clock, system } = await servingCounter(t);
  const ask = (query: string): InjectOptions => ({ method: "POST", url: `${ASK}${query}`, headers: { "idempotency-key": "slow-1" }, payload: { type: "count.slow" } });
  const waiting = as("operator", ask("?timeoutMs=2000"));
  await clock.advance(2_000);
  t.match(isProblem(t, await waiting, 504, "outcome-unknown"), { id: "slow-1" });
  await system.tell(COUNTER, { type: "count.release" });
  const answer = await as("operator", ask(""));
  t.same(answer.json(), { outcome: "replied", id: "slow-1", reply: { total: 0 } });
});

test("the time of an ask has bounds and a default", async (t) => {
  const waited: number[] = [];
  const { system } = await servingCounter(t);
  const { as } = await serving(t, {
    system: fakeOver(system, {
      ask: async (_to, _event, { withinMs }) => {
        waited.push(withinMs);
        return { kind: "deadline" };
      },
    }),
  });
  const ask = (query: string) => as("operator", { method: "POST", url: `${ASK}${query}`, payload: { type: "count.slow" } });
  for (const bad of ["0", "60001", "-1", "1.5", "x", "", "1e9"]) isProblem(t, await ask(`?timeoutMs=${bad}`), 400, "query-invalid");
  for (const good of ["?timeoutMs=1", "?timeoutMs=60000", ""]) isProblem(t, await ask(good), 504, "deadline");
  t.same(waited, [1, 60_000, 5_000]);
});

test("If-Match lets a message through only while the actor has that revision", async (t) => {
  const { as, system } = await servingCounter(t);
  const send = (ifMatch: string) => as("operator", { method: "POST", url: EVENTS, headers: { "if-match": ifMatch }, payload: { type: "count.add", by: 1 } });
  const etag = String((await as("viewer", { url: AT })).headers.etag);
  t.equal((await send(etag)).statusCode, 202);
  const late = await send(etag);
  t.match(isProblem(t, late, 412, "precondition-failed"), { etag: `"${String(system.read(parseAddress(COUNTER))?.revision)}"` });
  t.equal(late.headers.etag, late.json<{ etag: string }>().etag, "the present one is told");
  isProblem(t, await send(`W/${String(late.headers.etag)}`), 412, "precondition-failed");
  t.equal((await send(`"999", ${String(late.headers.etag)}`)).statusCode, 202, "a list of tags");
  t.equal((await send("*")).statusCode, 202);
  for (const bad of ["42", '"unended', '"1" "2"', ""]) isProblem(t, await send(bad), 400, "header-invalid");
  const gone = await as("operator", {
    method: "POST",
    url: `/v1/actors/${encodeURIComponent("acme/counter/none")}/events`,
    headers: { "if-match": "*" },
    payload: { type: "count.add", by: 1 },
  });
  isProblem(t, gone, 412, "precondition-failed");
});

test("an Idempotency-Key that could not be kept is refused before anything is done", async (t) => {
  const { as, system } = await servingCounter(t);
  for (const key of ["", " ", "x".repeat(129), "two words", "schlüssel"]) {
    isProblem(t, await as("operator", { method: "POST", url: EVENTS, headers: { "idempotency-key": key }, payload: { type: "count.add", by: 1 } }), 400, "header-invalid");
  }
  t.equal(total(system.read(parseAddress(COUNTER))), 0);
});

/** A façade whose system answers every message so: a FAKE. */
async function withOutcome(t: Parameters<typeof serving>[0], outcome: Refusal | { readonly kind: "accepted"; readonly durable: "local"; readonly waiting: true }) {
  const { system } = await serving(t);
  return serving(t, { system: fakeOver(system, { tell: async () => outcome, ask: async () => outcome }) });
}
