// PEAK TRC recordings of all versions: the same bus in six layouts, and what the newer ones have besides.
//
// Layouts and row types are those of PEAK's description of the format (2010 to 2023). The frames of the large set's fixtures are those that python-can 4.6.1 reads of them: its reader was run over
// the files, and its own test states the same eleven.

import { join } from "node:path";
import { test } from "tap";
import { needs } from "../../needs.ts";
import { canData } from "../can/decoded-files.ts";
import { readFile, type ReadFrame, recording } from "./recording.ts";

const START = ";$STARTTIME=45678.5\n";
const START_S = (45_678.5 - 25_569) * 86_400;
const data = "00 01 02 03";

const versions: readonly (readonly [version: string, head: string, rows: readonly string[], bus: string, startS: number, hasDirection: boolean])[] = [
  [
    "1.0",
    ";####\n;   C:\\TraceFile.trc\n",
    [`1) 1841 0260 4 ${data}`, "2) 1842 FFFFFFFF 4 00 00 00 04 -- -- -- --  BUSLIGHT", `3) 1843 10000260 4 ${data}`, "4) 1844 0100 3 RTR", "5) 1845 0001 4 ERROR 00 19 08 09"],
    "can0",
    0,
    false,
  ],
  [
    "1.1",
    ";$FILEVERSION=1.1\n",
    [
      `1) 1841.0 Rx 0260 4 ${data}`,
      "2) 1842.0 Warng FFFFFFFF 4 00 00 00 04 BUSLIGHT",
      `3) 1843.0 Tx 10000260 4 ${data}`,
      "4) 1844.0 Rx 0100 3 RTR",
      "5) 1845.0 Error 0001 4 00 19 08 09",
    ],
    "can0",
    START_S,
    true,
  ],
  [
    "1.2",
    ";$FILEVERSION=1.2\n",
    [
      `1) 1841.0 7 Rx 0260 4 ${data}`,
      "2) 1842.0 7 Warng FFFFFFFF 4 00 00 00 04 BUSLIGHT",
      `3) 1843.0 7 Tx 10000260 4 ${data}`,
      "4) 1844.0 7 Rx 0100 3 RTR",
      "5) 1845.0 7 Error 0001 4 00 19 08 09",
    ],
    "can7",
    START_S,
    true,
  ],
  [
    "1.3",
    ";$FILEVERSION=1.3\n",
    [
      `1) 1841.0 7 Rx 0260 - 4 ${data}`,
      "2) 1842.0 7 Warng FFFFFFFF - 4 00 00 00 04 BUSLIGHT",
      `3) 1843.0 7 Tx 10000260 - 4 ${data}`,
      "4) 1844.0 7 Rx 0100 - 3 RTR",
      "5) 1845.0 7 Error 0001 - 4 00 19 08 09",
    ],
    "can7",
    START_S,
    true,
  ],
  [
    "2.0",
    ";$FILEVERSION=2.0\n;$COLUMNS=N,O,T,I,d,l,D\n",
    [
      `1 1841.000 DT 0260 Rx 4 ${data}`,
      "2 1842.000 ST          Rx    00 00 00 08",
      `3 1843.000 DT 10000260 Tx 4 ${data}`,
      "4 1844.000 RR 0100 Rx 3",
      "5 1845.000 ER Rx 01 00 19 08 09",
    ],
    "can0",
    START_S,
    true,
  ],
  [
    "2.1",
    ";$FILEVERSION=2.1\n;$COLUMNS=N,O,T,B,I,d,R,L,D\n",
    [
      `1 1841.000 DT 7 0260 Rx - 4 ${data}`,
      "2 1842.000 ST 7 - Rx - 4 00 00 00 08",
      `3 1843.000 DT 7 10000260 Tx - 4 ${data}`,
      "4 1844.000 RR 7 0100 Rx - 3",
      "5 1845.000 ER 7 - Rx - 5 01 00 19 08 09",
    ],
    "can7",
    START_S,
    true,
  ],
];

for (const [version, head, rows, bus, startS, hasDirection] of versions)
  test(`version ${version}: frames of both kinds, a remote request and an error frame are read, a status row is none`, async (t) => {
    const { frames, summary } = await readFile(recording(t.testdir(), "a.trc", `${head}${startS === 0 ? "" : START}${rows.join("\r\n")}\r\n`));
    t.match(summary, { unreadable: 0, frames: 4, cutShort: undefined }, JSON.stringify(summary.problems));
    const direction = (dir: "rx" | "tx"): Partial<ReadFrame> => (hasDirection ? { dir } : {});
    t.match(frames, [
      { t: startS + 1.841, bus, id: 0x260, data: "00010203", ...direction("rx") },
      { t: startS + 1.843, bus, id: 0x1000_0260, ext: 1, data: "00010203", ...direction("tx") },
      { t: startS + 1.844, bus, id: 0x100, rtr: 1, len: 3, ...direction("rx") },
      // A bus error (0x80) that violates the protocol (0x08), with counters (0x200): one bit, while sending, at place 0x19; 9 of sending, 8 of receiving.
      { t: startS + 1.845, bus, id: 0x288, err: 1, data: "0000811900000908" },
    ]);
    t.equal(frames[0]?.dir === undefined, !hasDirection);
  });

test("2.x has CAN FD in four types; lengths are codes in L and bytes in l; events and counters are no frames", async (t) => {
  const bytes = Array.from({ length: 12 }, (_, at) => at.toString(16).padStart(2, "0")).join(" ");
  const rows = ["FD", "FB", "FE", "BI"].map((type, at) => `${String(at)} 1.0 ${type} 1 0500 Rx - 9 ${bytes}`);
  const more = [
    "6 2.0 EV 1  User-defined event for bus 1",
    "7 2.0 EV -  for all busses",
    "8 2.0 EC 1 - Rx - 2 02 02",
    "9 2.0 DT 2 0123 Rx - 15 00 01 02 03 04 05 06 07",
    "10 2.0 FD 1 0500 Rx - 0",
  ];
  const { frames, summary } = await readFile(recording(t.testdir(), "a.trc", `;$FILEVERSION=2.1\n;$COLUMNS=N,O,T,B,I,d,R,L,D\n${[...rows, ...more].join("\n")}\n`));
  t.equal(summary.unreadable, 0, JSON.stringify(summary.problems));
  t.strictSame(
    frames.map(({ fd, flags, dlc, bus, data: read }) => [fd, flags, dlc, bus, (read ?? "").length / 2]),
    [
      [1, 0, undefined, "can1", 12],
      [1, 1, undefined, "can1", 12],
      [1, 3, undefined, "can1", 12],
      [1, 2, undefined, "can1", 12],
      [undefined, undefined, 15, "can2", 8],
      [1, 0, undefined, "can1", 0],
    ],
  );
  const inBytes = await readFile(recording(t.testdir(), "b.trc", `;$FILEVERSION=2.0\n;$COLUMNS=O,T,d,I,l,D\n1.0 FB Rx 0500 12 ${bytes}\n`));
  t.match(inBytes.frames, [{ id: 0x500, flags: 1, data: bytes.replaceAll(" ", "").toUpperCase() }], "in whatever order the columns stand");
});

test("rows of 2.x that are none, and columns that cannot hold a frame, are counted and named", async (t) => {
  const rows = [
    "1 1.0 XX 1 0500 Rx - 1 00",
    "1 1.0 constructor 1 0500 Rx - 1 00",
    "1 1.0 DT x 0500 Rx - 1 00",
    "1 1.0 DT 1 0500 Rx - 16 00",
    "1 1.0 DT 1 0500 Rx - 2 00",
    "1 1.0 DT 1 05 Rx - 1 00",
    "1 1.0 ER 1 - Rx - 5 04 00 02",
    "1 1.0",
    ";$COLUMNS=N,O,T",
    ";$COLUMNS=N,O,T,I,I,L,D",
    ";$COLUMNS=N,O,T,I,L,toString,D",
  ];
  const { frames, summary } = await readFile(recording(t.testdir(), "a.trc", `;$FILEVERSION=2.1\n${rows.join("\n")}\n1 1.0 DT 1 0500 Rx - 1 00\n`));
  t.equal(frames.length, 1);
  t.equal(summary.unreadable, rows.length);
  t.strictSame(
    summary.problems.map(({ problem }) => problem.slice(0, 34)),
    [
      "unknown row type XX, expected DT, ",
      "unknown row type constructor, expe",
      "expected the number of a bus, got ",
      "length 16 of a classic frame",
      "1 data bytes where a frame of leng",
      "the id has 2 digits, expected 4 or",
      "expected 5 bytes of an error frame",
      "expected a row: number offset type",
      "expected columns such as ;$COLUMNS",
      "expected columns such as ;$COLUMNS",
    ],
  );
});

test("the TRC fixtures of the large set have the frames that python-can reads", needs("shared", canData !== undefined), async (t) => {
  const startS = 1_639_837_687.062001;
  const offsets = [17.5354, 17.7003, 17.8738, 19.2954, 19.5006, 19.7052, 20.5927, 20.7986, 20.956, 21.0971, 48.9376];
  for (const [file, bus] of [
    ["pythoncan_test_CanMessage_V1_1.trc", "can0"],
    ["pythoncan_test_CanMessage_V2_1.trc", "can1"],
  ] as const) {
    const { frames, summary } = await readFile(join(canData ?? "", "formats", file));
    t.match(summary, { frames: 11, unreadable: 0, cutShort: undefined }, file);
    frames.forEach((frame, at) => {
      t.ok(Math.abs(frame.t - startS - (offsets[at] ?? 0)) < 1e-4, `${file}: ${String(frame.t)}`);
      const isLast = at === 10;
      const isStandard = at >= 3 && at <= 5;
      t.match(
        frame,
        isLast ? { bus, id: 0x704, rtr: 1, len: 1, dir: "rx" } : { bus, id: isStandard ? 0 : 0x100, ...(isStandard ? {} : { ext: 1 }), data: "0000000000000000", dir: "tx" },
      );
    });
  }
  const yaris = await readFile(join(canData ?? "", "logs", "toyota_yaris_rev.trc"), 512);
  t.match(yaris.summary, { frames: 1_437, unreadable: 0 });
});
