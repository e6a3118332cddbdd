import { test } from "tap";

import { resident } from "../../bench/resident/resident.bench.ts";
import { countsRealWork, WITHIN_MS } from "./quick-run.ts";

test("each contender of the bench resident is counted at its receiver", { timeout: WITHIN_MS }, async (t) => {
  await countsRealWork(t, resident);
});
