// Kettles that are heated and cool down by durable timers shorter than many a commit, on a store that fails and takes its time.

import { assign, setup } from "xstate";
import { actorType, entityType, messages, T } from "../../../runtime/index.ts";
import type { Simulation } from "../../../runtime/simulation/index.ts";

const KETTLES = ["t/kettle/one", "t/kettle/two"];
const HEATINGS = 12;

const kettle = setup({
  types: { context: {} as { ms: number; boiled: number; ticks: number }, events: {} as { type: "kettle.heat"; ms: number } },
  actions: {
    set: assign({ ms: ({ event }) => event.ms }),
    boil: assign({ boiled: ({ context }) => context.boiled + 1 }),
    tick: assign({ ticks: ({ context }) => context.ticks + 1 }),
  },
  delays: { BOIL: ({ context }) => context.ms, TICK: 700 },
}).createMachine({
  id: "kettle",
  context: { ms: 0, boiled: 0, ticks: 0 },
  type: "parallel",
  states: {
    pot: {
      initial: "cold",
      states: {
        cold: { on: { "kettle.heat": { target: "hot", actions: "set" } } },
        hot: { after: { BOIL: { target: "cold", actions: "boil" } }, on: { "kettle.heat": { target: "hot", reenter: true, actions: "set" } } },
      },
    },
    // Its times come while commits are under way.
    clock: { initial: "on", states: { on: { after: { TICK: { target: "on", reenter: true, actions: "tick" } } } } },
  },
});
const root = actorType({ name: "kettle", version: 1, messages: messages({ "kettle.heat": { body: { ms: T.Integer() } } }), behaviour: kettle });

export function kettles(seed: number): Simulation {
  return {
    seed,
    nodes: { kitchen: { types: [entityType({ root, durability: "events", placement: "cloud" })], entities: Object.fromEntries(KETTLES.map((address) => [address, undefined])) } },
    forMs: 10_000,
    faults: { kinds: ["store-outage", "full-store", "slow-store"], everyMs: 600, store: { latencyMs: [1, 10], unknown: 0.05 } },
    script: async ({ insist, sleep, random }) => {
      const heated: Promise<unknown>[] = [];
      for (let n = 0; n < HEATINGS; n++) {
        for (const address of KETTLES) heated.push(insist(address, { type: "kettle.heat", ms: 20 + Math.floor(random.next() * 600) }, { forMs: 30_000 }));
        await sleep(random.next() * 1_500);
      }
      await Promise.all(heated);
    },
  };
}
