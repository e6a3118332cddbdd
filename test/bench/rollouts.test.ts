import { test } from "tap";

import { rollouts } from "../../bench/rollouts/rollouts.bench.ts";
import { countsRealWork, WITHIN_MS } from "./quick-run.ts";

test("each contender of the bench rollouts is counted at its receiver", { timeout: WITHIN_MS }, async (t) => {
  await countsRealWork(t, rollouts);
});
