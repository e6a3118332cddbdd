// Timers while a commit is under way that takes long and comes to nothing: what it armed was never armed, and what stood before it stands (rules K1, C3).

import { test } from "tap";
import { setup } from "xstate";
import { actorType, createSystem, entityType, messages, parseAddress, type System } from "../../../runtime/index.ts";
import type { Input } from "../../../runtime/entity/contract.ts";
import { decodeRecord } from "../../../runtime/entity/index.ts";
import { type CommitOutcome, silentLog } from "../../../runtime/ports/index.ts";
import { ManualClock, type MemoryStore, memoryStore, SeededRandom } from "../../../runtime/simulation/index.ts";

const KETTLE = parseAddress("acme/kettle/one");
const BOIL_MS = 1_500;
/** Comes while the slow commit is under way, so that timers are looked at. */
const TICK_MS = 1_600;
const SLOW_MS = 2_000;
const STEP_MS = 10;

const kettle = setup({ delays: { BOIL: BOIL_MS, TICK: TICK_MS } }).createMachine({
  type: "parallel",
  states: {
    pot: { initial: "cold", states: { cold: { on: { "kettle.heat": "hot" } }, hot: { after: { BOIL: "boiled" } }, boiled: {} } },
    clock: { initial: "tick", states: { tick: { after: { TICK: { target: "tick", reenter: true } } } } },
  },
});
const root = actorType({ name: "kettle", version: 1, messages: messages({ "kettle.heat": { body: {} } }), behaviour: kettle });
const type = entityType({ root, durability: "events", placement: "cloud" });

const ENDS: readonly CommitOutcome[] = [
  { kind: "refused", reason: "the disk is full", passing: true },
  { kind: "unknown", reason: "the connection was lost" },
];

interface World {
  readonly system: System;
  readonly clock: ManualClock;
  readonly store: MemoryStore;
  /** The next commit writes nothing, and says so after 2 s. */
  readonly spoilNext: (end: CommitOutcome) => void;
  /** Time goes on until the pot is in this state. @returns when that was, ms */
  readonly until: (pot: string) => Promise<number>;
}

async function world(): Promise<World> {
  const clock = new ManualClock();
  const store = memoryStore();
  const commit = store.commit.bind(store);
  await store.open();
  const system = createSystem({ node: "n", types: [type], store, clock, random: new SeededRandom(1), log: silentLog });
  await system.start();
  await system.activate(KETTLE, { input: undefined });
  const since = clock.monotonic();
  const spoilNext = (end: CommitOutcome): void => {
    store.commit = async (batch) => {
      store.commit = commit;
      await new Promise<void>((resolve) => {
        clock.setTimeout(resolve, SLOW_MS);
      });
      return batch.map(() => end);
    };
  };
  const until = async (pot: string): Promise<number> => {
    for (let step = 0; step < 1_000; step++) {
      if ((system.read(KETTLE)?.state as { readonly pot: string }).pot === pot) return Math.round(clock.monotonic() - since);
      await clock.advance(STEP_MS);
    }
    return Number.NaN;
  };
  return { system, clock, store, spoilNext, until };
}

async function firings(store: MemoryStore): Promise<readonly string[]> {
  const stored = await store.journal({ entity: KETTLE, after: 0, limit: 1_000, order: "oldest-first" });
  const inputs = stored.flatMap(({ record }) => decodeRecord(record).inputs);
  return inputs.filter((input): input is Extract<Input, { kind: "timer" }> => input.kind === "timer").map(({ timer, generation }) => `${timer}#${String(generation)}`);
}

for (const end of ENDS) {
  test(`S7, K1, C3. a timer that was armed by a turn whose commit ended ${end.kind}, after it would have been due, fires when it is due after it is armed at last`, async (t) => {
    const { system, store, spoilNext, until } = await world();
    spoilNext(end);
    t.equal(system.notify(KETTLE, { type: "kettle.heat" }), true);
    const armedMs = await until("hot");
    t.ok(armedMs >= SLOW_MS, `armed at ${String(armedMs)} ms`);
    const firedMs = await until("boiled");
    t.ok(firedMs >= armedMs + BOIL_MS - STEP_MS && firedMs <= armedMs + BOIL_MS + 2 * STEP_MS, `fired at ${String(firedMs)} ms`);
    const all = await firings(store);
    t.equal(all.filter((firing) => firing.includes("BOIL")).length, 1);
    await system.stop();
  });

  test(`S7, K1, C3. a firing whose commit ended ${end.kind} is taken again, once, and what fell due meanwhile is not late`, async (t) => {
    const { system, clock, store, spoilNext, until } = await world();
    system.notify(KETTLE, { type: "kettle.heat" });
    await clock.advance(BOIL_MS - STEP_MS);
    spoilNext(end);
    const firedMs = await until("boiled");
    t.ok(firedMs >= BOIL_MS + SLOW_MS && firedMs < BOIL_MS + SLOW_MS + 500, `committed at ${String(firedMs)} ms`);
    await clock.advance(10 * TICK_MS);
    const all = await firings(store);
    t.equal(all.length, new Set(all).size, "none is handed over twice");
    t.ok(all.filter((firing) => firing.includes("TICK")).length >= 10, all.join(" "));
    await system.stop();
  });
}
