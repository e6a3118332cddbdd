// Metronomes that are out of memory between their beats, on a machine whose wall clock is set back by hours, and forward again: while its node runs, while it is away, and after it was killed.

import { assign, setup } from "xstate";
import { actorType, entityType, messages, T } from "../../../runtime/index.ts";
import type { Simulation } from "../../../runtime/simulation/index.ts";
import { POLICIES } from "./beacons.ts";

const IDLE_MS = 150;
const PER_POLICY = 2;
const PERIODS_MS = [7_000, 12_345, 30_000] as const;
const HOUR_MS = 3_600_000;
/** Longer than it takes to look at the clocks again, and a period. */
const CALM_MS = 100_000;

const set = { "metronome.set": { body: { ms: T.Integer() } } } as const;

const machine = setup({
  types: { context: {} as { ms: number; beats: number }, events: {} as { type: "metronome.set"; ms: number } },
  actions: { set: assign({ ms: ({ event }) => event.ms }), beat: assign({ beats: ({ context }) => context.beats + 1 }) },
  delays: { PERIOD: ({ context }) => context.ms },
}).createMachine({
  context: { ms: 0, beats: 0 },
  initial: "still",
  on: { "metronome.set": { target: ".swings", reenter: true, actions: "set" } },
  states: { still: {}, swings: { after: { PERIOD: { target: "swings", reenter: true, actions: "beat" } } } },
});

const types = POLICIES.map((policy, at) =>
  entityType({
    root: actorType({ name: `metronome-${String(at)}`, version: 1, messages: messages(set), behaviour: machine, timers: { PERIOD: policy } }),
    durability: "events",
    placement: "cloud",
    passivateAfterMs: IDLE_MS,
  }),
);

export function metronomes(seed: number, more: Partial<Simulation> = {}): Simulation {
  return {
    seed,
    nodes: { hall: { types } },
    forMs: 0,
    faults: "none",
    script: async ({ insist, jump, kill, sleep, start, stop, random }) => {
      for (let kind = 0; kind < POLICIES.length; kind++)
        for (let n = 0; n < PER_POLICY; n++) {
          const ms = PERIODS_MS[Math.floor(random.next() * PERIODS_MS.length)];
          await insist(`t/metronome-${String(kind)}/${String(n)}`, { type: "metronome.set", ms }, { through: "hall", create: { input: undefined } });
        }
      for (let round = 0; round < 4; round++) {
        await sleep(random.next() * 20_000);
        const isBack = random.next() < 0.7;
        const byMs = Math.round((isBack ? -1 : 1) * (0.001 + random.next()) * 12 * HOUR_MS);
        const how = Math.floor(random.next() * 3);
        if (how === 1) kill("hall");
        if (how === 2) await stop("hall");
        jump("hall", byMs);
        if (how > 0) {
          await sleep(random.next() * 2_000);
          start("hall");
        }
        await sleep(CALM_MS);
      }
    },
    ...more,
  };
}
