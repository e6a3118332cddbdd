import { test } from "tap";

import { mailbox } from "../../bench/mailbox/mailbox.bench.ts";
import { countsRealWork, WITHIN_MS } from "./quick-run.ts";

test("each contender of the bench mailbox is counted at its receiver", { timeout: WITHIN_MS }, async (t) => {
  await countsRealWork(t, mailbox);
});
