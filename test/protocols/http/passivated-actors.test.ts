// Actors that are not in memory, as the API shows them: known, readable, never gone.

import { type AddressInfo, connect } from "node:net";
import { type Test, test } from "tap";
import { entityType, parseAddress } from "../../../runtime/index.ts";
import { settle } from "../../../runtime/simulation/index.ts";
import { counterEntity } from "../../runtime/system/hosting.ts";
import { openStream } from "./event-reader.ts";
import { AT, closedConnections, COUNTER, fakeOver, isProblem, type Serving, serving } from "./serving.ts";

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

test("the stream of an actor that leaves memory goes on: nothing tells that it is gone, and its next turn is told", async (t) => {
  const served = await servingPassivated(t);
  const { system, clock, app } = served;
  const as = { authorization: `Bearer ${served.texts.viewer}` };
  const { statusCode, reader } = await openStream(app, `${AT}/stream`, as);
  t.equal(statusCode, 200);
  const snapshot = await reader.next();
  t.match(snapshot, { event: "snapshot", data: { revision: 2, context: { total: 2 }, absent: "passivated", presence: "online" } });
  t.same(system.describeEntities(), [], "whoever looks does not wake it");
  await system.tell(COUNTER, { type: "count.add", by: 1 });
  t.match(await reader.next(), { event: "change", data: { revision: 3, actor: { context: { total: 3 } } } });
  await clock.advance(IDLE_MS * 2);
  t.same(system.describeEntities(), []);
  await system.tell(COUNTER, { type: "count.add", by: 1 });
  t.match(await reader.next(), { event: "change", data: { revision: 4, actor: { context: { total: 4 } } } });
  reader.leave();

  await clock.advance(IDLE_MS * 2);
  const again = await openStream(app, `${AT}/stream`, { ...as, "last-event-id": snapshot.id ?? "" });
  t.match(
    [await again.reader.next(), await again.reader.next(), await again.reader.next()],
    [
      { event: "change", data: { revision: 3 } },
      { event: "change", data: { revision: 4 } },
      { event: "snapshot", data: { revision: 4, absent: "passivated" } },
    ],
    "what was missed is given from the journal of one that is not in memory",
  );
  again.reader.leave();
});

test("turns of an actor that comes back while its stream reads it from the store are told once, in order", async (t) => {
  const real = await servingPassivated(t);
  const { system } = real;
  let release: () => void = () => undefined;
  let looks = 0;
  const slow = fakeOver(system, {
    look: async (address) => {
      const view = await system.look(address);
      if (++looks === 2) await new Promise<void>((resolve) => (release = resolve));
      return view;
    },
  });
  const served = await serving(t, { system: slow });
  const { reader } = await openStream(served.app, `${AT}/stream`, { authorization: `Bearer ${served.texts.viewer}` });
  for (const by of [1, 1]) await system.tell(COUNTER, { type: "count.add", by });
  release();
  t.match(
    [await reader.next(), await reader.next(), await reader.next()],
    [
      { event: "snapshot", data: { revision: 2, absent: "passivated" } },
      { event: "change", data: { revision: 3 } },
      { event: "change", data: { revision: 4 } },
    ],
  );
  reader.leave();
});

test("a stream whose actor cannot be read ends with a word that the client may come again, and never with `ended`", async (t) => {
  const { system } = await servingPassivated(t);
  let looks = 0;
  const failing = fakeOver(system, { look: async (address) => (++looks === 1 ? system.look(address) : Promise.reject(new Error("the disk is away"))) });
  const served = await serving(t, { system: failing });
  const { reader } = await openStream(served.app, `${AT}/stream`, { authorization: `Bearer ${served.texts.viewer}` });
  await reader.end();
  t.same(reader.events, []);
  t.ok(reader.comments.includes("it cannot be read now: come again with Last-Event-ID"), reader.comments.join());
});

test("a client that has left while its actor was read leaves no stream behind", async (t) => {
  const { system } = await servingPassivated(t);
  let release: () => void = () => undefined;
  let isAsked: () => void = () => undefined;
  const asked = new Promise<void>((resolve) => (isAsked = resolve));
  const held = new Promise<void>((resolve) => (release = resolve));
  const slow = fakeOver(system, {
    look: async (address) => {
      isAsked();
      await held;
      return system.look(address);
    },
  });
  const served = await serving(t, { system: slow });
  await served.app.listen({ port: 0, host: "127.0.0.1" });
  const { port } = served.app.server.address() as AddressInfo;
  const socket = connect(port, "127.0.0.1");
  socket.write(`GET ${AT}/stream HTTP/1.1\r\nhost: x\r\naccept: text/event-stream\r\nauthorization: Bearer ${served.texts.viewer}\r\n\r\n`);
  await asked;
  socket.destroy();
  await closedConnections(served);
  release();
  await settle();
  t.match((await served.as("viewer", { url: "/metrics" })).body, /^drover_http_streams 0$/m);
});
