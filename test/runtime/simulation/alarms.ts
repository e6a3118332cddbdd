// Alarm clocks that leave memory and all ring at the same moment, on a node that is killed while they do: few are on their way back at once, and each rings once.

import { assign, setup } from "xstate";
import { actorType, entityType, messages, T, type TimerPolicy } from "../../../runtime/index.ts";
import type { Simulation } from "../../../runtime/simulation/index.ts";

const CLOCKS = 150;
const POLICIES: readonly TimerPolicy[] = ["absolute", "remaining", "skip", { each: 2 }];
const RINGS_AFTER_MS = 5_000;

const machine = setup({
  types: { context: {} as { ms: number; rung: number }, events: {} as { type: "alarm.set"; ms: number } },
  actions: { set: assign({ ms: ({ event }) => event.ms }), ring: assign({ rung: ({ context }) => context.rung + 1 }) },
  delays: { RING: ({ context }) => context.ms },
}).createMachine({
  context: { ms: 0, rung: 0 },
  initial: "off",
  states: {
    off: { on: { "alarm.set": { target: "set", actions: "set" } } },
    set: { after: { RING: { target: "off", actions: "ring" } }, on: { "alarm.set": { target: "set", reenter: true, actions: "set" } } },
  },
});

const typeOf = (at: number): string => `alarm-${String(at)}`;
const types = POLICIES.map((policy, at) =>
  entityType({
    root: actorType({ name: typeOf(at), version: 1, messages: messages({ "alarm.set": { body: { ms: T.Integer() } } }), behaviour: machine, timers: { RING: policy } }),
    durability: at % 2 === 0 ? "events" : "snapshot",
    placement: "cloud",
    passivateAfterMs: 200,
  }),
);
const ALARMS = Array.from({ length: CLOCKS }, (_, at) => `t/${typeOf(at % POLICIES.length)}/a-${String(at)}`);

export function alarms(seed: number): Simulation {
  return {
    seed,
    nodes: { house: { types } },
    forMs: 15_000,
    faults: { kinds: ["kill", "power-cut", "store-outage", "slow-store"], everyMs: 2_000, store: { latencyMs: [1, 10], unknown: 0.02 } },
    script: async (script) => {
      const { insist, sleep, random } = script;
      for (let round = 0; round < 2; round++) {
        const at = script.nowMs + RINGS_AFTER_MS;
        await Promise.all(
          ALARMS.map(async (address) => {
            await sleep(random.next() * 1_000);
            const ms = Math.max(0, Math.round(at - script.nowMs));
            await insist(address, { type: "alarm.set", ms }, { through: "house", create: { input: undefined }, forMs: 30_000 });
          }),
        );
        await sleep(RINGS_AFTER_MS + random.next() * 1_000);
      }
    },
  };
}
