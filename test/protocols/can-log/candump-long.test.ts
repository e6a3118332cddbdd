// What candump shows on the screen, kept in a file. The forms are those of its source (can-utils, candump.c and lib.c).

import { Readable } from "node:stream";
import { test } from "tap";
import { readLogStream } from "../../../protocols/can-log/index.ts";
import { readAll, readFile, type ReadFrame, recording } from "./recording.ts";

const A = "(1436509052.249713)";
const T = 1_436_509_052.249713;
const FD_BYTES = Array.from({ length: 12 }, (_, at) => at.toString(16).padStart(2, "0").toUpperCase());

test("every form of a line is read", async (t) => {
  const edges: readonly (readonly [string, Partial<ReadFrame>])[] = [
    [` ${A}  vcan0  044   [8]  2A 36 6C 2B BA 00 00 00`, { t: T, bus: "vcan0", id: 0x44, data: "2A366C2BBA000000" }],
    [` ${A}  vcan0       044   [2]  2A 36`, { id: 0x44, data: "2A36" }],
    [` ${A}  vcan0  044   [0] `, { id: 0x44, data: "" }],
    [` ${A}  vcan0  12345678   [1]  FF`, { id: 0x1234_5678, ext: 1, data: "FF" }],
    [` ${A}  vcan0  044   [4]  31 32 20 33               '12 3'`, { data: "31322033" }],
    [` ${A}  vcan0  044   [3]  27 20 27                  '' ''`, { data: "272027" }],
    [` ${A}  vcan0  123   [8]  remote request`, { id: 0x123, rtr: 1, len: 8 }],
    [` ${A}  vcan0  123   [0]  remote request`, { id: 0x123, rtr: 1, len: 0 }],
    [` ${A}  vcan0  20000004   [8]  00 04 00 00 00 00 00 00   ERRORFRAME`, { id: 4, err: 1, data: "0004000000000000" }],
    [` ${A}  vcan0  123  [08]  00 01 02 03 04 05 06 07`, { id: 0x123, fd: 1, flags: 0, data: "0001020304050607" }],
    [` ${A}  vcan0  123  [12]  ${FD_BYTES.join(" ")}`, { fd: 1, data: FD_BYTES.join("") }],
    [` ${A}  vcan0  RX B E  123  [00] `, { fd: 1, flags: 3, data: "", dir: "rx" }],
    [` ${A}  vcan0  TX - -  12345678   [2]  11 22`, { id: 0x1234_5678, ext: 1, data: "1122", dir: "tx" }],
    [` ${A}  vcan0  123   {E}  00 01 02 03 04 05 06 07`, { dlc: 14, data: "0001020304050607" }],
    [` ${A}  vcan0  123   {2}  00 01`, { data: "0001" }],
    [` ${A}  vcan0  123   [3]  33\`22\`11   \`3".\``, { data: "112233" }],
    [` ${A}  vcan0  123   [2]  00000001 10000000`, { data: "0180" }],
    [" (2023-01-31 12:00:00.249713)  vcan0  123   [1]  11", { t: Date.UTC(2023, 0, 31, 12) / 1_000 + 0.249713 }],
    [` (1436509052.249713123)  vcan-long_name0  123   [1]  11`, { t: Number("1436509052.249713123"), bus: "vcan-long_name0" }],
  ];
  const { frames, summary } = await readFile(recording(t.testdir(), "a.txt", edges.map(([line]) => line).join("\r\n")));
  t.equal(summary.unreadable, 0, JSON.stringify(summary.problems));
  edges.forEach(([line, expected], index) => t.match(frames[index], { line: index + 1, ...expected }, line));
  t.equal(frames.length, edges.length);
});

test("lines that explain an error are no frames; what is none is counted and named", async (t) => {
  const bad: readonly (readonly [string, RegExp])[] = [
    ["what", /expected what candump shows/],
    ["  can0  123   [1]  11", /candump -t a, or record with candump -L/],
    ["(x) can0  123   [1]  11", /expected a time/],
    [`${A}  can0  FFF   [1]  11`, /more than 11 bits/],
    [`${A}  can0  FFFFFFFF   [1]  11`, /more than 29 bits/],
    [`${A}  can0  123   [9]  00 11 22 33 44 55 66 77 88`, /length 9 of a classic frame/],
    [`${A}  can0  123  [65]  00`, /length 65 of a CAN FD frame/],
    [`${A}  can0  123   [2]  11`, /expected 2 data bytes/],
    [`${A}  can0  123   [1]  11 22`, /expected 1 data bytes/],
    [`${A}  can0  123   [1]  1G`, /expected 1 data bytes/],
    [`${A}  can0  123  [02]  remote request`, /expected 2 data bytes/],
    ["DROPCOUNT: dropped 3 CAN frames on 'can0' socket (total drops 3)", /frames are missing here/],
  ];
  for (const [line, reason] of bad) {
    const { frames, summary } = await readFile(
      recording(t.testdir(), "a.txt", `${A}  can0  123   [1]  11\n\tprotocol-violation{{}{acknowledge-slot}}\n${line}\n${A}  can0  123   [1]  22\n`),
    );
    t.equal(frames.length, 2, line);
    t.match(summary, { unreadable: 1, problems: [{ line: 3, problem: reason }] }, line);
  }
});

function shown(stamps: readonly number[]): string {
  return stamps.map((stamp) => ` (${stamp.toFixed(6).padStart(10, "0")})  can0  123   [1]  11\n`).join("");
}

test("C1. Small stamps count from the first frame, or from the frame before where they go back and forth", async (t) => {
  const folder = t.testdir();
  const fromBefore = [0, 0.1, 0.002, 0.3, 0.002, 0.1, 0.2, 0.001, 0.4, 0.5];
  const fromFirst = fromBefore.map((_, at) => fromBefore.slice(0, at + 1).reduce((sum, step) => sum + step, 0));
  for (const [name, stamps] of [
    ["-t d", fromBefore],
    ["-t z", fromFirst],
  ] as const) {
    const { frames } = await readFile(recording(folder, "a.txt", shown(stamps)));
    t.ok(
      frames.every((frame, at) => Math.abs(frame.t - (fromFirst[at] ?? 0)) < 1e-9),
      name,
    );
    t.equal(frames.length, stamps.length);
  }
  const even = await readFile(recording(folder, "b.txt", shown([0, 0.1, 0.1, 0.1])));
  t.ok(Math.abs((even.frames[3]?.t ?? 0) - 0.3) < 1e-9, "also where a frame comes at an even pace");
  const nearly = await readFile(recording(folder, "c.txt", shown([0, 0.0002, 0.0001, ...Array.from({ length: 20 }, (_, at) => at + 1)])));
  t.equal(nearly.frames.at(-1)?.t, 20, "two buses a little out of order are no such recording");
});

test("it is judged alike in small pieces; a recording of candump -L with such a line in it stays one", async (t) => {
  const text = shown([0, 0.1, 0.002, 0.3, 0.002, 0.1, 0.2, 0.001, 0.4, 0.5]);
  for (const size of [1, 7, 4_096]) {
    const pieces = Array.from({ length: Math.ceil(text.length / size) }, (_, at) => Buffer.from(text.slice(at * size, (at + 1) * size)));
    const { frames } = await readAll(await readLogStream(Readable.from(pieces), "pieces"));
    t.ok(Math.abs((frames.at(-1)?.t ?? 0) - 1.605) < 1e-9, String(size));
  }
  const { frames, summary } = await readFile(recording(t.testdir(), "a.log", `${A} can0 123#11\n ${A}  can0  123   [1]  11\n${A} can0 123#22\n`));
  t.equal(frames.length, 2);
  t.match(summary, { unreadable: 1, problems: [{ line: 2 }] });
});
