// `drover can decode` as a user meets it: the lines it prints, the words it says, the code it ends with.

import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { test } from "tap";
import { runCanDecode } from "../../../cli/can/decode.ts";
import { Captured, decode, demoData } from "../../protocols/can/decoded-files.ts";

const DBC =
  'BO_ 1 M: 8 A\n SG_ Big : 0|64@1+ (1,0) [0|0] "" X\nBO_ 2 N: 4 A\n SG_ F : 0|32@1- (1,0) [0|0] "" X\nBO_ 3 L: 8 A\n SG_ Gear : 0|8@1+ (1,0) [0|0] "" X\n SG_ Twin : 8|8@1+ (1,0) [0|0] "" X\n SG_ Twin : 16|8@1+ (1,0) [0|0] "" X\n SG_ Temp : 24|8@1- (0.5,-40) [0|0] "" X\n' +
  'BO_ 4 W: 8 A\n SG_ Wide : 0|64@1- (2,1) [0|0] "" X\nBO_ 5 H: 8 A\n SG_ Half : 0|64@1+ (0.5,0) [0|0] "" X\nSIG_VALTYPE_ 2 F : 1;\nVAL_ 3 Gear 1 "first \\"gear\\"" ;\n';

function files(folder: string, dbc: string, log: string): { readonly dbc: string; readonly log: string } {
  const paths = { dbc: join(folder, "a.dbc"), log: join(folder, "a.log") };
  writeFileSync(paths.dbc, dbc);
  writeFileSync(paths.log, log);
  return paths;
}

test("a line is exactly as the format says: labels, large integers, not-a-number, names that occur twice", async (t) => {
  const out = new Captured();
  const log = [
    "(1622547830.084000) can0 001#FFFFFFFFFFFFFFFF",
    "(1.000000) can0 001#0000000000002000",
    "(1.000000) can0 002#0000C07F",
    "(1.000000) can0 002#000080FF",
    "(1.000000) can0 003#0105060A",
    "(1.000000) can0 003#02",
    "(1.000000) can0 004#FFFFFFFFFFFFFF7F",
    "(1.000000) can0 005#FFFFFFFFFFFFFFFF",
    "(1.000000) can0 003#R8",
  ].join("\n");
  t.equal(await runCanDecode(files(t.testdir(), DBC, log), out, new Captured()), 0);
  t.strictSame(out.text.split("\n"), [
    '{"l":1,"t":1622547830.084,"bus":"can0","m":"M","s":{"Big":["18446744073709551615"]}}',
    '{"l":2,"t":1,"bus":"can0","m":"M","s":{"Big":[9007199254740992]}}',
    '{"l":3,"t":1,"bus":"can0","m":"N","s":{"F":["NaN"]}}',
    '{"l":4,"t":1,"bus":"can0","m":"N","s":{"F":["-Infinity"]}}',
    '{"l":5,"t":1,"bus":"can0","m":"L","s":{"Gear":[1,1,"first \\"gear\\""],"Temp":[10,-35]}}',
    '{"l":6,"t":1,"bus":"can0","m":"L","s":{"Gear":[2]}}',
    '{"l":7,"t":1,"bus":"can0","m":"W","s":{"Wide":["9223372036854775807","18446744073709551615"]}}',
    '{"l":8,"t":1,"bus":"can0","m":"H","s":{"Half":["18446744073709551615",9223372036854776000]}}',
    "",
  ]);
});

test("lines that cannot be read are named on the other stream and change no exit code while frames are there", async (t) => {
  const { exit, lines, words } = await decode(files(t.testdir(), DBC, "(1.0) can0 001#00\nrubbish\n(1.0) can0 002#01020304\n"));
  t.equal(exit, 0);
  t.equal(lines.length, 2);
  t.match(words, /a\.log:2: expected a time such as .*: rubbish/);
  t.match(words, /3 lines, 2 frames, 2 decoded, 1 lines not readable/);
});

test("buses are chosen by name, and a name that never occurs is said", async (t) => {
  const { lines, words } = await decode({ ...files(t.testdir(), DBC, "(1.0) can0 001#00\n(1.0) can1 001#00\n(2.0) can0 003#01\n"), buses: ["can0", "can9"] });
  t.strictSame(
    lines.map((line) => [line.l, line.bus]),
    [
      [1, "can0"],
      [3, "can0"],
    ],
  );
  t.match(words, /no frame of can9; the recording has can0, can1/);
});

test("an overlay changes what is physical and never what is raw", async (t) => {
  const folder = t.testdir({ "o.yaml": "L.Gear: { factor: 10, source: test }\nL.Temp: { signed: false, offset: 0 }\n" });
  const { lines } = await decode({ ...files(folder, DBC, "(1.0) can0 003#010000FF\n"), overlay: join(folder, "o.yaml") });
  t.strictSame(lines[0]?.s, { Gear: [1, 10, 'first "gear"'], Temp: [255, 127.5] });
  const bad = async (text: string): Promise<string> => {
    writeFileSync(join(folder, "o.yaml"), text);
    const { exit, words } = await decode({ ...files(folder, DBC, ""), overlay: join(folder, "o.yaml") });
    t.equal(exit, 3);
    return words;
  };
  t.match(await bad("L.Gear: { factor: 10\n"), /o\.yaml:\d+:\d+: /);
  t.match(await bad("\nL.Gaer: { factor: 10 }\n"), /o\.yaml:2:1: message "L" has no signal "Gaer"/);
  t.match(await bad("L.Gear: { fcator: 10 }\n"), /o\.yaml:1:11: unknown key "fcator"/);
  t.match(await bad("L.Gear: { factor: ten }\n"), /o\.yaml:1:19: factor: expected a number/);
  t.match(await bad("- 1\n"), /o\.yaml:1:1: expected entries/);
  t.equal((await decode({ ...files(folder, DBC, ""), overlay: "/nothing.yaml" })).exit, 4);
});

test("a database that cannot be used ends with 3, file, line and column; a file that is not there with 4", async (t) => {
  const folder = t.testdir();
  const broken = await decode(files(folder, "BO_ oops", ""));
  t.equal(broken.exit, 3);
  t.match(broken.words, /a\.dbc:1:5: .*expected the message's id, found "oops"/);
  const paths = files(folder, DBC, "(1.0) can0 001#00\n");
  t.match(await decode({ ...paths, dbc: join(folder, "no.dbc") }), { exit: 4, words: /cannot open .*no\.dbc/ });
  t.match(await decode({ ...paths, log: join(folder, "no.log") }), { exit: 4, words: /cannot open .*no\.log/ });
  t.match(await decode({ ...paths, log: folder }), { exit: 4, words: /folder/ });
  t.match(await decode({ ...files(folder, `${DBC}VAL_ 9 X 1 "a"\nBO_ nope: 8 A\n`, "(1.0) can0 001#00\n") }), { exit: 0, words: /a\.dbc:\d+:5: expected the message's id/ });
  t.match(await decode({ ...files(folder, `${DBC}BO_ nope: 8 A\n`, ""), strict: true }), { exit: 3 });
});

test("a recording without one readable line ends with 3, one whose compression breaks off with 9", async (t) => {
  const folder = t.testdir();
  t.match(await decode(files(folder, DBC, "this\nis\nprose\n")), { exit: 3, words: /no line is a frame/ });
  t.match(await decode(files(folder, DBC, "")), { exit: 0, lines: [] });
  const paths = files(folder, DBC, "");
  writeFileSync(paths.log, Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1, 2, 3]));
  t.match(await decode(paths), { exit: 9, words: /ends early/ });
});

test("a dash reads standard input", async (t) => {
  const { dbc } = files(t.testdir(), DBC, "");
  const { lines } = await decode({ dbc, log: "-", input: Readable.from([Buffer.from("(1.0) can0 003#01\n")]) });
  t.equal(lines.length, 1);
});

test("a reader that leaves early (| head) ends it quietly", async (t) => {
  const entry = fileURLToPath(new URL("../../../cli/can/decode-entry.js", import.meta.url));
  const child = spawn(process.execPath, [entry, "--dbc", join(demoData, "opendbc_toyota_rav4_2017_pt_generated.dbc"), "--log", join(demoData, "comma2k19_rav4_60s.log.gz")], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let words = "";
  child.stderr.on("data", (chunk: Buffer) => (words += chunk.toString()));
  child.stdout.once("data", () => child.stdout.destroy());
  const exit = await new Promise((resolve) => child.once("close", resolve));
  t.equal(exit, 0);
  t.strictSame(
    words.split("\n").filter((line) => line !== "" && !line.includes(".dbc:")),
    [],
    "but for what is said of the database",
  );
});

test("a process that forbids generated code decodes the same lines", async (t) => {
  const entry = fileURLToPath(new URL("../../../cli/can/decode-entry.js", import.meta.url));
  const paths = files(t.testdir(), DBC, "(1.0) can0 003#0105060A\n(1.0) can0 001#FFFFFFFFFFFFFFFF\n");
  const child = spawn(process.execPath, ["--disallow-code-generation-from-strings", entry, "--dbc", paths.dbc, "--log", paths.log], { stdio: ["ignore", "pipe", "ignore"] });
  let lines = "";
  child.stdout.on("data", (chunk: Buffer) => (lines += chunk.toString()));
  await new Promise((resolve) => child.once("close", resolve));
  const { lines: expected } = await decode(paths);
  t.strictSame(
    lines
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line) as unknown),
    expected,
  );
});

test("a slow reader gets every line", async (t) => {
  const slow = new (class extends Captured {
    override _write(chunk: Buffer, encoding: BufferEncoding, done: () => void): void {
      setImmediate(() => super._write(chunk, encoding, done));
    }
  })();
  const log = Array.from({ length: 5_000 }, (_, index) => `(${index}.0) can0 003#01\n`).join("");
  t.equal(await runCanDecode(files(t.testdir(), DBC, log), slow, new Captured()), 0);
  t.equal(slow.text.split("\n").length, 5_001);
});

test("what is wrong with the database is said with its place: the first errors, the first warnings, and how many there are", async (t) => {
  const overlaps = Array.from({ length: 9 }, (_, index) => ` SG_ T${index} : 0|8@1+ (1,0) [0|0] "" A\n`).join("");
  const dbc = `BO_ 1 M: 8 A\n SG_ P m0 : 8|8@1+ (1,0) [0|0] "" A\n${overlaps}`;
  const { exit, words, lines } = await decode(files(t.testdir(), dbc, "(1.0) can0 001#0001\n"));
  t.equal(exit, 0);
  t.equal(lines.length, 1);
  t.match(words, /a\.dbc:2:2: "P" is marked as multiplexed but the message has no switch; read as always there\n/);
  t.match(words, /a\.dbc:4:2: warning: signals "T0" and "T1" of message "M" share bits\n/);
  t.equal([...words.matchAll(/: warning: /g)].length, 5);
  t.match(words, /a\.dbc: 1 errors, 8 warnings; the first 5 of each are shown\n/);
  const clean = await decode(files(t.testdir(), 'BO_ 1 M: 8 A\n SG_ T : 0|8@1+ (1,0) [0|0] "" A\n', "(1.0) can0 001#0001\n"));
  t.notMatch(clean.words, /warning/);
});

test("labels are found at the largest numbers that a double holds and beyond", async (t) => {
  const dbc =
    'BO_ 1 M: 8 A\n SG_ S : 0|64@1- (1,0) [0|0] "" A\n' +
    'VAL_ 1 S 9007199254740991 "safe" 9007199254740992 "two53" 9007199254740993 "next" -9007199254740991 "minus safe" -9007199254740992 "minus two53" ;\n';
  const frames = ["FFFFFFFFFFFF1F00", "0000000000002000", "0100000000002000", "010000000000E0FF", "000000000000E0FF"];
  const { lines } = await decode(files(t.testdir(), dbc, frames.map((data) => `(1.0) can0 001#${data}\n`).join("")));
  t.strictSame(
    lines.map((line) => line.s["S"]?.at(-1)),
    ["safe", "two53", "next", "minus safe", "minus two53"],
  );
});

test("whole factors and offsets beyond 2^53 scale without loss, whatever the size of the raw value", async (t) => {
  const scales = ["(1,1600000000000000001)", "(1,9007199254740993)", "(9007199254740993,0)", "(-9007199254740993,-1)", "(0.5,9007199254740993)", "(1,1e3)"];
  const dbc = scales.map((scale, at) => `BO_ ${String(at + 1)} M${String(at)}: 8 A\n SG_ S : 0|32@1+ ${scale} [0|0] "" A\n`).join("");
  const { lines } = await decode(files(t.testdir(), dbc, scales.map((_, at) => `(1.0) can0 00${String(at + 1)}#03000000\n`).join("")));
  t.strictSame(
    lines.map((line) => line.s["S"]),
    [
      [3, "1600000000000000004"],
      [3, "9007199254740996"],
      [3, "27021597764222979"],
      [3, "-27021597764222980"],
      [3, 9007199254740994],
      [3, 1003],
    ],
  );
});

test("a recording without names of interfaces is of the one bus that is asked for, else of can0", async (t) => {
  const paths = files(t.testdir(), DBC, ";$FILEVERSION=1.1\n    1)  16.0  Rx  0003  1  01\n");
  for (const [buses, shown] of [
    [[], ["can0"]],
    [["can7"], ["can7"]],
    [["can0", "can7"], ["can0"]],
    [["can6", "can7"], []],
  ] as const) {
    const { lines, words } = await decode({ ...paths, buses });
    t.strictSame(
      lines.map((line) => line.bus),
      shown,
    );
    t.equal(words.includes("no frame of can7; the recording has can0"), buses.length === 2);
  }
});
