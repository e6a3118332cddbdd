// A wait with an end.

import { test } from "tap";
import { settledWithin } from "../../runtime/index.ts";
import { ManualClock } from "../../runtime/simulation/index.ts";

const never = new Promise<string>(() => undefined);

test("S5. a wait ends with what it waited for, with its time, or when there is no time left, and leaves no timer or listener", async (t) => {
  const clock = new ManualClock();
  t.equal(await settledWithin(Promise.resolve("done"), clock, 1_000, undefined), "done");
  await t.rejects(settledWithin(Promise.reject(new Error("failed")), clock, 1_000, undefined), { message: "failed" });
  t.equal(clock.pending, 0, "what has settled leaves no timer");

  const late = settledWithin(never, clock, 1_000, undefined);
  await clock.advance(999);
  t.equal(clock.pending, 1, "not before its time");
  await clock.advance(1);
  t.equal(await late, undefined);

  const hurry = new AbortController();
  const hurried = settledWithin(never, clock, 1_000, hurry.signal);
  hurry.abort();
  t.equal(await hurried, undefined);
  t.equal(clock.pending, 0);
  t.equal(await settledWithin(never, clock, Number.POSITIVE_INFINITY, hurry.signal), undefined, "aborted before");
  t.equal(await settledWithin(Promise.resolve("done"), clock, 1_000, hurry.signal), "done", "what has settled wins over what is late");
});
