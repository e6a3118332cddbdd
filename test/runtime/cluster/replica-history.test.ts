// The history of one actor among many, as its owner and as a replica tell it.

import { test } from "tap";
import type { HistoryQuery, System } from "../../../runtime/index.ts";
import { type Lamps, ONE, shippedLamps, VEHICLE } from "./lamps.ts";

/** All pages, by `next`. */
async function pages(system: Pick<System, "history">, address: typeof ONE, query: HistoryQuery): Promise<readonly unknown[]> {
  const items: unknown[] = [];
  for (let next: number | undefined; ; ) {
    const page = await system.history(address, { ...query, ...(next === undefined ? {} : { [query.order === "oldest-first" ? "after" : "before"]: next }) });
    items.push(...page.items);
    next = page.next;
    if (next === undefined) return items;
  }
}

/** Four turns of `one`, with 300 and more of `two` between them. */
async function busy(): Promise<Lamps> {
  const all = await shippedLamps();
  for (const [others, level] of [
    [2, 1],
    [0, 2],
    [300, 3],
    [600, 4],
  ] as const) {
    await all.others(others);
    await all.set(ONE, level);
  }
  await all.others(80);
  await all.ship();
  return all;
}

test("a replica answers for one actor among many as its owner does, in memory and passivated, from either end and with pages of any size", async (t) => {
  const all = await busy();
  const ask = async (system: System): Promise<readonly unknown[]> => {
    const answers: unknown[] = [];
    for (const address of [ONE, VEHICLE])
      for (const order of ["newest-first", "oldest-first"] as const)
        for (const limit of [1, 2, 3, 4, 5, 1_000]) {
          const found = await pages(system, address, { order, limit, after: 1 });
          answers.push({ address, order, found });
          if (address === ONE) t.equal(found.length, 4, `${system.node}, ${order}, ${String(limit)} a page`);
        }
    answers.push(await system.history(ONE, { order: "newest-first", limit: 20, before: 500, after: 4 }));
    return answers;
  };
  const owners = await ask(all.owner);
  t.same(await ask(all.cloud), owners);
  await all.ownerClock.advance(120_000);
  t.same(all.owner.describeEntities(), []);
  t.same(await ask(all.owner), owners, "nobody was woken for it");
  t.same(all.owner.describeEntities(), []);
  await all.stop();
});

test("P3. turns that a replica lost are named as missing in its history", async (t) => {
  const all = await busy();
  const { revision } = all.replicas.position(VEHICLE);
  await all.set(ONE, 5);
  await all.others(3);
  await all.leap();
  await all.set(ONE, 6);
  await all.ship();
  t.match(await all.cloud.history(ONE, { order: "oldest-first", limit: 10, after: revision, before: revision + 6 }), {
    items: [{ revision: revision + 5 }],
    next: undefined,
    missing: [{ after: revision, upTo: revision + 4 }],
  });
  await all.stop();
});
