// Vector ASC recordings.
//
// What a line means was taken from public descriptions of the format; what it comes to was compared with python-can 4.6.1: its reader and this one were run over the 14 .asc files of its own tests,
// which gave the same counts and frames but for remote requests in CANFD lines, which it calls CAN FD. CAN FD has none.

import { join } from "node:path";
import { test } from "tap";
import { gzipSync } from "node:zlib";
import { needs } from "../../needs.ts";
import { canData } from "../can/decoded-files.ts";
import { readFile, recording } from "./recording.ts";

const DATE = "Sat Sep 30 15:06:13.500 2017";
const DATE_S = Date.UTC(2017, 8, 30, 15, 6, 13, 500) / 1_000;
const HEAD = `date ${DATE}\nbase hex  timestamps absolute\ninternal events logged\n// version 9.0.0\n`;
/** What stands behind the data of a CANFD line. */
const tail = (flags: string): string => `102203  133   ${flags} e0006659 46500250 4b140250 20011736 2001040d`;

test("frames of both kinds, remote requests and error frames are read; all else that has a time is no frame", async (t) => {
  const lines = [
    `Begin Triggerblock ${DATE}`,
    "   0.000000 Start of measurement",
    "   0.015991 CAN 1 Status:chip status error passive - TxErr: 132 RxErr: 0",
    "   1.015991 1  Statistic: D 0 R 0 XD 0 XR 0 E 0 O 0 B 0.00%",
    "   2.501000 1 ErrorFrame ECC: 10100010",
    "   2.510000 2 100 Tx r",
    "   2.520000 3 200 Rx r 8 Length = 1704000 BitCount = 145 ID = 88888888x",
    "   3.000000 1  18EBFF00x       Rx d 8 01 A0 0F A6 60 3B D1 40    Length = 273910 BitCount = 141 ID = 418119424x",
    "   3.100000 1  18EBFF00x       TxRq d 8 01 A0 0F A6 60 3B D1 40",
    "   3.200000 1  J1939TP FEE3p        6    0  0   -   Rx   d 23 A0 0F",
    "   3.250000 Li 17 Tx 8 00",
    "   3.300000 2  6F9             Tx   d 0",
    "   3.400000 2  6F9             Tx   d D 55 AA 01 02 03 04 05 06  Length = 232016",
    "   3.500000 1  123x            Rx   d 40 " + Array.from({ length: 64 }, (_, at) => at.toString(16).padStart(2, "0")).join(" "),
    "no internal events logged",
    "//0.000000 previous log file: a.asc",
    "End TriggerBlock",
  ];
  const { frames, summary } = await readFile(recording(t.testdir(), "a.asc", `${HEAD}${lines.join("\r\n")}\r\n`));
  t.match(summary, { unreadable: 0, frames: 7, cutShort: undefined }, JSON.stringify(summary.problems));
  t.match(frames, [
    { t: DATE_S + 2.501, bus: "can1", id: 0x80, err: 1, data: "0000000000000000" },
    { t: DATE_S + 2.51, bus: "can2", id: 0x100, rtr: 1, len: 0, dir: "tx" },
    { bus: "can3", id: 0x200, rtr: 1, len: 8, dir: "rx" },
    { t: DATE_S + 3, bus: "can1", id: 0x18eb_ff00, ext: 1, data: "01A00FA6603BD140", dir: "rx" },
    { bus: "can2", id: 0x6f9, data: "", dir: "tx" },
    { bus: "can2", id: 0x6f9, dlc: 13, data: "55AA010203040506" },
    { id: 0x123, ext: 1, fd: 1, flags: 0, data: /^000102.*3E3F$/ },
  ]);
});

test("A1. CANFD lines: names, flags, lengths, remote requests, error frames, and classic frames of such a channel", async (t) => {
  const lines = [
    `1.0 CANFD   1 Rx        300                                   1 0 8  8 11 c2 03 04 05 06 07 08   ${tail("303000")}`,
    `1.0 CANFD   2 Tx        1C4D80A7x  Name_12                    0 1 9 12 12 c2 03 04 05 06 07 08 09 0a 0b 0c   ${tail("305000")}`,
    `1.0 CANFD   3 Tx     50005x                                   0 0 5 0 140000 73 200050 7a60 46500250 460a0250 20011736 20010205`,
    `1.0 CANFD   3 Rx        30                                    0 0 0 0 ${tail("301000")}`,
    `1.0 CANFD   5 Tx ErrorFrame Not Acknowledge error, dominant error flag fffe c7 31ca Arb. 556 44 0 0 f 64 00 00`,
    `1.0 CANFD   1 Rx        301                                   0 0 2  2 11 c2   ${tail("300000")}`,
    `1.0 CANFD   1 Rx        302                                   0 0 2  2 11 c2`,
  ];
  const { frames, summary } = await readFile(recording(t.testdir(), "a.asc", `${HEAD}${lines.join("\n")}\n`));
  t.equal(summary.unreadable, 0, JSON.stringify(summary.problems));
  t.match(frames, [
    { bus: "can1", id: 0x300, fd: 1, flags: 1, data: "11C2030405060708", dir: "rx" },
    { bus: "can2", id: 0x1c4d_80a7, ext: 1, fd: 1, flags: 2, data: "12C2030405060708090A0B0C", dir: "tx" },
    { bus: "can3", id: 0x5_0005, ext: 1, rtr: 1, len: 5 },
    { bus: "can3", id: 0x30, fd: 1, flags: 0, data: "" },
    { bus: "can5", id: 0x80, err: 1, dir: "tx" },
    { bus: "can1", id: 0x301, data: "11C2" },
    { bus: "can1", id: 0x302, fd: 1, data: "11C2" },
  ]);
  t.equal(frames[2]?.fd, undefined);
  t.equal(frames[5]?.fd, undefined);
});

test("A3. Times may count from the line before, and numbers be decimal", async (t) => {
  const lines = ["1.0 Start of measurement", "0.5 1 Statistic: D 0", "0.25 1 418119424x Rx d 2 255 16", "0.25 1 100 Rx d 1 7"];
  const { frames, summary } = await readFile(
    recording(t.testdir(), "a.asc", `date ${DATE}\nbase dec  timestamps relative\n${lines.join("\n")}\n99999999999999.0 1 100 Rx d 1 7\n0.5 1 100 Rx d 1 8\n`),
  );
  t.match(frames, [
    { t: DATE_S + 1.75, id: 0x18eb_ff00, ext: 1, data: "FF10" },
    { t: DATE_S + 2, id: 100, data: "07" },
    { t: DATE_S + 2.5, data: "08" },
  ]);
  t.match(summary, { unreadable: 1, problems: [{ problem: /beyond every clock/ }] });
});

test("dates are read in the languages and forms that machines write them in; the block's date goes before the file's", async (t) => {
  const folder = t.testdir();
  const line = "\n   0.5 1  123 Rx d 1 01\n";
  for (const [date, expectedS] of [
    ["Sat Sep 30 10:06:13.191 PM 2017", Date.UTC(2017, 8, 30, 22, 6, 13, 191)],
    ["Tue May 27 12:09:35.000 am 2014", Date.UTC(2014, 4, 27, 0, 9, 35)],
    ["Tue May 27 12:09:35.000 pm 2014", Date.UTC(2014, 4, 27, 12, 9, 35)],
    ["Sam Mär 3 15:06:13 2017", Date.UTC(2017, 2, 3, 15, 6, 13)],
    ["Mit Okt 11 15:06:13.5 2017", Date.UTC(2017, 9, 11, 15, 6, 13, 500)],
    ["Don Dez 7 15:06:13.191 2017", Date.UTC(2017, 11, 7, 15, 6, 13, 191)],
    ["mar. févr. 6 15:06:13.191 2018", Date.UTC(2018, 1, 6, 15, 6, 13, 191)],
    ["ven. juil. 6 15:06:13.191 2018", Date.UTC(2018, 6, 6, 15, 6, 13, 191)],
    ["jeu. août 2 15:06:13.191 2018", Date.UTC(2018, 7, 2, 15, 6, 13, 191)],
    ["vie ene 5 15:06:13.191 2018", Date.UTC(2018, 0, 5, 15, 6, 13, 191)],
    ["gio giu 7 15:06:13.191 2018", Date.UTC(2018, 5, 7, 15, 6, 13, 191)],
  ] as const)
    for (const encoding of ["utf8", "latin1"] as const) {
      const { frames, summary } = await readFile(recording(folder, "a.asc", Buffer.from(`date ${date}\nbase hex  timestamps absolute${line}`, encoding)));
      t.equal(frames[0]?.t, expectedS / 1_000 + 0.5, `${date} ${encoding}`);
      t.equal(summary.unreadable, 0);
    }
  const { frames } = await readFile(recording(folder, "b.asc", `date Mon Jan 1 00:00:00 2018\nbase hex  timestamps absolute\nBegin Triggerblock ${DATE}${line}`));
  t.equal(frames[0]?.t, DATE_S + 0.5);
});

test("a date that is none, and lines that are no event, are counted and named; the times count from the start before", async (t) => {
  const bad: readonly (readonly [string, RegExp])[] = [
    ["date gestern", /expected a date/],
    ["Begin Triggerblock Sat Sep 31 15:06:13.500 2017", /expected a date/],
    ["Begin Triggerblock Sat Foo 30 15:06:13.500 2017", /expected a date/],
    ["Begin Triggerblock Sat Sep 30 25:06:13.500 2017", /expected a date/],
    ["what is this", /expected an event/],
    ["2.0", /ends before/],
    ["2.0 1", /ends before/],
    ["2.0 CANF", /ends before/],
    ["2.0 1 123", /ends before/],
    ["2.0 1 123 Rx x 1 00", /expected d or r/],
    ["2.0 1 123 Rx d", /expected a length/],
    ["2.0 1 123 Rx d 2 00", /as many data bytes/],
    ["2.0 1 123 Rx d 1 0G", /as many data bytes/],
    ["2.0 1 123 Rx d 11 00", /length 17/],
    ["2.0 1 823 Rx d 1 00", /no number of 11 bits/],
    ["2.0 1 23456789x Rx d 1 00", /no number of 29 bits/],
    ["2.0 CANFD x Rx 300 1 0 8 8", /a channel and Rx or Tx/],
    ["2.0 CANFD 1 Rx zzz 1 0 8 8", /expected an id/],
    ["2.0 CANFD 1 Rx 300 2 0 8 8 00", /expected bit rate switch/],
    ["2.0 CANFD 1 Rx 300 1 0 f 64 00", /as many data bytes/],
  ];
  const folder = t.testdir();
  for (const [line, reason] of bad) {
    const { frames, summary } = await readFile(recording(folder, "a.asc", `${HEAD}1.0 1 123 Rx d 1 01\n${line}\n1.5 1 123 Rx d 1 02\n`));
    t.match(summary, { unreadable: 1, problems: [{ line: 6, problem: reason }] }, line);
    t.strictSame(
      frames.map((frame) => frame.t),
      [DATE_S + 1, DATE_S + 1.5],
      line,
    );
  }
});

test("it is told by content: gzipped, behind comments, without a date", async (t) => {
  const folder = t.testdir();
  const rows = "base hex  timestamps absolute\n1.0 1 123 Rx d 1 01\n";
  for (const [name, content] of [
    ["a.log", `// made by hand\n\n${rows}`],
    ["b.log", rows],
    ["c.asc", gzipSync(`${HEAD}1.0 1 123 Rx d 1 01\n`)],
  ] as const) {
    const { frames, summary } = await readFile(recording(folder, name, content));
    t.equal(frames.length, 1, name);
    t.equal(summary.unreadable, 0, name);
  }
});

test("the ASC fixtures of the large set have as many frames as python-can reads, and none that cannot be read", needs("shared", canData !== undefined), async (t) => {
  for (const [file, count, errors] of [
    ["pythoncan_logfile.asc", 20, 4],
    ["pythoncan_test_CanErrorFrames.asc", 4, 4],
    ["pythoncan_test_CanFdMessage.asc", 3, 0],
    ["pythoncan_test_CanMessage.asc.gz", 2, 0],
  ] as const) {
    const { frames, summary } = await readFile(join(canData ?? "", "formats", file));
    t.match(summary, { frames: count, unreadable: 0, cutShort: undefined }, file);
    t.equal(frames.filter((frame) => frame.err === 1).length, errors, file);
  }
  const { frames } = await readFile(join(canData ?? "", "formats", "pythoncan_test_CanFdMessage.asc"));
  t.match(frames, [
    { bus: "can1", id: 0x300, fd: 1, flags: 1, data: "11C2030405060708", dir: "rx" },
    { bus: "can2", id: 0x1c4d_80a7, ext: 1, fd: 1, flags: 2, data: "12C2030405060708", dir: "tx" },
    { bus: "can3", id: 0x30a, fd: 1, flags: 3, data: "0102030405060708" },
  ]);
});
