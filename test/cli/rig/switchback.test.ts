// Switchback: relays that can only be toggled.

import { test } from "tap";
import { virtualRig } from "./virtual-rig.ts";

test("a relay flips with every toggle, so a frame sent twice undoes itself", async (t) => {
  const { rig, clock, send, last } = virtualRig();
  await clock.advance(400);
  send(0x25, "0200");
  await clock.advance(40);
  t.equal(last(0x28), "04");
  send(0x25, "0200");
  await clock.advance(40);
  t.equal(last(0x28), "00");
  t.equal(rig.acts.list({ module: "switchback-0", channel: 2 }).length, 2);
  t.same(
    rig.frames.counts({ id: 0x25 }).counts.map(({ data, count }) => ({ data, count })),
    [{ data: "0200", count: 2 }],
  );
  rig.stop();
});

test("8 sets all relays", async (t) => {
  const { rig, clock, send, last } = virtualRig();
  await clock.advance(400);
  send(0x25, "0801");
  await clock.advance(40);
  t.equal(last(0x28), "ff");
  send(0x25, "0800");
  await clock.advance(40);
  t.equal(last(0x28), "00");
  send(0x25, "0900"); // no such command here
  send(0x26, "00"); // another address
  await clock.advance(40);
  t.equal(rig.acts.total, 16);
  rig.stop();
});

test("a wall button is a toggle frame of another node; a local switch shows in the status only", async (t) => {
  const { rig, clock, heard, last } = virtualRig();
  await clock.advance(400);
  rig.wallButton("switchback-0", 1);
  await clock.advance(40);
  t.match(heard(0x25), [{ hex: "0100", by: "tapper" }]);
  t.equal(last(0x28), "02");
  rig.wallButton("switchback-0", 1, "local");
  await clock.advance(40);
  t.equal(heard(0x25).length, 1);
  t.equal(last(0x28), "00");
  t.same(
    rig.acts.list().map((act) => act.cause),
    ["frame", "wall"],
  );
  t.match(rig.frames.log(), [{ id: 0x25, data: "0100", from: "tapper" }]);
  rig.wallButton("torrent-1", 7);
  await clock.advance(40);
  t.match(heard(0x19), [{ hex: "0700", by: "tapper" }]);
  rig.stop();
});

test("toggles-twice: one frame, two flips, and every later status shows the old state", async (t) => {
  const { rig, clock, send, heard } = virtualRig();
  await clock.advance(400);
  rig.setFault("switchback-0", "toggles-twice");
  send(0x25, "0400");
  await clock.advance(6);
  const since = clock.monotonic();
  await clock.advance(200);
  t.equal(rig.acts.total, 2);
  t.ok(heard(0x28, since).every((frame) => frame.hex === "00"));
  rig.setFault("switchback-0", "toggles-twice", false);
  send(0x25, "0400");
  await clock.advance(40);
  t.equal(rig.acts.total, 3);
  rig.stop();
});
