// A clock whose node is taken over while its store is slow: what the former run still wrote is not owed by its successor, and no correct actor is accused.

import { assign, setup } from "xstate";
import { test } from "tap";
import { form } from "../../forms.ts";
import { actorType, entityType, messages } from "../../../runtime/index.ts";
import { explain, type Simulation, simulateSeeds } from "../../../runtime/simulation/index.ts";

/** One of these has a turn of the former run that fires a timer after its successor has begun, seen once in 600. */
const [FIRST, COUNT] = [2, form(25, 75)];

const clock = setup({
  types: { context: {} as { readonly ticks: number } },
  delays: { TICK: 300 },
  actions: { tick: assign({ ticks: ({ context }) => context.ticks + 1 }) },
}).createMachine({ context: { ticks: 0 }, initial: "on", states: { on: { after: { TICK: { target: "on", reenter: true, actions: "tick" } } } } });

const root = actorType({ name: "clock", version: 1, messages: messages({}), behaviour: clock });

function ticking(seed: number): Simulation {
  return {
    seed,
    nodes: { home: { types: [entityType({ root, durability: "events", placement: "cloud" })], entities: { "t/clock/one": undefined } } },
    forMs: 20_000,
    faults: { kinds: ["takeover", "slow-store"], everyMs: 2_000 },
  };
}

test("S7. a timer that the former run still fired is not held against its successor", { timeout: 120_000 }, async (t) => {
  let firedByFormer = 0;
  const { runs, failed } = await simulateSeeds(ticking, {
    from: FIRST,
    count: COUNT,
    each: ({ history }) => {
      let newest = 0;
      for (const fact of history) {
        if (fact.kind === "node" && fact.what === "starting") newest = fact.run;
        if (fact.kind === "written" && fact.run < newest) firedByFormer++;
      }
    },
  });
  t.equal(runs, COUNT);
  t.same(failed.map(explain), []);
  t.ok(firedByFormer > 0, `${String(firedByFormer)} turns were written by a run that had a successor`);
});
