// A store that is as slow as it was told to be makes nobody break a promise.

import { test } from "tap";
import { actorType, entityType, messages, reducer } from "../../../runtime/index.ts";
import { explain, type FaultOptions, simulateSeeds, type Simulation } from "../../../runtime/simulation/index.ts";
import { form } from "../../forms.ts";
import { beacons, SLOW_STORES } from "./beacons.ts";

const alarm = actorType({
  name: "alarm",
  version: 1,
  messages: messages({ arm: { body: {} }, fire: { body: {}, internal: true } }),
  behaviour: reducer<{ readonly fired: number }, { readonly type: string }>({
    initial: () => ({ fired: 0 }),
    step: (state, event, turn) => {
      if (event.type === "arm") turn.arm("bell", 2_000, { type: "fire" });
      return event.type === "fire" ? { fired: state.fired + 1 } : state;
    },
  }),
});
const clock = entityType({ root: alarm, durability: "events", placement: "cloud" });

/** Armed again and again, at times that a timer may just have come to. */
const alarms =
  (faults: FaultOptions) =>
  (seed: number): Simulation => ({
    seed,
    nodes: { home: { types: [clock], entities: { "t/alarm/one": undefined } } },
    forMs: 30_000,
    faults,
    script: async ({ insist, sleep, random }) => {
      for (let each = 0; each < 12; each++) {
        await insist("t/alarm/one", { type: "arm" }, { forMs: 20_000 });
        await sleep(random.next() * 3_000);
      }
    },
  });

/** By its own word, without a fault: a commit takes twelve seconds at most. */
const SLOW_BY_NATURE: FaultOptions = { ...SLOW_STORES, kinds: ["pause"], everyMs: 60_000, store: { ...SLOW_STORES.store, latencyMs: [2_000, 6_000] } };

for (const [title, scenario] of [
  ["a store that is slow for a while", alarms({ ...SLOW_STORES, everyMs: 3_000 })],
  ["a store that is slow by its own word", alarms(SLOW_BY_NATURE)],
  ["a store that is slow for a while, with timers that beat", (seed: number) => beacons(seed, "remaining", { faults: SLOW_STORES })],
] as const)
  test(`S7. ${title} is no fault of its actors`, { timeout: 120_000 }, async (t) => {
    const { failed } = await simulateSeeds(scenario, { count: form(20, 200) });
    t.same(failed.map(explain), []);
  });
