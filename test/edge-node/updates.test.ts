// Updates of modules at the node: what it tells of whether one may begin, the one frame of an attempt, the upload, and what a restart makes of each.

import { test } from "tap";
import { running } from "./desk.ts";
import { BYTES, CONFIG, MADE_FOR, NEW, SHA, updateDesk, type UpdateDesk } from "./update-desk.ts";

const PART = "0a1e05";

const staged =
  (d: UpdateDesk, ...states: readonly string[]) =>
  (): boolean =>
    states.includes(d.campaign()?.state ?? "");
const isUpdate =
  (d: UpdateDesk, ...states: readonly string[]) =>
  (): boolean =>
    states.includes(d.update()?.state ?? "");

test("S8, F1. a module is triggered once, uploaded to, and committed by its own dated version report", async (t) => {
  const d = await updateDesk(t);
  t.match(d.module(), { firmware: "1.4.2", part: "mac:0A1E05", identifiedAt: Number });
  const seen: number[] = [];
  d.car().node.system.watch(() => {
    const { state, progress } = d.update() ?? {};
    if (state === "uploading" && progress !== undefined && progress !== seen.at(-1)) seen.push(progress);
  });
  await d.offer();
  await d.until("it asks", staged(d, "ready"));
  t.same(d.outside.kept, [SHA]);
  t.same(d.triggers(), [], "an offer sends nothing");
  const before = d.at.clock.now();
  await d.go();
  await d.until("it is uploaded to", isUpdate(d, "uploading"));
  t.same(d.triggers(), [PART]);
  t.same(d.outside.awaited, ["http://torrent-0/ota"]);
  await d.until("it has claimed it", isUpdate(d, "claimed", "rebooting", "trial"));
  t.same(seen, [0, 10, 20, 30, 40, 50, 60, 70, 80, 90], "W3: ten per cent a step");
  await d.until("it is on trial", isUpdate(d, "trial"));
  t.match(d.module(), { firmware: NEW, part: "mac:0A1E05" });
  t.ok((d.module().identifiedAt ?? 0) > before, "dated by its frame");
  await d.until("it is committed", staged(d, "committed"), 200_000);
  t.same(d.triggers(), [PART]);
  t.same(d.outside.uploads, ["http://torrent-0/ota"]);
  t.equal(d.car().node.counters().sentFrames, 1, "X1: recorded as any frame");
});

test("V3. what stands in the way is told in words that stay while the reason does: driving, outputs, mute, and a module that is not heard", async (t) => {
  const d = await updateDesk(t);
  const why = (): string | null | undefined => d.campaign()?.why;
  d.rig.drive(60);
  await d.at.clock.advance(5_000);
  await d.offer();
  await d.until("it waits", staged(d, "waiting for safe state"));
  await d.until("why is told", () => why() === "parked is not true");
  d.rig.park();
  await d.until("it asks", staged(d, "ready"), 60_000);

  d.rig.wallButton("torrent-0", 0, "local");
  await d.until("a lamp is on", () => why()?.startsWith("its outputs are on: galley;") === true, 10_000);
  t.equal(d.campaign()?.state, "waiting for safe state");
  const { ask } = d.campaign() ?? {};
  const revision = (): number => d.car().vehicle().revision;
  const before = revision();
  await d.at.clock.advance(10_000);
  t.ok(revision() - before <= 2, `${String(revision() - before)} turns while nothing changed`);
  t.equal(d.campaign()?.ask, ask);
  t.match(await running(d.at, d.car().node.system.ask(d.car().node.vehicle, { type: "update.release", module: "torrent-0" }, { withinMs: 1_000 })), { kind: "replied" });
  await d.until("released", staged(d, "ready"));

  await running(d.at, d.car().node.system.ask(d.car().node.vehicle, { type: "bus.mute", bus: "can0" }, { withinMs: 1_000 }));
  await d.until("muted", () => why() === "sending on can0 is muted");
  await running(d.at, d.car().node.system.ask(d.car().node.vehicle, { type: "bus.unmute", bus: "can0" }, { withinMs: 1_000 }));
  await d.until("open again", staged(d, "ready"));
  d.rig.mute("torrent-0");
  await d.until("not heard", () => why() === "torrent-0 is not heard", 10_000);
  t.same(d.triggers(), []);
});

test("X1. a word to begin that meets a bus just muted sends nothing: it is judged again where the frame is handed over", async (t) => {
  const d = await updateDesk(t);
  await d.offer();
  await d.until("it asks", staged(d, "ready"));
  const go = d.go();
  const mute = d.car().node.system.ask(d.car().node.vehicle, { type: "bus.mute", bus: "can0" }, { withinMs: 1_000 });
  await Promise.all([go, running(d.at, mute)]);
  await d.until("it waits again", staged(d, "waiting for safe state"));
  t.same(d.triggers(), []);
  t.match(d.update(), { state: "postponed", attempt: 0 });
  await running(d.at, d.car().node.system.ask(d.car().node.vehicle, { type: "bus.unmute", bus: "can0" }, { withinMs: 1_000 }));
  await d.until("it asks again", staged(d, "ready"));
  await d.go();
  await d.until("it is committed", staged(d, "committed"), 400_000);
  t.same(d.triggers(), [PART]);
});

test("what a module lacks for an update is refused before anything is fetched or sent, with what is missing", async (t) => {
  const cases = [
    ["not listed", { model: (text: string) => text.replace(/ {2}update\.start:.*\n/, "") }, "torrent-0", /the vehicle's file does not let torrent-0 be updated \(update\.start\)/],
    ["another is listed", { model: (text: string) => text.replace('update.start: { to: "*"', "update.start: { to: torrent-1") }, "torrent-0", /does not let torrent-0/],
    ["no part", { vehicle: (text: string) => text.replace(/ {2}torrent-0: "mac:0A1E05"\n/, "") }, "torrent-0", /does not say which part is in torrent-0/],
    ["no URL", {}, "torrent-1", /does not say where the upload port of torrent-1 opens \(updates\.upload_urls\)/],
    ["no type", {}, "aftline", /does not let aftline be updated/],
    ["no such module", {}, "torrent-9", /has no module torrent-9/],
    ["not configured", { updates: "none" as const }, "torrent-0", /its configuration has no updates/],
  ] as const;
  for (const [name, options, module, why] of cases) {
    const d = await updateDesk(t, options);
    await d.offer([module]);
    await d.until(name, staged(d, "refused"));
    t.match(d.update(module), { state: "refused", why }, name);
    t.same(d.outside.kept, [], name);
    t.same(d.triggers(), [], name);
    await d.car().node.stop();
  }
});

test("W4. an image for another type, hardware or address than the vehicle's own file has in that place is refused before anything is fetched or sent", async (t) => {
  const moved = { model: (text: string) => text.replace(/torrent-0: .*address: 0/, (line) => line.replace("address: 0", "address: 2")) };
  const is = "trailcurrent/torrent on esp32 at address 0";
  const cases = [
    ["type", {}, { ...MADE_FOR, type: "trailcurrent/switchback" }, `the image is for trailcurrent/switchback on esp32 at address 0, and by the vehicle's file torrent-0 is ${is}`],
    ["hardware", {}, { ...MADE_FOR, hardware: "esp32c6" }, `the image is for trailcurrent/torrent on esp32c6 at address 0, and by the vehicle's file torrent-0 is ${is}`],
    ["address", {}, { ...MADE_FOR, address: 1 }, `the image is for trailcurrent/torrent on esp32 at address 1, and by the vehicle's file torrent-0 is ${is}`],
    ["no address", {}, { type: MADE_FOR.type, hardware: MADE_FOR.hardware }, `the image is for trailcurrent/torrent on esp32, and by the vehicle's file torrent-0 is ${is}`],
    ["its file has changed", moved, MADE_FOR, `the image is for ${is}, and by the vehicle's file torrent-0 is trailcurrent/torrent on esp32 at address 2`],
    [
      "its file names no hardware",
      { model: (text: string) => text.replace(/(torrent-0: .*), hardware: esp32/, "$1") },
      MADE_FOR,
      /torrent-0 is trailcurrent\/torrent on hardware that is not named at address 0/,
    ],
  ] as const;
  for (const [name, options, madeFor, why] of cases) {
    const d = await updateDesk(t, options);
    await d.offer(["torrent-0"], { updates: [{ module: "torrent-0", version: NEW, sha256: SHA, bytes: BYTES, madeFor }] });
    await d.until(name, staged(d, "refused"));
    t.match(d.update(), { state: "refused", why }, name);
    t.same([d.outside.kept, d.triggers()], [[], []], name);
    await d.car().node.stop();
  }
});

test("a place without a URL of its own is found under the name by which its part announces itself", async (t) => {
  const d = await updateDesk(t, { updates: { images: CONFIG.images, advertised_url: "http://esp32-{part}.local/ota" } });
  await d.offer();
  await d.until("it asks", staged(d, "ready"));
  await d.go();
  await d.until("it is uploaded to", isUpdate(d, "uploading"));
  t.same(d.outside.awaited, ["http://esp32-0A1E05.local/ota"]);
});

for (const byMs of [-3_600_000, 3_600_000, -700])
  test(`U8. a wall clock that is set by ${String(byMs)} ms during an upload decides nothing`, async (t) => {
    const d = await updateDesk(t);
    await d.offer();
    await d.until("it asks", staged(d, "ready"));
    await d.go();
    await d.until("it is uploaded to", isUpdate(d, "uploading"));
    d.at.clock.jump(byMs);
    await d.until("it is on trial", isUpdate(d, "trial"));
    t.ok(Math.abs((d.module().identifiedAt ?? 0) - d.at.clock.now()) < 60_000, "dated by the clock as it is");
    d.at.clock.jump(-byMs);
    await d.until("it is committed", staged(d, "committed"), 200_000);
    t.same(d.triggers(), [PART]);
    await d.car().node.stop();
  });

test("F1. a node that ends between trigger and upload triggers nothing again; the port that opens says that it left", async (t) => {
  const d = await updateDesk(t);
  d.outside.port = () => new Promise(() => undefined);
  await d.offer();
  await d.until("it asks", staged(d, "ready"));
  await d.go();
  await d.until("it was triggered", isUpdate(d, "awaiting module"));
  d.outside.port = () => ({ kind: "open", afterMs: 0, tries: 1 });
  await d.restart();
  await d.until("it is uploaded to", isUpdate(d, "uploading"));
  t.match(d.update(), { attempt: 1 });
  await d.until("it is committed", staged(d, "committed"), 200_000);
  t.same(d.triggers(), [PART]);
});

test("F1. an upload that the node's end cut off is not begun again within its attempt: the next one has its own trigger, after the window", async (t) => {
  const d = await updateDesk(t);
  const { upload } = d.outside;
  d.outside.upload = () => new Promise(() => undefined);
  await d.offer();
  await d.until("it asks", staged(d, "ready"));
  await d.go();
  await d.until("it is uploaded to", isUpdate(d, "uploading"));
  await d.restart();
  d.outside.upload = upload;
  await d.until("it waits for the window's end", isUpdate(d, "awaiting module"));
  await d.at.clock.advance(150_000);
  t.same(d.triggers(), [PART], "while its window may be open nothing is sent");
  await d.until("it may begin again", staged(d, "ready", "activating"), 60_000);
  if (d.campaign()?.state === "ready") await d.go();
  await d.until("it is committed", staged(d, "committed"), 200_000);
  t.same(d.triggers(), [PART, PART]);
  t.match(d.update(), { attempt: 2 });
});

test("W1. an image that may come later is asked for again; one that never comes ends the update, with the reason", async (t) => {
  const d = await updateDesk(t);
  d.outside.keep = () => ({ kind: "not-fetched", reason: "ECONNREFUSED", isFinal: false, keptBytes: 0 });
  await d.offer();
  await d.until("it rests", () => d.update()?.why === "its image was not fetched: ECONNREFUSED");
  d.outside.keep = () => ({ kind: "not-fetched", reason: "status 401", isFinal: true, status: 401, keptBytes: 0 });
  await d.until("a credential may be mended", () => d.update()?.why === "its image was not fetched: status 401", 60_000);
  d.outside.keep = () => ({ kind: "kept", path: "kept", bytes: BYTES, downloadedBytes: BYTES });
  await d.until("it asks", staged(d, "ready"), 200_000);

  for (const [outcome, why] of [
    [{ kind: "not-fetched", reason: "status 404", isFinal: true, status: 404, keptBytes: 0 }, "the cloud has no such image for this vehicle"],
    [{ kind: "wrong-image", why: "hash", detail: "x" }, "what came is another image: its hash differs"],
    [{ kind: "wrong-image", why: "length", detail: "it has 3 bytes" }, "what came is another image: it has 3 bytes"],
    [{ kind: "no-room", needsBytes: 10, maxBytes: 5 }, "its image has 10 bytes, and the node keeps 5 (updates.images.max_bytes)"],
  ] as const) {
    const other = await updateDesk(t);
    other.outside.keep = () => outcome;
    await other.offer();
    await other.until("it has failed", staged(other, "failed"));
    t.match(other.update(), { state: "failed", attempt: 0, why });
    await other.car().node.stop();
  }
  for (const [outcome, why] of [
    [{ kind: "no-room", needsBytes: 5, maxBytes: 10 }, "other images leave no room for it"],
    [{ kind: "disk-full", detail: "ENOSPC" }, "its image cannot be written: ENOSPC"],
    [{ kind: "disk-failed", detail: "EIO" }, "its image cannot be written: EIO"],
  ] as const) {
    const other = await updateDesk(t);
    other.outside.keep = () => outcome;
    await other.offer();
    await other.until(why, () => other.update()?.why === why);
    t.equal(other.update()?.state, "offered");
    await other.car().node.stop();
  }
});

test("an upload's end is told as it was; an image that is not there any more is fetched again for it", async (t) => {
  for (const [outcome, why] of [
    [{ kind: "refused", status: 500, text: "this is no image", sentBytes: 10, bytes: 20 }, "its module refused the image: 500 this is no image"],
    [{ kind: "refused", status: 503, text: "", sentBytes: 10, bytes: 20 }, "its module refused the image: 503"],
    [{ kind: "cut", why: "closed", detail: "ECONNRESET", sentBytes: 10, bytes: 20 }, "its upload broke off after 10 of 20 bytes: ECONNRESET"],
    [{ kind: "cut", why: "no-answer", detail: "after 1 ms", sentBytes: 20, bytes: 20 }, "all of its image was sent, and its module did not answer: after 1 ms"],
    [{ kind: "no-port", detail: "ECONNREFUSED" }, "its upload port took no connection: ECONNREFUSED"],
    [{ kind: "no-image", detail: "EIO", sentBytes: 0 }, "its image cannot be read: EIO"],
  ] as const) {
    const d = await updateDesk(t);
    d.outside.upload = () => Promise.resolve(outcome);
    d.outside.missing = 1;
    await d.offer();
    await d.until("it asks", staged(d, "ready"));
    await d.go();
    await d.until(why, () => d.update()?.why === why);
    t.equal(d.update()?.state, "awaiting module", "what it came to is the module's to say");
    t.same(d.outside.kept, [SHA, SHA], "fetched again");
    t.same(d.triggers(), [PART]);
    await d.car().node.stop();
  }
});

test("a port that does not open is waited for as long as the window, and said", async (t) => {
  const d = await updateDesk(t);
  d.outside.port = () => ({ kind: "no-port", afterMs: 180_000, tries: 700, cause: "ECONNREFUSED" });
  await d.offer();
  await d.until("it asks", staged(d, "ready"));
  await d.go();
  await d.until("it is told", () => d.update()?.why === "its upload port did not open: ECONNREFUSED");
  t.match(d.car().vehicle().context, { updates: { campaign: { state: "activating" } } });
});

test("F1. a trigger of which no echo came may have left: nothing is sent again until its window has passed", async (t) => {
  const d = await updateDesk(t);
  d.outside.port = () => ({ kind: "no-port", afterMs: 180_000, tries: 700, cause: "ECONNREFUSED" });
  await d.offer();
  await d.until("it asks", staged(d, "ready"));
  d.rig.noAcknowledgement("clients");
  await d.go();
  await d.until("it waits for the port", isUpdate(d, "awaiting module"));
  d.rig.noAcknowledgement("none");
  await d.at.clock.advance(150_000);
  t.match(d.update(), { state: "awaiting module", attempt: 1 });
  t.same(d.triggers(), [], "here it has not left");
  await d.until("its next attempt", () => d.triggers().length === 1, 60_000);
  t.match(d.update(), { attempt: 2 });
});

test("I1. a report that waited unread is dated by its frame, not by when it was read", async (t) => {
  const d = await updateDesk(t);
  const { identifiedAt } = d.module();
  const release = d.car().source.hold();
  d.rig.reboot("torrent-0");
  const saidBy = d.at.clock.now() + 1_000;
  await d.at.clock.advance(5_000);
  release();
  await d.until("it is told", () => d.module().identifiedAt !== identifiedAt);
  t.ok((d.module().identifiedAt ?? Number.NaN) <= saidBy);
});
