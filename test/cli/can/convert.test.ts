// `drover can convert` as a user meets it: what it prints, what it says, the code it ends with.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { test } from "tap";
import { type CanConvertOptions, runCanConvert } from "../../../cli/can/convert.ts";
import { CommandFailure } from "../../../cli/terminal/index.ts";
import { Captured, demoData } from "../../protocols/can/decoded-files.ts";
import { cleanEnvironment } from "../captured.ts";

const MAIN = fileURLToPath(new URL("../../../cli/main.js", import.meta.url));
const TRC =
  ";$FILEVERSION=2.1\n;$STARTTIME=45678.5\n;$COLUMNS=N,O,T,B,I,d,R,L,D\n1 16.0 DT 1 0003 Rx - 2 01 02\n2 17.0 FB 2 10000003 Tx - 1 03\n3 18.0 RR 1 0003 Rx - 4\n4 19.0 ER 1 - Rx - 5 01 01 19 08 09\n";
const LINES = [
  "(1737460800.016000) can1 003#0102",
  "(1737460800.017000) can2 10000003##103",
  "(1737460800.018000) can1 003#R4",
  "(1737460800.019000) can1 20000288#0000011900000908",
];

async function convert(options: CanConvertOptions): Promise<{ readonly exit: number; readonly lines: readonly string[]; readonly words: string }> {
  const [out, err] = [new Captured(), new Captured()];
  const exit = await runCanConvert(options, out, err);
  return { exit, lines: out.text.split("\n").slice(0, -1), words: err.text };
}

/** What it fails with. */
async function failure(options: CanConvertOptions): Promise<unknown> {
  return await convert(options).then(
    () => undefined,
    (error: unknown) => (error instanceof CommandFailure ? error.failure : error),
  );
}

function recordingIn(folder: string, content: string | Uint8Array): string {
  const log = join(folder, "a.log");
  writeFileSync(log, content);
  return log;
}

test("a recording of any format comes out as candump -L; counts go to the other stream", async (t) => {
  const log = recordingIn(t.testdir(), TRC);
  t.strictSame(await convert({ log }), { exit: 0, lines: LINES, words: "drover can convert: 7 lines, 4 frames, 4 written, 0 lines not readable\n" });
  t.strictSame((await convert({ log, directions: true })).lines, [`${LINES[0] ?? ""} R`, `${LINES[1] ?? ""} T`, `${LINES[2] ?? ""} R`, `${LINES[3] ?? ""} R`]);
  t.strictSame((await convert({ log: recordingIn(t.testdir(), gzipSync(TRC)) })).lines, LINES);
  t.strictSame((await convert({ log: "-", input: Readable.from([Buffer.from(TRC)]) })).lines, LINES);
});

test("buses are chosen by name, and a name that never occurs is said", async (t) => {
  const { exit, lines, words } = await convert({ log: recordingIn(t.testdir(), TRC), buses: ["can2", "can9"] });
  t.equal(exit, 0);
  t.strictSame(lines, [LINES[1]]);
  t.match(words, /no frame of can9; the recording has can1, can2\n.* 4 frames, 1 written/);
});

test("a recording that breaks off gives all before that and ends with 9; one without a readable line with 3, one that is not there with 4", async (t) => {
  const folder = t.testdir();
  const cut = await convert({ log: recordingIn(folder, "(1.0) can0 123#01\n(2.0) can0 123#0") });
  t.match(cut, { exit: 9, lines: ["(1.000000) can0 123#01"], words: /a\.log:2: expected data.*a\.log ends early: it breaks off in the middle of line 2/s });
  t.match(await convert({ log: recordingIn(folder, gzipSync(TRC.repeat(50)).subarray(0, 100)) }), { exit: 9, words: /ends early: the compressed data breaks off/ });
  t.match(await convert({ log: recordingIn(folder, "prose\nand more\n") }), { exit: 3, lines: [], words: /no line is a frame of candump/ });
  t.match(await convert({ log: join(folder, "none") }), { exit: 4, words: /cannot open .*none/ });
  await t.rejects(convert({ log: join(folder, "none"), throws: true }), { code: "DROVER_FILE_UNREADABLE" });
});

test("into a file: written whole, never over the recording itself; what cannot be written is a failure with a reason", async (t) => {
  const folder = t.testdir();
  const log = recordingIn(folder, TRC);
  const file = join(folder, "out.log");
  t.match(await convert({ log, file }), { exit: 0, lines: [], words: /4 written/ });
  t.equal(readFileSync(file, "utf8"), `${LINES.join("\n")}\n`);
  t.match(await convert({ log, file, buses: ["can2"] }), { exit: 0 });
  t.equal(readFileSync(file, "utf8"), `${LINES[1] ?? ""}\n`, "it is written anew");
  t.match(await failure({ log, file: log }), { exit: 1, detail: /is the recording itself/ });
  t.equal(readFileSync(log, "utf8"), TRC);
  t.match(await failure({ log, file: join(folder, "no-such-folder", "x") }), { exit: 1, detail: /no-such-folder/ });
  t.match(await convert({ log: join(folder, "none"), file: join(folder, "never") }), { exit: 4 });
  t.equal(existsSync(join(folder, "never")), false, "nothing is made for a recording that cannot be read");
  if (existsSync("/dev/full")) t.match(await failure({ log, file: "/dev/full" }), { exit: 1, detail: /ENOSPC/ });
});

test("each frame is written when it has come, and an interrupt ends it with all that came whole", async (t) => {
  const input = new PassThrough();
  const out = new PassThrough();
  const interrupt = new AbortController();
  const run = runCanConvert({ log: "-", input, interrupt: interrupt.signal }, out, new Captured());
  input.write("(1.0) can0 003#01\n(2.0) can0 0");
  t.equal(String((await once(out, "data"))[0]), "(1.000000) can0 003#01\n");
  interrupt.abort();
  t.equal(await run, 130);
});

test("the command itself in a pipe: a reader that leaves early ends it quietly", async (t) => {
  const child = spawn(process.execPath, [MAIN, "can", "convert", "--log", join(demoData, "comma2k19_rav4_60s.log.gz"), "--to", "candump"], {
    stdio: ["ignore", "pipe", "pipe"],
    env: cleanEnvironment({}),
  });
  t.teardown(() => child.kill("SIGKILL"));
  let words = "";
  child.stderr.on("data", (chunk: Buffer) => (words += chunk.toString()));
  const [first] = (await once(child.stdout, "data")) as [Buffer];
  t.match(first.toString(), /^\(\d+\.\d{6}\) can\d [0-9A-F]{3}#[0-9A-F]*\n/);
  child.stdout.destroy();
  t.strictSame([(await once(child, "close"))[0], words], [0, ""]);
});

test("memory does not grow with the recording", async (t) => {
  const piece = Buffer.from("(1.0) can0 123#0011223344556677\n".repeat(8_192));
  async function* pieces(): AsyncGenerator<Buffer> {
    for (let count = 0; count < 400; count++) yield piece;
  }
  let bytes = 0;
  let most = 0;
  const out = new (class extends Captured {
    override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
      bytes += chunk.length;
      const { heapUsed, external } = process.memoryUsage();
      most = Math.max(most, heapUsed + external);
      done();
    }
  })();
  const { heapUsed, external } = process.memoryUsage();
  t.equal(await runCanConvert({ log: "-", input: Readable.from(pieces()) }, out, new Captured()), 0);
  t.equal(bytes, 400 * 8_192 * "(1.000000) can0 123#0011223344556677\n".length);
  t.ok(most - heapUsed - external < 64 * 1024 * 1024, `${String(Math.round((most - heapUsed - external) / 1024 / 1024))} MiB for ${String(Math.round(bytes / 1024 / 1024))} MiB`);
});
