// Topics, subscriptions and tasks in a simulated fleet.

import { test } from "tap";
import { form } from "../../forms.ts";
import { explain, simulateSeeds } from "../../../runtime/simulation/index.ts";
import { type Broken, weather } from "./weather.ts";

const SEEDS = form(6, 25);

test("S2, S5, H9. what is published is heard once and in its order, and sources go on after kills, takeovers and failing stores", async (t) => {
  let heard = 0;
  const { runs, failed } = await simulateSeeds(weather, {
    count: SEEDS,
    each: ({ history }) => {
      for (const fact of history) if (fact.kind === "asked") heard += fact.record?.inputs.filter(({ kind }) => kind === "source").length ?? 0;
    },
  });
  t.equal(runs, SEEDS);
  t.same(failed.map(explain), []);
  t.ok(heard > SEEDS * 15, `${String(heard)} words of sources`);
});

const broken: readonly (readonly [title: string, checker: string, how: Broken])[] = [
  ["telemetry that is published by an effect", "what is published is heard once, in its order", { publishesByEffect: true }],
  ["a listener that does not listen again", "a source goes on after a recovery", { hearsOnce: true }],
  ["a task that is nobody's to begin again", "a source goes on after a recovery", { surveysOnce: true }],
];
for (const [title, checker, how] of broken)
  test(`${title} is found`, async (t) => {
    const { failed } = await simulateSeeds((seed) => weather(seed, how), { count: 20 });
    t.ok(
      failed[0]?.violations.some((found) => found.checker === checker),
      failed[0]?.violations[0]?.what ?? "no seed shows it",
    );
  });
