// Reading actors: the list, its filters and pages, one actor with its revision.

import { test } from "tap";
import { type ActorView, parseAddress } from "../../../runtime/index.ts";
import { AT, COUNTER, fakeOver, holdingStore, isProblem, serving, servingCounter } from "./serving.ts";

interface Page {
  readonly items: readonly (Record<string, unknown> & { readonly address: string })[];
  readonly next?: string;
}

test("an actor is shown with state, context, revision as ETag, owner, node, time and accepted events", async (t) => {
  const { as, system, clock } = await servingCounter(t);
  await system.tell(COUNTER, { type: "count.add", by: 2 });
  const answer = await as("viewer", { url: AT });
  t.equal(answer.statusCode, 200);
  const revision = system.read(parseAddress(COUNTER))?.revision;
  t.equal(answer.headers.etag, `"${String(revision)}"`);
  t.equal(answer.headers["cache-control"], "no-store");
  t.match(answer.json(), {
    address: COUNTER,
    entity: COUNTER,
    kind: "counter",
    type: "counter",
    version: 1,
    status: "active",
    state: "open",
    context: { total: 2 },
    accepts: ["count.add", "count.later", "count.slow", "count.release", "count.fail", "count.close"],
    durability: "events",
    revision,
    owner: { node: "n1", epoch: 1 },
    node: "n1",
    asOf: clock.now(),
    labels: { fleet: "north" },
  });
});

test("If-None-Match with the present revision is 304 without a body; with another it is the actor", async (t) => {
  const { as, system } = await servingCounter(t);
  const etag = String((await as("viewer", { url: AT })).headers.etag);
  for (const held of [etag, `W/${etag}`, `"0", ${etag}`, "*"]) {
    const answer = await as("viewer", { url: AT, headers: { "if-none-match": held } });
    t.equal(answer.statusCode, 304, held);
    t.equal(answer.body, "");
    t.equal(answer.headers.etag, etag);
  }
  await system.tell(COUNTER, { type: "count.add", by: 2 });
  for (const stale of [etag, "", "nonsense", '"']) t.equal((await as("viewer", { url: AT, headers: { "if-none-match": stale } })).statusCode, 200, stale);
});

test("C4. nothing is shown of a turn before its commit", async (t) => {
  const { store, hold, release } = await holdingStore();
  const { as, system } = await servingCounter(t, { hosted: { store } });
  const before = (await as("viewer", { url: AT })).json<{ revision: number }>();
  hold();
  const told = as("operator", { method: "POST", url: `${AT}/events`, payload: { type: "count.add", by: 9 } });
  await new Promise((resolve) => setImmediate(resolve));
  const during = await as("viewer", { url: AT });
  t.match(during.json(), { context: { total: 0 }, revision: before.revision });
  t.equal(during.headers.etag, `"${String(before.revision)}"`);
  t.match((await as("viewer", { url: "/v1/actors" })).json(), { items: [{ revision: before.revision }] });
  release();
  t.equal((await told).statusCode, 202);
  t.match((await as("viewer", { url: AT })).json(), { context: { total: 9 }, revision: before.revision + 1 });
  t.equal(system.read(parseAddress(COUNTER))?.revision, before.revision + 1);
});

test("the list is filtered by kind, state, node, labels and text; an item carries what its node adds, and no context", async (t) => {
  const { as, system } = await servingCounter(t, { decorate: (view) => ({ presence: view.address === COUNTER ? "online" : "late" }) });
  await system.activate(parseAddress("acme/counter/b"), { input: undefined, labels: { fleet: "south", size: "xl=1" } });
  await system.tell("acme/counter/b", { type: "count.close" });
  const list = async (query: string): Promise<readonly string[]> => {
    const answer = await as("viewer", { url: `/v1/actors${query}` });
    t.equal(answer.statusCode, 200, answer.body);
    return answer.json<Page>().items.map((item) => item.address);
  };
  t.same(await list(""), [COUNTER, "acme/counter/b"]);
  t.same(await list("?kind=counter&state=closed"), ["acme/counter/b"]);
  t.same(await list("?kind=vehicle"), []);
  t.same(await list("?node=n1&q=COUNTER%2FA"), [COUNTER]);
  t.same(await list("?node=n2"), []);
  t.same(await list("?label=fleet=south"), ["acme/counter/b"]);
  t.same(await list("?label=fleet%3Dsouth&label=size%3Dxl%3D1"), ["acme/counter/b"]);
  t.same(await list("?label=fleet=south&label=size=s"), []);
  const [item] = (await as("viewer", { url: "/v1/actors" })).json<Page>().items;
  t.match(item, { presence: "online", state: "open", revision: Number, asOf: Number });
  t.notOk(item !== undefined && "context" in item);
  t.match((await as("viewer", { url: AT })).json(), { presence: "online" });
});

test("pages follow each other without a hole or a repetition, by an opaque cursor that belongs to its filters", async (t) => {
  const { as, system } = await servingCounter(t);
  for (let n = 0; n < 7; n++) await system.activate(parseAddress(`acme/counter/n${String(n)}`), { input: undefined });
  const seen: string[] = [];
  let cursor: string | undefined;
  do {
    const page = (await as("viewer", { url: `/v1/actors?q=counter%2Fn&limit=3${cursor === undefined ? "" : `&cursor=${cursor}`}` })).json<Page>();
    seen.push(...page.items.map((item) => item.address));
    cursor = page.next;
  } while (cursor !== undefined);
  t.same(
    seen,
    Array.from({ length: 7 }, (_, n) => `acme/counter/n${String(n)}`),
  );
  const { next = "" } = (await as("viewer", { url: "/v1/actors?limit=3" })).json<Page>();
  t.match(next, /^[A-Za-z0-9_-]+$/);
  isProblem(t, await as("viewer", { url: `/v1/actors?kind=counter&cursor=${next}` }), 400, "cursor-invalid");
  t.equal((await as("viewer", { url: `/v1/actors?limit=5&cursor=${next}` })).statusCode, 200, "the size of a page may change");
  for (const bad of ["x", "e30", "%00", "WzEsMl0", "a".repeat(1_500), Buffer.from('[1,"x","acme"]').toString("base64url")])
    isProblem(t, await as("viewer", { url: `/v1/actors?cursor=${bad}` }), 400, "cursor-invalid");
});

test("a query that is not known or out of range is refused by name, never passed over", async (t) => {
  const { as } = await servingCounter(t);
  for (const [query, path] of [
    ["?knid=vehicle", "/knid"],
    ["?limit=0", "/limit"],
    ["?limit=1001", "/limit"],
    ["?limit=many", "/limit"],
    ["?label=fleet", "/label"],
    ["?label==x", "/label"],
    [`?${Array.from({ length: 17 }, () => "label=a%3Db").join("&")}`, "/label"],
    [`?q=${"x".repeat(513)}`, "/q"],
    ["?kind=a&kind=b", "/kind"],
  ] as const) {
    t.match(isProblem(t, await as("viewer", { url: `/v1/actors${query}` }), 400, "query-invalid"), { problems: [{ path }] }, query);
  }
  t.same((await as("viewer", { url: "/v1/actors?foo=1" })).json().problems, [{ path: "/foo", message: "is not known here" }], "said once");
  t.equal((await as("viewer", { url: "/v1/actors?limit=1" })).statusCode, 200);
  t.equal((await as("viewer", { url: "/v1/actors?limit=1000" })).statusCode, 200);
});

test("a replica is shown with its age, an actor of a type without machine states without a state", async (t) => {
  const replica: ActorView = {
    address: parseAddress("acme/vehicle/v1"),
    entity: parseAddress("acme/vehicle/v1"),
    kind: "vehicle",
    type: "vehicle",
    version: 2,
    status: "active",
    state: undefined,
    context: { odd: null },
    accepts: undefined,
    durability: "events",
    revision: 12,
    incarnation: "abc",
    owner: { node: "edge-1", epoch: 4 },
    node: "n1",
    asOf: 5,
    staleMs: 70_000,
    labels: {},
  };
  const { system } = await serving(t);
  const { as } = await serving(t, {
    system: fakeOver(system, {
      read: () => replica,
      look: async () => Promise.resolve(replica),
      list: async () => Promise.resolve({ items: [replica], next: undefined, unread: 0 }),
    }),
  });
  const shown = (await as("viewer", { url: `/v1/actors/${encodeURIComponent(replica.address)}` })).json<object>();
  t.match(shown, { staleMs: 70_000, asOf: 5, owner: { node: "edge-1", epoch: 4 }, revision: 12, context: { odd: null } });
  t.notOk("state" in shown || "accepts" in shown, "what is not known is left out");
  t.match((await as("viewer", { url: "/v1/actors?kind=vehicle" })).json(), { items: [{ staleMs: 70_000 }] });
});

test("history gives the turns of one actor, in either order, and says where to go on", async (t) => {
  const { as, system } = await servingCounter(t);
  for (let n = 1; n <= 5; n++) await system.tell(COUNTER, { type: "count.add", by: n }, { author: "ann", id: `id-${String(n)}` });
  const get = async (query: string) => (await as("viewer", { url: `${AT}/history${query}` })).json<{ items: { revision: number; inputs: { id?: string }[] }[]; next?: number }>();
  const newest = await get("?limit=2");
  t.same(
    newest.items.map((item) => item.inputs[0]?.id),
    ["id-5", "id-4"],
  );
  const more = await get(`?limit=2&before=${String(newest.next)}`);
  t.same(
    more.items.map((item) => item.inputs[0]?.id),
    ["id-3", "id-2"],
  );
  const oldest = await get("?order=oldest-first&after=1");
  t.match(oldest.items[0], { revision: 2, at: Number, inputs: [{ type: "count.add", author: "ann", id: "id-1", result: "accepted" }], state: "open", emitted: [] });
  t.equal(oldest.next, undefined, "there is no more");
  t.same(
    oldest.items.map((item) => item.revision),
    [2, 3, 4, 5, 6],
  );
  for (const bad of ["?limit=0", "?limit=1001", "?after=-1", "?after=x", "?order=up", "?befor=1", "?after=1e30", "?after=", "?after=0x10", "?limit=%201", "?limit=1.0"])
    isProblem(t, await as("viewer", { url: `${AT}/history${bad}` }), 400, "query-invalid");
  isProblem(t, await as("viewer", { url: `/v1/actors/${encodeURIComponent("acme/counter/none")}/history` }), 404, "no-such-actor");
});
