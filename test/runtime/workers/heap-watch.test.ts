// What the watch over a thread's heap hears is acted upon between two turns of this thread's loop, never in the middle of a function.

import { once } from "node:events";
import { Worker } from "node:worker_threads";
import tap, { test } from "tap";

import { systemClock } from "../../../runtime/host/index.ts";
import type { Clock } from "../../../runtime/ports/index.ts";
import { watchHeap } from "../../../runtime/workers/heap-watch.ts";

tap.setTimeout(60_000);

const LIMIT_MB = 20;
const AT_WORK_MS = 10;
const LOOKS = 60;
/** Holds one and a half times the limit and never turns: it is looked at again and again, since that may be garbage. */
const HELD = `const kept = Array.from({ length: ${String((1.5 * LIMIT_MB * 1_048_576) / 8)} }, (_, at) => at);
require("node:worker_threads").parentPort.postMessage("held");
setImmediate(() => { for (;;) kept.length; });`;

test("S4. an answer about a thread's heap interrupts no function of this thread", async (t) => {
  const thread = new Worker(HELD, { eval: true });
  t.teardown(() => thread.terminate());
  await once(thread, "message");

  let isAtWork = false;
  const looks = { betweenTurns: 0, withinOne: 0 };
  const clock: Clock = {
    ...systemClock,
    setTimeout: (run, delayMs, options) => {
      looks[isAtWork ? "withinOne" : "betweenTurns"]++;
      return systemClock.setTimeout(run, delayMs, options);
    },
  };
  const watch = watchHeap(thread, LIMIT_MB, clock, (error) => {
    t.fail("it may be garbage", { error });
  });
  t.teardown(watch.stop);
  // Nearly all of the time this thread is in a function.
  while (looks.betweenTurns + looks.withinOne < LOOKS) {
    isAtWork = true;
    work(AT_WORK_MS);
    isAtWork = false;
    await new Promise((resolve) => setImmediate(resolve));
  }
  t.strictSame(looks, { betweenTurns: LOOKS, withinOne: 0 });
});

function work(ms: number): void {
  for (const until = performance.now() + ms; performance.now() < until; );
}
