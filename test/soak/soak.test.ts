// The soak's short form: too short for a slope an hour, long enough for what leaks with every message. The long one is `npm run soak`.
//
// Measured by work, not by time: at each sample as many messages have been taken, all that passes with time has passed, and V8 compiles nothing that it has run often, or its code and
// what belongs to that (half a megabyte in these few thousand messages) would be all that is seen.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { test } from "tap";
import { ManualClock } from "../../runtime/simulation/index.ts";
import { form } from "../forms.ts";
import { churn } from "./soak.ts";

const A_SAMPLE = 250;
const WARM_UP = 5;
/** Samples before the comparison and at its end, and those between. */
const COMPARED = 3;
const BETWEEN = form(7, 20);
/** What is told is kept for 5 s here, and taken out at the next message after 5 s more. */
const ALL_PASSES_MS = 11_000;

test("under churn the heap stays where it was after the warm-up", async (t) => {
  for (const flag of ["--no-opt", "--no-maglev", "--no-sparkplug"]) setFlagsFromString(flag);
  const folder = mkdtempSync(join(tmpdir(), "drover-soak-"));
  t.teardown(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const clock = new ManualClock();
  const { outcomes, sent, open, say, heapMb, stop } = await churn({ folder, actors: 400, clock });
  const sample = async (): Promise<number> => {
    say(A_SAMPLE);
    while (open() > 0) {
      await clock.advance(10);
      await pause(1);
    }
    await clock.advance(ALL_PASSES_MS);
    return heapMb();
  };
  for (let n = 0; n < WARM_UP; n++) await sample();
  const heap: number[] = [];
  for (let n = 0; n < 2 * COMPARED + BETWEEN; n++) heap.push(await sample());
  t.ok((outcomes["accepted"] ?? 0) > sent() / 2, JSON.stringify(outcomes));
  const mean = (of: readonly number[]): number => of.reduce((sum, mb) => sum + mb, 0) / of.length;
  const [before, after] = [mean(heap.slice(0, COMPARED)), mean(heap.slice(-COMPARED))];
  t.comment(heap.map((mb) => mb.toFixed(2)).join(" "));
  // At least 2,500 messages lie between the two: half a kilobyte kept of each would be more than 1 MB.
  t.ok(after - before < 1, `heap ${before.toFixed(2)} MB in the middle, ${after.toFixed(2)} MB at the end`);
  await stop();
});
