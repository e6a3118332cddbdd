// How many frames may leave: at most so many in any second, by when they were on the bus.

import { test } from "tap";
import { rateLimit } from "../../edge-node/rate-limit.ts";

/** Times at which frames leave where one is tried every 10 ms for 10 s and each takes `onBusMs` to the bus. */
function leaving(perSecond: number, onBusMs: (n: number) => number): readonly number[] {
  const limit = rateLimit(perSecond);
  const under = new Map<number, () => void>();
  const times: number[] = [];
  for (let nowMs = 0; nowMs < 10_000; nowMs += 10) {
    under.get(nowMs)?.();
    const place = limit.take(nowMs);
    if (place === undefined) continue;
    const atMs = nowMs + onBusMs(times.length);
    times.push(atMs);
    under.set(atMs, () => {
      place.left(atMs);
    });
    if (atMs === nowMs) place.left(atMs);
  }
  return times;
}

test("X1. No second has more frames than the file allows, whether they are on the bus at once or late; what is allowed leaves", (t) => {
  for (const [perSecond, least] of [
    [50, 480],
    [4, 36],
    [1, 9],
    [2.5, 18],
    [0.5, 4],
  ] as const) {
    for (const onBusMs of [() => 0, (n: number) => (n % 7) * 10]) {
      const times = [...leaving(perSecond, onBusMs)].sort((one, other) => one - other);
      const most = Math.max(...times.map((from) => times.filter((at) => at >= from && at < from + 1_000).length));
      t.ok(most <= Math.max(1, perSecond), `${String(perSecond)}/s: ${String(most)} within a second`);
      t.ok(times.length >= least * 0.9, `${String(perSecond)}/s: ${String(times.length)} in 10 s`);
    }
  }
  t.end();
});

test("a frame that never was handed over takes no place, and what is kept back is nobody else's", (t) => {
  const limit = rateLimit(2);
  limit.take(0)?.release();
  const letGo = limit.reserve();
  t.ok(limit.take(0));
  t.notOk(limit.take(0), "kept back");
  t.equal(limit.freeInMs(0), 0);
  const place = limit.take(0, true);
  t.ok(place);
  place?.left(300);
  t.equal(limit.freeInMs(400), 900, "the other is still with the bus");
  letGo();
  t.notOk(limit.take(1_299));
  t.ok(limit.take(1_300));
  t.end();
});
