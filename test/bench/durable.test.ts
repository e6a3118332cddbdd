import { test } from "tap";

import { durable } from "../../bench/durable/durable.bench.ts";
import { closedLoopTimes, groupTimes } from "../../bench/durable/reference.ts";
import { countsRealWork, WITHIN_MS } from "./quick-run.ts";

test("each contender of the bench durable is counted at its receiver", { timeout: WITHIN_MS }, async (t) => {
  await countsRealWork(t, durable, 2);
});

test("a row of the reference counts from when the one a window before it was on the disk", async (t) => {
  const written = [
    { rows: 2, endMs: 10 },
    { rows: 2, endMs: 25 },
    { rows: 2, endMs: 30 },
  ];
  t.same(groupTimes(written), [10, 15, 5]);
  t.same(closedLoopTimes(written, 2), [15, 15, 5, 5]);
  t.same(closedLoopTimes(written, 3), [15, 20, 5], "a window that ends within a group");
  t.same(closedLoopTimes(written, 6), [], "nothing was there a window before");
});
