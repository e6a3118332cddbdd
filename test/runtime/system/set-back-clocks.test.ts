// Timers at a rhythm and a wall clock that is set back by hours: in memory, out of memory, while their node is away, and after a kill.

import { test } from "tap";
import { assign, setup } from "xstate";
import { actorType, type Address, entityType, messages, parseAddress, type Registered, T, type TimerPolicy } from "../../../runtime/index.ts";
import type { Store } from "../../../runtime/ports/index.ts";
import { ManualClock, MemoryDisk } from "../../../runtime/simulation/index.ts";
import { SetBackRows } from "../../../runtime/system/set-back-rows.ts";
import { hosting, type Hosting } from "./hosting.ts";

const IDLE_MS = 1_000;
const EVERY_MS = 600_000;
const BACK_MS = -10 * 3_600_000;
/** Within this time a node has looked at its clocks again. */
const LOOKED_MS = 61_000;
const POLICIES = ["skip", { each: 2 }] as const;

const lampMessages = messages({ "lamp.light": { body: { ms: T.Number() } }, "lamp.clean": { body: {} } });

/** Blinks by its own `after`; without a period it stays dark. */
function lampType(policy: TimerPolicy): Registered {
  const root = actorType({
    name: "lamp",
    version: 1,
    messages: lampMessages,
    behaviour: setup({
      types: { context: {} as { ms: number; blinks: number }, events: {} as { type: "lamp.light"; ms: number } | { type: "lamp.clean" } },
      actions: { set: assign({ ms: ({ event }) => (event.type === "lamp.light" ? event.ms : 0) }), blink: assign({ blinks: ({ context }) => context.blinks + 1 }) },
      delays: { PERIOD: ({ context }) => context.ms, LATER: 48 * 3_600_000 },
    }).createMachine({
      context: { ms: 0, blinks: 0 },
      initial: "dark",
      on: { "lamp.light": { target: ".lit", reenter: true, actions: "set" }, "lamp.clean": {} },
      states: { dark: {}, lit: { after: { PERIOD: { target: "lit", reenter: true, actions: "blink" }, LATER: "dark" } } },
    }),
    timers: { PERIOD: policy, LATER: "absolute" },
  });
  return entityType({ root, durability: "events", placement: "cloud", passivateAfterMs: IDLE_MS });
}

const LAMP = parseAddress("acme/lamp/one");
const lampAt = (n: number): Address => parseAddress(`acme/lamp/n-${String(n)}`);

async function light({ system }: Hosting, lamp = LAMP, ms = EVERY_MS): Promise<void> {
  await system.tell(lamp, { type: "lamp.light", ms }, { create: { input: undefined } });
}

async function blinksOf({ system }: Hosting, lamp = LAMP): Promise<unknown> {
  return ((await system.look(lamp))?.context as { readonly blinks: number } | undefined)?.blinks;
}

const inMemory = ({ system }: Hosting): number => system.describeEntities().length;
const rowsOf = async ({ store }: Hosting): Promise<readonly string[]> => (await store.values.entries("wake/")).map(({ key }) => key);

for (const policy of POLICIES) {
  const of = JSON.stringify(policy);

  test(`K1, W6. a rhythm (${of}) of an entity in memory goes on when the clock is set back`, async (t) => {
    const node = await hosting({ types: [lampType(policy)] });
    const { clock } = node;
    await light(node);
    await clock.advance(IDLE_MS / 2);
    t.equal(inMemory(node), 1);
    clock.jump(BACK_MS);
    await clock.advance(EVERY_MS + LOOKED_MS);
    t.equal(await blinksOf(node), 1);
    await clock.advance(5 * EVERY_MS);
    t.equal(await blinksOf(node), 6, "and goes on");
    await node.system.stop();
  });

  test(`K1, K3, W6. a rhythm (${of}) of an entity out of memory goes on when the clock is set back, once for each of its times`, async (t) => {
    const node = await hosting({ types: [lampType(policy)] });
    const { clock } = node;
    await light(node);
    await clock.advance(2 * EVERY_MS + 10_000);
    t.equal(await blinksOf(node), 2);
    await clock.advance(10_000);
    t.equal(inMemory(node), 0);
    clock.jump(BACK_MS + 120_000);
    await clock.advance(EVERY_MS - 20_000 - 120_000 - 1_000);
    t.equal(await blinksOf(node), 2, "not before the first of its times");
    await clock.advance(2_000);
    t.equal(await blinksOf(node), 3);
    for (let beat = 4; beat < 10; beat++) {
      await clock.advance(EVERY_MS);
      t.equal(await blinksOf(node), beat);
    }
    await clock.advance(10_000);
    t.equal(inMemory(node), 0);
    t.match(await rowsOf(node), [/^wake\/wall\/\d{16}\/acme\/lamp\/one$/], "and leaves nothing behind");
    await node.system.stop();
    t.equal(clock.pending, 0);
  });

  test(`K1, K3, W6. a rhythm (${of}) of an entity out of memory goes on when the clock was set back while its node was away`, async (t) => {
    const [disk, clock] = [new MemoryDisk(), new ManualClock()];
    const types = [lampType(policy)];
    const one = await hosting({ types, disk, clock });
    await light(one);
    await clock.advance(10_000);
    t.equal(inMemory(one), 0);
    await one.system.stop();
    clock.jump(BACK_MS);
    const two = await hosting({ types, disk, clock, seed: 2 });
    await clock.advance(EVERY_MS);
    t.equal(await blinksOf(two), 1);
    await clock.advance(EVERY_MS);
    t.equal(await blinksOf(two), 2);
    two.store.crash();
    clock.jump(BACK_MS);
    const three = await hosting({ types, disk, clock, seed: 3 });
    await clock.advance(EVERY_MS);
    t.equal(await blinksOf(three), 3, "also after a kill");
    await three.system.stop();
  });
}

test("K1, K3, W6. it goes on too where another timer of it is due first, and where its rhythm began since it was out of memory last", async (t) => {
  const [disk, clock] = [new MemoryDisk(), new ManualClock()];
  const types = [lampType("skip")];
  const one = await hosting({ types, disk, clock });
  // Its row tells the time of LATER.
  await light(one, LAMP, 72 * 3_600_000);
  await clock.advance(10_000);
  t.equal(inMemory(one), 0);
  await light(one);
  one.store.crash();
  clock.jump(BACK_MS);
  const two = await hosting({ types, disk, clock, seed: 2 });
  await clock.advance(EVERY_MS + 1_000);
  t.equal(await blinksOf(two), 1);
  await two.system.stop();
});

test("S5, W4, W6. many rhythms are found by pages, and a store that cannot be read for a while is asked again", async (t) => {
  const [disk, clock] = [new MemoryDisk(), new ManualClock()];
  const types = [lampType("skip")];
  const one = await hosting({ types, disk, clock });
  const many = 1_300;
  for (let n = 0; n < many; n++) {
    await light(one, lampAt(n));
    if (n % 100 === 0) await clock.advance(2 * IDLE_MS);
  }
  await clock.advance(10_000);
  t.equal(inMemory(one), 0);
  const { store } = one;
  const entries = store.values.entries.bind(store.values);
  let failures = 0;
  (store.values as { entries: typeof entries }).entries = async (prefix, page) => {
    if (failures++ < 2) throw new Error("out of order");
    return entries(prefix, page);
  };
  clock.jump(BACK_MS);
  await clock.advance(EVERY_MS + LOOKED_MS);
  t.ok(failures > 2);
  let blinks = 0;
  for (let n = 0; n < many; n++) {
    blinks += (await blinksOf(one, lampAt(n))) as number;
    if (n % 100 === 0) await clock.advance(2 * IDLE_MS);
  }
  t.equal(blinks, many);
  await one.system.stop();
  t.equal(clock.pending, 0);
});

test("K1, W6. a clock that is set forward and back again fires for each time at most once", async (t) => {
  const node = await hosting({ types: [lampType("skip")] });
  const { clock } = node;
  await light(node);
  await clock.advance(10_000);
  clock.jump(-BACK_MS);
  await clock.advance(LOOKED_MS);
  t.equal(await blinksOf(node), 0, "what was jumped over is skipped");
  await clock.advance(10_000);
  t.equal(inMemory(node), 0);
  clock.jump(BACK_MS);
  await clock.advance(EVERY_MS - 10_000 - LOOKED_MS - 10_000 - 1_000);
  t.equal(await blinksOf(node), 0);
  await clock.advance(2_000);
  t.equal(await blinksOf(node), 1);
  await clock.advance(EVERY_MS);
  t.equal(await blinksOf(node), 2);
  await node.system.stop();
});

test("B1. a clock that is set back while rows are read has them looked for anew, by what it shows then", async (t) => {
  const clock = new ManualClock();
  const began = clock.now();
  const key = `wake/wall/${String(began + EVERY_MS).padStart(16, "0")}/acme/lamp/one`;
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const after: (string | undefined)[] = [];
  const entries = async (_: string, page?: { readonly after?: string }): Promise<readonly { readonly key: string; readonly value: Uint8Array }[]> => {
    after.push(page?.after);
    await held;
    return [{ key, value: new TextEncoder().encode(String(began)) }];
  };
  const rows = new SetBackRows({ values: { entries } } as unknown as Store, clock);
  rows.look();
  t.ok(rows.isShort);
  const reading = rows.read();
  await rows.read();
  t.equal(after.length, 1, "one page at a time");
  clock.jump(BACK_MS);
  rows.look();
  release();
  await reading;
  t.same([rows.count, rows.isShort], [0, true]);
  await rows.read();
  t.same([rows.count, rows.isShort, rows.next(), rows.next()], [1, false, LAMP, undefined]);
  await rows.read();
  t.same(
    after,
    [began, began + BACK_MS].map((ms) => `wake/wall/${String(ms).padStart(16, "0")}`),
    "all were read",
  );
  rows.look();
  t.notOk(rows.isShort);
});
