import { test } from "tap";

import { durable } from "../../bench/durable/durable.bench.ts";
import { countsRealWork, WITHIN_MS } from "./quick-run.ts";

test("each contender of the bench durable is counted at its receiver", { timeout: WITHIN_MS }, async (t) => {
  await countsRealWork(t, durable, 2);
});
