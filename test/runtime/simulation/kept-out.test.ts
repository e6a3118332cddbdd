// An entity that ends its process on messages that are new each time, through all that may fail besides.

import { test } from "tap";
import { actorType, entityType, messages, parseAddress, reducer, T } from "../../../runtime/index.ts";
import { explain, type ProcessPorts, simulateSeeds, type Simulation } from "../../../runtime/simulation/index.ts";
import { form } from "../../forms.ts";

const MILL = parseAddress("acme/mill/m");
const LAMP = parseAddress("acme/lamp/l");

/** @param between stands between the node and its ports */
function stones(seed: number, between: (ports: ProcessPorts) => ProcessPorts = (ports) => ports): Simulation {
  let ports: ProcessPorts | undefined;
  const counting = (name: string): ReturnType<typeof entityType> =>
    entityType({
      root: actorType({
        name,
        version: 1,
        messages: messages({ grind: { body: { stone: T.Boolean() } } }),
        behaviour: reducer<number, { readonly type: string; readonly stone: boolean }>({
          initial: () => 0,
          step: (ground, { stone }) => {
            if (stone) ports?.exit("a stone");
            return ground + 1;
          },
        }),
      }),
      durability: "events",
      placement: "cloud",
    });
  return {
    seed,
    nodes: { home: { types: [counting("mill"), counting("lamp")], entities: { [MILL]: undefined, [LAMP]: undefined }, ports: (given) => (ports = between(given)) } },
    forMs: 40_000,
    script: async ({ tell, insist, sleep }) => {
      await insist(MILL, { type: "grind", stone: false });
      for (let n = 1; n <= 8; n++) {
        // Its sender never repeats it.
        await tell(MILL, { type: "grind", stone: true }, { id: `stone ${String(n)}`, withinMs: 500 });
        await insist(LAMP, { type: "grind", stone: false }, { id: `light ${String(n)}` });
        await sleep(2_000);
      }
    },
    checkers: [
      {
        name: "two deaths keep an entity out",
        promise: "M4",
        check: ({ history }) => {
          const deaths = history.filter((fact) => fact.kind === "node" && fact.what === "exited");
          return deaths.slice(2).map(({ atMs }) => ({ atMs, what: "it ended one more process" }));
        },
      },
    ],
  };
}

test("M4. an entity that ends its process on ever new messages does so twice; then the node runs without it through kills, power cuts, takeovers and failing stores", {
  timeout: 120_000,
}, async (t) => {
  let out = 0;
  const { failed } = await simulateSeeds(stones, {
    count: form(5, 20),
    each: ({ history }) => {
      if (history.some((fact) => fact.kind === "told" && fact.to === MILL && fact.outcome.kind === "owner-away" && fact.outcome.reason !== undefined)) out++;
    },
  });
  t.same(failed.map(explain), []);
  t.ok(out >= form(4, 16), `${String(out)} were kept out, and told so`);
});

test("M4. the simulator sees where nobody is kept out", async (t) => {
  const { failed } = await simulateSeeds((seed) => stones(seed, (ports) => ({ ...ports, stepWatch: { ...ports.stepWatch, hung: [] } })), { count: 1 });
  t.match(failed, [{ violations: [{ checker: "two deaths keep an entity out" }] }]);
});
