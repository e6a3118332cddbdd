// Every form of a candump -L line, and what a line that is none costs.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "tap";
import { needs } from "../../needs.ts";
import { canData } from "../can/decoded-files.ts";
import { readFile, type ReadFrame, recording } from "./recording.ts";

const FD_DATA = "5A".repeat(64);
const edges: readonly (readonly [string, Partial<ReadFrame>])[] = [
  ["(1700000000.000001) can0 123#", { id: 0x123, data: "", t: 1_700_000_000.000001 }],
  ["(1700000000.000002) can0 00000123#AA", { id: 0x123, ext: 1, data: "AA" }],
  ["(1700000000.000003) can0 1FFFFFFF#0011223344556677", { id: 0x1fff_ffff, ext: 1, data: "0011223344556677" }],
  ["(1700000000.000004) can0 123#R", { id: 0x123, rtr: 1, len: 0 }],
  ["(1700000000.000005) can0 123#R8", { id: 0x123, rtr: 1, len: 8 }],
  ["(1700000000.000006) can0 123##0112233", { fd: 1, flags: 0, data: "112233" }],
  [`(1700000000.000007) can0 123##1${FD_DATA}`, { fd: 1, flags: 1, data: FD_DATA }],
  ["(1700000000.000008) can0 12345678##3", { id: 0x1234_5678, ext: 1, fd: 1, flags: 3, data: "" }],
  ["(1700000000.000009) can0 20000004#0004000000000000", { id: 4, err: 1, data: "0004000000000000" }],
  ["(1700000000.000010) can0 123#1122334455667788_E", { data: "1122334455667788", dlc: 14 }],
  ["(1700000000.000011) vcan-long_name0 7DF#02010C0000000000", { bus: "vcan-long_name0" }],
  ["(0000000000.352000) can0 09F20101#601A00B706670D0B", { id: 0x9f2_0101, ext: 1, t: 0.352 }],
  ["(1700000000.000012) can0 123#AABB R", { dir: "rx" }],
  ["(1700000000.000013) can0 123#AABB T", { dir: "tx" }],
  ["  (1.5)  can1   7ff#aa.bb.cc  \r", { t: 1.5, id: 0x7ff, data: "AABBCC" }],
  ["(1700000000.123456789) can0 123#01", { t: 1_700_000_000.123456789 }],
  ["(7) can0 123#01", { t: 7 }],
];

test("every form of a line is read", async (t) => {
  const { frames, summary } = await readFile(recording(t.testdir(), "edges.log", edges.map(([line]) => line).join("\n")));
  t.equal(frames.length, edges.length);
  edges.forEach(([line, expected], index) => {
    t.match(frames[index], { line: index + 1, ...expected }, line);
  });
  t.match(frames[2], { bus: "can0" });
  t.equal("dir" in (frames[0] ?? {}), false);
  t.match(summary, { lines: edges.length, frames: edges.length, unreadable: 0, cutShort: undefined });
});

test("the edge lines of the large set read as their expected reading says", needs("shared", canData !== undefined), async (t) => {
  const folder = join(canData ?? "shared/data/can", "malformed");
  const expected = JSON.parse(readFileSync(join(folder, "candump_edge_lines.expected.json"), "utf8")) as readonly object[];
  const { frames } = await readFile(join(folder, "candump_edge_lines.log"));
  t.equal(frames.length, expected.length);
  expected.forEach((want, index) => t.match(frames[index], want));
});

test("a line that cannot be read is counted and named, and the rest goes on", async (t) => {
  const bad: readonly (readonly [string, RegExp])[] = [
    ["hello", /expected a time/],
    ["  can0  123   [8]  11 22 33 44 55 66 77 88", /candump -L/],
    ["DROPCOUNT: dropped 3 CAN frames on 'can0' socket (total drops 3)", /frames are missing here/],
    ["(x) can0 123#00", /expected a time/],
    ["(1.0 can0 123#00", /expected a time/],
    ["(1.0)", /name of an interface/],
    ["(1.0) can0", /expected an id/],
    ["(1.0) can0 12#00", /expected an id/],
    ["(1.0) can0 123456789#00", /expected an id/],
    ["(1.0) can0 123 00", /expected an id/],
    ["(1.0) can0 FFF#00", /more than 11 bits/],
    ["(1.0) can0 FFFFFFFF#00", /more than 29 bits/],
    ["(1.0) can0 123#0", /pairs of hex digits/],
    ["(1.0) can0 123#0G", /pairs of hex digits/],
    ["(1.0) can0 123#XY", /pairs of hex digits/],
    ["(1.0) can0 123#001122334455667788", /more than 8 data bytes/],
    [`(1.0) can0 123##0${"00".repeat(65)}`, /more than 64 data bytes/],
    ["(1.0) can0 123##", /hex digit of flags/],
    ["(1.0) can0 123#R9", /more than 8 bytes/],
    ["(1.0) can0 123#00_9", /raw data length code/],
    ["(1.0) can0 123#1122334455667788_8", /raw data length code/],
    ["(1.0) can0 123#00 what", /unexpected text/],
    ["(1.0) can0 45123#81:00:af#1122", /CAN XL/],
    ["\u0000\u0001\u00ff", /expected a time/],
  ];
  const text = bad.flatMap(([line]) => [line, "(2.0) can0 123#01"]).join("\n");
  const folder = t.testdir();
  const { frames, summary } = await readFile(recording(folder, "bad.log", Buffer.from(text, "latin1")));
  t.equal(frames.length, bad.length);
  t.match(summary, { lines: 2 * bad.length, frames: bad.length, unreadable: bad.length });
  t.equal(summary.problems.length, 10, "the first ten are kept");
  t.strictSame(summary.problems[0], { line: 1, problem: "expected a time such as (1700000000.000001)", text: "hello" });
  for (const [line, reason] of bad) {
    const { summary: one } = await readFile(recording(folder, "one.log", Buffer.from(line, "latin1")));
    t.match(one.problems[0]?.problem, reason, line);
    t.notMatch(one.problems[0]?.text, /[^\x20-\x7e]/, "what is quoted can be shown");
  }
});
