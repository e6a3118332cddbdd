// PEAK TRC 1.1 recordings.

import { test } from "tap";
import { openLog } from "../../../protocols/can-log/index.ts";
import { cpuTimeMs } from "../../cpu-time.ts";
import { readFile, recording } from "./recording.ts";

const HEAD = ";$FILEVERSION=1.1\r\n;$STARTTIME=45678.5\r\n;\r\n;   Message Number\r\n;---+--   ----+----  --+--  ----+---  +  -+ -- --\r\n";

test("rows become frames; status rows and comments do not; bad rows are counted", async (t) => {
  const rows = [
    "     1)        16.0  Rx         0260  8  00 00 00 00 00 00 00 6A ",
    "     2)     17540.3  Warng  FFFFFFFF  4  00 00 00 08  BUSHEAVY ",
    "     3)     17700.3  Tx     00000100  2  01 FF",
    "     4)     48937.6  Rx         0704  1  RTR",
    "     5)     48938.0  Rx         0704  0  ",
    "     6)     48938.0  Rx         0704  3  01 02",
    "     7)     48938.0  Rx         0804  1  01",
    "     8)     48938.0  Odd        0704  1  01",
    "     9)     48938.0  Rx         070   1  01",
    "    10)     48938.0  Rx         0704  1  0G",
    "    11)     48938.0  Rx         0704  99 01",
    "    12)     48938.0  Rx         0704  9  00 01 02 03 04 05 06 07 08",
    "what is this",
    "",
  ];
  const { frames, summary } = await readFile(recording(t.testdir(), "a.trc", HEAD + rows.join("\r\n")));
  const startS = (45_678.5 - 25_569) * 86_400;
  t.match(frames, [
    { line: 6, t: startS + 0.016, bus: "can0", id: 0x260, data: "000000000000006A", dir: "rx" },
    { line: 8, id: 0x100, ext: 1, data: "01FF", dir: "tx" },
    { line: 9, id: 0x704, rtr: 1, len: 1 },
    { line: 10, id: 0x704, data: "" },
  ]);
  t.equal(frames.length, 4);
  t.equal(summary.unreadable, 8);
  t.strictSame(
    summary.problems.map((problem) => problem.problem),
    [
      "2 data bytes where a frame of length 3 has 3",
      "id 0804 has more than 11 bits",
      "unknown row type Odd, expected Rx or Tx",
      "the id has 3 digits, expected 4 or 8",
      "expected data as pairs of hex digits, or RTR",
      "length 99 of a classic frame",
      "9 data bytes where a frame of length 9 has 8",
      "expected a row: number) offset type id length data",
    ],
  );
});

test("a start that is no number of days is told; the offsets count from the one before, or from 1970", async (t) => {
  const row = "     1)  1500.0  Rx  0123  1  01\n";
  for (const days of ["abc", "", "45678.5 h", "-1"]) {
    const { frames, summary } = await readFile(recording(t.testdir(), "a.trc", `;$FILEVERSION=1.1\n;$STARTTIME=${days}\n${row}`));
    t.match(frames, [{ t: 1.5 }]);
    t.match(summary, { unreadable: 1, problems: [{ line: 2, problem: /days since 1899-12-30.*got "/ }] }, days);
  }
});

test("a row of the greatest length is read in one go, however its blanks stand", async (t) => {
  // Thousands of them: a reading that tries blanks again and again takes minutes.
  const blanks = " ".repeat(3_900);
  const rows = [`     1)  1.5  Rx  0123  1${blanks}x`, `     1)  1.5  Rx  0123  1  0${blanks}1`, `${blanks}1)  1.5 Rx 0123 1 01`, `     1)  1.5  Rx  0123  1  01${blanks}`];
  const start = cpuTimeMs();
  const { frames, summary } = await readFile(recording(t.testdir(), "a.trc", HEAD + Array.from({ length: 500 }, () => rows.join("\n")).join("\n")), 512);
  t.ok(cpuTimeMs() - start < 3_000, `${Math.round(cpuTimeMs() - start)} ms`);
  t.equal(frames.length, 1_000);
  t.equal(summary.unreadable, 1_000);
});

test("another version is refused by its number, not line by line", async (t) => {
  const folder = t.testdir();
  for (const version of ["3.0", "2.2", "0.9"])
    await t.rejects(openLog(recording(folder, "b.trc", `;$FILEVERSION=${version}\n;$COLUMNS=N,O\n`)), { code: "DROVER_CAN_LOG_INVALID", message: new RegExp(`TRC ${version}`) });
});
