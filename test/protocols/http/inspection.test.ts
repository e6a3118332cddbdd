// Looking into actors over HTTP: what is under way, past states, turns run again, messages tried out.

import { test } from "tap";
import { AT, isProblem, servingCounter } from "./serving.ts";

const add = (by: unknown) => ({ method: "POST" as const, url: `${AT}/events`, payload: { type: "count.add", by } });

test("an actor's work under way, any kept past state and a turn run again are shown to viewers", async (t) => {
  const { as, clock } = await servingCounter(t);
  await as("operator", add(3));
  await as("operator", { method: "POST", url: `${AT}/events`, payload: { type: "count.later", ms: 60_000 } });
  await clock.advance(10_000);
  const inspected = await as("viewer", { url: `${AT}/inspection` });
  t.equal(inspected.statusCode, 200);
  t.match(inspected.json(), {
    mailbox: { depth: 0, bytes: 0, shelved: 0 },
    inStateMs: 10_000,
    lastTransition: { from: "open", causes: [{ type: "count.later", author: "ann" }] },
    timers: [{ event: "xstate.after.LATER.counter.later", dueInMs: 50_000, clock: "elapsed" }],
  });
  const past = await as("viewer", { url: `${AT}/history/2/state` });
  t.match(past.json(), { revision: 2, state: "open", context: { total: 3 } });
  const turn = await as("viewer", { url: `${AT}/history/2/replay` });
  t.match(turn.json(), { revision: 2, differs: null, unknown: 0, trace: [{ kind: "input" }, { kind: "transition", state: "open", context: { total: 3 } }, { kind: "result" }] });
});

test("a message is tried out with nothing sent, and turned away as a message would be", async (t) => {
  const { as } = await servingCounter(t);
  const trial = (payload: object) => as("viewer", { method: "POST", url: `${AT}/trial`, payload });
  t.match((await trial({ type: "count.add", by: 4 })).json(), { result: "accepted", state: "open", context: { total: 4 } });
  t.match((await trial({ type: "count.fail" })).json(), { result: "faulted" });
  isProblem(t, await trial({ type: "count.add", by: "four" }), 422, "invalid");
  isProblem(t, await trial({ by: 1 }), 422, "invalid");
  t.match((await as("viewer", { url: AT })).json(), { revision: 1, context: { total: 0 } });
});

test("what cannot be shown says why", async (t) => {
  const { as } = await servingCounter(t);
  t.match(isProblem(t, await as("viewer", { url: `${AT}/history/77/state` }), 404, "revision-not-kept"), { first: 1, last: 1 });
  isProblem(t, await as("viewer", { url: `${AT}/history/77/replay` }), 404, "revision-not-kept");
  isProblem(t, await as("viewer", { url: "/v1/actors/acme%2Fcounter%2Fnobody/inspection" }), 404, "no-such-actor");
  isProblem(t, await as("viewer", { url: "/v1/actors/acme%2Fcounter%2Fnobody/history/1/state" }), 404, "no-such-actor");
  t.equal((await as("viewer", { url: `${AT}/history/0/state` })).statusCode, 400);
  t.equal((await as("viewer", { url: `${AT}/history/x/replay` })).statusCode, 400);
  t.equal((await as("none", { url: `${AT}/inspection` })).statusCode, 401);
});
