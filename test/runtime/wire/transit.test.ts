import { test } from "tap";
import { EpochFence, TransitEstimator } from "../../../runtime/wire/index.ts";

test("a message that sat in a stalled buffer is reported late by what it sat there", (t) => {
  const transit = new TransitEstimator();
  const offset = 987_654; // the two clocks' zeros differ
  for (let sent = 0; sent < 1000; sent += 100) t.ok(transit.extraMs("edge", "s1", sent, sent + offset + 20) < 1);
  const late = transit.extraMs("edge", "s1", 1000, 1000 + offset + 20 + 700);
  t.ok(late > 699 && late <= 700, String(late));
  t.end();
});

test("the fastest message of a session sets the measure, each session and peer for itself", (t) => {
  const transit = new TransitEstimator();
  t.equal(transit.extraMs("edge", "s1", 0, 500), 0, "the first is never late");
  t.equal(transit.extraMs("edge", "s1", 100, 150), 0, "a faster one lowers the measure");
  t.ok(transit.extraMs("edge", "s1", 200, 650) > 399);
  t.equal(transit.extraMs("edge", "s2", 0, 10_000), 0);
  t.equal(transit.extraMs("other", "s1", 0, 10_000), 0);
  t.end();
});

test("clocks that drift apart within 500 ppm make nobody late", (t) => {
  const transit = new TransitEstimator();
  for (let sent = 0; sent <= 3_600_000; sent += 5_000) t.equal(transit.extraMs("edge", "s", sent, sent * 1.0004), 0);
  t.end();
});

test("S5. sessions are forgotten beyond the bound, the longest silent first", (t) => {
  const transit = new TransitEstimator({ maxSessions: 2 });
  transit.extraMs("a", "s", 0, 0);
  transit.extraMs("b", "s", 0, 0);
  transit.extraMs("a", "s", 1, 1);
  transit.extraMs("c", "s", 0, 0);
  t.equal(transit.sessions, 2);
  t.ok(transit.extraMs("a", "s", 2, 102) > 99, "a was heard after b and is kept");
  t.equal(transit.extraMs("b", "s", 2, 102), 0, "b was forgotten");
  t.end();
});

test("E1. what comes under an older epoch of its entity's owner is not admitted", (t) => {
  const fence = new EpochFence(2);
  t.ok(fence.admits("acme/vehicle/a", 3));
  t.ok(fence.admits("acme/vehicle/a", 3), "the same owner goes on");
  t.ok(fence.admits("acme/vehicle/b", 1), "each entity by itself");
  t.ok(fence.admits("acme/vehicle/a", 4));
  t.notOk(fence.admits("acme/vehicle/a", 3), "the owner before is fenced");
  t.equal(fence.highest("acme/vehicle/a"), 4);
  t.end();
});
