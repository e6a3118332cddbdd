// A small sound recording of each format, from which damaged ones are made.

import { gzipSync } from "node:zlib";
import { blfFile, classic, container, fd, fd64, object } from "./blf-files.ts";
import { smallMf4 } from "./mf4-files.ts";
import { interfaceBlock, packet, packetBlock, pcapFile, section } from "./captures.ts";

const CANDUMP = [
  "(1700000000.000001) can0 123#",
  "(1700000000.000002) can0 00000123#AA",
  "(1700000000.000003) can1 1FFFFFFF#0011223344556677",
  "(1700000000.000004) can0 123#R8",
  "(1700000000.000007) can0 123##15A5A5A5A5A5A5A5A5A5A5A5A",
  "(1700000000.000009) can0 20000004#0004000000000000",
  "(1700000000.000010) can0 123#1122334455667788_E",
  "(1700000000.000012) can0 123#AABB R",
];
const LONG = [
  " (1436509052.249713)  vcan0  044   [8]  2A 36 6C 2B BA 00 00 00   '*6l+....'",
  " (1436509052.249714)  vcan0  12345678  [12]  00 01 02 03 04 05 06 07 08 09 0A 0B",
  " (1436509052.249715)  vcan0  RX B -  123   [4]  remote request",
  " (1436509052.249716)  vcan0  20000004   [8]  00 04 00 00 00 00 00 00   ERRORFRAME",
  " (2023-01-31 12:00:00.249713)  vcan0  123   {E}  00 01 02 03 04 05 06 07",
];
const TRC_1 = [
  "1) 1841.0 Rx 0260 4 00 01 02 03",
  "2) 1842.0 Warng FFFFFFFF 4 00 00 00 04 BUSLIGHT",
  "3) 1843.0 Tx 10000260 4 00 01 02 03",
  "4) 1844.0 Rx 0100 3 RTR",
  "5) 1845.0 Error 0001 4 00 19 08 09",
];
const TRC_2 = [
  "1 1841.000 DT 7 0260 Rx - 4 00 01 02 03",
  "2 1842.000 ST 7 - Rx - 4 00 00 00 08",
  "3 1843.000 FB 7 10000260 Tx - 9 00 01 02 03 04 05 06 07 08 09 0A 0B",
  "4 1844.000 RR 7 0100 Rx - 3",
  "5 1845.000 ER 7 - Rx - 5 01 00 19 08 09",
];
const ASC = [
  "   0.015991 CAN 1 Status:chip status error passive - TxErr: 132 RxErr: 0",
  "   2.501000 1 ErrorFrame ECC: 10100010",
  "   2.520000 3 200 Rx r 8 Length = 1704000 BitCount = 145 ID = 88888888x",
  "   3.000000 1  18EBFF00x       Rx d 8 01 A0 0F A6 60 3B D1 40    Length = 273910 BitCount = 141 ID = 418119424x",
  "  30.005071 CANFD   2 Rx   300  Name_12   1   0   8 8 01 02 03 04 05 06 07 08  102203 133 303000 e0006659",
];

const PACKETS = [
  packet(0x123, [1, 2, 3]),
  packet(0x8000_0123, []),
  packet(0x4000_0123, [], { length: 4 }),
  packet(0x2000_0004, [0, 4, 0, 0, 0, 0, 0, 0]),
  packet(0x123, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], { size: 72, flags: 1 }),
  packet(0x7ff, [1, 2, 3, 4, 5, 6, 7, 8], { dlc: 14 }),
];

const BLF = Buffer.concat([
  object(1, 1_000n, classic(1, 0x123, [1, 2])),
  object(86, 1_000n, classic(2, 0x8000_0123, [1], { flags: 1 }), 1),
  object(100, 1_000n, fd(3, 0x123, 9, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], { fdFlags: 3 })),
  object(101, 1_000n, fd64(3, 0x8000_0123, 9, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], { behind: 7 })),
  object(73, 1_000n, Buffer.alloc(32)),
  object(115, 1_000n, Buffer.from("a marker")),
]);

function lines(head: string, some: readonly string[]): Buffer {
  return Buffer.from(`${head}${[...some, ...some, ...some].join("\n")}\n`);
}

/** By the name of the format. */
export function seedRecordings(): ReadonlyMap<string, Buffer> {
  return new Map([
    ["candump -L", lines("", CANDUMP)],
    ["candump -L, gzipped", gzipSync(lines("", CANDUMP))],
    ["candump", lines("", LONG)],
    ["PEAK TRC 1.1", lines(";##\r\n;$FILEVERSION=1.1\r\n;$STARTTIME=45678.5\r\n", TRC_1)],
    ["PEAK TRC 2.1", lines(";$FILEVERSION=2.1\n;$STARTTIME=45678.5\n;$COLUMNS=N,O,T,B,I,d,R,L,D\n", TRC_2)],
    [
      "pcap",
      pcapFile(
        PACKETS.map((bytes, at) => [at, 1, bytes] as const),
        { isLittle: true, isNano: false },
      ),
    ],
    [
      "pcapng",
      Buffer.concat([section(false), interfaceBlock(false, { name: "vcan0", resolution: 9 }), ...PACKETS.map((bytes, at) => packetBlock(false, 0, BigInt(at), bytes, 1))]),
    ],
    ["Vector BLF", blfFile([2017, 9, 6, 30, 15, 6, 13, 500], container(BLF.subarray(0, 300)), container(BLF.subarray(300), 0), container(BLF))],
    ["MF4", smallMf4(20)],
    ["Vector ASC", lines("date Sat Sep 30 15:06:13.500 2017\nbase hex  timestamps absolute\ninternal events logged\n", ASC)],
  ]);
}
