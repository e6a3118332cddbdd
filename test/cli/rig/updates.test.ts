// Updates of simulated modules, at the bytes of the bus, at their upload ports and at their slots' files.

import { readFileSync, statSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { test } from "tap";
import { type ImageIdentity, makeImage, readImage } from "../../../cli/rig/updates/image.ts";
import { chooseUploadPorts } from "../../../cli/rig/updates/rig-updates.ts";
import { settle } from "../../../runtime/simulation/manual-clock.ts";
import { rigFolder, type UpdatingRig, updatingRig } from "./updating-rig.ts";

const NEXT: ImageIdentity = { type: "torrent", hardware: "esp32", address: 1, version: [1, 5, 0] };
const OLD_REPORT = "0a1e06010402";
const NEW_REPORT = "0a1e06010500";
const lost = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? String(error);

/** Triggers torrent-1 and waits for its port. */
async function openedRig(t: Parameters<typeof updatingRig>[0], options: Parameters<typeof updatingRig>[1] = {}): Promise<UpdatingRig> {
  const rig = await updatingRig(t, options);
  await rig.trigger("torrent-1");
  await rig.untilOpen("torrent-1");
  return rig;
}

test("a trigger with a module's MAC opens its port after 3 to 20 s, for 180 s; no other does", async (t) => {
  const rig = await updatingRig(t, { modules: ["therma", "aftline"], clockFactor: 1 });
  for (const other of ["0a1e05", "1e2100", "0a1e", "", "210a1e", "000a1e21"]) rig.send(0x00, other);
  rig.send(0x01, "0a1e21");
  await rig.pass(21_000);
  t.same(rig.of("therma").windows, []);
  t.equal(rig.of("therma").triggers, 0);

  const at = rig.clock.now();
  await rig.trigger("therma");
  await rig.pass(2_900);
  t.equal(await rig.isOpen("therma"), false);
  await rig.untilOpen("therma");
  const openedAfter = (rig.of("therma").windows[0]?.openedAt ?? 0) - at;
  t.ok(openedAfter >= 3_000 && openedAfter <= 20_100, `${String(openedAfter)} ms`);
  t.equal(await rig.isOpen("therma"), true);
  t.equal(await rig.isOpen("aftline"), false);
  await rig.pass(178_500);
  t.equal(await rig.isOpen("therma"), true);
  await rig.pass(1_600);
  t.equal(await rig.isOpen("therma"), false);
  t.match(rig.of("therma").windows, [{ number: 1, triggers: 1, ended: "closed" }]);
  t.same(
    rig.heard(0x04).map(({ hex }) => hex),
    ["0a1e21020001", "0a1e41000903"].sort((a, b) => (rig.heard(0x04)[0]?.hex === a ? -1 : rig.heard(0x04)[0]?.hex === b ? 1 : 0)),
    "nothing was booted",
  );
});

test("Headwaters' form of the trigger, eight bytes, is heard too", async (t) => {
  const rig = await updatingRig(t);
  rig.send(0x00, "0a1e060000000000");
  await rig.pass(5);
  t.match(rig.of("torrent-1"), { triggers: 1, outsideWindows: 0, windows: [{ number: 1 }] });
});

test("when a port opens is decided by seed, module and number alone, and spreads over 3 to 20 s (T4)", async (t) => {
  const delays = async (seed: number, clockFactor: number): Promise<readonly number[]> => {
    const rig = await updatingRig(t, { seed, clockFactor });
    const found: number[] = [];
    for (let round = 0; round < 4; round++) {
      for (const module of ["torrent-0", "torrent-1"]) {
        const at = rig.clock.monotonic();
        await rig.trigger(module);
        while (rig.of(module).windows.at(-1)?.openedAt === undefined) await rig.pass(10);
        found.push(rig.clock.monotonic() - at);
        rig.rig.reboot(module);
        await rig.pass(30);
      }
    }
    return found;
  };
  const ten = await delays(1, 10);
  t.ok(
    ten.every((ms) => ms >= 300 && ms <= 2_030),
    String(ten),
  );
  t.ok(Math.max(...ten) - Math.min(...ten) > 500, String(ten));
  const again = await delays(1, 10);
  t.ok(
    again.every((ms, at) => Math.abs(ms - (ten[at] ?? 0)) <= 20),
    "the same seed, the same times",
  );
  const other = await delays(2, 10);
  t.ok(other.some((ms, at) => Math.abs(ms - (ten[at] ?? 0)) > 50));
  const hundred = await delays(1, 100);
  t.ok(
    hundred.every((ms, at) => ms <= (ten[at] ?? 0) / 10 + 20),
    "the clock factor divides them",
  );
});

test("an upload ends in the other slot, in a reboot after the answer, and in a version report of what is in it", async (t) => {
  const rig = await openedRig(t);
  const image = makeImage(NEXT);
  const running = readFileSync(join(rig.folder, "torrent-1/slot-0.bin"));
  rig.send(0x16, "02ff");
  await rig.pass(50);
  t.equal(rig.last(0x1c), "0000ff0000000000");
  const since = rig.clock.monotonic();
  t.same(await rig.upload("torrent-1", image), { status: 200, text: "OK, rebooting" });
  t.ok(readFileSync(join(rig.folder, "torrent-1/slot-1.bin")).equals(image));
  t.ok(readFileSync(join(rig.folder, "torrent-1/slot-0.bin")).equals(running));
  await rig.pass(90);
  t.same(rig.heard(0x04, since), [], "200 is not a reboot yet");
  t.ok(rig.heard(0x1c, since).length > 1, "the old program runs on until then");
  await rig.pass(60);
  t.match(rig.heard(0x04, since), [{ hex: NEW_REPORT, by: "torrent-1" }]);
  t.equal(await rig.isOpen("torrent-1"), false, "the port went with the program");
  await rig.pass(50);
  t.equal(rig.last(0x1c), "0000000000000000", "lamps are RAM");
  t.match(rig.of("torrent-1"), {
    running: 1,
    chosen: 1,
    windows: [{ ended: "rebooted", triggers: 1, uploads: [{ outcome: "taken", bytes: image.byteLength, receivedBytes: image.byteLength, image: NEXT }] }],
  });
  t.match(rig.rig.moduleState("torrent-1"), { version: "1.5.0" });

  await rig.trigger("torrent-1");
  await rig.untilOpen("torrent-1");
  t.match(await rig.upload("torrent-1", makeImage({ ...NEXT, version: [1, 6, 0] })), { status: 200 });
  await rig.pass(200);
  t.equal(rig.last(0x04), "0a1e06010600");
  t.equal(rig.of("torrent-1").running, 0);
  t.ok(readFileSync(join(rig.folder, "torrent-1/slot-1.bin")).equals(image), "the one before is still there");
});

test("what was uploaded is there when the rig is started again", async (t) => {
  const rig = await openedRig(t);
  await rig.upload("torrent-1", makeImage(NEXT));
  rig.rig.stop();
  const again = await updatingRig(t, { folder: rig.folder });
  t.equal(again.heard(0x04).find(({ by }) => by === "torrent-1")?.hex, NEW_REPORT);
});

test("an image for another address or type is sound: it boots, and speaks as what it is", async (t) => {
  const rig = await openedRig(t);
  t.match(await rig.upload("torrent-1", makeImage({ ...NEXT, address: 2 })), { status: 200 });
  const since = rig.clock.monotonic();
  await rig.pass(300);
  t.equal(rig.last(0x04), NEW_REPORT, "the MAC is the part's");
  t.ok(rig.heard(0x1d, since).length > 3, "status of address 2");
  t.same(rig.heard(0x1c, since + 150), [], "none of address 1");
  rig.send(0x17, "01ff");
  await rig.pass(50);
  t.equal(rig.last(0x1d), "00ff000000000000", "and it hears commands for address 2");

  await rig.trigger("torrent-1");
  await rig.untilOpen("torrent-1");
  t.match(await rig.upload("torrent-1", makeImage({ ...NEXT, type: "reservoir", version: [7, 0, 0] })), { status: 200 });
  await rig.pass(1_500);
  t.equal(rig.last(0x04), "0a1e06070000");
  t.equal(rig.last(0x3e)?.length, 6, "tank levels");
});

test("an image of a type that says nothing on the bus leaves the part dark, until it is flashed", async (t) => {
  const rig = await openedRig(t);
  t.match(await rig.upload("torrent-1", makeImage({ ...NEXT, type: "blink" })), { status: 200 });
  const since = rig.clock.monotonic() + 150;
  await rig.pass(5_000);
  t.same(
    rig.overheard.filter(({ by, at }) => by === "torrent-1" && at > since),
    [],
  );
  await rig.trigger("torrent-1");
  await rig.pass(2_500);
  t.match(rig.of("torrent-1"), { triggers: 2, outsideWindows: 1, windows: [{ number: 1 }] }, "nobody heard the second trigger");
  rig.rig.flash("torrent-1", { version: [2, 0, 0] });
  await rig.pass(100);
  t.equal(rig.last(0x04), "0a1e06020000");
});

test("what is unsound, too long or built for another chip is refused; the old image runs on and the window stays (T2)", async (t) => {
  const rig = await openedRig(t);
  const broken = Buffer.from(makeImage(NEXT));
  broken[20_000] = (broken[20_000] ?? 0) ^ 1;
  for (const [image, text] of [
    [broken, "its hash is not that of its bytes"],
    [makeImage(NEXT).subarray(0, 50_000), "it has 50000 of 65632 bytes"],
    [new Uint8Array(0), "it begins as no image"],
    [Buffer.from("<html>not found</html>"), "this is no image"],
    [makeImage({ ...NEXT, hardware: "esp32s3" }), "it is built for esp32s3, this is esp32"],
    [makeImage(NEXT, 1_572_864), "the slot is full"],
  ] as const)
    t.same(await rig.upload("torrent-1", image), { status: 500, text });
  await rig.pass(300);
  t.match(rig.of("torrent-1"), { chosen: 0, running: 0, windows: [{ triggers: 1 }] });
  t.ok(rig.of("torrent-1").windows[0]?.uploads.every(({ outcome }) => outcome === "refused"));
  t.equal(rig.heard(0x04).filter(({ by }) => by === "torrent-1").length, 1, "it has not rebooted");
  t.match(await rig.upload("torrent-1", makeImage(NEXT)), { status: 200 }, "another upload needs no second trigger");
});

test("the port takes a POST of a known length at /ota, and nothing else", async (t) => {
  const rig = await openedRig(t);
  const image = makeImage(NEXT);
  t.match(await rig.upload("torrent-1", image, { path: "/" }), { status: 404 });
  t.match(await rig.upload("torrent-1", image, { method: "PUT" }), { status: 405 });
  t.match(await rig.upload("torrent-1", image, { chunked: true }), { status: 411 });
  t.match(await rig.upload("torrent-1", image), { status: 200 });
  t.match(await rig.upload("torrent-1", image), { status: 503, text: "rebooting" });
});

test("triggers are counted per module and per window, heard or not (T1)", async (t) => {
  const rig = await updatingRig(t);
  await rig.trigger("torrent-1");
  await rig.trigger("torrent-1");
  await rig.untilOpen("torrent-1");
  await rig.trigger("torrent-1");
  await rig.trigger("torrent-0");
  t.match(rig.of("torrent-1"), { triggers: 3, outsideWindows: 0, windows: [{ number: 1, triggers: 3 }] });
  t.match(rig.of("torrent-0"), { triggers: 1, windows: [{ number: 1, triggers: 1 }] });
  await rig.pass(19_000);
  t.match(rig.of("torrent-1").windows[0], { ended: "closed" });
  await rig.trigger("torrent-1");
  t.match(rig.of("torrent-1"), { triggers: 4, windows: [{ triggers: 3 }, { number: 2, triggers: 1 }] });
  rig.rig.powerOff("torrent-0");
  await rig.trigger("torrent-0");
  t.match(rig.of("torrent-0"), { triggers: 2, outsideWindows: 1, windows: [{ triggers: 1, ended: "power lost" }] });
  rig.rig.setFault("torrent-1", "ignores-commands");
  t.match(rig.rig.frames.counts({ id: 0 }), { total: 6 });
});

test("fault: the port opens when it is told to, or never", async (t) => {
  const rig = await updatingRig(t);
  rig.rig.setUpdateFault("torrent-1", { opensAfterMs: 50_000 });
  await rig.trigger("torrent-1");
  await rig.pass(4_900);
  t.equal(await rig.isOpen("torrent-1"), false);
  await rig.pass(150);
  t.equal(await rig.isOpen("torrent-1"), true);
  rig.rig.reboot("torrent-1");
  rig.rig.setUpdateFault("torrent-1", { opensAfterMs: "never" });
  await rig.pass(100);
  await rig.trigger("torrent-1");
  await rig.pass(2_100);
  t.equal(await rig.isOpen("torrent-1"), false);
  t.match(rig.of("torrent-1").windows, [{ ended: "power lost" }, { ended: "never opened" }]);
  rig.rig.setUpdateFault("torrent-1", { opensAfterMs: undefined });
  await rig.trigger("torrent-1");
  await rig.pass(2_100);
  t.equal(await rig.isOpen("torrent-1"), true, "taken back, it is as any");
});

test("fault: it lies about its version, whatever it runs", async (t) => {
  const rig = await openedRig(t);
  rig.rig.lieAboutVersion("torrent-1");
  await rig.upload("torrent-1", makeImage(NEXT));
  await rig.pass(200);
  t.equal(rig.last(0x04), OLD_REPORT);
  t.match(readImage(readFileSync(join(rig.folder, "torrent-1/slot-1.bin"))), { identity: NEXT });
  t.equal(rig.of("torrent-1").running, 1, "it does run the new one");
  rig.rig.lieAboutVersion("torrent-1", [9, 8, 7]);
  rig.rig.reboot("torrent-1");
  await rig.pass(100);
  t.equal(rig.last(0x04), "0a1e06090807");
  rig.rig.setUpdateFault("torrent-1", { lie: undefined });
  rig.rig.reboot("torrent-1");
  await rig.pass(100);
  t.equal(rig.last(0x04), NEW_REPORT);
});

test("fault: it says 200 and boots what it had", async (t) => {
  const rig = await openedRig(t);
  rig.rig.setUpdateFault("torrent-1", { keepsOldImage: true });
  t.match(await rig.upload("torrent-1", makeImage(NEXT)), { status: 200 });
  const since = rig.clock.monotonic();
  await rig.pass(200);
  t.match(rig.heard(0x04, since), [{ hex: OLD_REPORT }]);
  t.equal(rig.of("torrent-1").running, 0);
});

test("fault: it says 200 and is not heard of again; a reboot by hand brings the new image up", async (t) => {
  const rig = await openedRig(t);
  rig.rig.setUpdateFault("torrent-1", { staysDark: true });
  t.match(await rig.upload("torrent-1", makeImage(NEXT)), { status: 200 });
  await rig.pass(110);
  const since = rig.clock.monotonic();
  await rig.pass(5_000);
  t.same(
    rig.overheard.filter(({ by, at }) => by === "torrent-1" && at > since),
    [],
  );
  rig.rig.reboot("torrent-1");
  await rig.pass(100);
  t.equal(rig.last(0x04), NEW_REPORT);
});

test("fault: it says 200, reports the new version once and hangs; a reboot by hand brings it up", async (t) => {
  const rig = await openedRig(t);
  rig.rig.setUpdateFault("torrent-1", { hangsAtStart: true });
  const since = rig.clock.monotonic();
  t.match(await rig.upload("torrent-1", makeImage(NEXT)), { status: 200 });
  const asked = rig.clock.monotonic();
  await rig.pass(5_000);
  t.match(rig.heard(0x04, since), [{ hex: NEW_REPORT }]);
  const others = (from: number): unknown[] => rig.overheard.filter(({ by, at, id }) => by === "torrent-1" && at > from && id !== 0x04);
  t.same(others(asked + 1_000), []);
  const rebooted = rig.clock.monotonic();
  rig.rig.reboot("torrent-1");
  await rig.pass(5_000);
  t.ok(others(rebooted).length > 0);
});

test("fault: a brown-out or a reset in mid upload leaves half a slot that never boots, and the old image runs on", async (t) => {
  for (const how of ["brown-out", "reset"] as const) {
    const rig = await openedRig(t);
    const image = makeImage(NEXT);
    rig.rig.setUpdateFault("torrent-1", { ending: { how, atPercent: 50, times: 1 } });
    const since = rig.clock.monotonic();
    await t.rejects(rig.upload("torrent-1", image), { code: /ECONNRESET|EPIPE/ }, how);
    t.equal(statSync(join(rig.folder, "torrent-1/slot-1.bin")).size, Math.floor(image.byteLength / 2));
    t.equal(rig.of("torrent-1").chosen, 0);
    await rig.pass(how === "brown-out" ? 140 : 15);
    t.same(
      rig.heard(0x04, since).filter(({ by }) => by === "torrent-1"),
      [],
    );
    await rig.pass(100);
    t.same(
      rig
        .heard(0x04, since)
        .filter(({ by }) => by === "torrent-1")
        .map(({ hex }) => hex),
      [OLD_REPORT],
    );
    t.equal(await rig.isOpen("torrent-1"), false, "a window does not survive it");
    t.match(rig.of("torrent-1").windows, [{ ended: "power lost", uploads: [{ outcome: "cut", receivedBytes: Math.floor(image.byteLength / 2) }] }]);
    await rig.trigger("torrent-1");
    await rig.untilOpen("torrent-1");
    t.match(await rig.upload("torrent-1", image), { status: 200 }, "once only");
    await rig.pass(200);
    t.equal(rig.last(0x04), NEW_REPORT);
  }
});

test("a brown-out of the whole trailer in mid upload does the same", async (t) => {
  const rig = await openedRig(t);
  rig.rig.setUpdateFault("torrent-1", { bytesPerSecond: 1_000 });
  const uploading = rig.upload("torrent-1", makeImage(NEXT)).then(() => "answered", lost);
  while ((rig.of("torrent-1").windows[0]?.uploads[0]?.receivedBytes ?? 0) === 0) await settle();
  rig.rig.brownOut(100);
  t.match(await uploading, /ECONNRESET|EPIPE/);
  const since = rig.clock.monotonic();
  await rig.pass(300);
  t.same(
    rig
      .heard(0x04, since)
      .map(({ hex }) => hex)
      .sort(),
    ["0a1e05010402", OLD_REPORT],
  );
});

test("fault: the connection is cut and the module goes on; it can be uploaded to again in the same window (T2)", async (t) => {
  const rig = await openedRig(t);
  rig.rig.setUpdateFault("torrent-1", { ending: { how: "cut", atPercent: 0, times: 2 } });
  for (let time = 0; time < 2; time++) await t.rejects(rig.upload("torrent-1", makeImage(NEXT)), { code: /ECONNRESET|EPIPE/ });
  t.match(await rig.upload("torrent-1", makeImage(NEXT)), { status: 200 });
  t.match(rig.of("torrent-1"), { triggers: 1, windows: [{ uploads: [{ outcome: "cut" }, { outcome: "cut" }, { outcome: "taken" }] }] });
});

test("fault: it stops reading; its window ends that", async (t) => {
  const rig = await openedRig(t);
  rig.rig.setUpdateFault("torrent-1", { ending: { how: "stall", atPercent: 50, times: 1 } });
  const uploading = rig.upload("torrent-1", makeImage(NEXT)).then(() => "answered", lost);
  while ((rig.of("torrent-1").windows[0]?.uploads[0]?.receivedBytes ?? 0) < 30_000) await settle();
  await rig.pass(18_100);
  t.match(await uploading, /ECONNRESET|EPIPE/);
  t.match(rig.of("torrent-1").windows, [{ ended: "closed", uploads: [{ outcome: "cut" }] }]);
});

test("fault: it reads slowly, by its own clock", async (t) => {
  const rig = await openedRig(t);
  rig.rig.setUpdateFault("torrent-1", { bytesPerSecond: 10_000 });
  const beganAt = rig.clock.monotonic();
  let isOver = false;
  const uploading = rig.upload("torrent-1", makeImage(NEXT)).finally(() => (isOver = true));
  const over = (): boolean => isOver;
  while (!over()) await rig.pass(20);
  t.match(await uploading, { status: 200 });
  const took = rig.clock.monotonic() - beganAt;
  t.ok(took >= 650 && took < 2_000, `65,632 bytes at 10,000/s ten times as fast: ${String(took)} ms`);
});

test("an upload whose sender goes away, and one that the window's end meets, are cut", async (t) => {
  const rig = await openedRig(t);
  const image = makeImage(NEXT);
  const socket = connect(Number(new URL(rig.of("torrent-1").url).port), "127.0.0.1");
  socket.write(`POST /ota HTTP/1.1\r\nHost: x\r\nContent-Length: ${String(image.byteLength)}\r\n\r\n`);
  socket.write(image.subarray(0, 10_000));
  while ((rig.of("torrent-1").windows[0]?.uploads[0]?.receivedBytes ?? 0) < 10_000) await settle();
  socket.destroy();
  while (rig.of("torrent-1").windows[0]?.uploads[0]?.outcome !== "cut") await settle();
  t.equal(rig.of("torrent-1").chosen, 0);
  rig.rig.setUpdateFault("torrent-1", { bytesPerSecond: 100 });
  const uploading = rig.upload("torrent-1", image).then(() => "answered", lost);
  while ((rig.of("torrent-1").windows[0]?.uploads[1]?.receivedBytes ?? 0) === 0) await settle();
  await rig.pass(18_100);
  t.match(await uploading, /ECONNRESET|EPIPE/);
  t.match(rig.of("torrent-1"), { chosen: 0, windows: [{ ended: "closed", uploads: [{ outcome: "cut" }, { outcome: "cut" }] }] });
});

test("a module whose update task holds up its CAN task is silent meanwhile: Solstice", async (t) => {
  const rig = await updatingRig(t, { modules: ["solstice", "torrent-1"] });
  await rig.trigger("solstice");
  const since = rig.clock.monotonic();
  await rig.untilOpen("solstice");
  await rig.pass(1_000);
  t.same(rig.heard(0x23, since + 5), []);
  t.ok(rig.heard(0x1c, since).length > 10);
  t.match(await rig.upload("solstice", makeImage({ type: "solstice", hardware: "esp32s3", address: 0, version: [1, 1, 0] })), { status: 200 });
  await rig.pass(300);
  t.equal(rig.last(0x04), "0a1e31010100");
  t.ok(rig.heard(0x23, since).length > 1, "it speaks again");
});

test("a second part of the same address has slots, a port and a MAC of its own", async (t) => {
  const rig = await updatingRig(t);
  const twin = rig.rig.plugTwin("torrent-1");
  await rig.pass(100);
  t.equal(rig.rig.uploadUrls()[twin], undefined, "not known before it opens");
  rig.send(0x00, "0a1e86");
  await rig.pass(5);
  await rig.untilOpen(twin);
  t.match(rig.of("torrent-1").windows, []);
  t.match(await rig.upload(twin, makeImage(NEXT)), { status: 200 });
  await rig.pass(200);
  t.equal(rig.last(0x04), "0a1e86010500");
  rig.rig.unplug(twin);
  t.throws(() => rig.of(twin), { code: "DROVER_RIG_REFUSED" });
});

test("ports are chosen once for a folder, told by place in its file, and another is taken where one is gone", async (t) => {
  const folder = rigFolder(t);
  const modules = ["torrent-0", "torrent-1", "therma"];
  const chosen = await chooseUploadPorts(folder, modules);
  t.same([...chosen.keys()], modules);
  t.equal(new Set(chosen.values()).size, 3);
  t.ok(
    [...chosen.values()].every((port) => port >= 20_000 && port < 32_768),
    "nobody is given them for an outgoing connection",
  );
  t.same(JSON.parse(readFileSync(join(folder, "upload-urls.json"), "utf8")), Object.fromEntries([...chosen].map(([name, port]) => [name, `http://127.0.0.1:${String(port)}/ota`])));
  t.same(await chooseUploadPorts(folder, modules), chosen);

  const other = createServer();
  await new Promise<void>((resolve) => other.listen(chosen.get("therma"), "127.0.0.1", resolve));
  const moved = await chooseUploadPorts(folder, modules);
  t.equal(moved.get("torrent-0"), chosen.get("torrent-0"));
  t.not(moved.get("therma"), chosen.get("therma"));
  await new Promise((resolve) => other.close(resolve));
  t.same(await chooseUploadPorts(folder, modules), moved);
  writeFileSync(join(folder, "upload-urls.json"), "{");
  t.equal((await chooseUploadPorts(folder, modules)).size, 3);

  const taken = new Set(moved.values());
  const next = await chooseUploadPorts(folder, modules, taken);
  t.same(
    [...next.values()].filter((port) => [...moved.values()].includes(port)),
    [],
    "ports of another rig are closed most of the time, and not chosen all the same",
  );
  t.equal(taken.size, 6);
});

test("a port that somebody else has when it should open opens when it is free", async (t) => {
  const rig = await updatingRig(t);
  const port = Number(new URL(rig.of("torrent-1").url).port);
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(port, "127.0.0.1", resolve));
  await rig.trigger("torrent-1");
  await rig.pass(2_500);
  t.equal(rig.of("torrent-1").windows[0]?.openedAt, undefined);
  await new Promise((resolve) => other.close(resolve));
  await rig.pass(150);
  t.equal(await rig.isOpen("torrent-1"), true);
});
