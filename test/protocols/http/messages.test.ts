// Messages to actors over HTTP: what the sender learns, and under which status.

import { test } from "tap";
import { parseAddress } from "../../../runtime/index.ts";
import { AT, COUNTER, isProblem, servingCounter } from "./serving.ts";

test("M3. an event is answered 202 after the commit that contains it, with its id, durability and revision", async (t) => {
  const { as, store, system } = await servingCounter(t);
  const answer = await as("operator", { method: "POST", url: `${AT}/events`, payload: { type: "count.add", by: 3 } });
  t.equal(answer.statusCode, 202);
  const body = answer.json<{ revision: number }>();
  t.match(body, { outcome: "accepted", durable: "local", id: /^[0-9a-f]{32}$/ });
  t.equal((await store.revisionOf(COUNTER))?.revision, body.revision, "the store holds that revision");
  t.equal((system.read(parseAddress(COUNTER))?.context as { total: number }).total, 3);
});

test("M2. the same Idempotency-Key acts once and answers the same; another message under it is refused", async (t) => {
  const { as, system } = await servingCounter(t);
  const send = (by: number) => as("operator", { method: "POST", url: `${AT}/ask`, headers: { "idempotency-key": "order-1" }, payload: { type: "count.add", by } });
  const first = await send(5);
  t.equal(first.statusCode, 200);
  t.same(first.json(), { outcome: "replied", id: "order-1", reply: { total: 5 } });
  t.same((await send(5)).json(), first.json());
  t.equal((system.read(parseAddress(COUNTER))?.context as { total: number }).total, 5, "it acted once");
  isProblem(t, await send(6), 422, "id-reused");
});
