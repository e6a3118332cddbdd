// Hosted time survives every end of its node: commits carry it, a beat keeps what passes between them, and neither wears a card out (rules K1).

import { test } from "tap";
import { setup } from "xstate";
import { actorType, entityType, messages, parseAddress } from "../../../runtime/index.ts";
import { ManualClock, MemoryDisk, memoryStore, type MemoryStore, settle } from "../../../runtime/simulation/index.ts";
import { openHostedClock } from "../../../runtime/system/hosted-clock.ts";
import { hosting } from "./hosting.ts";

const KEY = "hosted-ms";
const HOUR_MS = 3_600_000;
const add = { type: "count.add", by: 1 };

async function onDisk(disk: MemoryDisk): Promise<MemoryStore> {
  const store = memoryStore({ disk });
  await store.open();
  return store;
}

const keptIn = ({ contents }: MemoryDisk): number => Number(new TextDecoder().decode(contents.values.get(KEY)));

/** Writes of hosted time alone. */
function writesOf(store: MemoryStore): { count: number } {
  const writes = { count: 0 };
  const set = store.values.set.bind(store.values);
  Object.assign(store.values, {
    set: async (key: string, value: Uint8Array) => {
      if (key === KEY) writes.count++;
      await set(key, value);
    },
  });
  return writes;
}

test("K1. at a kill at most half of what the node ran is lost of hosted time, at most 15 s, and 250 ms", async (t) => {
  for (const ranMs of [260, 499, 700, 1_900, 3_999, 12_000, 31_900, 60_000]) {
    const disk = new MemoryDisk();
    for (let life = 1; life <= 3; life++) {
      const clock = new ManualClock();
      const store = await onDisk(disk);
      const before = (await openHostedClock(clock, store)).now();
      await clock.advance(ranMs);
      store.crash();
      const lost = before + ranMs - keptIn(disk);
      t.ok(lost <= Math.min(15_000, ranMs / 2) + 250, `life ${String(life)} of ${String(ranMs)} ms: ${String(lost)} ms`);
      t.ok(lost >= 0, "nothing is kept that has not passed");
    }
  }
});

test("K1, L4. a node without turns keeps hosted time by few writes, and one with turns by hardly any beside their commits", async (t) => {
  const clock = new ManualClock();
  const store = await onDisk(new MemoryDisk());
  const writes = writesOf(store);
  await openHostedClock(clock, store);
  await clock.advance(HOUR_MS);
  t.ok(writes.count >= 240 && writes.count <= 247, `${String(writes.count)} writes in an hour`);

  const busy = await hosting();
  const own = writesOf(busy.store);
  let carried = 0;
  const commit = busy.store.commit.bind(busy.store);
  busy.store.commit = async (batch) => {
    if (batch.some(({ value }) => value !== undefined)) carried++;
    return commit(batch);
  };
  const counter = parseAddress("acme/counter/a");
  await busy.system.activate(counter, { input: undefined });
  for (let turn = 0; turn < 600; turn++) {
    await busy.clock.advance(100);
    await busy.system.ask(counter, add, { withinMs: 1_000 });
  }
  t.ok(own.count <= 5, `${String(own.count)} writes beside 600 commits in a minute`);
  t.ok(carried > 180 && carried <= 241, `${String(carried)} of the commits carried it`);
  await busy.system.stop();
});

test("K1. after a kill hosted time is not behind the newest turn of whomever, before anybody is recovered", async (t) => {
  const disk = new MemoryDisk();
  const node = await hosting({ disk });
  const counter = parseAddress("acme/counter/a");
  await node.system.activate(counter, { input: undefined });
  await node.clock.advance(31_900);
  await node.system.ask(counter, add, { withinMs: 1_000 });
  node.store.crash();
  t.ok(keptIn(disk) >= 31_900 - 250, `${String(keptIn(disk))} ms are kept`);
  t.ok(keptIn(disk) <= 31_900);
});

test("K1. a commit that was refused carries nothing: the next one does", async (t) => {
  const disk = new MemoryDisk();
  const node = await hosting({ disk });
  const [a, b] = [parseAddress("acme/counter/a"), parseAddress("acme/counter/b")];
  await node.system.activate(a, { input: undefined });
  await node.system.activate(b, { input: undefined });
  await node.clock.advance(31_900);
  const before = keptIn(disk);
  node.store.refuseNext(a, "on purpose");
  t.match(await node.system.ask(a, add, { withinMs: 1_000 }), { kind: "not-stored" });
  t.equal(keptIn(disk), before);
  await node.system.ask(b, add, { withinMs: 1_000 });
  t.ok(keptIn(disk) >= 31_900);
  node.store.crash();
});

test("K1. one whose store was taken over does not put hosted time back, and a beat that fails is tried again soon", async (t) => {
  const disk = new MemoryDisk();
  const [clock, store] = [new ManualClock(), await onDisk(disk)];
  await openHostedClock(clock, store);
  await clock.advance(1_000);
  await store.values.set(KEY, new TextEncoder().encode("500000"));
  await clock.advance(60_000);
  t.equal(keptIn(disk), 500_000);

  const other = { clock: new ManualClock(), disk: new MemoryDisk() };
  const failing = await onDisk(other.disk);
  await openHostedClock(other.clock, failing);
  await other.clock.advance(40_000);
  failing.failWith(new Error("the card is gone"));
  await other.clock.advance(20_000);
  failing.failWith(undefined);
  await other.clock.advance(1_000);
  t.ok(keptIn(other.disk) >= 60_000, `${String(keptIn(other.disk))} ms are kept a second after the store is back`);
});

test("S7, K1. a timer of 20 s of an entity out of memory fires on a node that is killed every 12 s, after a few kills", async (t) => {
  const root = actorType({
    name: "egg",
    version: 1,
    messages: messages({ "egg.boil": { body: {} } }),
    behaviour: setup({ delays: { BOIL: 20_000 } }).createMachine({ initial: "raw", states: { raw: { on: { "egg.boil": "hot" } }, hot: { after: { BOIL: "hard" } }, hard: {} } }),
  });
  const types = [entityType({ root, durability: "events", placement: "cloud", passivateAfterMs: 150 })];
  const egg = parseAddress("acme/egg/a");
  const disk = new MemoryDisk();
  let kills = 0;
  for (let state: unknown; kills < 8 && state !== "hard"; kills++) {
    const { system, store, clock } = await hosting({ disk, types });
    if (kills === 0) {
      await system.activate(egg, { input: undefined });
      await system.tell(egg, { type: "egg.boil" }, { withinMs: 1_000 });
    }
    await clock.advance(12_000);
    state = (await system.look(egg))?.state;
    if (state !== "hard") t.equal(system.read(egg), undefined, "it is out of memory");
    store.crash();
    await settle();
  }
  t.ok(kills > 1 && kills <= 3, `it was hard in life ${String(kills)}`);
});
