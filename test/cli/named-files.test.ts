// A file that a person names and that is none: said at once, for what would be waited for without end too.

import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { test } from "tap";
import { runCanDecode } from "../../cli/can/decode.ts";
import { openLog } from "../../protocols/can-log/index.ts";
import { drover, scratch } from "./captured.ts";

const DBC = 'VERSION ""\nBU_:\nBO_ 1 ENGINE: 8 X\n SG_ RPM : 0|16@1+ (1,0) [0|8000] "rpm" X\n';

test("a pipe, a folder and a device in the place of a file are named at once with what was expected, exit code 4", async (t) => {
  const folder = scratch(t);
  const pipe = join(folder, "pipe");
  execFileSync("mkfifo", [pipe]);
  const dbc = join(folder, "car.dbc");
  const log = join(folder, "car.log");
  writeFileSync(dbc, DBC);
  writeFileSync(log, "(1.000000) can0 001#1027000000000000\n");
  mkdirSync(join(folder, "folder"));
  for (const [path, kind] of [
    [pipe, "a pipe"],
    [join(folder, "folder"), "a folder"],
    ["/dev/zero", "a device"],
  ] as const) {
    const runs: readonly (readonly [args: readonly string[], expected: string])[] = [
      [["vehicle", "check", path], "the YAML file of a vehicle or a model"],
      [["can", "decode", "--dbc", path, "--log", log, "--jsonl"], "a DBC"],
      [["can", "decode", "--dbc", dbc, "--log", path, "--jsonl"], "a recording"],
      [["can", "decode", "--dbc", dbc, "--overlay", path, "--log", log, "--jsonl"], "an overlay in YAML"],
      [["start", "edge", "--config", path], "a configuration in YAML or JSON"],
    ];
    for (const [args, expected] of runs) {
      const { code, err } = await drover([...args]);
      t.equal(code, 4, args.join(" "));
      t.match(err, `${path} is ${kind}, expected ${expected}`, args.join(" "));
    }
  }
});

test("so is a DBC that a vehicle's file names, with the place of its problem", async (t) => {
  const folder = scratch(t);
  execFileSync("mkfifo", [join(folder, "car.dbc")]);
  const file = join(folder, "car.yaml");
  writeFileSync(file, "model: car\nversion: 1\nbuses:\n  can0: { dbc: car.dbc, bitrate: 500000 }\n");
  const { code, out } = await drover(["vehicle", "check", file]);
  t.equal(code, 3);
  t.match(out, /car\.dbc is a pipe, expected a plain file/);
});

test("standard input is read as before, and a file through a link", async (t) => {
  const folder = scratch(t);
  const dbc = join(folder, "car.dbc");
  writeFileSync(dbc, DBC);
  symlinkSync(dbc, join(folder, "link.dbc"));
  const log = "(1.000000) can0 001#1027000000000000\n";
  const out = new PassThrough();
  const err = new PassThrough();
  t.equal(await runCanDecode({ dbc: join(folder, "link.dbc"), log: "-", input: Readable.from([Buffer.from(log)]) }, out, err), 0);
  t.match(String(out.read()), /"m":"ENGINE"/);
  await t.rejects(openLog(join(folder, "none.log")), { code: "DROVER_CAN_FILE_UNREADABLE", message: /cannot open/ });
});
