// Whose doing a change of an output is (rules O2), by what commands of ours were to make of it.

import { test } from "tap";
import { OwnValues } from "../../edge-node/own-values.ts";
import { ManualClock } from "../../runtime/simulation/index.ts";

const LAMP = "torrent-0/galley";

test("O2. a value that shows after the next command was handed over is ours, as the next one's is", (t) => {
  const own = new OwnValues(new ManualClock());
  own.expect(LAMP, "1", 10);
  own.expect(LAMP, "2", 20);
  t.equal(own.take(LAMP, 10), true);
  t.equal(own.take(LAMP, 20), true);
  t.equal(own.take(LAMP, 20), false, "once each");
  t.end();
});

test("O2. what the next command replaced before it showed is ours no more; another's value takes nothing from what is still to come", (t) => {
  const own = new OwnValues(new ManualClock());
  for (const [index, value] of [10, 20, 30, 40].entries()) own.expect(LAMP, String(index), value);
  t.equal(own.take(LAMP, 30), true);
  t.equal(own.take(LAMP, 20), false);
  t.equal(own.take(LAMP, 255), false, "the wall button");
  t.equal(own.take("torrent-0/porch", 40), false, "another output's");
  t.equal(own.take(LAMP, 40), true);
  t.end();
});

test("O2. where the last frame of a show never left, those before it explain what they did", (t) => {
  const own = new OwnValues(new ManualClock());
  for (const value of [255, 0, 255]) own.expect(LAMP, "1", value);
  own.expect(LAMP, "2", 20);
  own.withdrawLast(LAMP, "1");
  own.withdrawLast(LAMP, "3");
  t.equal(own.take(LAMP, 0), true);
  t.equal(own.take(LAMP, 255), false, "the wall button");
  t.equal(own.take(LAMP, 20), true, "another command's");
  t.end();
});

test("O2. a frame that never left explains nothing; after 10 s none does", async (t) => {
  const clock = new ManualClock();
  const own = new OwnValues(clock);
  own.expect(LAMP, "1", 10);
  own.expect(LAMP, "2", 20);
  own.withdraw(LAMP, "1");
  t.equal(own.take(LAMP, 10), false);
  await clock.advance(10_001);
  t.equal(own.take(LAMP, 20), false);
});
