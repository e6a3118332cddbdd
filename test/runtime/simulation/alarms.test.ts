// Many entities out of memory whose timers fall due at the same moment, on a node that is killed while they come back.

import { test } from "tap";
import { form } from "../../forms.ts";
import { explain, simulateSeeds } from "../../../runtime/simulation/index.ts";
import { alarms } from "./alarms.ts";

const SEEDS = form(2, 10);

test("S7, K1, C5. timers of many absent entities that fall due at once fire once and in time by their policies, also when the node is killed meanwhile", {
  timeout: 300_000,
}, async (t) => {
  let fired = 0;
  let kills = 0;
  const { runs, failed } = await simulateSeeds(alarms, {
    count: SEEDS,
    each: ({ history }) => {
      for (const fact of history) {
        if (fact.kind === "node" && fact.what === "killed") kills++;
        if (fact.kind === "asked") fired += fact.record?.inputs.filter(({ kind }) => kind === "timer").length ?? 0;
      }
    },
  });
  t.equal(runs, SEEDS);
  t.same(failed.map(explain), []);
  t.ok(fired > SEEDS * 100, `${String(fired)} timers fired`);
  t.ok(kills > 0, `in ${String(kills)} runs that were killed`);
});
