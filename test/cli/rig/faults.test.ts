// Faults and stimuli of the rig, as seen on the bus.

import { test } from "tap";
import { virtualRig } from "./virtual-rig.ts";

test("a muted module says nothing, still acts, and speaks again when unmuted", async (t) => {
  const { rig, clock, send, heard } = virtualRig();
  await clock.advance(500);
  rig.mute("torrent-0");
  await clock.advance(1);
  const since = clock.monotonic();
  send(0x15, "01ff");
  await clock.advance(2000);
  t.equal(heard(0x1b, since).length, 0);
  t.match(rig.acts.list(), [{ module: "torrent-0", channel: 1, to: 255 }]);
  rig.unmute("torrent-0");
  const again = clock.monotonic();
  await clock.advance(50);
  t.equal(heard(0x1b, again)[0]?.hex, "00ff000000000000");
  rig.stop();
});

test("a reboot turns lamps off, is silent for a while, then reports the version first", async (t) => {
  const { rig, clock, send, overheard } = virtualRig();
  await clock.advance(500);
  send(0x15, "01ff");
  await clock.advance(40);
  rig.reboot("torrent-0");
  const since = clock.monotonic();
  await clock.advance(600);
  const said = overheard.filter((frame) => frame.by === "torrent-0" && frame.at > since);
  t.match(said[0], { id: 0x04, hex: "0a1e05010402" });
  t.ok((said[0]?.at ?? 0) - since > 200);
  t.equal(said[1]?.hex, "0000000000000000");
  t.match(rig.moduleState("torrent-0"), { boots: 2, power: "running" });
  rig.stop();
});

test("a module that was switched off hears nothing until it is rebooted", async (t) => {
  const { rig, clock, send } = virtualRig();
  await clock.advance(500);
  rig.powerOff("torrent-0");
  send(0x15, "01ff");
  await clock.advance(500);
  t.equal(rig.acts.total, 0);
  t.match(rig.moduleState("torrent-0"), { power: "off" });
  rig.reboot("torrent-0");
  await clock.advance(500);
  send(0x15, "01ff");
  await clock.advance(10);
  t.equal(rig.acts.total, 1);
  rig.stop();
});

test("a brown-out takes all modules down and brings back those that are still there, apart in time", async (t) => {
  const { rig, clock, heard, overheard } = virtualRig();
  await clock.advance(1000);
  rig.brownOut(500);
  rig.unplug("reservoir");
  const since = clock.monotonic();
  await clock.advance(1500);
  t.equal(overheard.filter((frame) => frame.at > since && frame.at < since + 500).length, 0, "silence, but for what was on the wire");
  const back = heard(0x04, since);
  t.equal(back.length, rig.modules.length);
  t.notOk(overheard.some((frame) => frame.by === "reservoir" && frame.at > since));
  t.equal(new Set(back.map((frame) => Math.round(frame.at))).size > 5, true);
  rig.stop();
});

test("ignores-commands: it hears its neighbours, not its masters", async (t) => {
  const { rig, clock, send, last } = virtualRig();
  await clock.advance(500);
  rig.setFault("torrent-0", "ignores-commands");
  rig.setFault("therma", "ignores-commands");
  send(0x15, "01ff");
  send(0x18, "0801");
  send(0x41, "00e1");
  await clock.advance(12_000);
  t.equal(last(0x1b), "0000000000000000");
  t.equal(last(0x3f), "00c80a");
  t.match(last(0x40), /00$/, "Borealis is still heard: no stale sensor");
  rig.setFault("torrent-0", "ignores-commands", false);
  send(0x15, "01ff");
  await clock.advance(40);
  t.equal(last(0x1b), "00ff000000000000");
  rig.stop();
});

test("two modules with one address: both act, both report, with two parts", async (t) => {
  const { rig, clock, send, heard } = virtualRig();
  await clock.advance(500);
  send(0x15, "01ff");
  await clock.advance(40);
  const name = rig.plugTwin("torrent-0");
  await clock.advance(500);
  const since = clock.monotonic();
  await clock.advance(200);
  t.same([...new Set(heard(0x1b, since).map((frame) => frame.hex))].sort(), ["0000000000000000", "00ff000000000000"], "the two disagree");
  t.ok(heard(0x1b, since).length >= 10, "twice as often");
  t.equal(heard(0x04).find((frame) => frame.by === name)?.hex, "0a1e85010402");
  send(0x15, "0540");
  await clock.advance(40);
  t.same(
    rig.acts
      .list({ channel: 5 })
      .map((act) => act.module)
      .sort(),
    ["torrent-0", name],
  );
  rig.unplug(name);
  t.notOk(rig.modules.includes(name));
  rig.stop();
});

test("an old Plateau speaks on 0x30 to 0x32 and takes a gas alarm for its configuration", async (t) => {
  const { rig, clock, heard } = virtualRig();
  const name = rig.plugOldPlateau();
  await clock.advance(5000);
  for (const id of [0x30, 0x31, 0x32]) t.ok(heard(id).length >= 2, `0x${id.toString(16)}`);
  t.match(rig.moduleState(name), { misconfigured: 0, lengthCm: 600 });
  rig.changeWorld({ coPpm: 300 }); // 0x012C: the first byte is 1
  await clock.advance(2500);
  t.match(rig.moduleState(name), { lengthCm: 1000 }); // Rs/R0 of clean air, 1.000, read as 1000 cm
  rig.stop();
});

test("no acknowledgement: nothing is heard, modules fall back to probing, and come back with their version", async (t) => {
  const { rig, clock, heard, overheard } = virtualRig();
  await clock.advance(1000);
  rig.noAcknowledgement("bus");
  await clock.advance(1);
  const since = clock.monotonic();
  await clock.advance(10_000);
  t.same(
    overheard.filter((frame) => frame.at > since),
    [],
  );
  t.match(rig.moduleState("torrent-0"), { probing: true });
  rig.noAcknowledgement("none");
  const back = clock.monotonic();
  await clock.advance(200);
  t.ok(heard(0x04, back).some((frame) => frame.by === "torrent-0"));
  t.ok(heard(0x1b, back).length > 5);
  t.match(rig.moduleState("torrent-0"), { probing: false });
  rig.stop();
});

test("driving shows in speed and place, parking in their noise", async (t) => {
  const { rig, clock, last } = virtualRig();
  const knots = (): number => Number.parseInt(last(0x07)?.slice(2, 6) ?? "", 16) / 100;
  await clock.advance(1500);
  t.ok(knots() < 0.31, "at rest a receiver shows a slow walk");
  const parked = last(0x09);
  rig.drive(90, 90);
  await clock.advance(60_000);
  t.ok(Math.abs(knots() - 48.6) < 0.3, `${String(knots())} kn`);
  const west = (hex: string | undefined): number => Number.parseInt(hex?.slice(10, 16) ?? "", 16) / 10_000;
  // 1.5 km at 44.46° north are 0.0189° of longitude, eastward from 110.8281 west.
  t.ok(Math.abs(west(parked) - west(last(0x09)) - 0.0189) < 0.001, `${String(west(parked))} -> ${String(west(last(0x09)))}`);
  rig.park();
  await clock.advance(2000);
  t.ok(knots() < 0.31);
  rig.stop();
});

test("the trailer plug is told at once", async (t) => {
  const { rig, clock, heard, last } = virtualRig();
  await clock.advance(1500);
  t.equal(last(0x3a), "000000");
  rig.plugTrailer(true);
  const since = clock.monotonic();
  await clock.advance(60);
  t.equal(heard(0x3a, since)[0]?.hex, "803520");
  rig.plugTrailer(false);
  await clock.advance(60);
  t.equal(last(0x3a), "000000");
  rig.stop();
});

test("lamps draw from the battery, the sun fills it", async (t) => {
  const { rig, clock, send, last } = virtualRig();
  rig.changeWorld({ sunlight: 0, cabinC: 20, outsideC: 20 });
  await clock.advance(2500);
  const watts = (): number => (last(0x24)?.startsWith("ff") === true ? -1 : 1) * Number.parseInt(last(0x24)?.slice(2, 6) ?? "", 16);
  t.equal(watts(), -14, "the base load, discharging");
  t.match(last(0x23), /^0c..01/, "12 V and discharging");
  send(0x18, "0801");
  await clock.advance(1500);
  t.equal(watts(), -86, "eight lamps of 9 W");
  rig.changeWorld({ sunlight: 1 });
  await clock.advance(1500);
  t.equal(watts(), 234);
  t.match(last(0x24), /ffff$/, "never empty while it charges");
  t.match(last(0x2c), /03$/, "bulk");
  t.match(last(0x23), /^....00/);
  rig.stop();
});

test("the pump empties the fresh tank in steps of a quarter", async (t) => {
  const { rig, clock, send, last } = virtualRig();
  rig.changeWorld({ freshPercent: 50.3 });
  await clock.advance(1500);
  t.equal(last(0x3e), "321919");
  send(0x25, "0000");
  await clock.advance(10_000);
  t.equal(last(0x3e), "191919");
  rig.stop();
});

test("unknown modules, switches that do not exist and second twins are refused by name", (t) => {
  const { rig } = virtualRig();
  t.throws(
    () => {
      rig.mute("toaster");
    },
    { code: "DROVER_RIG_REFUSED", message: /no module "toaster"; known: bearing/ },
  );
  t.throws(
    () => {
      rig.wallButton("therma", 0);
    },
    { code: "DROVER_RIG_REFUSED" },
  );
  t.throws(
    () => {
      rig.wallButton("torrent-0", 8);
    },
    { code: "DROVER_RIG_REFUSED" },
  );
  rig.plugTwin("therma");
  t.throws(() => rig.plugTwin("therma"), { code: "DROVER_RIG_REFUSED" });
  rig.stop();
  t.end();
});
