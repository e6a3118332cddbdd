// Keeping an image: once, in pieces, whole or not at all, at a real server.

import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "tap";
import { type Fetch, httpFetch, type ImageProgress, openImageStore, type ImageStore } from "../../../protocols/image-store/index.ts";
import { systemClock } from "../../../runtime/host/index.ts";
import type { Clock } from "../../../runtime/ports/index.ts";
import { cutAfter, imageOf, imageSource, type ImageSource, sha256Of, storeFolder } from "./image-source.ts";

const ports = { clock: systemClock };
const open = (folder: string, maxBytes = 10_000_000): ImageStore => openImageStore({ folder, maxBytes }, ports);
const fetchOf = (source: ImageSource): Fetch => httpFetch({ url: source.url, headers: { authorization: "Bearer t0ken" } }, ports);
const askOf = (source: ImageSource): Parameters<ImageStore["keep"]>[0] => ({
  sha256: source.sha256,
  bytes: source.image.byteLength,
  fetch: fetchOf(source),
  onProgress: ({ keptBytes }) => {
    source.kept(keptBytes);
  },
});

test("an image is downloaded, has its bytes under its final name, and is there the next time", async (t) => {
  const source = await imageSource(t);
  const folder = storeFolder(t);
  const images = open(folder);
  const told: ImageProgress[] = [];
  const outcome = await images.keep({ ...askOf(source), onProgress: (progress) => told.push(progress) });
  t.match(outcome, { kind: "kept", path: join(folder, `${source.sha256}.image`), bytes: 300_000, downloadedBytes: 300_000 });
  t.ok(readFileSync(join(folder, `${source.sha256}.image`)).equals(source.image));
  t.same(readdirSync(folder), [`${source.sha256}.image`], "nothing else is left");
  t.equal(statSync(join(folder, `${source.sha256}.image`)).mode & 0o777, 0o600);
  t.same(told.at(-1), { keptBytes: 300_000, bytes: 300_000 });
  t.ok(told.every(({ keptBytes }, at) => keptBytes > (told[at - 1]?.keptBytes ?? 0)));
  t.match(source.asked, [{ authorization: "Bearer t0ken", "accept-encoding": "identity" }]);
  t.equal(source.asked[0]?.range, undefined);

  t.match(await images.keep(askOf(source)), { kind: "kept", downloadedBytes: 0 });
  t.match(await open(folder).keep(askOf(source)), { kind: "kept", downloadedBytes: 0 }, "a later process finds it");
  t.equal(source.asked.length, 1);
});

test("of several who ask, one downloads (I1)", async (t) => {
  const source = await imageSource(t);
  const images = open(storeFolder(t));
  const told: number[] = [];
  const outcomes = await Promise.all(
    Array.from({ length: 20 }, (_, at) =>
      images.keep({
        ...askOf(source),
        onProgress: ({ keptBytes }) => {
          if (keptBytes === 300_000) told.push(at);
        },
      }),
    ),
  );
  t.ok(outcomes.every((outcome) => outcome.kind === "kept" && outcome.bytes === 300_000));
  t.equal(source.asked.length, 1);
  t.equal(told.length, 20, "each sees its progress");
});

test("a download goes on while anybody waits for it, and ends with the last one; what came stays (I1)", async (t) => {
  const source = await imageSource(t);
  let release = (): void => undefined;
  let closed = (): void => undefined;
  const wasClosed = new Promise<void>((resolve) => (closed = resolve));
  source.script.push((_request, response) => {
    response.writeHead(200, { "content-length": 300_000, etag: source.etag });
    response.write(source.image.subarray(0, 100_000));
    release = () => response.end(source.image.subarray(100_000));
    response.on("close", closed);
  });
  const images = open(storeFolder(t));
  const [first, second] = [new AbortController(), new AbortController()];
  let halfway = (): void => undefined;
  const isHalfway = new Promise<void>((resolve) => (halfway = resolve));
  const one = images.keep({
    ...askOf(source),
    signal: first.signal,
    onProgress: ({ keptBytes }) => {
      if (keptBytes === 100_000) halfway();
    },
  });
  const other = images.keep({ ...askOf(source), signal: second.signal });
  await isHalfway;
  first.abort();
  t.match(await one, { kind: "aborted" });
  t.match(await images.list(), [{ sha256: source.sha256, isWhole: false, isBusy: true }], "it goes on");
  second.abort();
  t.match(await other, { kind: "aborted" });
  await wasClosed;
  release();
  // Asked for again at once, while the former one may still be ending.
  t.match(await images.keep(askOf(source)), { kind: "kept", downloadedBytes: 200_000 });
  t.match(source.asked[1], { range: "bytes=100000-", "if-range": source.etag ?? "" });
});

test("who asks with a signal that was given before, or of a store that is closed, hears it at once", async (t) => {
  const source = await imageSource(t);
  const images = open(storeFolder(t));
  const before = new AbortController();
  before.abort();
  t.match(await images.keep({ ...askOf(source), signal: before.signal }), { kind: "aborted" });
  source.script.push(() => undefined);
  const waiting = images.keep(askOf(source));
  await new Promise((resolve) => setImmediate(resolve));
  await images.close();
  t.match(await waiting, { kind: "aborted" });
  t.match(await images.keep(askOf(source)), { kind: "aborted" });
});

test("after a cut the next ask goes on where it was, also in another process's store", async (t) => {
  const source = await imageSource(t);
  const folder = storeFolder(t);
  source.script.push(cutAfter(source, 120_000), cutAfter(source, 80_000));
  t.match(await open(folder).keep(askOf(source)), { kind: "not-fetched", reason: /^cut: /, isFinal: false, keptBytes: 120_000 });
  t.match(await open(folder).keep(askOf(source)), { kind: "not-fetched", isFinal: false, keptBytes: 200_000 });
  const told: number[] = [];
  t.match(await open(folder).keep({ ...askOf(source), onProgress: ({ keptBytes }) => told.push(keptBytes) }), { kind: "kept", downloadedBytes: 100_000 });
  t.equal(told[0], 200_000, "what is kept already is progress at once");
  t.same(
    source.asked.map(({ range, "if-range": ifRange }) => [range, ifRange]),
    [
      [undefined, undefined],
      ["bytes=120000-", source.etag],
      ["bytes=200000-", source.etag],
    ],
  );
  t.ok(readFileSync(join(folder, `${source.sha256}.image`)).equals(source.image));
});

test("where the source has changed or cannot resume it answers 200, and all of it is taken from its first byte", async (t) => {
  const source = await imageSource(t);
  const folder = storeFolder(t);
  const images = open(folder);
  source.etag = '"v1"';
  source.script.push(cutAfter(source, 120_000));
  t.equal((await images.keep(askOf(source))).kind, "not-fetched");
  source.etag = '"v2"';
  t.match(await images.keep(askOf(source)), { kind: "kept", downloadedBytes: 300_000 });
  t.ok(readFileSync(join(folder, `${source.sha256}.image`)).equals(source.image));
});

test("without an etag the rest is asked for all the same, a weak one is none", async (t) => {
  for (const etag of [undefined, 'W/"v1"']) {
    const source = await imageSource(t);
    source.etag = etag;
    const images = open(storeFolder(t));
    source.script.push(cutAfter(source, 120_000));
    t.equal((await images.keep(askOf(source))).kind, "not-fetched");
    t.match(await images.keep(askOf(source)), { kind: "kept", downloadedBytes: 180_000 });
    t.equal(source.asked[1]?.["if-range"], undefined);
  }
});

test("a part that is damaged is found by its hash, and the image is fetched as a whole (W3)", async (t) => {
  const source = await imageSource(t);
  const folder = storeFolder(t);
  source.script.push(cutAfter(source, 120_000));
  t.equal((await open(folder).keep(askOf(source))).kind, "not-fetched");
  const part = readFileSync(join(folder, `${source.sha256}.part`));
  part.fill(0, 100_000);
  writeFileSync(join(folder, `${source.sha256}.part`), part);
  t.match(await open(folder).keep(askOf(source)), { kind: "kept", downloadedBytes: 480_000 });
  t.ok(readFileSync(join(folder, `${source.sha256}.image`)).equals(source.image));
  t.equal(source.asked.length, 3);
});

test("a part that has all bytes is kept without asking; one that has more is begun again", async (t) => {
  const source = await imageSource(t);
  const folder = storeFolder(t);
  open(folder);
  writeFileSync(join(folder, `${source.sha256}.part`), source.image);
  t.match(await open(folder).keep(askOf(source)), { kind: "kept", downloadedBytes: 0 });
  t.equal(source.asked.length, 0);
  const other = await imageSource(t, imageOf(1_000, 5));
  writeFileSync(join(folder, `${other.sha256}.part`), imageOf(2_000));
  t.match(await open(folder).keep(askOf(other)), { kind: "kept", downloadedBytes: 1_000 });
});

test("what the etag's file has after a power cut is no header", async (t) => {
  const source = await imageSource(t);
  const folder = storeFolder(t);
  source.script.push(cutAfter(source, 120_000));
  t.equal((await open(folder).keep(askOf(source))).kind, "not-fetched");
  writeFileSync(join(folder, `${source.sha256}.etag`), '"v1\r\nx: y"');
  t.match(await open(folder).keep(askOf(source)), { kind: "kept", downloadedBytes: 180_000 });
  t.equal(source.asked[1]?.["if-range"], undefined);
});

test("an image that is not the one that was named is removed, and said to be", async (t) => {
  const source = await imageSource(t);
  const folder = storeFolder(t);
  const images = open(folder);
  const wrong = { ...askOf(source), sha256: sha256Of(imageOf(300_000, 1)) };
  source.etag = `"${wrong.sha256}"`;
  t.match(await images.keep(wrong), { kind: "wrong-image", why: "hash", detail: `its sha256 is ${source.sha256}` });
  t.same(readdirSync(folder), []);
  source.etag = `"${source.sha256}"`;
  t.match(await images.keep({ ...askOf(source), bytes: 299_999 }), { kind: "wrong-image", why: "length", detail: "it has 300000 bytes" });
  t.same(readdirSync(folder), []);
  // A source that does not say its length: too long, too short.
  for (const bytes of [250_000, 350_000]) {
    source.script.push((_request, response) => {
      response.setHeader("etag", source.etag ?? "");
      response.write(source.image);
      response.end();
    });
    t.match(await images.keep({ ...askOf(source), bytes }), { kind: "wrong-image", why: "length" });
    t.same(readdirSync(folder), [], String(bytes));
  }
});

test("who asks for a kept image with another length is told, and it stays", async (t) => {
  const source = await imageSource(t);
  const folder = storeFolder(t);
  const images = open(folder);
  t.equal((await images.keep(askOf(source))).kind, "kept");
  t.match(await images.keep({ ...askOf(source), bytes: 5 }), { kind: "wrong-image", why: "length", detail: "it has 300000 bytes" });
  t.match(await images.list(), [{ sha256: source.sha256, isWhole: true }]);
});

test("an image that was damaged on the card is not handed out, but fetched again (I3)", async (t) => {
  const source = await imageSource(t);
  const folder = storeFolder(t);
  t.equal((await open(folder).keep(askOf(source))).kind, "kept");
  writeFileSync(join(folder, `${source.sha256}.image`), imageOf(300_000, 9));
  const images = open(folder);
  t.match(await images.use(source.sha256, () => Promise.resolve()), { kind: "missing" });
  t.match(await images.keep(askOf(source)), { kind: "kept", downloadedBytes: 300_000 });
  t.match(await images.use(source.sha256, (path) => Promise.resolve(readFileSync(path).equals(source.image))), { kind: "used", value: true });
});

test("room is made by giving up what was used longest ago, never what is used or fetched (I2)", async (t) => {
  const folder = storeFolder(t);
  const images = open(folder, 1_000);
  const sources = await Promise.all([1, 2, 3, 4].map((salt) => imageSource(t, imageOf(400, salt))));
  const [one, two, three, four] = sources as [ImageSource, ImageSource, ImageSource, ImageSource];
  const names = async (): Promise<readonly string[]> => (await images.list()).map(({ sha256 }) => sha256);
  await images.keep(askOf(one));
  await images.keep(askOf(two));
  await images.use(one.sha256, () => Promise.resolve());
  t.equal((await images.keep(askOf(three))).kind, "kept");
  t.same(await names(), [one.sha256, three.sha256], "the second was used longest ago");
  await images.use(one.sha256, async () => {
    await images.use(three.sha256, async () => {
      t.match(await images.keep(askOf(four)), { kind: "no-room", needsBytes: 400, maxBytes: 1_000 });
      t.equal(await images.remove(one.sha256), "busy");
    });
    t.equal((await images.keep(askOf(four))).kind, "kept");
  });
  t.same(
    await names(),
    [one.sha256, four.sha256].sort((a, b) => (a === one.sha256 ? -1 : b === one.sha256 ? 1 : 0)),
    "the third was not in use any more",
  );
  t.match(await images.keep({ ...askOf(one), sha256: "0".repeat(64), bytes: 1_001 }), { kind: "no-room" });
  t.equal(await images.remove(one.sha256), "removed");
  t.equal(await images.remove(one.sha256), "missing");
  t.same(await names(), [four.sha256]);
  t.match(await images.use(one.sha256, () => Promise.resolve()), { kind: "missing" });
});

test("of two that do not fit together one is kept; a part that nobody asks for any more makes room", async (t) => {
  const folder = storeFolder(t);
  const images = open(folder, 1_000);
  const [one, two] = [await imageSource(t, imageOf(600, 1)), await imageSource(t, imageOf(600, 2))];
  let answer = (): void => undefined;
  one.script.push((_request, response) => {
    answer = () => response.end(one.image);
    arrived();
  });
  let arrived = (): void => undefined;
  const isAsked = new Promise<void>((resolve) => (arrived = resolve));
  const first = images.keep(askOf(one));
  await isAsked;
  t.match(await images.keep(askOf(two)), { kind: "no-room" });
  answer();
  t.equal((await first).kind, "kept");
  t.equal(await images.remove(one.sha256), "removed");
  one.script.push(cutAfter(one, 500));
  t.match(await images.keep(askOf(one)), { kind: "not-fetched", keptBytes: 500 });
  t.equal((await images.keep(askOf(two))).kind, "kept");
  t.match(await images.list(), [{ sha256: two.sha256, isWhole: true }]);
});

test("use goes up also when the node's clock goes back (K2)", async (t) => {
  const folder = storeFolder(t);
  let now = 1_800_000_000_000;
  const clock: Clock = {
    now: () => now,
    monotonic: () => systemClock.monotonic(),
    setTimeout: (...timer) => systemClock.setTimeout(...timer),
    clearTimeout: (handle) => {
      systemClock.clearTimeout(handle);
    },
  };
  const images = openImageStore({ folder, maxBytes: 1_000 }, { clock });
  const [one, two] = [await imageSource(t, imageOf(400, 1)), await imageSource(t, imageOf(400, 2))];
  await images.keep(askOf(one));
  now = 0;
  await images.keep(askOf(two));
  t.match(await images.list(), [{ sha256: one.sha256 }, { sha256: two.sha256 }]);
});

test("files that are not the store's stay, and count for nothing", async (t) => {
  const folder = storeFolder(t);
  const images = open(folder, 500);
  writeFileSync(join(folder, "notes.txt"), "x".repeat(10_000));
  const source = await imageSource(t, imageOf(400));
  t.equal((await images.keep(askOf(source))).kind, "kept");
  t.same(readdirSync(folder).sort(), [`${source.sha256}.image`, "notes.txt"].sort());
});

test("what names no image, or no room, is refused", async (t) => {
  const images = open(storeFolder(t));
  const fetch: Fetch = () => Promise.reject(new Error("not asked"));
  for (const sha256 of ["", "../../etc/passwd", "A".repeat(64), "0".repeat(63)])
    await t.rejects(images.keep({ sha256, bytes: 1, fetch }), { code: "DROVER_CONFIG_INVALID", message: /64 lower-case hex/ });
  for (const bytes of [0, -1, 1.5, NaN, Infinity])
    await t.rejects(images.keep({ sha256: "0".repeat(64), bytes, fetch }), { code: "DROVER_CONFIG_INVALID", message: /number of bytes/ });
  t.throws(() => open(storeFolder(t), 0), { code: "DROVER_CONFIG_INVALID" });
  await t.rejects(images.keep({ sha256: "0".repeat(64), bytes: 1, fetch }), { message: "not asked" }, "a fetch that throws is its author's fault");
  t.match(await images.list(), [{ isBusy: false }], "and holds nothing up");
});
