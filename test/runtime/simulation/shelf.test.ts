// A desk that shelves, through all that may fail: kills, takeovers, cuts, stores that fail.

import { test } from "tap";
import { form } from "../../forms.ts";
import { rowsOf } from "../../../runtime/simulation/open-work.ts";
import { explain, simulateSeeds } from "../../../runtime/simulation/index.ts";
import { DESK, mailroom } from "./mailroom.ts";

const SEEDS = form(6, 20);

test("S3, S5, M1, M2. a mailbox that shelves keeps every promise through kills, takeovers, cuts and failing stores", { timeout: 120_000 }, async (t) => {
  let shelved = 0;
  let across = 0;
  const { runs, failed } = await simulateSeeds(mailroom, {
    count: SEEDS,
    each: ({ history }) => {
      const shelvedBy = new Map<string, number>();
      for (const fact of history) {
        if (fact.kind !== "asked" || fact.entity !== DESK || fact.record === undefined) continue;
        for (const [key, ...row] of rowsOf(fact.record, "shelf")) {
          if (row.length === 0) across += shelvedBy.get(key) === fact.run ? 0 : 1;
          else {
            shelved++;
            shelvedBy.set(key, fact.run);
          }
        }
      }
    },
  });
  t.equal(runs, SEEDS);
  t.same(failed.map(explain), []);
  t.ok(shelved > SEEDS * 20 && across > SEEDS, `${String(shelved)} were shelved, ${String(across)} of them acted on by another process`);
});
