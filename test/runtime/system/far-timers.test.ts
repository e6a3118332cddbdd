// Timers with extreme delays: whatever one actor asked for, the others' are on time, and what earlier versions left in the index is put right.

import { test } from "tap";
import { assign, setup } from "xstate";
import { actorType, type Address, entityType, type EntityType, messages, parseAddress, type System, T, type TimerPolicy } from "../../../runtime/index.ts";
import { ManualClock, MemoryDisk, memoryStore } from "../../../runtime/simulation/index.ts";
import { hosting, type Hosting } from "./hosting.ts";

const IDLE_MS = 1_000;
/** Of hosted time: from then on 1e21 as a text, filled up to the length of a due time, sorts before what falls due. */
const LATE_ENOUGH_MS = 250_000;
/** The ends of what has its own digits, of what a text shows without an exponent, and of all numbers. */
const FAR_MS = [2 ** 53 - 1, 2 ** 53, 1e16, 123_456_789_012_345_680_000, 1e21, 1.5e22, 1e100, Number.MAX_VALUE];

function eggType(policy: TimerPolicy): EntityType {
  const root = actorType({
    name: "egg",
    version: 1,
    messages: messages({ "egg.boil": { body: { ms: T.Number() } } }),
    behaviour: setup({
      types: { context: {} as { ms: number; eggs: number }, events: {} as { type: "egg.boil"; ms: number } },
      actions: { set: assign({ ms: ({ event }) => event.ms }), serve: assign({ eggs: ({ context }) => context.eggs + 1 }) },
      delays: { BOIL: ({ context }) => context.ms },
    }).createMachine({
      context: { ms: 0, eggs: 0 },
      initial: "raw",
      on: { "egg.boil": { target: ".hot", reenter: true, actions: "set" } },
      states: { raw: {}, hot: { after: { BOIL: { target: "raw", actions: "serve" } } } },
    }),
    timers: { BOIL: policy },
  });
  return entityType({ root, durability: "events", placement: "cloud", passivateAfterMs: IDLE_MS });
}

const addressOf = (name: string): Address => parseAddress(`acme/egg/${name}`);
const inMemory = (system: System): number => system.describeEntities().length;
const metric = (system: System, name: string, label?: string): number =>
  system.metrics().find((sample) => sample.name === name && (label === undefined || Object.values(sample.labels ?? {}).includes(label)))?.value ?? 0;

async function boil({ system }: Hosting, name: string, ms: number): Promise<string> {
  return (await system.tell(addressOf(name), { type: "egg.boil", ms }, { create: { input: undefined } })).kind;
}

async function eggsOf({ system }: Hosting, name: string): Promise<unknown> {
  return ((await system.look(addressOf(name)))?.context as { readonly eggs: number } | undefined)?.eggs;
}

async function rowsOf({ store }: Hosting): Promise<readonly string[]> {
  return (await store.values.entries("wake/")).map(({ key }) => key);
}

for (const policy of ["remaining", "absolute", "skip", { each: 2 }] as const)
  test(`S7, K1. timers of any finite delay (${JSON.stringify(policy)}) keep no other entity's from firing, also after a restart`, async (t) => {
    const [disk, clock] = [new MemoryDisk(), new ManualClock()];
    const types = [eggType(policy)];
    const one = await hosting({ types, disk, clock });
    for (const [at, ms] of FAR_MS.entries()) t.equal(await boil(one, `far-${String(at)}`, ms), "accepted");
    await clock.advance(LATE_ENOUGH_MS);
    t.equal(inMemory(one.system), 0);
    t.equal(await boil(one, "near", 6_000), "accepted");
    await clock.advance(5_000);
    t.equal(await eggsOf(one, "near"), 0);
    await clock.advance(2_000);
    t.equal(await eggsOf(one, "near"), 1, "it fired in time");

    t.equal(await boil(one, "near", 60_000), "accepted");
    await clock.advance(10_000);
    await one.system.stop();
    const two = await hosting({ types, disk, clock, seed: 2 });
    await clock.advance(49_000);
    t.equal(await eggsOf(two, "near"), 1);
    await clock.advance(2_000);
    t.equal(await eggsOf(two, "near"), 2);
    await clock.advance(60_000);
    t.equal(inMemory(two.system), 0, "and nobody is called who has nothing to do");
    t.equal((await rowsOf(two)).length, FAR_MS.length);
    for (const at of FAR_MS.keys()) t.equal(await eggsOf(two, `far-${String(at)}`), 0);
    await two.system.stop();
    t.equal(clock.pending, 0);
  });

test("K1. timers of negative delays and of fractions fire at once, also where the wall clock shows a time before 1970, and are told by rows as all others are", async (t) => {
  const delays = [-Number.MAX_VALUE, -1e21, -5, -0.5, -0, 1e-300, 0.4, 0.9];
  for (const began of [undefined, -100_000, -1e9])
    for (const policy of ["remaining", "absolute"] as const) {
      const one = await hosting({ types: [eggType(policy)], clock: new ManualClock(began) });
      for (const [at, ms] of delays.entries()) t.equal(await boil(one, String(at), ms), "accepted");
      await one.clock.advance(1);
      for (const at of delays.keys()) t.equal(await eggsOf(one, String(at)), 1, `${JSON.stringify(policy)}, ${String(delays[at])} ms`);
      t.equal(await boil(one, "slow", 60_000.7), "accepted");
      await one.clock.advance(59_000);
      t.match(await rowsOf(one), [/^wake\/(elapsed|wall|now)\/(\d{16}\/)?acme\/egg\/slow$/]);
      t.equal(await eggsOf(one, "slow"), 0);
      await one.clock.advance(2_000);
      t.equal(await eggsOf(one, "slow"), 1, `${JSON.stringify(policy)}, from ${String(began)}`);
      await one.system.stop();
    }
});

for (const [clock, policy] of [
  ["elapsed", "remaining"],
  ["wall", "absolute"],
] as const)
  test(`S7. rows that earlier versions named by what is no due time (${clock}) hide no others, and are put right`, async (t) => {
    const [disk, time] = [new MemoryDisk(), new ManualClock()];
    const types = [eggType(policy)];
    const one = await hosting({ types, disk, clock: time });
    t.equal(await boil(one, "far", 1e21), "accepted");
    t.equal(await boil(one, "farther", 1e16), "accepted");
    await time.advance(LATE_ENOUGH_MS);
    t.equal(await boil(one, "near", 60_000), "accepted");
    t.equal(await boil(one, "next", 70_000), "accepted");
    await time.advance(IDLE_MS * 3);
    t.equal(inMemory(one.system), 0);
    await one.system.stop();

    const was = memoryStore({ disk });
    await was.open();
    const rows = await was.values.entries(`wake/${clock}/`);
    t.equal(rows.length, 4);
    const far = rows.filter(({ key }) => key.includes("/far"));
    const old = [`wake/${clock}/000000000001e+21/acme/egg/far`, `wake/${clock}/100000000000000000/acme/egg/farther`];
    const nobodys = [`wake/${clock}/0000000000000007`, `wake/${clock}/0000000000000008/`, `wake/${clock}/`];
    await was.values.write([...far.map(({ key }) => ({ key, value: undefined })), ...[...old, ...nobodys].map((key) => ({ key, value: new Uint8Array(0) }))]);
    await was.close();

    const two = await hosting({ types, disk, clock: time, seed: 2 });
    t.equal(metric(two.system, "drover_wakes_late_ms"), 0, "how late such a row is nobody knows");
    await time.advance(55_000);
    t.same([await eggsOf(two, "near"), await eggsOf(two, "next")], [0, 0]);
    await time.advance(5_000);
    t.same([await eggsOf(two, "near"), await eggsOf(two, "next")], [1, 0]);
    await time.advance(10_000);
    t.same([await eggsOf(two, "near"), await eggsOf(two, "next")], [1, 1]);
    await time.advance(IDLE_MS * 10);
    t.equal(inMemory(two.system), 0);
    const now = (await rowsOf(two)).filter((key) => !nobodys.includes(key));
    t.match(now, [/\/9007199254740991\/acme\/egg\/far$/, /\/9007199254740991\/acme\/egg\/farther$/]);
    t.equal(now.length, 2);
    t.equal(metric(two.system, "drover_wakes_failed_total"), 0);
    t.match((await two.system.look(addressOf("far")))?.state, "hot", "and it waits as before");
    await two.system.stop();
    t.equal(time.pending, 0);
  });

test("S7. an entity whose row does not tell when it must be back is marked like any other that has something to do", async (t) => {
  const [disk, clock] = [new MemoryDisk(), new ManualClock()];
  const types = [eggType("remaining")];
  const one = await hosting({ types, disk, clock });
  t.equal(await boil(one, "far", 1e21), "accepted");
  await clock.advance(LATE_ENOUGH_MS);
  await one.system.stop();
  const was = memoryStore({ disk });
  await was.open();
  const [row] = await was.values.entries("wake/elapsed/");
  await was.values.write([
    { key: row?.key ?? "", value: undefined },
    { key: "wake/elapsed/000000000001e+21/acme/egg/far", value: new Uint8Array(0) },
  ]);
  await was.close();

  const two = await hosting({ types, disk, clock, seed: 2 });
  await clock.advance(10);
  t.equal(inMemory(two.system), 1, "it was called");
  t.equal(await boil(two, "far", 30_000), "accepted");
  two.store.crash();
  const three = await hosting({ types, disk, clock, seed: 3 });
  await clock.advance(31_000);
  t.equal(await eggsOf(three, "far"), 1);
  await three.system.stop();
});
