// A file that a person names and that is none: refused at once where a node would wait for it without end, taken where a person waits beside it.

import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { type Test, test } from "tap";
import { findEndpoint } from "../../cli/api/index.ts";
import { runCanDecode } from "../../cli/can/decode.ts";
import type { CommandFailure } from "../../cli/terminal/index.ts";
import { checkStores } from "../../cli/doctor/check-stores.ts";
import { createLogReplay, openLog } from "../../protocols/can-log/index.ts";
import { systemClock } from "../../runtime/host/index.ts";
import { cleanEnvironment, drover, scratch } from "./captured.ts";

const DBC = 'VERSION ""\nBU_:\nBO_ 1 ENGINE: 8 X\n SG_ RPM : 0|16@1+ (1,0) [0|8000] "rpm" X\n';
const LOG = "(1.000000) can0 001#1027000000000000\n";
const MAIN = fileURLToPath(new URL("../../cli/main.js", import.meta.url));

/** What a person runs, in a shell that knows `<(…)`. */
async function shell(t: Test, script: string, interruptAfterMs?: number): Promise<{ readonly code: number | null; readonly out: string; readonly err: string }> {
  const child = spawn("bash", ["-c", script], { stdio: ["ignore", "pipe", "pipe"], env: cleanEnvironment({ NODE: process.execPath, MAIN }) });
  t.teardown(() => child.kill("SIGKILL"));
  const texts = { out: "", err: "" };
  child.stdout.on("data", (chunk: Buffer) => (texts.out += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (texts.err += chunk.toString()));
  if (interruptAfterMs !== undefined) systemClock.setTimeout(() => child.kill("SIGINT"), interruptAfterMs);
  const [code] = (await once(child, "close")) as [number | null];
  return { code, ...texts };
}

test("what is no file is named at once with what was expected, exit code 4: a folder everywhere, a pipe and a device where a node would read it", async (t) => {
  const folder = scratch(t);
  const pipe = join(folder, "pipe");
  execFileSync("mkfifo", [pipe]);
  const dbc = join(folder, "car.dbc");
  const log = join(folder, "car.log");
  writeFileSync(dbc, DBC);
  writeFileSync(log, LOG);
  mkdirSync(join(folder, "folder"));
  for (const [path, kind] of [
    [pipe, "a pipe"],
    [join(folder, "folder"), "a folder"],
    ["/dev/zero", "a device"],
  ] as const) {
    const runs: readonly (readonly [args: readonly string[], expected: string])[] = [
      [["vehicle", "check", path], "the YAML file of a vehicle or a model"],
      [["start", "edge", "--config", path], "a configuration in YAML or JSON"],
    ];
    const byAPerson: typeof runs = [
      [["can", "decode", "--dbc", path, "--log", log], "a DBC"],
      [["can", "decode", "--dbc", dbc, "--log", path], "a recording"],
      [["can", "decode", "--dbc", dbc, "--overlay", path, "--log", log], "an overlay in YAML"],
    ];
    for (const [args, expected] of kind === "a folder" ? [...runs, ...byAPerson] : runs) {
      const { code, err } = await drover([...args]);
      t.equal(code, 4, args.join(" "));
      t.match(err, `${path} is ${kind}, expected ${expected}`, args.join(" "));
    }
  }
  const replay = createLogReplay({ path: pipe }, { clock: systemClock });
  await t.rejects(replay.start({ onFrames: () => undefined }), { code: "DROVER_FILE_UNREADABLE", message: `${pipe} is a pipe, expected a recording` });
});

test("recording, DBC and overlay of `can decode` may be pipes: process substitution, /dev/stdin, a named pipe whose writer comes later", async (t) => {
  const folder = scratch(t);
  const [dbc, log, overlay, pipe] = ["car.dbc", "car.log.gz", "o.yaml", "pipe"].map((name) => join(folder, name)) as [string, string, string, string];
  writeFileSync(dbc, DBC);
  writeFileSync(log, gzipSync(LOG));
  writeFileSync(overlay, "ENGINE.RPM: { factor: 2 }\n");
  execFileSync("mkfifo", [pipe]);
  const decode = (arguments_: string): string => `"$NODE" "$MAIN" can decode ${arguments_}`;
  for (const script of [
    decode(`--dbc <(cat ${dbc}) --log <(zcat ${log}) --overlay <(cat ${overlay})`),
    decode(`--dbc ${dbc} --log <(cat ${log}) --overlay ${overlay}`),
    `cat ${log} | ${decode(`--dbc ${dbc} --log /dev/stdin --overlay ${overlay}`)}`,
    `cat ${dbc} | ${decode(`--dbc /dev/stdin --log ${log} --overlay ${overlay}`)}`,
    `(sleep 0.6; cat ${log} > ${pipe}) & ${decode(`--dbc ${dbc} --log ${pipe} --overlay ${overlay}`)}`,
  ]) {
    const { code, out, err } = await shell(t, script);
    t.equal(code, 0, script);
    t.equal(out, '{"l":1,"t":1,"bus":"can0","m":"ENGINE","s":{"RPM":[10000,20000]}}\n', script);
    t.match(err, /1 lines, 1 frames, 1 decoded/);
  }
});

test("an empty device is an empty file; an endless one is no DBC", async (t) => {
  const folder = scratch(t);
  const dbc = join(folder, "car.dbc");
  writeFileSync(dbc, DBC);
  t.match(await drover(["can", "decode", "--dbc", dbc, "--log", "/dev/null"]), { code: 0, out: "", err: /0 lines, 0 frames, 0 decoded/ });
  t.match(await drover(["can", "decode", "--dbc", "/dev/null", "--log", "/dev/null"]), { code: 3, err: /\/dev\/null:1:1: .*it is empty/ });
  t.match(await drover(["can", "decode", "--dbc", "/dev/zero", "--log", "/dev/null"]), { code: 4, err: /more than 67108864 bytes came, expected a DBC/ });
});

test("Ctrl-C ends the waiting for a pipe that nobody writes to", async (t) => {
  const folder = scratch(t);
  const [dbc, pipe] = ["car.dbc", "pipe"].map((name) => join(folder, name)) as [string, string];
  writeFileSync(dbc, DBC);
  execFileSync("mkfifo", [pipe]);
  for (const arguments_ of [`--dbc ${dbc} --log ${pipe}`, `--dbc ${pipe} --log /dev/null`]) {
    let code: number | null = null;
    // Ended by the signal itself: the program had not begun yet.
    for (let afterMs = 1_500; code === null && afterMs <= 12_000; afterMs *= 2) ({ code } = await shell(t, `exec "$NODE" "$MAIN" can decode ${arguments_}`, afterMs));
    t.equal(code, 130, arguments_);
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
  await t.rejects(openLog(join(folder, "none.log")), { code: "DROVER_FILE_UNREADABLE", message: /cannot open/ });
});

test("an output that takes nothing more ends a command with a word and exit code 1", { skip: !existsSync("/dev/full") && "needs /dev/full" }, async (t) => {
  const folder = scratch(t);
  const dbc = join(folder, "car.dbc");
  const log = join(folder, "car.log");
  writeFileSync(dbc, DBC);
  writeFileSync(log, LOG);
  for (const command of ["--version", `can decode --dbc ${dbc} --log ${log}`]) {
    const { code, err } = await shell(t, `"$NODE" "$MAIN" ${command} > /dev/full`);
    t.equal(code, 1, command);
    t.match(err, /drover: the output could not be written: ENOSPC.* Mend where it goes/, command);
    t.notMatch(err, /\n +at /, `${command}: no stack`);
  }
});

test("a data folder that this user may not read is said to be so, not to hold nothing", async (t) => {
  const data = join(scratch(t), "data");
  mkdirSync(data, { mode: 0o000 });
  const isRoot = process.getuid?.() === 0;
  if (isRoot) process.seteuid?.(65_534);
  try {
    const failure = await Promise.resolve()
      .then(() => findEndpoint({}, { DROVER_DATA: data }))
      .catch((thrown: unknown) => (thrown as CommandFailure).failure);
    t.match(failure, { exit: 6, title: /data folder cannot be read/, detail: /EACCES/, advice: /as the node's own user/ });
    t.match(await checkStores(data), [{ check: "stores", status: "problem", what: /data cannot be read: EACCES/ }]);
  } finally {
    if (isRoot) process.seteuid?.(0);
    chmodSync(data, 0o700);
  }
});
