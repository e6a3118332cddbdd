// A beacon that beats by a durable timer, one for each policy, on a machine that is without power for a while again and again.

import { assign, setup } from "xstate";
import { actorType, entityType, messages } from "../../../runtime/index.ts";
import type { FaultOptions, Simulation } from "../../../runtime/simulation/index.ts";

/** An interval that nothing else waits for. */
export const BEAT_MS = 1_777;

/** Each way to the store takes up to 200 ms by its own word, and up to 12 s while it is slow. */
export const SLOW_STORES: FaultOptions = { kinds: ["slow-store"], everyMs: 10_000, store: { latencyMs: [5, 200], unknown: 0, refused: 0, failedRead: 0 } };

export const POLICIES = ["remaining", "absolute", "skip", { each: 2 }] as const;
export type Policy = (typeof POLICIES)[number];

function beaconType(policy: Policy) {
  return actorType({
    name: "beacon",
    version: 1,
    messages: messages({}),
    timers: { BEAT: policy },
    behaviour: setup({
      types: { context: {} as { beats: number } },
      actions: { count: assign({ beats: ({ context }) => context.beats + 1 }) },
      delays: { BEAT: BEAT_MS },
    }).createMachine({ id: "beacon", context: { beats: 0 }, initial: "lit", states: { lit: { after: { BEAT: { target: "lit", reenter: true, actions: "count" } } } } }),
  });
}

export function beacons(seed: number, policy: Policy, more: Partial<Simulation> = {}): Simulation {
  const root = beaconType(policy);
  return {
    seed,
    nodes: { cape: { types: [entityType({ root, durability: "events", placement: "cloud" })], entities: { "t/beacon/one": undefined, "t/beacon/two": undefined } } },
    forMs: 40_000,
    script: async ({ kill, start, sleep, random }) => {
      for (let outage = 0; outage < 3; outage++) {
        await sleep(3_000 + random.next() * 6_000);
        kill("cape");
        await sleep(random.next() * 12_000);
        start("cape");
      }
    },
    ...more,
  };
}
