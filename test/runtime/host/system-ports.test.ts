// The real clock and the real randomness keep what their ports promise.

import { test } from "tap";

import { systemClock, systemRandom } from "../../../runtime/host/index.ts";

test("a timeout fires once, not before its time, and not at all when it was cleared", async (t) => {
  const from = systemClock.monotonic();
  let fired = 0;
  const cleared = systemClock.setTimeout(() => t.fail("it was cleared"), 5);
  systemClock.clearTimeout(cleared);
  systemClock.clearTimeout(cleared);
  systemClock.clearTimeout(undefined);
  await new Promise<void>((resolve) => {
    systemClock.setTimeout(() => {
      fired++;
      resolve();
    }, 20);
  });
  t.ok(systemClock.monotonic() - from >= 20);
  await new Promise<void>((resolve) => systemClock.setTimeout(resolve, -5));
  t.equal(fired, 1);
});

test("a delay longer than Node's longest timer does not fire at once", async (t) => {
  let fired = false;
  const set = (): void => {
    fired = true;
  };
  const handles = [systemClock.setTimeout(set, 2 ** 31 + 5), systemClock.setTimeout(set, 1e15), systemClock.setTimeout(set, Number.POSITIVE_INFINITY)];
  await new Promise<void>((resolve) => systemClock.setTimeout(resolve, 30));
  t.notOk(fired);
  for (const handle of handles) systemClock.clearTimeout(handle);
  t.throws(() => systemClock.setTimeout(set, Number.NaN), RangeError);
});

test("wall time is ms since 1970", (t) => {
  t.ok(systemClock.now() > 1_700_000_000_000);
  t.end();
});

test("random numbers are in range and ids are fresh", (t) => {
  for (let draw = 0; draw < 600; draw++) {
    const number = systemRandom.next();
    if (!(number >= 0 && number < 1)) t.fail(`next gave ${String(number)}`);
    if (!Number.isInteger(systemRandom.uint32())) t.fail("uint32 gave no integer");
  }
  const ids = new Set(Array.from({ length: 300 }, () => systemRandom.id()));
  t.equal(ids.size, 300);
  t.ok([...ids].every((id) => /^[0-9a-f]{32}$/.test(id)));
  t.end();
});
