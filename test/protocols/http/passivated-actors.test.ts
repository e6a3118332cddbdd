// Actors that are not in memory, as the API shows them: known, readable, never gone.

import { type Test, test } from "tap";
import { entityType, parseAddress } from "../../../runtime/index.ts";
import { counterEntity } from "../../runtime/system/hosting.ts";
import { AT, COUNTER, isProblem, type Serving, serving } from "./serving.ts";

const IDLE_MS = 10_000;
const types = [entityType({ root: counterEntity.root, durability: "events", placement: "cloud", passivateAfterMs: IDLE_MS })];

interface Page {
  readonly items: readonly (Record<string, unknown> & { readonly address: string })[];
  readonly next?: string;
  readonly unread?: number;
}

/** Three counters, all of them passivated; `acme/counter/a` has 2. */
async function servingPassivated(t: Test): Promise<Serving> {
  const served = await serving(t, { hosted: { types }, decorate: ({ address }) => ({ presence: address === COUNTER ? "online" : "late" }) });
  for (const id of ["a", "b", "c"]) await served.system.activate(parseAddress(`acme/counter/${id}`), { input: undefined, labels: { fleet: "north" } });
  await served.system.tell(COUNTER, { type: "count.add", by: 2 });
  await served.clock.advance(IDLE_MS * 2);
  t.same(served.system.describeEntities(), []);
  return served;
}

test("C5. the list holds what is not in memory too, page by page; a state or label filter says how many it could not judge", async (t) => {
  const { as, system } = await servingPassivated(t);
  await system.tell("acme/counter/b", { type: "count.close" });
  const list = async (query: string): Promise<Page> => {
    const answer = await as("viewer", { url: `/v1/actors${query}` });
    t.equal(answer.statusCode, 200, answer.body);
    return answer.json<Page>();
  };
  const all = await list("");
  t.match(all, {
    items: [{ address: COUNTER, status: "passivated", presence: "online" }, { address: "acme/counter/b", status: "active", state: "closed" }, { status: "passivated" }],
  });
  t.strictSame(all.items[0], {
    address: COUNTER,
    entity: COUNTER,
    kind: "counter",
    type: "counter",
    status: "passivated",
    durability: "events",
    revision: 2,
    incarnation: all.items[0]?.["incarnation"],
    owner: { node: "n1", epoch: 1 },
    node: "n1",
    presence: "online",
  });
  t.notOk("unread" in all || "next" in all);
  const first = await list("?limit=2");
  const rest = await list(`?limit=2&cursor=${first.next ?? ""}`);
  t.same([...first.items, ...rest.items], all.items);
  t.match(await list("?state=closed"), { items: [{ address: "acme/counter/b" }], unread: 2 });
  t.match(await list("?label=fleet=north&limit=1"), { items: [{ address: "acme/counter/b" }], unread: 2 });
  t.match(await list("?q=COUNTER%2FC&kind=counter"), { items: [{ address: "acme/counter/c" }] });
  await t.resolveMatch(as("viewer", { url: "/v1/openapi.json" }), {
    statusCode: 200,
    body: /"ActorItem":\{"type":"object","required":\["address","entity","kind","type","status","durability"/,
  });
});

test("an actor that is not in memory is shown from the store, with its ETag, and stays there; a message brings it back", async (t) => {
  const { as, system } = await servingPassivated(t);
  const answer = await as("viewer", { url: AT });
  t.match(answer.json(), { status: "active", state: "open", context: { total: 2 }, labels: { fleet: "north" }, revision: 2, absent: "passivated", presence: "online" });
  t.equal(answer.headers.etag, '"2"');
  t.equal((await as("viewer", { url: AT, headers: { "if-none-match": '"2"' } })).statusCode, 304);
  const history = await as("viewer", { url: `${AT}/history` });
  t.match(history.json(), { items: [{ revision: 2, inputs: [{ type: "count.add" }] }, { revision: 1 }] });
  isProblem(t, await as("viewer", { url: `/v1/actors/${encodeURIComponent("acme/counter/none")}/history` }), 404, "no-such-actor");
  const moved = await as("operator", { method: "POST", url: `${AT}/events`, headers: { "if-match": '"1"' }, payload: { type: "count.add", by: 1 } });
  t.match(isProblem(t, moved, 412, "precondition-failed"), { etag: '"2"' });
  t.same(system.describeEntities(), [], "nobody was woken by looking");
  const told = await as("operator", { method: "POST", url: `${AT}/events`, headers: { "if-match": '"2"' }, payload: { type: "count.add", by: 1 } });
  t.equal(told.statusCode, 202, told.body);
  const woken = (await as("viewer", { url: AT })).json<Record<string, unknown>>();
  t.match(woken, { context: { total: 3 }, revision: 3 });
  t.notOk("absent" in woken);
});

test("one that was deactivated is away, not gone", async (t) => {
  const { as, system } = await servingPassivated(t);
  await system.deactivate(parseAddress(COUNTER));
  t.match((await as("viewer", { url: "/v1/actors?q=counter%2Fa" })).json(), { items: [{ address: COUNTER, status: "away" }] });
  t.match((await as("viewer", { url: AT })).json(), { absent: "away", context: { total: 2 } });
  isProblem(t, await as("operator", { method: "POST", url: `${AT}/events`, payload: { type: "count.add", by: 1 } }), 503, "owner-away");
});
