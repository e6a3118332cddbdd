// Actors that are out of memory keep every promise too: what they have to do later is in the store alone, and it happens in time after whatever befell their node.

import { test } from "tap";
import { form } from "../../forms.ts";
import { explain, simulate, type Simulation, type SimulationRun, simulateSeeds } from "../../../runtime/simulation/index.ts";
import { killedSleepers, longSleepers, sleepers } from "./sleepers.ts";

interface Sums {
  fired: number;
  recovered: number;
}

function sumOf(sums: Sums, { history }: SimulationRun): void {
  for (const fact of history) {
    if (fact.kind === "loaded" && fact.entity.startsWith("t/clock-")) sums.recovered++;
    if (fact.kind === "asked") sums.fired += fact.record?.inputs.filter(({ kind }) => kind === "timer").length ?? 0;
  }
}

const CASES: readonly [title: string, scenario: (seed: number) => Simulation, seeds: number][] = [
  ["S1 to S9, C5. actors that leave memory keep every promise through faults of all kinds", (seed) => sleepers(seed), form(6, 30)],
  ["S7, K1, C5. timers of actors out of memory fire in time after kills and power cuts", killedSleepers, form(6, 30)],
  ["S3, C5. those that keep their state and no history do so too", (seed) => sleepers(seed, { durability: "snapshot" }), form(3, 15)],
  ["S7, K1, C5. timers longer than a node lives fire after some of its lives", longSleepers, form(12, 30)],
];

for (const [title, scenario, count] of CASES)
  test(title, { timeout: 240_000 }, async (t) => {
    const sums: Sums = { fired: 0, recovered: 0 };
    const { runs, failed } = await simulateSeeds(scenario, {
      count,
      each: (run) => {
        sumOf(sums, run);
      },
    });
    t.equal(runs, count);
    t.same(failed.map(explain), []);
    t.ok(sums.fired > count * 3 && sums.recovered > count * 6, `${String(sums.fired)} timers fired, entities came back ${String(sums.recovered)} times`);
  });

test("S9. one seed of actors that leave memory gives one run", async (t) => {
  const first = await simulate(sleepers(5));
  const again = await simulate(sleepers(5));
  t.same([again.steps, again.history.length, again.tookMs], [first.steps, first.history.length, first.tookMs]);
});
