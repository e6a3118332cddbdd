// The soak's short form: too short for a slope an hour, long enough for what leaks with every message. The long one is `npm run soak`.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "tap";
import { form } from "../forms.ts";
import { soak } from "./soak.ts";

test("under churn the heap stays where it was after the warm-up", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "drover-soak-"));
  t.teardown(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const { heapMb, outcomes, messages } = await soak({ folder, forMs: form(9_000, 15_000), actors: 400, perSecond: 400 });
  t.ok((outcomes["accepted"] ?? 0) > messages / 2, JSON.stringify(outcomes));
  const third = Math.floor(heapMb.length / 3);
  const middle = heapMb.slice(third, 2 * third);
  const last = heapMb.slice(-third);
  const mean = (of: readonly number[]): number => of.reduce((sum, mb) => sum + mb, 0) / of.length;
  // 2,000 messages lie between the two: half a kilobyte kept of each would be 1 MB.
  t.ok(mean(last) - mean(middle) < 1, `heap ${mean(middle).toFixed(2)} MB in the middle, ${mean(last).toFixed(2)} MB at the end`);
});
