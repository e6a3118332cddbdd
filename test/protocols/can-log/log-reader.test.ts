// Recordings as files: compressed or not, cut short, without end, of a foreign format, or not there.

import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { test } from "tap";
import { createFrameBatch } from "../../../protocols/can/index.ts";
import { openLog, readLogStream } from "../../../protocols/can-log/index.ts";
import { readAll, readFile, recording } from "./recording.ts";

function lines(count: number): string {
  return Array.from({ length: count }, (_, index) => `(${index}.000000) can${index % 3} 123#${(index & 0xff).toString(16).padStart(2, "0")}\n`).join("");
}

test("a gzipped recording is read like the plain one, told by its content", async (t) => {
  const folder = t.testdir();
  const plain = await readFile(recording(folder, "a.log", lines(20_000)), 512);
  const packed = await readFile(recording(folder, "b.log", gzipSync(lines(20_000))), 512);
  t.equal(plain.frames.length, 20_000);
  t.strictSame(packed.frames, plain.frames);
  t.strictSame(
    plain.fills.slice(0, -1).filter((count) => count !== 512),
    [],
    "batches are full but the last",
  );
});

test("a recording whose compression breaks off gives what came before, and says so", async (t) => {
  const whole = gzipSync(lines(20_000));
  const { frames, summary } = await readFile(recording(t.testdir(), "cut.log.gz", whole.subarray(0, whole.length >> 1)), 512);
  t.ok(frames.length > 1_000 && frames.length < 20_000, `${frames.length} frames`);
  t.type(summary.cutShort, "string");
});

test("all that was unpacked before a damage is read: a wrong checksum and bytes behind the end cost no frame", async (t) => {
  const folder = t.testdir();
  const text = lines(20_000);
  const whole = gzipSync(text);
  const wrongChecksum = Buffer.from(whole);
  wrongChecksum.fill(0, whole.length - 8, whole.length - 4);
  for (const [name, bytes, why] of [
    ["checksum", wrongChecksum, /checksum/],
    ["behind", Buffer.concat([whole, Buffer.from("trailing garbage\n")]), /foreign bytes/],
    ["a second member that is none", Buffer.concat([whole, Buffer.from([0x1f, 0x8b, 8])]), /breaks off/],
    ["no trailer", whole.subarray(0, -3), /breaks off/],
  ] as const) {
    const { frames, summary } = await readFile(recording(folder, "a.gz", bytes), 512);
    t.equal(frames.length, 20_000, name);
    t.match(summary, { unreadable: 0, cutShort: why }, name);
  }
  for (const [name, bytes] of [
    ["two members", Buffer.concat([gzipSync(text.slice(0, 100_003)), gzipSync(text.slice(100_003))])],
    ["padding", Buffer.concat([whole, Buffer.alloc(512)])],
    ["all fields of a header", withHeaderFields(whole)],
  ] as const) {
    const { frames, summary } = await readAll(await readLogStream(Readable.from([...pieces(bytes, 777)]), name), 512);
    t.equal(frames.length, 20_000, name);
    t.equal(summary.cutShort, undefined, name);
  }
});

test("damage inside the data costs what stands right before it; the line that it cuts is no line", async (t) => {
  const folder = t.testdir();
  const text = lines(60_000);
  const whole = gzipSync(text);
  const known = new Set(text.split("\n"));
  for (const cut of [whole.length >> 1, whole.length - 1_000, 30]) {
    const { frames, summary } = await readFile(recording(folder, "cut.gz", whole.subarray(0, cut)), 512);
    t.equal(summary.unreadable, 0);
    t.type(summary.cutShort, "string");
    t.ok(
      frames.every((frame) => known.has(`(${frame.t}.000000) ${frame.bus} 123#${(frame.data ?? "").toLowerCase()}`)),
      "no half line is a frame",
    );
    t.ok(frames.length > (60_000 * (cut - 4_096)) / whole.length, `${frames.length} frames of ${cut} bytes`);
  }
  const damaged = Buffer.from(whole);
  damaged.fill(0xff, whole.length >> 1, (whole.length >> 1) + 64);
  const { frames, summary } = await readFile(recording(folder, "bad.gz", damaged), 512);
  t.type(summary.cutShort, "string");
  t.ok(frames.length > 25_000, `${frames.length} frames`);
});

function* pieces(bytes: Buffer, size: number): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** The same data behind a header with extra bytes, a name, a comment and a checksum of its own. */
function withHeaderFields(packed: Buffer): Buffer {
  const head = Buffer.from(packed.subarray(0, 10));
  head[3] = 2 + 4 + 8 + 16;
  return Buffer.concat([head, Buffer.from([3, 0, 1, 2, 3]), Buffer.from("a.log\0a comment\0"), Buffer.from([0, 0]), packed.subarray(10)]);
}

test("chunks may break anywhere, lines may end in CR LF, the last line may lack its end", async (t) => {
  const text = lines(50).replaceAll("\n", "\r\n").slice(0, -2);
  for (const size of [1, 7, 64]) {
    const chunks = Array.from({ length: Math.ceil(text.length / size) }, (_, at) => Buffer.from(text.slice(at * size, (at + 1) * size)));
    const { frames, summary } = await readAll(await readLogStream(Readable.from(chunks), "chunks"), 8);
    t.equal(frames.length, 50);
    t.equal(frames[49]?.line, 50);
    t.equal(summary.unreadable, 0);
  }
});

test("a line without end is skipped without being held", async (t) => {
  async function* endless(): AsyncGenerator<Buffer> {
    yield Buffer.from(lines(1));
    for (let chunk = 0; chunk < 200; chunk++) yield Buffer.alloc(65_536, 0x41);
    yield Buffer.from(`\n${"B".repeat(5_000)}\n${lines(2)}`);
  }
  const before = process.memoryUsage().arrayBuffers;
  const { frames, summary } = await readAll(await readLogStream(Readable.from(endless()), "endless"));
  t.strictSame(
    frames.map((frame) => frame.line),
    [1, 4, 5],
  );
  t.equal(summary.unreadable, 2);
  t.match(summary.problems[0], { line: 2, problem: /longer than any frame/ });
  t.ok(process.memoryUsage().arrayBuffers - before < 32 * 1024 * 1024);
});

test("more bus names than an index holds cost their lines only", async (t) => {
  const text = Array.from({ length: 300 }, (_, index) => `(1.0) bus${index} 123#00\n`).join("");
  const { frames, summary } = await readFile(recording(t.testdir(), "buses.log", text), 512);
  t.equal(frames.length, 255);
  t.equal(summary.unreadable, 45);
});

test("a time that no clock shows makes its line unreadable, in both formats", async (t) => {
  const folder = t.testdir();
  const huge = "9".repeat(400);
  const dump = await readFile(recording(folder, "a.log", `(${huge}.0) can0 123#01\n(1.5) can0 123#02\n(1e9) can0 123#02\n(100000000001) can0 123#02\n`));
  t.strictSame(
    dump.frames.map((frame) => frame.t),
    [1.5],
  );
  t.match(dump.summary, { unreadable: 3, problems: [{ line: 1, problem: /beyond every clock/ }, { line: 3, problem: /expected a time/ }, { line: 4 }] });
  const rows = `;$FILEVERSION=1.1\n;$STARTTIME=${huge}.5\n    1)  16.0  Rx  0123  1  01\n    2)  ${huge}.0  Rx  0123  1  01\n`;
  const trc = await readFile(recording(folder, "a.trc", rows));
  t.strictSame(
    trc.frames.map((frame) => frame.t),
    [0.016],
  );
  t.match(trc.summary, { unreadable: 2, problems: [{ line: 2 }, { line: 4 }] });
});

test("a byte order mark is no part of the first line; names of buses are UTF-8, else Latin-1", async (t) => {
  const folder = t.testdir();
  const marked = await readFile(recording(folder, "a.log", "\ufeff(1.0) can0 123#01\n(2.0) kühler 123#01\n"));
  t.strictSame(
    marked.frames.map((frame) => frame.bus),
    ["can0", "kühler"],
  );
  const latin = await readFile(recording(folder, "b.log", Buffer.from("(2.0) k\u00fchler 123#01\n", "latin1")));
  t.equal(latin.frames[0]?.bus, "kühler");
  const rows = await readFile(recording(folder, "a.trc", "\ufeff;$FILEVERSION=1.1\n    1)  16.0  Rx  0123  1  01\n"));
  t.equal(rows.frames.length, 1);
});

test("what is not there, is a folder, or is of a foreign format is refused by name", async (t) => {
  const folder = t.testdir();
  await t.rejects(openLog(`${folder}/nothing.log`), { code: "DROVER_FILE_UNREADABLE", message: /nothing\.log/ });
  await t.rejects(openLog(folder), { code: "DROVER_FILE_UNREADABLE", message: /folder/ });
  await t.rejects(openLog(recording(folder, "a.mf3", "MDF     3.30")), { code: "DROVER_CAN_LOG_INVALID", message: /MDF/ });
});

test("L2. A recording cut in the middle of a line gives all lines before it, and says where it breaks off; a last line that is whole is read", async (t) => {
  const folder = t.testdir();
  const head = "date Sat Sep 30 15:06:13.191 2017\nbase hex  timestamps absolute\n";
  for (const [name, whole, cut] of [
    ["candump", "(1.0) can0 123#01\n(2.0) can0 123#02", "\n(3.0) can0 12"],
    ["TRC", ";$FILEVERSION=1.1\n1) 16.0 Rx 0123 1 01\n2) 16.0 Rx 0123 1 01", "\n3) 16.0 Rx 0123 2 01"],
    ["ASC", `${head}1.0 1 123 Rx d 1 01\n2.0 1 123 Rx d 1 01`, "\n3.0 1 123 Rx"],
  ] as const) {
    const lines = whole.split("\n").length;
    t.match((await readFile(recording(folder, "a", whole))).summary, { frames: 2, unreadable: 0, cutShort: undefined }, name);
    const { summary } = await readFile(recording(folder, "b", whole + cut));
    t.match(summary, { frames: 2, unreadable: 1, problems: [{ line: lines + 1 }], cutShort: `it breaks off in the middle of line ${String(lines + 1)}` }, name);
    t.match((await readFile(recording(folder, "c", `${whole}${cut}\n`))).summary, { frames: 2, unreadable: 1, cutShort: undefined }, `${name}: its line end is there`);
  }
});

test("an empty recording has no frames; a reader that was closed gives none", async (t) => {
  const folder = t.testdir();
  const { frames, summary } = await readFile(recording(folder, "empty.log", ""));
  t.equal(frames.length, 0);
  t.match(summary, { lines: 0, unreadable: 0, cutShort: undefined });
  const reader = await openLog(recording(folder, "some.log", lines(5_000)));
  await reader.fill(createFrameBatch(2));
  await reader.close();
  t.equal(await reader.fill(createFrameBatch(2)), 0);
});
