import { test } from "tap";

import { restart } from "../../bench/restart/restart.bench.ts";
import { countsRealWork, WITHIN_MS } from "./quick-run.ts";

test("each contender of the bench restart is counted at its receiver", { timeout: WITHIN_MS }, async (t) => {
  await countsRealWork(t, restart);
});
