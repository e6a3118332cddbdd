// The image format of simulated modules, byte by byte, and the two slots that hold images.

import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "tap";
import { type ImageIdentity, makeImage, readImage } from "../../../cli/rig/updates/image.ts";
import { SLOT_BYTES, Slots } from "../../../cli/rig/updates/slots.ts";

const TORRENT: ImageIdentity = { type: "torrent", hardware: "esp32", address: 2, version: [1, 5, 255] };

function slotFolder(t: { teardown(run: () => void): void }): string {
  const dir = mkdtempSync(join(tmpdir(), "slots-"));
  t.teardown(() => {
    rmSync(dir, { recursive: true, force: true });
  });
  return join(dir, "torrent-2");
}

test("an image is its header, a body and the hash of both", (t) => {
  const image = Buffer.from(makeImage(TORRENT, 100));
  t.equal(image.byteLength, 64 + 100 + 32);
  t.equal(
    image.subarray(0, 64).toString("hex"),
    [
      "53494d4657303031", // SIMFW001
      "00000064", // 100 bytes of body
      "02", // address
      "0105ff", // 1.5.255
      "746f7272656e74000000000000000000", // torrent
      "65737033320000000000000000000000", // esp32
      "00000000000000000000000000000000",
    ].join(""),
  );
  t.ok(image.subarray(164).equals(createHash("sha256").update(image.subarray(0, 164)).digest()));
  t.same(readImage(image), { kind: "sound", identity: TORRENT });
  t.ok(Buffer.from(makeImage(TORRENT, 100)).equals(image), "the same in every run");
  t.notOk(
    Buffer.from(makeImage({ ...TORRENT, version: [1, 5, 254] }, 100))
      .subarray(64, 164)
      .equals(image.subarray(64, 164)),
    "another version is other code",
  );
  t.equal(makeImage(TORRENT).byteLength, 64 + 65_536 + 32);
  t.match(readImage(makeImage({ ...TORRENT, type: "a-name-of-16-let", hardware: "x" }, 0)), { kind: "sound", identity: { type: "a-name-of-16-let", hardware: "x" } });
  t.end();
});

test("what is no whole image is unsound, whichever byte is wrong", (t) => {
  const image = makeImage(TORRENT, 300);
  for (let at = 0; at < image.byteLength; at++) {
    const broken = Uint8Array.from(image);
    broken[at] = (broken[at] ?? 0) ^ 1;
    if (readImage(broken).kind !== "unsound") t.fail(`byte ${String(at)}`);
  }
  for (let length = 0; length < image.byteLength; length++) if (readImage(image.subarray(0, length)).kind !== "unsound") t.fail(`${String(length)} bytes`);
  t.match(readImage(image.subarray(0, 200)), { reason: "it has 200 of 396 bytes" });
  t.match(readImage(new Uint8Array(1_000)), { reason: "it begins as no image" });
  t.same(readImage(Buffer.concat([image, Buffer.from("behind it")])), { kind: "sound", identity: TORRENT }, "a slot is longer than its image");
  t.end();
});

test("an identity that the header cannot hold is refused", (t) => {
  for (const wrong of [
    { type: "" },
    { type: "Torrent" },
    { type: "a".repeat(17) },
    { hardware: "esp 32" },
    { address: 256 },
    { address: -1 },
    { version: [1, 2, 300] as const },
    { version: [1, 0.5, 0] as const },
  ])
    t.throws(() => makeImage({ ...TORRENT, ...wrong }), RangeError, JSON.stringify(wrong));
  t.end();
});

test("a new part has its factory image in the first slot, and boots it", (t) => {
  const folder = slotFolder(t);
  const slots = new Slots(folder, TORRENT);
  t.match(slots.boot(), TORRENT);
  t.same(readdirSync(folder).sort(), ["boot.json", "slot-0.bin"]);
  t.match(slots.look(1), { kind: "unsound", reason: "it is empty" });
  t.match(new Slots(folder, { ...TORRENT, version: [9, 9, 9] }).boot(), TORRENT, "its slots are what it is, not its maker's list");
  t.end();
});

test("what is written goes to the slot that does not run, and is chosen only when it is whole (F1, F2)", (t) => {
  const folder = slotFolder(t);
  const slots = new Slots(folder, TORRENT);
  slots.boot();
  const before = readFileSync(join(folder, "slot-0.bin"));
  const next = makeImage({ ...TORRENT, version: [1, 6, 0] });

  const half = slots.begin();
  half.write(next.subarray(0, 30_000));
  t.match(new Slots(folder, TORRENT).boot(), { version: [1, 5, 255] }, "a part that is started now runs the old one");
  half.close();
  t.match(slots.finish("esp32", true), { kind: "unsound", reason: /30000 of 65632 bytes/ });
  t.equal(slots.chosen, 0);

  const whole = slots.begin();
  whole.write(next);
  whole.close();
  t.match(slots.finish("esp32s3", true), { kind: "unsound", reason: "it is built for esp32, this is esp32s3" });
  t.match(slots.finish("esp32", false), { kind: "sound" });
  t.equal(slots.chosen, 0);
  t.match(slots.finish("esp32", true), { kind: "sound", identity: { version: [1, 6, 0] } });
  t.equal(slots.chosen, 1);
  t.ok(readFileSync(join(folder, "slot-0.bin")).equals(before), "what ran was not touched");
  t.match(slots.boot(), { version: [1, 6, 0] });
  t.equal(slots.running, 1);

  const third = slots.begin();
  third.write(makeImage({ ...TORRENT, version: [1, 7, 0] }));
  third.close();
  slots.finish("esp32", true);
  t.match(readImage(readFileSync(join(folder, "slot-0.bin"))), { identity: { version: [1, 7, 0] } }, "then the first one again");
  t.end();
});

test("a slot takes so many bytes and no more", (t) => {
  const slots = new Slots(slotFolder(t), TORRENT);
  slots.boot();
  const writer = slots.begin();
  t.equal(writer.write(new Uint8Array(SLOT_BYTES - 1)), true);
  t.equal(writer.write(new Uint8Array(2)), false);
  t.equal(writer.write(new Uint8Array(1)), true);
  writer.close();
  writer.close();
  t.end();
});

test("a chosen slot that is damaged leaves the other one; with both damaged nothing boots (F3)", (t) => {
  const folder = slotFolder(t);
  const slots = new Slots(folder, TORRENT);
  slots.boot();
  const writer = slots.begin();
  writer.write(makeImage({ ...TORRENT, version: [1, 6, 0] }));
  writer.close();
  slots.finish("esp32", true);
  truncateSync(join(folder, "slot-1.bin"), 60_000);
  t.match(slots.boot(), { version: [1, 5, 255] });
  t.equal(slots.running, 0);
  writeFileSync(join(folder, "slot-0.bin"), "");
  t.equal(slots.boot(), undefined);
  t.equal(new Slots(folder, TORRENT).boot(), undefined, "which is no new part");
  slots.flash(makeImage(TORRENT, 10));
  t.match(slots.boot(), TORRENT, "but can be flashed over the cable");
  writeFileSync(join(folder, "boot.json"), "{");
  t.match(new Slots(folder, TORRENT).chosen, 0);
  t.end();
});
