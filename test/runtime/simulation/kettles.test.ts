// Timers through a store that fails for a while and is slow: what a turn armed that came to nothing is nobody's, and what stands fires once, at its time.

import { test } from "tap";
import { form } from "../../forms.ts";
import { rowsOf } from "../../../runtime/simulation/open-work.ts";
import { explain, simulateSeeds } from "../../../runtime/simulation/index.ts";
import { kettles } from "./kettles.ts";

const SEEDS = form(12, 50);

test("S7, K1, C3. no timer fires before its time when turns that arm timers come to nothing and are taken again", { timeout: 120_000 }, async (t) => {
  let takenAgain = 0;
  const { runs, failed } = await simulateSeeds(kettles, {
    count: SEEDS,
    each: ({ history }) => {
      const asked = new Set<string>();
      for (const fact of history) {
        if (fact.kind !== "asked" || !rowsOf(fact.record, "timers").some((row) => row.length > 1)) continue;
        const turn = `${fact.entity} ${fact.incarnation} ${String(fact.revision)}`;
        if (asked.has(turn)) takenAgain++;
        asked.add(turn);
      }
    },
  });
  t.equal(runs, SEEDS);
  t.same(failed.map(explain), []);
  t.ok(takenAgain > SEEDS, `${String(takenAgain)} turns that armed a timer were taken again`);
});
