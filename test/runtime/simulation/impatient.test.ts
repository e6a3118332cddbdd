// Who repeats a message in haste is never told that it was not taken when it was.

import { test } from "tap";
import { form } from "../../forms.ts";
import { explain, simulateSeeds } from "../../../runtime/simulation/index.ts";
import { impatient } from "./impatient.ts";

const SEEDS = form(15, 100);

test("S3, M2. a repetition that overtakes its first, or outlasts it, hears the truth", { timeout: 120_000 }, async (t) => {
  const words: Record<string, number> = {};
  const { runs, failed } = await simulateSeeds(impatient, {
    count: SEEDS,
    each: ({ history }) => {
      for (const fact of history) if (fact.kind === "told") words[fact.outcome.kind] = (words[fact.outcome.kind] ?? 0) + 1;
    },
  });
  t.equal(runs, SEEDS);
  t.same(failed.map(explain), []);
  for (const kind of ["replied", "accepted", "unknown", "deadline", "not-stored", "refused"]) t.ok((words[kind] ?? 0) > SEEDS / 5, `${kind}: ${String(words[kind])}`);
});
