// What makes many seeds of a large scenario cheap: entities that begin when they are told something, and runs that take each step once (README.md).

import { test } from "tap";

import { actorType, entityType, messages, parseAddress, reducer, T } from "../../../runtime/index.ts";
import { explain, type HostingNode, simulate, type Simulation, simulateSeeds } from "../../../runtime/simulation/index.ts";
import { form } from "../../forms.ts";
import { couriers } from "./courier.ts";

const late = (seed: number, more: Partial<Simulation> = {}): Simulation => {
  const simulation = couriers(seed);
  const nodes = Object.fromEntries(
    Object.entries(simulation.nodes).map(([name, node]) => [name, name === "depot" ? node : ({ ...(node as HostingNode), entitiesBegin: "when-told" } as const)]),
  );
  return { ...simulation, nodes, ...more };
};

test("M1, S3. entities that begin when another node tells them something keep every promise, through all faults", async (t) => {
  let began = 0;
  const { failed } = await simulateSeeds(late, {
    count: form(8, 30),
    each: ({ history }) => (began += history.some((fact) => fact.kind === "written" && fact.entity.startsWith("t/courier/")) ? 1 : 0),
  });
  t.same(failed.map(explain), []);
  t.ok(began >= form(5, 20), `in ${String(began)} seeds some begin`);
});

test("S3. whoever is told nothing is not there; who was told something is there, also after a restart", async (t) => {
  const there: boolean[] = [];
  const isThere = (system: ReturnType<Parameters<NonNullable<Simulation["script"]>>[0]["system"]>, courier: string): void =>
    void there.push(system?.read(parseAddress(courier)) !== undefined);
  const run = await simulate(
    late(1, {
      faults: "none",
      script: async ({ insist, sleep, system, kill, start }) => {
        isThere(system("street"), "t/courier/ann");
        await insist("t/depot/main", { type: "parcel.send", n: 1, by: "t/courier/ann" });
        // A message whose receiver's link was not up yet is sent again after ten seconds.
        await sleep(12_000);
        isThere(system("street"), "t/courier/ann");
        kill("street");
        start("street");
        await sleep(2_000);
        isThere(system("street"), "t/courier/ann");
        isThere(system("street"), "t/courier/bob");
      },
    }),
  );
  t.same(run.violations, []);
  t.same(there, [false, true, true, false]);
});

let steps = 0;
const impure = (looksTwice: boolean): Simulation => {
  const root = actorType({
    name: "tally",
    version: 1,
    messages: messages({ "tally.add": { body: { n: T.Integer() } } }),
    behaviour: reducer<{ readonly steps: number }, { readonly type: string }>({ initial: () => ({ steps: 0 }), step: () => ({ steps: ++steps }) }),
  });
  return {
    seed: 1,
    forMs: 500,
    faults: "none",
    looksTwice,
    nodes: { one: { types: [entityType({ root, durability: "events", placement: "cloud" })], entities: { "t/tally/a": undefined } } },
    script: async ({ insist }) => {
      for (let n = 0; n < 10; n++) await insist("t/tally/a", { type: "tally.add", n });
    },
  };
};

test("S9, R2. a run that looks once takes each step once, and judges neither purity nor recovery nor replay", async (t) => {
  t.same([...new Set((await simulate(impure(true))).violations.map(({ promise }) => promise))].sort(), ["R2", "S9"]);
  steps = 0;
  const once = await simulate(impure(false));
  t.same(once.violations, []);
  t.equal(steps, 10);
});

test("S3, S7. what it judges all the same is found: steps are told, once or twice", async (t) => {
  const taken = (looksTwice: boolean) =>
    simulate({
      ...couriers(3, {}),
      looksTwice,
      checkers: [
        {
          name: "steps are told",
          promise: "mine",
          check: ({ turns }) => turns.filter(({ steps: told }) => (told?.offered.size ?? 0) > 0).map(({ atMs }) => ({ atMs, what: "it is" })),
        },
      ],
    });
  const [twice, once] = [await taken(true), await taken(false)];
  t.ok(once.violations.length > 0);
  t.equal(once.violations.length, twice.violations.length);
});
