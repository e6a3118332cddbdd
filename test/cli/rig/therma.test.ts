// Therma: owner of its set point.

import { test } from "tap";
import { memoryNonVolatile } from "../../../cli/rig/non-volatile.ts";
import { virtualRig } from "./virtual-rig.ts";

test("a request within 5.0..35.0 is taken, told at once and kept; any other changes nothing", async (t) => {
  const { rig, clock, send, heard, last } = virtualRig();
  await clock.advance(1500);
  t.equal(last(0x3f), "00c80a", "20.0 °C and 1.0 K from the factory");
  send(0x41, "00e1"); // 22.5
  const asked = clock.monotonic();
  await clock.advance(2);
  t.match(heard(0x3f, asked), [{ hex: "00e10a" }], "the authoritative value, not a second later");
  const told = heard(0x3f).length;
  for (const hex of ["0031", "015f", "ff00", "7fff", "8000", "00", ""]) send(0x41, hex); // 4.9, 35.1, -25.6, far off, too short
  await clock.advance(5);
  t.equal(heard(0x3f).length, told);
  send(0x41, "00e1");
  await clock.advance(5);
  t.equal(heard(0x3f).length, told, "the same again is no change");
  for (const [hex, value] of [
    ["0032", "0032"],
    ["015e", "015e"],
  ] as const) {
    send(0x41, hex); // exactly 5.0 and 35.0
    await clock.advance(5);
    t.equal(last(0x3f), `${value}0a`);
  }
  rig.stop();
});

test("the deadband is taken in 0.1..5.0", async (t) => {
  const { rig, clock, send, last } = virtualRig();
  await clock.advance(1500);
  for (const [hex, shown] of [
    ["00", "0a"],
    ["33", "0a"],
    ["01", "01"],
    ["32", "32"],
  ] as const) {
    send(0x42, hex);
    await clock.advance(5);
    t.equal(last(0x3f), `00c8${shown}`, hex);
  }
  rig.stop();
});

test("the set point outlives power loss, what a Torrent shows does not", async (t) => {
  const { rig, clock, send, last } = virtualRig();
  await clock.advance(1500);
  send(0x41, "0096"); // 15.0
  send(0x15, "00ff");
  await clock.advance(40);
  t.equal(last(0x1b), "ff00000000000000");
  rig.brownOut();
  await clock.advance(2000);
  t.equal(last(0x3f), "00960a");
  t.equal(last(0x1b), "0000000000000000");
  t.match(rig.acts.list({ module: "torrent-0" }).at(-1), { channel: 0, from: 255, to: 0, cause: "power" });
  rig.stop();
});

test("a worn flash cell counts as none", async (t) => {
  const { rig, clock, last } = virtualRig({ nonVolatile: memoryNonVolatile(new Map([["therma/setpoint", 9999]])) });
  await clock.advance(1500);
  t.equal(last(0x3f), "00c80a");
  rig.stop();
});

test("it heats below the band, stops at the set point, and cools above the band", async (t) => {
  const { rig, clock, last } = virtualRig();
  rig.changeWorld({ cabinC: 18, outsideC: 18 });
  await clock.advance(3000);
  t.equal(last(0x40)?.slice(0, 2), "01", "18 is more than 1 K below 20: heat");
  t.equal(last(0x40)?.slice(6, 8), "01", "the heater's feedback");
  rig.changeWorld({ cabinC: 20 });
  await clock.advance(3000);
  t.equal(last(0x40), "0000c8000000", "idle at 20.0, no relay, no fault");
  rig.changeWorld({ cabinC: 23 });
  await clock.advance(3000);
  t.match(last(0x40), /^0200e60001/, "23.0: cool");
  rig.stop();
});

test("without Borealis for 10 s it idles and reports its sensor stale", async (t) => {
  const { rig, clock, last } = virtualRig();
  rig.changeWorld({ cabinC: 15, outsideC: 15 });
  await clock.advance(3000);
  t.match(last(0x40), /^01.{8}00$/);
  rig.mute("borealis");
  await clock.advance(9000);
  t.match(last(0x40), /^01.{8}00$/, "a little old is good enough");
  await clock.advance(3500);
  t.match(last(0x40), /^00.{4}000001$/, "idle, relays off, fault bit 0");
  rig.unmute("borealis");
  await clock.advance(3000);
  t.match(last(0x40), /^01.{8}00$/);
  rig.stop();
});

test("a stuck relay is a mismatch between mode and feedback", async (t) => {
  const { rig, clock, last } = virtualRig();
  rig.changeWorld({ cabinC: 15, outsideC: 15 });
  await clock.advance(3000);
  rig.setFault("therma", "heater-stuck");
  rig.changeWorld({ cabinC: 20 });
  await clock.advance(3000);
  t.equal(last(0x40), "0000c8010002", "idle, heater still on, fault bit 1");
  rig.stop();
});
