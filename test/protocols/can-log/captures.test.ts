// pcap and pcapng of SocketCAN: both byte orders, both resolutions, and what a damaged capture costs.

import { test } from "tap";
import { openLog } from "../../../protocols/can-log/index.ts";
import { block, interfaceBlock, packet, packetBlock, pcapFile, section } from "./captures.ts";
import { readFile, recording } from "./recording.ts";

const FD = Array.from({ length: 12 }, (_, at) => at);
const PACKETS = [
  packet(0x123, [1, 2, 3]),
  packet(0x8000_0123, []),
  packet(0x4000_0123, [], { length: 4 }),
  packet(0x2000_0004, [0, 4, 0, 0, 0, 0, 0, 0]),
  packet(0x123, FD, { size: 72, flags: 1 }),
  packet(0x9fff_ffff, FD, { size: 20, flags: 6 }),
  packet(0x7ff, [1, 2, 3, 4, 5, 6, 7, 8], { dlc: 14 }),
];
const READ = [
  { id: 0x123, data: "010203" },
  { id: 0x123, ext: 1, data: "" },
  { id: 0x123, rtr: 1, len: 4 },
  { id: 4, err: 1, data: "0004000000000000" },
  { id: 0x123, fd: 1, flags: 1, data: "000102030405060708090A0B" },
  { id: 0x1fff_ffff, ext: 1, fd: 1, flags: 2, data: "000102030405060708090A0B" },
  { id: 0x7ff, dlc: 14, data: "0102030405060708" },
];

for (const isLittle of [true, false])
  for (const isNano of [true, false])
    test(`pcap, ${isLittle ? "little" : "big"} endian, ${isNano ? "nano" : "micro"}seconds: every kind of frame, one bus without a name`, async (t) => {
      const file = pcapFile(
        PACKETS.map((bytes, at) => [1_700_000_000 + at, isNano ? 250_000_000 : 250_000, bytes] as const),
        { isLittle, isNano },
      );
      const { frames, summary } = await readFile(recording(t.testdir(), "a.pcap", file));
      t.match(summary, { lines: PACKETS.length, unreadable: 0, cutShort: undefined }, JSON.stringify(summary.problems));
      t.match(
        frames,
        READ.map((frame, at) => ({ ...frame, t: 1_700_000_000.25 + at, bus: "can0", line: at + 1 })),
      );
      t.equal(frames.length, READ.length);
    });

for (const isLittle of [true, false])
  test(`pcapng, ${isLittle ? "little" : "big"} endian: interfaces with names and resolutions, directions, blocks that are no frames, a further section`, async (t) => {
    const first = PACKETS[0] ?? Buffer.alloc(0);
    const content = Buffer.concat([
      section(isLittle),
      interfaceBlock(isLittle, { name: "vcan0" }),
      interfaceBlock(isLittle, { name: "can7", resolution: 9 }),
      interfaceBlock(isLittle, { resolution: 0x80 + 10, offsetS: 1_000n }),
      interfaceBlock(isLittle, { linkType: 1 }),
      block(4, Buffer.from("names of hosts, perhaps"), isLittle),
      packetBlock(isLittle, 0, 1_700_000_000_250_000n, first, 1),
      packetBlock(isLittle, 1, 1_700_000_000_250_000_000n, first, 2),
      packetBlock(isLittle, 2, 1_536n, first),
      packetBlock(isLittle, 3, 0n, Buffer.alloc(60)),
      section(!isLittle),
      interfaceBlock(!isLittle, { name: "vcan0" }),
      ...PACKETS.map((bytes, at) => packetBlock(!isLittle, 0, BigInt(at) * 1_000_000n, bytes)),
    ]);
    const { frames, summary } = await readFile(recording(t.testdir(), "a.pcapng", content));
    t.match(summary, { unreadable: 0, cutShort: undefined }, JSON.stringify(summary.problems));
    t.match(frames, [
      { t: 1_700_000_000.25, bus: "vcan0", id: 0x123, dir: "rx" },
      { t: 1_700_000_000.25, bus: "can7", id: 0x123, dir: "tx" },
      { t: 1_001.5, bus: "can2", id: 0x123 },
      ...READ.map((frame, at) => ({ ...frame, t: at, bus: "vcan0" })),
    ]);
    t.equal(frames.length, READ.length + 3);
  });

test("packets that are no frames are counted and named, and the rest goes on", async (t) => {
  const bad: readonly (readonly [Buffer, RegExp])[] = [
    [Buffer.alloc(7), /shorter than the header/],
    [packet(0x123, [], { length: 9 }), /9 data bytes in a classic frame/],
    [packet(0x123, [], { length: 65, size: 72 }), /65 data bytes in a CAN FD frame/],
    [packet(0x123, [], { length: 6 }).subarray(0, 12), /cut when it was captured/],
    [packet(0x4000_0123, [], { size: 72 }), /remote request of CAN FD/],
    [packet(0x800, []), /more than 11 bits/],
    [packet(0x123, [], { length: 0x80, size: 40 }), /CAN XL/],
  ];
  const order = { isLittle: true, isNano: false };
  for (const [bytes, reason] of bad) {
    const { frames, summary } = await readFile(
      recording(
        t.testdir(),
        "a.pcap",
        pcapFile(
          [
            [1, 0, bytes],
            [2, 0, packet(0x1, [])],
          ],
          order,
        ),
      ),
    );
    t.equal(frames.length, 1);
    t.match(summary, { unreadable: 1, problems: [{ line: 1, problem: reason, text: "byte 24" }] });
  }
  const late = await readFile(
    recording(
      t.testdir(),
      "b.pcap",
      pcapFile(
        [
          [1, 1_000_000, packet(0x1, [])],
          [2, 0, packet(0x1, [])],
        ],
        order,
      ),
    ),
  );
  t.match(late.summary, { frames: 1, problems: [{ problem: /more than a second/ }] });
  const long = await readFile(
    recording(
      t.testdir(),
      "c.pcap",
      pcapFile(
        [
          [1, 0, Buffer.alloc(300_000)],
          [2, 0, packet(0x1, [])],
        ],
        order,
      ),
    ),
  );
  t.match(long.summary, { frames: 1, lines: 2, problems: [{ problem: /longer than any frame/ }] });
  const unknown = Buffer.concat([
    section(true),
    packetBlock(true, 3, 0n, packet(1, [])),
    interfaceBlock(true, {}),
    block(3, Buffer.alloc(20), true),
    packetBlock(true, 0, 0n, packet(1, [])),
  ]);
  const { summary } = await readFile(recording(t.testdir(), "d.pcapng", unknown));
  t.match(summary, { frames: 1, unreadable: 2, problems: [{ problem: /interface 3 is not described/ }, { problem: /has no time/ }] });
});

test("a capture that breaks off or is damaged gives all before that, and says from where on", async (t) => {
  const folder = t.testdir();
  const whole = pcapFile(
    PACKETS.map((bytes, at) => [at, 0, bytes] as const),
    { isLittle: true, isNano: false },
  );
  const cut = await readFile(recording(folder, "a.pcap", whole.subarray(0, whole.length - 3)));
  t.match(cut.summary, { frames: PACKETS.length - 1, unreadable: 0, cutShort: `it breaks off in the middle of record 7, at byte ${String(whole.length - 3)}` });
  const good = Buffer.concat([section(true), interfaceBlock(true, {}), packetBlock(true, 0, 0n, packet(1, []))]);
  const damaged = await readFile(recording(folder, "b.pcapng", Buffer.concat([good, Buffer.alloc(12, 0x41), good])));
  t.match(damaged.summary, { frames: 1, cutShort: `a block of 1094795585 bytes at byte ${String(good.length)}; what lies behind it cannot be read` });
  await t.rejects(openLog(recording(folder, "c.pcap", pcapFile([], { isLittle: true, isNano: false }, 1))), { code: "DROVER_CAN_LOG_INVALID", message: /link type 1,/ });
});
