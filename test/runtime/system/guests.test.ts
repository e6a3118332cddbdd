// More entities stay in memory by right than the node has room for: who waits for room comes all the same, one after the other, and the gauges tell how late.

import { test } from "tap";
import { assign, setup } from "xstate";
import { actorType, type Address, entityType, type EntityType, messages, parseAddress, subscription, type System, T } from "../../../runtime/index.ts";
import { type ManualClock, MemoryDisk } from "../../../runtime/simulation/index.ts";
import { hosting, type Hosting } from "./hosting.ts";

const IDLE_MS = 1_000;
const RESIDENT = 4;
/** Background has no room from 6 on, commands from 8 on. */
const CROWDS = [5, 6, 9, 30];
/** What a timer may take that is on time. */
const IN_TIME_MS = 5_000;

/** Stays by right, from the beginning on. */
const listener = actorType({
  name: "listener",
  version: 1,
  messages: messages({ "wind.changed": { body: { n: T.Integer() } } }),
  behaviour: setup({ actors: { wind: subscription() } }).createMachine({ invoke: { src: "wind", id: "wind", input: { topic: "hill/wind" } }, on: { "wind.changed": {} } }),
});

/** Naps; then it is awake, or stays by right. */
const sleeper = actorType({
  name: "sleeper",
  version: 1,
  messages: messages({
    "s.nap": { body: { ms: T.Integer() } },
    "s.doze": { body: { ms: T.Integer() } },
    "s.poke": { body: {} },
    "s.stay": { body: {} },
    "wind.changed": { body: {} },
  }),
  behaviour: setup({
    types: { context: {} as { pokes: number }, events: {} as { type: "s.nap" | "s.doze"; ms: number } | { type: "s.poke" | "s.stay" | "wind.changed" } },
    actors: { wind: subscription() },
    actions: { poke: assign({ pokes: ({ context }) => context.pokes + 1 }) },
    delays: { NAP: ({ event }) => (event.type === "s.nap" || event.type === "s.doze" ? event.ms : 0) },
  }).createMachine({
    context: { pokes: 0 },
    initial: "idle",
    on: { "s.nap": ".nap", "s.doze": ".doze", "s.poke": { actions: "poke" }, "s.stay": ".stays" },
    states: {
      idle: {},
      nap: { after: { NAP: "awake" } },
      awake: {},
      doze: { after: { NAP: "stays" } },
      stays: { invoke: { src: "wind", id: "wind", input: { topic: "hill/wind" } }, on: { "wind.changed": {} } },
    },
  }),
});

const steady = actorType({ name: "steady", version: 1, messages: messages({ "s.poke": { body: {} } }), behaviour: setup({}).createMachine({ on: { "s.poke": {} } }) });

const leaves = (root: typeof sleeper | typeof listener): EntityType => entityType({ root, durability: "events", placement: "cloud", passivateAfterMs: IDLE_MS });
const types = [leaves(listener), leaves(sleeper), entityType({ root: steady, durability: "events", placement: "cloud" })];
const addressOf = (type: string, at: number): Address => parseAddress(`acme/${type}/${String(at)}`);
const resident = (system: System): number => system.describeEntities().filter(({ state }) => state === "running").length;
const metric = (system: System, name: string, label?: string): number =>
  system.metrics().find((sample) => sample.name === name && (label === undefined || Object.values(sample.labels ?? {}).includes(label)))?.value ?? 0;

/** Each sleeper, the first ones with a timer; then so many listeners come that none finds room. */
async function crowded(listeners: number, sleepers: number, arm: (at: number) => object | undefined, more: Parameters<typeof hosting>[0] = {}): Promise<Hosting> {
  const one = await hosting({ types, residentEntities: RESIDENT, ...more });
  const { system, clock } = one;
  for (let at = 0; at < sleepers; at++) {
    const event = (arm(at) ?? { type: "s.poke" }) as { readonly type: string };
    const told = system.tell(addressOf("sleeper", at), event, { create: { input: undefined } });
    await clock.advance(20);
    const { kind } = await told;
    if (kind !== "accepted") throw new Error(`it was told ${kind}`);
  }
  await clock.advance(IDLE_MS * 3);
  for (let at = 0; at < listeners; at++) await system.activate(addressOf("listener", at), { input: undefined });
  await clock.advance(1);
  return one;
}

/** When the timer of each fired, ms from the clock's beginning. */
function firings({ system, clock }: Hosting): ReadonlyMap<string, number> {
  const firedAt = new Map<string, number>();
  system.watch(({ entity, record }) => {
    if (record?.inputs.some(({ kind }) => kind === "timer") === true) firedAt.set(entity, clock.monotonic());
  });
  return firedAt;
}

async function most(system: System, clock: ManualClock, forMs: number): Promise<number> {
  let highest = 0;
  for (let ms = 0; ms < forMs; ms += 20) {
    await clock.advance(20);
    highest = Math.max(highest, resident(system));
  }
  return highest;
}

for (const listeners of CROWDS)
  test(`P5, S7. a timer of an absent entity fires in time where ${String(listeners)} entities stay in memory by right and ${String(RESIDENT)} may, and after a restart all are back`, async (t) => {
    const [disk, DUE_MS] = [new MemoryDisk(), 20_000];
    const one = await crowded(listeners, 1, () => ({ type: "s.nap", ms: DUE_MS }), { disk });
    const { clock } = one;
    const firedAt = firings(one);
    t.equal(resident(one.system), listeners);
    await clock.advance(DUE_MS + IN_TIME_MS - clock.monotonic());
    t.equal(firedAt.size, 1);
    await clock.advance(IDLE_MS * 3);
    t.equal(resident(one.system), listeners, "and it has left again");
    const told = one.system.tell(addressOf("sleeper", 0), { type: "s.nap", ms: DUE_MS });
    await clock.advance(2_000);
    t.match(await told, { kind: "accepted" }, "a command comes to it too");
    await clock.advance(IDLE_MS * 3);
    one.store.crash();

    const two = await hosting({ types, residentEntities: RESIDENT, disk, clock, seed: 2 });
    const again = firings(two);
    await clock.advance(listeners * 1_100 + DUE_MS);
    t.equal(resident(two.system), listeners, "those that stayed are all back");
    t.equal(again.size, 1);
    await two.system.stop();
  });

test("P5. timers that find no room come one at a time, in the order of their times, and make room for the next when they are done", async (t) => {
  const [SLEEPERS, DUE_MS] = [12, 20_000];
  const one = await crowded(9, SLEEPERS, (at) => ({ type: "s.nap", ms: DUE_MS + (SLEEPERS - at) * 100 }));
  const { system, clock } = one;
  const firedAt = firings(one);
  await clock.advance(DUE_MS - clock.monotonic());
  t.equal(await most(system, clock, 15_000), 10, "one more than stay by right");
  const order = Array.from({ length: SLEEPERS }, (_, at) => addressOf("sleeper", SLEEPERS - 1 - at));
  t.same([...firedAt.keys()], order);
  t.ok(Math.max(...firedAt.values()) < DUE_MS + SLEEPERS * 100 + IN_TIME_MS, "all of them in time");
  await system.stop();
});

test("P5. those that stay when they have come keep their place as a guest for 1 s: the others come after them, in order, and the gauges tell how many are due and how late", async (t) => {
  const [SLEEPERS, DUE_MS] = [12, 20_000];
  const one = await crowded(9, SLEEPERS, () => ({ type: "s.doze", ms: DUE_MS }));
  const { system, clock } = one;
  const firedAt = firings(one);
  await clock.advance(DUE_MS - clock.monotonic() + 900);
  t.same([metric(system, "drover_wakes", "due"), resident(system)], [SLEEPERS, 9]);
  t.ok(metric(system, "drover_wakes_late_ms") > 500, "it says so");
  await clock.advance(6_000);
  const due = metric(system, "drover_wakes", "due");
  t.ok(due >= SLEEPERS - 8 && due <= SLEEPERS - 5, `${String(due)} are left`);
  t.equal(metric(system, "drover_wakes", "under-way"), due, "all of them were called");
  t.equal(resident(system), 9 + SLEEPERS - due);
  t.ok(metric(system, "drover_wakes_late_ms") > 6_000, "and those left are later each");
  await clock.advance(SLEEPERS * 1_000);
  t.same(
    [...firedAt.keys()],
    Array.from({ length: SLEEPERS }, (_, at) => addressOf("sleeper", at)),
  );
  const times = [...firedAt.values()];
  t.ok(
    times.every((at, index) => index === 0 || at - (times[index - 1] ?? 0) >= 1_000),
    "one a second",
  );
  t.same([metric(system, "drover_wakes", "due"), metric(system, "drover_wakes", "under-way"), metric(system, "drover_wakes_late_ms")], [0, 0, 0]);
  await system.stop();
});

for (const stays of [false, true])
  test(`P5. commands without end and timers, none of which finds room, keep nobody away${stays ? ", also where all that come stay" : ""}`, async (t) => {
    const [CLOCKS, SLEEPERS, DUE_MS, STORM_MS] = [4, 64, 20_000, 60_000];
    const one = await crowded(9, SLEEPERS, (at) => (at < CLOCKS ? { type: stays ? "s.doze" : "s.nap", ms: DUE_MS } : undefined));
    const { system, clock } = one;
    const firedAt = firings(one);
    await clock.advance(DUE_MS - 2_000 - clock.monotonic());
    let accepted = 0;
    let told = 0;
    for (let ms = 0; ms < STORM_MS; ms += 50) {
      const at = CLOCKS + (told++ % (SLEEPERS - CLOCKS));
      void system.tell(addressOf("sleeper", at), { type: stays ? "s.stay" : "s.poke" }, { withinMs: 5_000 }).then(({ kind }) => (accepted += kind === "accepted" ? 1 : 0));
      await clock.advance(50);
    }
    t.equal(firedAt.size, CLOCKS, "all timers fired while the storm went on");
    t.ok(accepted > (stays ? 40 : 200), `${String(accepted)} of ${String(told)} commands were taken`);
    await system.stop();
  });

test("G1. who needs no room in memory is not kept waiting by who does", async (t) => {
  const one = await crowded(9, 20, (at) => (at < 10 ? { type: "s.doze", ms: 20_000 } : undefined));
  const { system, clock } = one;
  await clock.advance(20_500 - clock.monotonic());
  const storm = Array.from({ length: 10 }, (_, at) => system.tell(addressOf("sleeper", 10 + at), { type: "s.stay" }, { withinMs: 3_000 }));
  await clock.advance(10);
  t.equal(metric(system, "drover_activations_waiting"), 20);
  let came: unknown;
  let looked: unknown;
  void system.activate(addressOf("steady", 0), { input: undefined }).then(() => (came = "it is here"));
  void system.look(addressOf("sleeper", 19)).then((view) => (looked = view?.state));
  await clock.advance(50);
  t.same([came, looked], ["it is here", "idle"]);
  await clock.advance(5_000);
  await Promise.all(storm);
  await system.stop();
});
