// Times of the rig's clock on ours.

import { test } from "tap";
import { ClockOffset } from "../../../protocols/rig-bus/clock-offset.ts";

test("the least lateness is the offset: what was held up is put back where it belongs", (t) => {
  const offset = new ClockOffset();
  t.equal(offset.toOurs(1000, 5000), 5000, "the first is as late as it seems");
  t.equal(offset.toOurs(1010, 5010), 5010);
  t.equal(Math.round(offset.toOurs(1020, 5070)), 5020, "50 ms in a buffer do not make it later");
  t.equal(Math.round(offset.toOurs(1030, 5070)), 5030);
  t.end();
});

test("a first frame that was late is corrected by those that follow, and nothing goes back, even where the rig does", (t) => {
  const offset = new ClockOffset();
  t.equal(offset.toOurs(1000, 5200), 5200, "200 ms late, and nobody can know");
  t.equal(offset.toOurs(1200, 5201), 5201, "1 ms late: the offset is 4001 now");
  t.equal(Math.round(offset.toOurs(1300, 5450)), 5301);
  t.equal(Math.round(offset.toOurs(900, 5460)), 5301, "a rig's clock that jumped back");
  t.end();
});

test("never in the future, whatever the order of arrivals", (t) => {
  const offset = new ClockOffset();
  let state = 9;
  let last = 0;
  for (let rigMs = 0; rigMs < 20_000; rigMs += 7) {
    state = (state * 1103515245 + 12345) % 2147483648;
    const readAt = Math.max(last, 100_000 + rigMs + (state % 40));
    const ours = offset.toOurs(rigMs, readAt);
    if (ours > readAt || ours < last - 40) t.fail(`${String(ours)} read at ${String(readAt)}`);
    last = readAt;
  }
  t.end();
});

test("a rig whose clock runs slow does not drag us into the past", (t) => {
  const offset = new ClockOffset();
  let worst = 0;
  // 50 ms an hour slower, for 10 hours.
  for (let ours = 0; ours < 36_000_000; ours += 1000) worst = Math.max(worst, ours - offset.toOurs(ours * (1 - 1.4e-5), ours));
  t.ok(worst < 1, `at most ${String(worst)} ms off`);
  t.end();
});

test("a new rig has a new zero", (t) => {
  const offset = new ClockOffset();
  offset.toOurs(900_000, 1_000_000);
  offset.reset();
  t.equal(offset.toOurs(5, 1_000_500), 1_000_500);
  t.equal(offset.toOurs(15, 1_000_510), 1_000_510);
  t.end();
});
