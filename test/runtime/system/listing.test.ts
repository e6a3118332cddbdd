// Lists of what is known: in memory or not, page by page, while entities come and go.

import { test } from "tap";
import { type ActorQuery, actorType, type ActorView, childAddress, entityType, type Listing, messages, parseAddress, reducer, type System, T } from "../../../runtime/index.ts";
import { SeededRandom, settle } from "../../../runtime/simulation/index.ts";
import { counterEntity, hosting } from "./hosting.ts";

const IDLE_MS = 10_000;
const idling = entityType({ root: counterEntity.root, durability: "events", placement: "cloud", passivateAfterMs: IDLE_MS });
const onlyForRoom = entityType({ root: counterEntity.root, durability: "events", placement: "cloud", passivateAfterMs: Number.POSITIVE_INFINITY });
const addressesOf = ({ items }: Listing): readonly string[] => items.map(({ address }) => address);

/** Every page, with what happens between them. */
async function listed(system: System, query: ActorQuery, between: () => Promise<void> = () => Promise.resolve()): Promise<readonly Listing[]> {
  const pages: Listing[] = [];
  for (let after: string | undefined; ; ) {
    const page = await system.list({ ...query, ...(after === undefined ? {} : { after }) });
    pages.push(page);
    if (page.next === undefined) return pages;
    after = page.next;
    await between();
  }
}

test("C5. 2,000 known entities of which 100 are in memory are each listed once, while they come into memory and leave it between the pages", async (t) => {
  const { system, clock } = await hosting({ types: [onlyForRoom], residentEntities: 100, activation: { perSecond: 1e6, burst: 1e6 } });
  const known = Array.from({ length: 2_000 }, (_, at) => `acme/counter/k-${String(at).padStart(4, "0")}`);
  for (const address of known) await system.activate(parseAddress(address), { input: undefined });
  await settle();
  t.equal(system.describeEntities().length, 100);
  const random = new SeededRandom(3);
  let turnover = 0;
  const pages = await listed(system, { limit: 150 }, async () => {
    const before = new Set(system.describeEntities().map(({ id }) => id));
    const called = Array.from({ length: 40 }, () => known[Math.floor(random.next() * known.length)] ?? "");
    for (const address of called) void system.tell(address, { type: "count.add", by: 1 });
    await clock.advance(1);
    await settle();
    turnover += system.describeEntities().filter(({ id }) => !before.has(id)).length;
  });
  t.same(pages.flatMap(addressesOf), known, "no hole, no repetition, in order");
  t.ok(turnover > 300, `${String(turnover)} came into memory meanwhile`);
  const statuses = new Map<string, number>();
  for (const { status } of pages.flatMap(({ items }) => items)) statuses.set(status, (statuses.get(status) ?? 0) + 1);
  t.ok((statuses.get("active") ?? 0) > 20 && (statuses.get("passivated") ?? 0) > 1_500, JSON.stringify([...statuses]));
  await system.stop();
});

test("C5. entities that come and go while a page is put together are on it once", async (t) => {
  const { system, clock, store } = await hosting({ types: [idling] });
  const known = ["a", "b", "c", "d"].map((id) => parseAddress(`acme/counter/${id}`));
  for (const address of known) await system.activate(address, { input: undefined });
  await clock.advance(IDLE_MS * 2);
  for (const address of known.slice(0, 2)) await system.tell(address, { type: "count.add", by: 1 });
  const read = store.entities.bind(store);
  const during: (() => Promise<void>)[] = [
    async () => clock.advance(IDLE_MS * 2),
    async () => {
      for (const address of known.slice(1)) await system.tell(address, { type: "count.add", by: 1 });
    },
    async () => {
      void system.tell(known[0] ?? "", { type: "count.add", by: 1 });
      await Promise.resolve();
    },
  ];
  for (const happens of during) {
    store.entities = async (after, limit) => {
      const rows = await read(after, limit);
      await happens();
      return rows;
    };
    t.same(addressesOf(await system.list({ limit: 10 })), known);
  }
  await settle();
  await system.stop();
});

test("an absent entity is listed with what the store's index tells of it, and `look` reads the rest without bringing it into memory", async (t) => {
  const { system, clock } = await hosting({ types: [idling], epoch: 3 });
  const A = parseAddress("acme/counter/a");
  const B = parseAddress("acme/counter/b");
  for (const address of [A, B]) await system.activate(address, { input: undefined, labels: { fleet: "north" } });
  await system.tell(A, { type: "count.add", by: 5 });
  const { incarnation = "", revision = 0, asOf = 0 } = system.read(A) ?? {};
  await clock.advance(IDLE_MS * 2);
  await system.deactivate(B);
  const { items } = await system.list({ limit: 10 });
  const shown = { kind: "counter", type: "counter", durability: "events", owner: { node: "n1", epoch: 3 }, node: "n1" };
  t.strictSame(items[0], { address: A, entity: A, status: "passivated", revision, incarnation, ...shown });
  t.match(items[1], { address: B, status: "away", revision: 1 }, "one that was deactivated is called in vain");
  t.match(await system.look(A), { status: "active", state: "open", context: { total: 5 }, labels: { fleet: "north" }, revision, incarnation, asOf, absent: "passivated" });
  t.match(await system.look(B), { absent: "away" });
  t.equal(await system.look(parseAddress("acme/counter/nobody")), undefined);
  t.same(system.describeEntities(), [], "nobody was woken");
  t.match(await system.tell(A, { type: "count.add", by: 1 }), { kind: "accepted" });
  t.match((await system.list({ limit: 1 })).items, [{ status: "active", context: { total: 6 } }]);
  t.equal((await system.look(A))?.absent, undefined);
  await system.stop();
});

test("filters judge absent entities by what the index tells; where only their state would tell, they are left out and counted", async (t) => {
  const pot = actorType({
    name: "pot",
    version: 1,
    messages: messages({ "pot.fill": { body: { litres: T.Number() } } }),
    behaviour: reducer({ initial: () => ({}), step: (state) => state }),
  });
  const types = [
    entityType({
      root: counterEntity.root,
      durability: "events",
      placement: "cloud",
      passivateAfterMs: IDLE_MS,
      children: { pot: { types: [pot], strategy: "one-for-one" } },
    }),
  ];
  const { system, clock } = await hosting({ types });
  for (const id of ["a", "b", "c"]) {
    const entity = parseAddress(`acme/counter/${id}`);
    await system.activate(entity, { input: undefined, labels: { id }, children: [{ kind: "pot", id: "p", type: "pot", input: undefined }] });
  }
  await clock.advance(IDLE_MS * 2);
  await system.tell("acme/counter/b", { type: "count.close" });
  const list = async (query: Partial<ActorQuery>): Promise<readonly [readonly string[], number]> => {
    const listing = await system.list({ limit: 10, ...query });
    return [addressesOf(listing).map((address) => address.slice("acme/counter/".length)), listing.unread];
  };
  t.same(await list({}), [["a", "b", "b/pot/p", "c"], 0], "an absent entity stands for its actors");
  t.same(await list({ kind: "counter" }), [["a", "b", "c"], 0]);
  t.same(await list({ kind: "vehicle" }), [[], 0]);
  t.same(await list({ text: "COUNTER/A" }), [["a"], 0]);
  t.same(await list({ text: "acme/counter/a/" }), [[], 0]);
  t.same(await list({ node: "n1", limit: 2 }), [["a", "b"], 0]);
  t.same(await list({ node: "n2" }), [[], 0]);
  t.same(await list({ state: "closed" }), [["b"], 2]);
  t.same(await list({ labels: { id: "a" } }), [[], 2]);
  t.same(await list({ kind: "pot" }), [["b/pot/p"], 2]);
  t.same(await list({ kind: "pot", text: "counter/c" }), [[], 1]);
  t.same(await list({ state: "closed", kind: "counter", limit: 1 }), [["b"], 2]);
  t.match(await system.look(childAddress(parseAddress("acme/counter/a"), "pot", "p")), { type: "pot", absent: "passivated" });
  await system.stop();
});

test("S5. the index that one page reads is bounded: a page may be empty before the last", async (t) => {
  const { system, store } = await hosting({ types: [idling] });
  let calls = 0;
  const rows = Array.from({ length: 12_000 }, (_, at) => ({ entity: `acme/counter/${String(at).padStart(5, "0")}`, type: "counter", incarnation: "i", revision: 1 }));
  store.entities = async (after, limit) => {
    calls++;
    const from = after === undefined ? 0 : Number(after.slice("acme/counter/".length)) + 1;
    return Promise.resolve(rows.slice(from, from + limit));
  };
  await system.activate(parseAddress("acme/counter/11990-here"), { input: undefined });
  const perPage: number[] = [];
  const pages = await listed(system, { limit: 10, text: "1199" }, () => {
    perPage.push(calls);
    calls = 0;
    return Promise.resolve();
  });
  t.same(
    pages.flatMap(addressesOf),
    ["01199", "11199", "11990", "11990-here", "11991", "11992", "11993", "11994", "11995", "11996", "11997", "11998", "11999"].map((id) => `acme/counter/${id}`),
  );
  t.same(
    pages.map(({ items }) => items.length),
    [1, 0, 10, 2],
  );
  t.ok(
    perPage.every((count) => count <= 10),
    perPage.join(", "),
  );
  await system.stop();
});

test("a node whose types stay in memory reads no index, and a store that fails makes a list fail, never shorter", async (t) => {
  const staying = await hosting();
  await staying.system.activate(parseAddress("acme/counter/a"), { input: undefined });
  staying.store.entities = () => Promise.reject(new Error("nobody reads this"));
  t.equal((await staying.system.list({ limit: 10 })).items.length, 1);
  await staying.system.stop();
  const leaving = await hosting({ types: [idling] });
  leaving.store.entities = () => Promise.reject(new Error("the disk is away"));
  await t.rejects(leaving.system.list({ limit: 10 }), /the disk is away/);
  await leaving.system.stop();
});

test("S5. a page of a large directory looks at the actors that it shows, and at more only where a filter asks for their state", async (t) => {
  const { system } = await hosting();
  await system.activate(parseAddress("acme/counter/a"), { input: undefined });
  const [own] = [...system.views()] as [ActorView];
  const fleet = Array.from({ length: 20_000 }, (_, at) => parseAddress(`acme/vehicle/v${String(at % 1_000).padStart(4, "0")}/module/m-${String(at).padStart(5, "0")}`));
  let looks = 0;
  system.mount({
    addresses: () => fleet,
    read: (address) => {
      looks++;
      return fleet.includes(address) ? { ...own, address, entity: parseAddress("acme/vehicle/v"), kind: "module", state: address.endsWith("7") ? "seventh" : "open" } : undefined;
    },
    history: async () => Promise.resolve({ items: [], next: undefined, missing: [] }),
    watch: () => () => undefined,
  });
  const sorted = fleet.toSorted();
  const first = await system.list({ limit: 5 });
  t.same([addressesOf(first), looks <= 5], [["acme/counter/a", ...sorted.slice(0, 4)], true], `${String(looks)} looks`);
  looks = 0;
  const next = await system.list({ limit: 5, after: first.next ?? "", kind: "module", text: "-0000" });
  t.same([addressesOf(next), looks], [sorted.filter((address) => address > (first.next ?? "") && address.includes("-0000")).slice(0, 5), 6]);
  looks = 0;
  const sevenths = await system.list({ limit: 3, state: "seventh" });
  t.same([addressesOf(sevenths), looks < 200], [sorted.filter((address) => address.endsWith("7")).slice(0, 3), true], `${String(looks)} looks`);
  t.same(addressesOf(await system.list({ limit: 5, after: sorted.at(-3) ?? "" })), sorted.slice(-2));
  await system.stop();
});
