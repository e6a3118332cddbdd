// Many entities out of memory that have something to do at the same moment: all of it is done, and little of it is held at once.

import { assign, setup } from "xstate";
import { test } from "tap";
import { actorType, type Address, entityType, type EntityType, messages, parseAddress, type System, T, type TimerPolicy } from "../../../runtime/index.ts";
import { type ManualClock, MemoryDisk } from "../../../runtime/simulation/index.ts";
import { hosting, type Hosting } from "./hosting.ts";

const SLEEPERS = 1_500;
const IDLE_MS = 1_000;
const RESIDENT = 100;
/** Activations that the node lets in at once, of which background's are fewer. */
const UNDER_WAY = 64;
const DUE_MS = 600_000;

function sleeperType(policy: TimerPolicy = "absolute"): EntityType {
  const machine = setup({
    types: { context: {} as { ms: number; fired: number; poked: number }, events: {} as { type: "sleeper.arm"; ms: number } | { type: "sleeper.poke" } },
    delays: { LATER: ({ context }) => context.ms },
    actions: {
      keep: assign({ ms: ({ event }) => (event as { ms: number }).ms }),
      fire: assign({ fired: ({ context }) => context.fired + 1 }),
      poke: assign({ poked: ({ context }) => context.poked + 1 }),
    },
  }).createMachine({
    context: { ms: 0, fired: 0, poked: 0 },
    initial: "idle",
    on: { "sleeper.poke": { actions: "poke" } },
    states: { idle: { on: { "sleeper.arm": { target: "armed", actions: "keep" } } }, armed: { after: { LATER: { target: "idle", actions: "fire" } } } },
  });
  const root = actorType({
    name: "sleeper",
    version: 1,
    messages: messages({ "sleeper.arm": { body: { ms: T.Integer() } }, "sleeper.poke": { body: {} } }),
    behaviour: machine,
    timers: { LATER: policy },
  });
  return entityType({ root, durability: "snapshot", placement: "cloud", passivateAfterMs: IDLE_MS });
}

const addressOf = (at: number): Address => parseAddress(`acme/sleeper/s-${String(at)}`);
const metric = (system: System, name: string, label?: string): number =>
  system.metrics().find((sample) => sample.name === name && (label === undefined || Object.values(sample.labels ?? {}).includes(label)))?.value ?? 0;

async function sleeping(more: Parameters<typeof hosting>[0] = {}, policy?: TimerPolicy): Promise<Hosting> {
  return hosting({ types: [sleeperType(policy)], residentEntities: RESIDENT, ...more });
}

/** All of them out of memory, with a timer that falls due at the same moment, `dueMs` from the clock's beginning. */
async function armed({ system, clock }: Hosting, count: number, dueOf: (at: number) => number): Promise<void> {
  for (let from = 0; from < count; from += 100) {
    const told = Array.from({ length: Math.min(100, count - from) }, (_, at) =>
      system.tell(addressOf(from + at), { type: "sleeper.arm", ms: dueOf(from + at) - clock.monotonic() }, { create: { input: undefined }, withinMs: 60_000 }),
    );
    await clock.advance(1_000);
    for (const each of told) if ((await each).kind !== "accepted") throw new Error("it was not armed");
  }
  await clock.advance(IDLE_MS * 10);
}

async function firings(system: System, clock: ManualClock, count: number): Promise<Record<number, number>> {
  const counts: Record<number, number> = {};
  for (let at = 0; at < count; at++) {
    const looked = system.look(addressOf(at)).then((view) => ((view?.context ?? {}) as { fired?: number }).fired ?? -1);
    const fired = await Promise.race([looked, clock.advance(1_000).then(() => looked)]);
    counts[fired] = (counts[fired] ?? 0) + 1;
  }
  return counts;
}

test("S5, S7. of many entities whose timers fall due at the same moment few are on their way at once, each timer fires once, and commands come first", async (t) => {
  const one = await sleeping();
  const { system, clock } = one;
  await armed(one, SLEEPERS, () => DUE_MS);
  t.equal(system.describeEntities().length, 0);
  await clock.advance(DUE_MS - clock.monotonic() - 1);
  let most = 0;
  let waited = 0;
  let due = 0;
  for (let ms = 0; ms < 4_000; ms += 2) {
    await clock.advance(2);
    most = Math.max(most, system.describeEntities().filter(({ state }) => state === "starting").length);
    waited = Math.max(waited, metric(system, "drover_activations_waiting"));
    due = Math.max(due, metric(system, "drover_wakes", "due"));
    if (ms === 20) {
      let outcome: unknown;
      void system.tell(addressOf(SLEEPERS - 1), { type: "sleeper.poke" }).then((told) => (outcome = told));
      await clock.advance(50);
      t.match(outcome, { kind: "accepted" }, "a command is not behind them");
    }
  }
  t.ok(most <= UNDER_WAY && waited <= UNDER_WAY, `${String(most)} on their way at once, ${String(waited)} of them waiting for that`);
  t.ok(due > 0 && due <= 2_000, `${String(due)} known to be due`);
  t.same(await firings(system, clock, SLEEPERS), { 1: SLEEPERS });
  t.same([metric(system, "drover_wakes", "due"), metric(system, "drover_wakes_late_ms"), metric(system, "drover_activations_waiting")], [0, 0, 0]);
  await system.stop();
  t.equal(clock.pending, 0);
});

for (const policy of ["absolute", "remaining", { each: 1 }] as const)
  test(`S7, K1. a node that is killed while the timers of many absent entities fire (${JSON.stringify(policy)}) goes on where it was, and each has fired once`, async (t) => {
    const COUNT = 300;
    const disk = new MemoryDisk();
    const one = await sleeping({ disk, activation: { perSecond: 200, burst: 50 } }, policy);
    const { clock } = one;
    await armed(one, COUNT, () => DUE_MS);
    await clock.advance(DUE_MS - clock.monotonic() + 500);
    t.ok(metric(one.system, "drover_wakes", "due") > 50, "it is in the midst of it");
    one.store.crash();
    const two = await sleeping({ disk, clock, seed: 2 }, policy);
    await clock.advance(20_000);
    t.same(await firings(two.system, clock, COUNT), { 1: COUNT });
    await two.system.stop();
  });

test("S5. what only recovers has a bound at the gate too: who is turned away there is told so with a code, and may come again", async (t) => {
  const { system, clock } = await sleeping({ activation: { perSecond: 100, burst: 10, waiting: 20 } });
  const codes = new Map<string, number>();
  const made = Array.from({ length: 50 }, (_, at) =>
    system.activate(addressOf(at), { input: undefined }).then(
      () => codes.set("made", (codes.get("made") ?? 0) + 1),
      (cause: unknown) => {
        const { code, retryable } = cause as { code: string; retryable: boolean };
        const key = `${code} ${String(retryable)}`;
        codes.set(key, (codes.get(key) ?? 0) + 1);
      },
    ),
  );
  await clock.advance(1_000);
  await Promise.all(made);
  t.same(Object.fromEntries(codes), { made: 30, "DROVER_STORE_FAILED true": 20 });
  await system.stop();
});
