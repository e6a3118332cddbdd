import { test } from "tap";

import { stepping } from "../../bench/stepping/stepping.bench.ts";
import { countsRealWork, WITHIN_MS } from "./quick-run.ts";

test("each contender of the bench stepping is counted at its receiver", { timeout: WITHIN_MS }, async (t) => {
  await countsRealWork(t, stepping);
});
