// Torrent: what its lamps do for each command.

import { test } from "tap";
import { virtualRig } from "./virtual-rig.ts";

test("brightness sets one output, again without effect, and the next status tells it", async (t) => {
  const { rig, clock, send, heard, last } = virtualRig();
  await clock.advance(400);
  send(0x15, "0380"); // channel 3 to 128
  await clock.advance(1);
  const at = clock.monotonic();
  await clock.advance(40);
  t.ok(heard(0x1b, at).length > 0);
  t.equal(last(0x1b), "0000008000000000");
  t.equal(last(0x1c), "0000000000000000", "torrent-1 is another");
  send(0x15, "0380");
  await clock.advance(40);
  t.equal(rig.acts.total, 1, "set twice, changed once");
  t.match(rig.acts.list()[0], { module: "torrent-0", channel: 3, from: 0, to: 128, cause: "frame" });
  send(0x15, "0300");
  await clock.advance(40);
  t.equal(last(0x1b), "0000000000000000");
  rig.stop();
});

test("toggle flips one output between off and full, 8 and 9 set all", async (t) => {
  const { rig, clock, send, last } = virtualRig();
  await clock.advance(400);
  const after = async (id: number, hex: string): Promise<string | undefined> => {
    send(id, hex);
    await clock.advance(45);
    return last(0x1c);
  };
  t.equal(await after(0x19, "0500"), "0000000000ff0000");
  t.equal(await after(0x19, "05"), "0000000000000000", "one byte is enough");
  t.equal(await after(0x16, "0510"), "0000000000100000");
  t.equal(await after(0x19, "0500"), "0000000000000000", "a dimmed lamp toggles to off");
  t.equal(await after(0x19, "0801"), "ffffffffffffffff");
  t.equal(await after(0x19, "0800"), "0000000000000000");
  t.equal(await after(0x19, "0901"), "ffffffffffffffff");
  t.equal(await after(0x19, "0900"), "ffffffffffffffff", "9 with 0 means nothing");
  t.equal(await after(0x19, "08"), "0000000000000000", "a missing byte reads as 0");
  rig.stop();
});

test("frames that are too short, out of range or of another address change nothing", async (t) => {
  const { rig, clock, send } = virtualRig();
  await clock.advance(400);
  for (const [id, hex] of [
    [0x15, ""],
    [0x15, "03"],
    [0x15, "08ff"],
    [0x15, "ffff"],
    [0x18, ""],
    [0x18, "0a01"],
    [0x18, "0802"],
    [0x17, "03ff"],
    [0x1a, "03"],
    [0x1e, "00"],
    [0x33, "02"],
  ] as const)
    send(id, hex);
  await clock.advance(100);
  t.equal(rig.acts.total, 0);
  t.equal(rig.frames.counts({ id: 0x15, data: "08ff" }).counts[0]?.count, 1, "they were on the bus all the same");
  rig.stop();
});

test("a light show keeps the CAN task: no status meanwhile, commands wait, five at most", async (t) => {
  const { rig, clock, send, heard, last } = virtualRig();
  await clock.advance(400);
  send(0x33, "00");
  await clock.advance(5);
  const begun = clock.monotonic();
  for (let channel = 0; channel < 7; channel++) send(0x15, `0${String(channel)}40`);
  await clock.advance(1900);
  t.equal(heard(0x1b, begun + 1).length, 0);
  t.ok(heard(0x1c, begun + 1).length > 40, "the other one goes on");
  await clock.advance(200);
  t.equal(last(0x1b), "4040404040000000", "five were kept, two were lost");
  rig.stop();
});
