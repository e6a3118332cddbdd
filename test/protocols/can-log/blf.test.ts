// Vector BLF recordings: containers, objects, and what a damaged one costs.
//
// The format has no public description. Its facts are those of public readers; what it comes to was compared with python-can 4.6.1: the six .blf files of its own tests, and the 135,468 frames of a real
// recording that its writer made a BLF file of, gave the same frames.

import { join } from "node:path";
import { test } from "tap";
import { needs } from "../../needs.ts";
import { canData } from "../can/decoded-files.ts";
import { blfFile, classic, container, fd, fd64, object } from "./blf-files.ts";
import { readFile, recording } from "./recording.ts";

const START = [2017, 9, 6, 30, 15, 6, 13, 500];
const START_S = Date.UTC(2017, 8, 30, 15, 6, 13, 500) / 1_000;
const BYTES = Array.from({ length: 12 }, (_, at) => at + 1);
const HEX = "0102030405060708090A0B0C";
const OBJECTS = [
  object(1, 1_000_000_000n, classic(1, 0x123, [1, 2])),
  object(86, 100_000n, classic(2, 0x8000_0123, [1], { flags: 1 }), 1),
  object(1, 2_000_000_000n, classic(1, 0x123, [], { flags: 0x80, dlc: 4 })),
  object(115, 2_000_000_000n, Buffer.from("LOBJ-like text of a marker")),
  object(1, 2_000_000_000n, classic(1, 0x123, [1, 2, 3, 4, 5, 6, 7, 8], { dlc: 13 })),
  object(100, 2_000_000_000n, fd(3, 0x123, 9, BYTES, { fdFlags: 3 })),
  object(101, 2_000_000_000n, fd64(3, 0x8000_0123, 9, BYTES, { flags: 0x5000, sent: 1, behind: 7 })),
  object(101, 2_000_000_000n, fd64(3, 0x123, 9, [1, 2], { said: 12, behind: 10 })),
  object(101, 2_000_000_000n, fd64(3, 0x123, 5, [], { flags: 0x10 })),
  object(73, 2_000_000_000n, Buffer.concat([Buffer.from([4, 0]), Buffer.alloc(30)])),
];
const READ = [
  { t: START_S + 1, bus: "can1", id: 0x123, data: "0102", dir: "rx" },
  { t: START_S + 1, bus: "can2", id: 0x123, ext: 1, data: "01", dir: "tx" },
  { bus: "can1", id: 0x123, rtr: 1, len: 4 },
  { data: "0102030405060708", dlc: 13 },
  { bus: "can3", fd: 1, flags: 1, data: HEX },
  { bus: "can3", ext: 1, fd: 1, flags: 2, data: HEX, dir: "tx" },
  { fd: 1, flags: 0, data: "010200000000000000000000" },
  { rtr: 1, len: 5 },
  { t: START_S + 2, bus: "can4", id: 0x80, err: 1 },
];

test("objects of every kind are read, packed or not, however they are spread over containers", async (t) => {
  const all = Buffer.concat(OBJECTS);
  const spread = (size: number): readonly Buffer[] => Array.from({ length: Math.ceil(all.length / size) }, (_, at) => container(all.subarray(at * size, (at + 1) * size)));
  for (const [name, objects] of [
    ["in one container", [container(all)]],
    ["in one that is not packed", [container(all, 0)]],
    ["without containers", OBJECTS],
    ["over containers of 100 bytes", spread(100)],
    ["over containers of 7 bytes", spread(7)],
  ] as const) {
    const { frames, summary } = await readFile(recording(t.testdir(), "a.blf", blfFile(START, ...objects)), 4);
    t.match(summary, { unreadable: 0, frames: READ.length, cutShort: undefined }, `${name}: ${JSON.stringify(summary)}`);
    t.match(frames, READ, name);
  }
});

test("V1. A container that cannot be unpacked costs what it holds, and objects that begin in it", async (t) => {
  const some = container(Buffer.concat(OBJECTS.slice(0, 3)));
  const broken = container(Buffer.concat(OBJECTS));
  broken.fill(0xff, 40, 60);
  const { frames, summary } = await readFile(
    recording(t.testdir(), "a.blf", blfFile(START, some, broken, container(Buffer.concat([OBJECTS[3]?.subarray(9) ?? Buffer.alloc(0), ...OBJECTS.slice(0, 2)])))),
  );
  t.equal(frames.length, 5);
  t.match(summary, { unreadable: 1, cutShort: undefined, problems: [{ problem: /cannot be unpacked/ }] });
  const strange = await readFile(recording(t.testdir(), "b.blf", blfFile(START, container(Buffer.alloc(9), 7), some)));
  t.match(strange.summary, { frames: 3, problems: [{ problem: /packed in a way that is not known \(7\)/ }] });
  const short = await readFile(recording(t.testdir(), "c.blf", blfFile(START, container(Buffer.concat([object(1, 0n, Buffer.alloc(4)), ...OBJECTS.slice(0, 2)])))));
  t.match(short.summary, { frames: 2, problems: [{ problem: /shorter than what it holds/, text: "type 1" }] });
  const garbage = await readFile(recording(t.testdir(), "d.blf", blfFile(START, some, Buffer.from("what is this, then?"), some)));
  t.match(garbage.summary, { frames: 6, unreadable: 1, cutShort: undefined });
});

test("V2. A recording that breaks off gives all before that, also of the container that it breaks off in, and says so", async (t) => {
  const many = Buffer.concat(Array.from({ length: 2_000 }, (_, at) => object(1, BigInt(at) * 1_000_003n, classic(1, at & 0x7ff, [at & 255, (at * 7) & 255]))));
  const whole = blfFile(START, container(many));
  const { frames, summary } = await readFile(recording(t.testdir(), "a.blf", whole.subarray(0, whole.length >> 1)), 100);
  t.ok(frames.length > 500 && frames.length < 2_000, `${String(frames.length)} frames`);
  t.match(summary, { unreadable: 0, frames: frames.length, cutShort: /breaks off in the middle of an object/ });
  frames.forEach((frame, at) => t.equal(frame.id, at & 0x7ff));
  const header = await readFile(recording(t.testdir(), "b.blf", whole.subarray(0, 100)));
  t.match(header.summary, { frames: 0, cutShort: /breaks off/ });
});

test("the BLF fixtures of the large set have as many frames as python-can reads", needs("shared", canData !== undefined), async (t) => {
  const folder = join(canData ?? "", "formats");
  // Made up by whoever wrote them: an id of 27 bits that is not marked extended, and a length code of 51.
  const some = await readFile(join(folder, "pythoncan_test_CanMessage.blf"));
  t.match(some.summary, { frames: 2, unreadable: 0, cutShort: undefined });
  t.match(some.frames, [{ bus: "can4369", id: 0x444_4444, dlc: 15, data: "5566778899AABBCC", dir: "rx" }, { id: 0x444_4444 }]);
  const fdFrames = await readFile(join(folder, "pythoncan_test_CanFdMessage.blf"));
  t.match(fdFrames.summary, { frames: 2, unreadable: 0, cutShort: undefined });
  t.match(fdFrames.frames[0], { id: 0x444_4444, fd: 1, flags: 3, data: /^000102.*3E3F$/ });
});
