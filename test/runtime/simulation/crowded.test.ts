// Entities that leave memory for want of room while messages of theirs are on their way, through every fault.

import { test } from "tap";
import { form } from "../../forms.ts";
import { explain, simulateSeeds } from "../../../runtime/simulation/index.ts";
import { crowded } from "./crowded.ts";

const SEEDS = form(7, 30);

test("C5, S3, M1. where memory has room for few, what entities send each other arrives all the same, once and in order, and commands find room", {
  timeout: 240_000,
}, async (t) => {
  let accepted = 0;
  let told = 0;
  const { runs, failed } = await simulateSeeds(crowded, {
    count: SEEDS,
    each: ({ history }) => {
      for (const fact of history)
        if (fact.kind === "told") {
          told++;
          if (fact.outcome.kind === "accepted") accepted++;
        }
    },
  });
  t.equal(runs, SEEDS);
  t.same(failed.map(explain), []);
  t.ok(accepted > SEEDS * 60, `${String(accepted)} of ${String(told)} accepted`);
});
