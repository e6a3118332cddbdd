// Volatile entities skip the commit: the checkers say nothing false of them, and find what can be seen of them all the same.

import { test } from "tap";
import { actorType, effect, entityType, messages, reducer } from "../../../runtime/index.ts";
import { explain, simulate, simulateSeeds, type Simulation } from "../../../runtime/simulation/index.ts";
import { form } from "../../forms.ts";
import * as broken from "./broken.ts";
import { STAGES, stages } from "./stage.ts";

const lamp = actorType({
  name: "lamp",
  version: 1,
  messages: messages({ "lamp.on": { body: {} } }),
  behaviour: reducer({
    initial: () => 0,
    step: (times: number, _event, turn) => {
      turn.perform("shine", {});
      return times + 1;
    },
    effects: { shine: effect({ class: "idempotent" }) },
  }),
});

function lamps(seed: number, durability: "volatile" | "events", shine: () => void = () => undefined): Simulation {
  return {
    seed,
    faults: "none",
    forMs: 1_000,
    settleMs: 5_000,
    nodes: { one: { types: [entityType({ root: lamp, durability, placement: "cloud" }), lamp.with({ effects: { shine } })], entities: { "t/lamp/a": undefined } } },
    script: async ({ insist }) => {
      for (let n = 0; n < 5; n++) await insist("t/lamp/a", { type: "lamp.on" });
    },
  };
}

for (const faults of ["none", { everyMs: 1_500 }] as const)
  test(`M3, S2. volatile actors with timers, tasks, asks, effects, children and messages to durable ones hold, ${faults === "none" ? "without a fault" : "through faults"}`, async (t) => {
    let performed = 0;
    let heard = 0;
    let faulted = 0;
    let began = 0;
    const { failed } = await simulateSeeds((seed) => stages(seed, { faults }), {
      count: form(12, 100),
      all: true,
      each: ({ history }) => {
        for (const fact of history) {
          if (fact.kind === "effect" && fact.what === "attempt" && fact.actor.startsWith(STAGES[0])) performed++;
          if (fact.kind === "node" && fact.what === "started") began++;
          if (fact.kind === "told" && fact.outcome.kind === "refused") faulted++;
          if (fact.kind === "asked") for (const input of fact.record?.inputs ?? []) if (input.kind === "message" && input.sender.kind === "entity") heard++;
        }
      },
    });
    t.same(failed.map(explain), []);
    t.ok(performed > 100 && heard > 100, `${String(performed)} effects of one of them, ${String(heard)} messages of them to a durable one`);
    t.ok(faulted > 5, `faults of theirs: ${String(faulted)}`);
    t.ok(faults === "none" || began > 40, `starts of nodes: ${String(began)}`);
  });

test("S2. an effect of a volatile actor is one of a turn that it has taken: what was taken back, or never was, is found", async (t) => {
  const lamps1 = lamps(1, "volatile");
  t.same((await simulate(lamps1)).violations, []);
  const ahead = await simulate({ ...lamps1, nodes: { one: { ...lamps1.nodes["one"], ports: broken.performsAhead } as never } });
  t.match(ahead.violations[0], { promise: "S2", what: /the effect shine \(t\/lamp\/a#.*\) was performed, and its turn was never taken/ });
});

test("F1. an effect of a volatile actor is not attempted again once it was confirmed", async (t) => {
  const lamps1 = lamps(1, "volatile");
  const twice = await simulate({ ...lamps1, nodes: { one: { ...lamps1.nodes["one"], ports: broken.attemptsWhatIsConfirmed } as never } });
  t.match(twice.violations, [{ promise: "F1", what: /the effect shine .* of a volatile actor was attempted again after it was confirmed/ }]);
  let attempts = 0;
  const failing = lamps(2, "volatile", () => {
    if (++attempts % 2 === 1) throw new Error("no power");
  });
  t.same((await simulate(failing)).violations, [], "one that failed is");
  t.ok(attempts >= 10);
});

test("S2. a type of one name that is volatile on one node and durable on another is judged on each by what it is there", async (t) => {
  const kept = lamps(1, "events");
  const both = (other: Simulation): Simulation => ({
    ...other,
    nodes: {
      one: other.nodes["one"] as never,
      two: {
        types: [entityType({ root: lamp, durability: "volatile", placement: "cloud" }), lamp.with({ effects: { shine: () => undefined } })],
        entities: { "t/lamp/b": undefined },
      },
    },
    script: async ({ insist }) => {
      for (const to of ["t/lamp/a", "t/lamp/b", "t/lamp/a"]) await insist(to, { type: "lamp.on" });
    },
  });
  t.same((await simulate(both(kept))).violations, []);
  const early = await simulate(both({ ...kept, nodes: { one: { ...kept.nodes["one"], ports: broken.performsAhead } as never } }));
  t.match(early.violations[0], { promise: "S2", what: /t\/lamp\/a#.* was performed before its turn was written/ });
});
