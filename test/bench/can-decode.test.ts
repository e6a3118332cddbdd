import { test } from "tap";

import { canDecode } from "../../bench/can-decode/can-decode.bench.ts";
import { countsRealWork, WITHIN_MS } from "./quick-run.ts";

test("each contender of the bench can-decode is counted at its receiver", { timeout: WITHIN_MS }, async (t) => {
  await countsRealWork(t, canDecode);
});
