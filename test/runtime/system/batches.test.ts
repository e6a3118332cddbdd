// How much one turn and one commit take, however much is ready.

import { test } from "tap";
import { parseAddress } from "../../../runtime/index.ts";
import { MemoryDisk, memoryStore } from "../../../runtime/simulation/index.ts";
import { counterEntity, hosting } from "./hosting.ts";

test("C3. A commit takes at most 256 turns of those that are ready; all of them are committed", async (t) => {
  const store = memoryStore({ disk: new MemoryDisk() });
  await store.open();
  const sizes: number[] = [];
  const { system } = await hosting({ types: [counterEntity], store: { ...store, commit: async (batch) => (sizes.push(batch.length), store.commit(batch)) } });
  const counters = Array.from({ length: 700 }, (_, n) => parseAddress(`t/counter/c${String(n)}`));
  await Promise.all(counters.map((address) => system.activate(address, { input: undefined })));
  sizes.length = 0;
  const told = await Promise.all(counters.map((address) => system.ask(address, { type: "count.add", by: 1 }, { withinMs: 60_000 })));
  t.same(new Set(told.map(({ kind }) => kind)), new Set(["replied"]));
  t.equal(Math.max(...sizes), 256);
  t.ok(sizes.reduce((sum, size) => sum + size, 0) >= 700, `batches of ${sizes.join(", ")}`);
  await system.stop();
});

test("H1. A turn takes at most 64 inputs of those that wait", async (t) => {
  const { system, store } = await hosting();
  const address = parseAddress("t/counter/one");
  await system.activate(address, { input: undefined });
  const before = (await store.revisionOf(address))?.revision ?? 0;
  const told = await Promise.all(Array.from({ length: 200 }, () => system.ask(address, { type: "count.add", by: 1 }, { withinMs: 60_000 })));
  t.same(new Set(told.map(({ kind }) => kind)), new Set(["replied"]));
  const page = await system.history(address, { limit: 500, order: "oldest-first", after: before });
  t.equal(Math.max(...page.items.map(({ inputs }) => inputs.length)), 64);
  await system.stop();
});
