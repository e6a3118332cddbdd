// The code of runtime/simulation/README.md, run: a supervised, durable actor of an author's own, through the faults of some seeds.

import { test } from "tap";
// #region actor
import { assign, setup } from "xstate";
import { actorType, effect, entityType, type EventOf, messages, reducer, T } from "../../runtime/index.ts";

const ventMessages = messages({
  "vent.open": { body: { percent: T.Integer({ minimum: 1, maximum: 100 }) } },
  "vent.jam": { body: {} },
});

const ventMachine = setup({
  types: { context: {} as { opened: number }, events: {} as EventOf<typeof ventMessages> },
  actions: {
    count: assign({ opened: ({ context }) => context.opened + 1 }),
    jam: assign(() => {
      throw new Error("the vent is jammed");
    }),
    turn: effect<{ percent: number }>({ class: "idempotent" }),
  },
  delays: { LONG_ENOUGH: 2_000 },
}).createMachine({
  context: { opened: 0 },
  initial: "shut",
  on: { "vent.jam": { actions: "jam" } },
  states: {
    shut: { on: { "vent.open": { target: "open", actions: ["count", { type: "turn", params: ({ event }) => ({ percent: event.percent }) }] } } },
    open: { after: { LONG_ENOUGH: { target: "shut", actions: { type: "turn", params: { percent: 0 } } } } },
  },
});

const vent = actorType({ name: "vent", version: 1, messages: ventMessages, behaviour: ventMachine });
const house = actorType({ name: "house", version: 1, messages: messages({}), behaviour: reducer({ initial: () => ({}), step: (state) => state }) });
const greenhouse = entityType({ root: house, durability: "events", placement: "cloud", children: { vent: { types: [vent], strategy: "one-for-one" } } });
// #endregion
// #region scenario
import type { Simulation } from "../../runtime/simulation/index.ts";

export function scenario(seed: number): Simulation {
  return {
    seed,
    nodes: {
      farm: {
        types: [greenhouse, vent.with({ effects: { turn: () => undefined } })],
        entities: { "acme/house/one": { input: undefined, children: [{ kind: "vent", id: "roof", type: "vent", input: null }] } },
      },
    },
    forMs: 10_000,
    script: async ({ insist, tell, sleep, random }) => {
      for (let n = 1; n <= 5; n++) {
        await insist("acme/house/one/vent/roof", { type: "vent.open", percent: 10 * n }, { forMs: 5_000 });
        if (random.next() < 0.3) await tell("acme/house/one/vent/roof", { type: "vent.jam" });
        await sleep(random.next() * 3_000);
      }
    },
  };
}
// #endregion
// #region test
import { explain, simulateSeeds } from "../../runtime/simulation/index.ts";

test("the vents keep every promise", async (t) => {
  const { failed } = await simulateSeeds(scenario, { count: 30 });
  t.same(failed.map(explain), []);
});
// #endregion

test("the documented scenario has something to keep: turns of the vent, jams, timers and faults", async (t) => {
  const seen = { opened: 0, jammed: 0, shut: 0, faults: 0 };
  await simulateSeeds(scenario, {
    count: 10,
    each: ({ history, faults }) => {
      seen.faults += faults.length;
      for (const fact of history) {
        if (fact.kind !== "asked") continue;
        fact.record?.inputs.forEach((input, index) => {
          const result = fact.record?.results[index]?.kind;
          if (input.kind === "timer" && result === "accepted") seen.shut++;
          if (input.kind === "message" && input.event.type === "vent.open" && result === "accepted") seen.opened++;
          if (input.kind === "message" && input.event.type === "vent.jam" && result === "faulted") seen.jammed++;
        });
      }
    },
  });
  for (const [what, count] of Object.entries(seen)) t.ok(count >= 5, `${what}: ${String(count)}`);
});
