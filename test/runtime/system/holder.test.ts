// Who has a store in its hands: the mark that one node leaves to the next.

import { test } from "tap";

import { ManualClock, MemoryDisk, memoryStore, type MemoryStore } from "../../../runtime/simulation/index.ts";
import { type HostedClock, openHostedClock } from "../../../runtime/system/hosted-clock.ts";

const MINUTE_MS = 60_000;

async function onDisk(disk: MemoryDisk): Promise<MemoryStore> {
  const store = memoryStore({ disk });
  await store.open();
  return store;
}

async function markIn(store: MemoryStore): Promise<unknown> {
  const mark = await store.values.get("hosted-by");
  return mark === undefined ? undefined : JSON.parse(new TextDecoder().decode(mark));
}

async function opened(node: string | undefined, store: MemoryStore): Promise<{ readonly hosted: HostedClock; readonly clock: ManualClock }> {
  const clock = new ManualClock();
  return { hosted: await openHostedClock(clock, store, node), clock };
}

test("M4. H1. in an empty store the mark goes with the first commit that is kept, or with the first beat", async (t) => {
  const store = await onDisk(new MemoryDisk());
  const { hosted } = await opened("n1", store);
  t.equal(await markIn(store), undefined, "no write of its own");
  for (let refused = 0; refused < 2; refused++) t.equal(hosted.ride()?.value.key, "hosted-by");
  hosted.ride()?.kept();
  t.equal(hosted.ride(), undefined);

  const other = await onDisk(new MemoryDisk());
  const { hosted: idle, clock } = await opened("n1", other);
  await clock.advance(300);
  t.same(await markIn(other), { node: "n1" });
  t.equal(idle.ride(), undefined);
});

test("M4. H1. where another node, or an earlier version, has hosted, the mark is there when the start has ended; where the node's own is, nothing is written", async (t) => {
  const store = await onDisk(new MemoryDisk());
  await store.values.set("hosted-ms", new TextEncoder().encode("5000"));
  const { hosted } = await opened("n1", store);
  t.same(await markIn(store), { node: "n1" });
  t.notOk(hosted.isCareful(), "nobody is known to have ended");

  const write = store.values.set.bind(store.values);
  let writes = 0;
  Object.assign(store.values, {
    set: async (key: string, value: Uint8Array) => {
      writes++;
      await write(key, value);
    },
  });
  const again = await opened("n1", store);
  t.equal(writes, 0);
  t.notOk(again.hosted.isCareful());
  t.equal(again.hosted.takenOverFrom, undefined);

  const n2 = await opened("n2", store);
  t.same(await markIn(store), { node: "n2", takenOverAt: 5_000 });
  t.equal(n2.hosted.takenOverFrom, "n1");
  t.ok(n2.hosted.isCareful());
});

test("M4. H1. a store that does not take the mark keeps no node from starting: it goes with what is taken first", async (t) => {
  const store = await onDisk(new MemoryDisk());
  await (await opened("n1", store)).hosted.stop();
  const set = store.values.set.bind(store.values);
  Object.assign(store.values, { set: () => Promise.reject(new Error("no room")) });
  const { hosted, clock } = await opened("n1", store);
  t.match(await markIn(store), { hasLetGo: true });
  t.equal(hosted.ride()?.value.key, "hosted-by");
  Object.assign(store.values, { set });
  await clock.advance(300);
  t.same(await markIn(store), { node: "n1" });
});

test("M4. H1. a mark that cannot be read is none", async (t) => {
  for (const text of ["", "{", "null", "7", "{}", '{"node":7}']) {
    const store = await onDisk(new MemoryDisk());
    await store.values.set("hosted-by", new TextEncoder().encode(text));
    const { hosted } = await opened("n1", store);
    t.equal(hosted.takenOverFrom, undefined);
    t.same(await markIn(store), { node: "n1" }, text);
  }
});

test("M4. H2. who takes a store over is careful for ten minutes of hosted time, over its own restarts, and so is whoever comes next", async (t) => {
  const store = await onDisk(new MemoryDisk());
  const n1 = await opened("n1", store);
  await n1.clock.advance(MINUTE_MS);
  const n2 = await opened("n2", store);
  t.ok(n2.hosted.isCareful());
  await n2.clock.advance(4 * MINUTE_MS);
  const again = await opened("n2", store);
  t.ok(again.hosted.isCareful());
  t.equal(again.hosted.takenOverFrom, undefined, "it is told once");
  await again.clock.advance(4 * MINUTE_MS);
  await again.hosted.stop();
  t.match(await markIn(store), { node: "n2", hasLetGo: true });
  const n3 = await opened("n3", store);
  t.ok(n3.hosted.isCareful());
  await n3.clock.advance(3 * MINUTE_MS);
  t.notOk(n3.hosted.isCareful());
  t.notOk((await opened("n3", store)).hosted.isCareful());
  t.ok((await opened("n4", store)).hosted.isCareful(), "n3 has not let go");
});

test("M4. H3. who has let go leaves nobody careful; only who is named there lets go", async (t) => {
  const store = await onDisk(new MemoryDisk());
  const n1 = await opened("n1", store);
  await n1.hosted.stop();
  t.same(await markIn(store), { node: "n1", hasLetGo: true });
  const again = await opened("n1", store);
  t.same(await markIn(store), { node: "n1" }, "it holds it again");
  const n2 = await opened("n2", store);
  await again.hosted.stop();
  t.match(await markIn(store), { node: "n2", hasLetGo: undefined });
  await n2.hosted.stop();
  const nobody = await opened(undefined, store);
  t.notOk(nobody.hosted.isCareful());
  await nobody.clock.advance(MINUTE_MS);
  await nobody.hosted.stop();
  t.match(await markIn(store), { node: "n2", hasLetGo: true }, "a node without a watch says nothing");
});
