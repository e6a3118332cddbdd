// `drover can decode --log -` beside something that still records: what has come is shown, and a Ctrl-C loses nothing of it.

import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough, type Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { type Test, test } from "tap";
import { runCanDecode } from "../../../cli/can/decode.ts";
import { Captured } from "../../protocols/can/decoded-files.ts";
import { cleanEnvironment } from "../captured.ts";

const DBC = 'BO_ 3 L: 8 A\n SG_ Gear : 0|8@1+ (1,0) [0|0] "" X\n';
const MAIN = fileURLToPath(new URL("../../../cli/main.js", import.meta.url));

function dbcIn(folder: string): string {
  const dbc = join(folder, "a.dbc");
  writeFileSync(dbc, DBC);
  return dbc;
}

/** Resolves when the text has come; a run that never says it fails by the test's own time. */
async function shows(out: Readable, wanted: string): Promise<string> {
  let text = "";
  for await (const chunk of out.iterator({ destroyOnReturn: false })) {
    text += String(chunk);
    if (text.includes(wanted)) return text;
  }
  return `${text}(ended)`;
}

function started(t: Test, args: readonly string[]): ChildProcessWithoutNullStreams {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ["pipe", "pipe", "pipe"], env: cleanEnvironment({}) });
  t.teardown(() => child.kill("SIGKILL"));
  return child;
}

test("each frame is shown when it has come, not when many have or the input ends", async (t) => {
  const input = new PassThrough();
  const out = new PassThrough();
  const run = runCanDecode({ dbc: dbcIn(t.testdir()), log: "-", input }, out, new Captured());
  input.write("(1.0) can0 003#01\n(2.0) can0 0");
  t.match(await shows(out, '"t":1'), /"Gear":\[1\]/);
  input.write("03#02\n");
  t.match(await shows(out, '"t":2'), /"Gear":\[2\]/);
  input.end();
  t.equal(await run, 0);
});

test("an interrupt ends it with all lines that came whole, at any moment", async (t) => {
  const dbc = dbcIn(t.testdir());
  for (const [sent, frames] of [
    ["", 0],
    ["(1", 0],
    ["(1.0) can0 003#01\n(2.0) can0 003#0", 1],
    ["(1.0) can0 003#01\n".repeat(3_000), 3_000],
    [";$FILEVERSION=1.1\n    1)  16.0  Rx  0003  1  01\n    2)  1", 1],
  ] as const) {
    const input = new PassThrough();
    const out = new Captured();
    const words = new Captured();
    const interrupt = new AbortController();
    const run = runCanDecode({ dbc, log: "-", input, interrupt: interrupt.signal }, out, words);
    if (sent !== "") input.write(sent);
    await new Promise((resolve) => setImmediate(resolve));
    interrupt.abort();
    t.equal(await run, 130);
    t.equal(out.text.split("\n").length - 1, frames);
    t.match(words.text, new RegExp(`${String(frames)} frames, ${String(frames)} decoded, 0 lines not readable`));
    t.notMatch(words.text, /ends early/);
  }
});

test("what has come while the reader of the lines was slow is still decoded after an interrupt", async (t) => {
  const input = new PassThrough({ highWaterMark: 1_000_000 });
  const slow = new (class extends Captured {
    override _write(chunk: Buffer, encoding: BufferEncoding, done: () => void): void {
      setImmediate(() => super._write(chunk, encoding, done));
    }
  })();
  const interrupt = new AbortController();
  const run = runCanDecode({ dbc: dbcIn(t.testdir()), log: "-", input, interrupt: interrupt.signal }, slow, new Captured());
  input.write("(1.0) can0 003#01\n".repeat(2_000));
  await new Promise((resolve) => setImmediate(resolve));
  for (let piece = 0; piece < 5; piece++) input.write("(1.0) can0 003#02\n".repeat(100));
  interrupt.abort();
  t.equal(await run, 130);
  t.equal(slow.text.split("\n").length - 1, 2_500);
});

test("the command itself: lines while the recording goes on, and Ctrl-C ends it in order", async (t) => {
  const child = started(t, ["can", "decode", "--dbc", dbcIn(t.testdir()), "--log", "-"]);
  const words = shows(child.stderr, "lines not readable");
  child.stdin.write("(1.0) can0 003#07\n(2.0) can0 003#0");
  t.match(await shows(child.stdout, "\n"), /"Gear":\[7\]/);
  child.kill("SIGINT");
  t.strictSame((await once(child, "exit"))[0], 130);
  t.match(await words, /1 lines, 1 frames, 1 decoded, 0 lines not readable/);
});

test("a reader that has left ends it at the next line", async (t) => {
  const child = started(t, ["can", "decode", "--dbc", dbcIn(t.testdir()), "--log", "-"]);
  child.stdin.on("error", () => undefined);
  child.stdin.write("(1.0) can0 003#07\n");
  await shows(child.stdout, "\n");
  child.stdout.destroy();
  const ended = once(child, "exit");
  child.stdin.write("(2.0) can0 003#07\n");
  t.equal((await ended)[0], 0);
});

test("L4. The format is told right however small the pieces are in which it comes", async (t) => {
  const dbc = dbcIn(t.testdir());
  const trc = "\ufeff;##########\n; by hand\n;$FILEVERSION=1.1\n;$STARTTIME=25569.5\n    1)  16.0  Rx  0003  1  01\n    2)  17.0  Rx  0003  1  02\n";
  const dump = "\n  (1.0) can0 003#01\n(2.0) can0 003#02\n";
  const refused = (name: string, error: RegExp) => [name, 3, 0, error] as const;
  for (const [[name, exit, lines, words], content] of [
    [["candump", 0, 2, /2 frames/], dump],
    [["candump, packed", 0, 2, /2 frames/], gzipSync(dump)],
    [["TRC", 0, 2, /2 frames/], trc],
    [["TRC, packed", 0, 2, /2 frames/], gzipSync(trc)],
    [["nothing, packed", 0, 0, /0 lines/], gzipSync("")],
    [["one byte of gzip", 3, 0, /no line is a frame/], Buffer.from([0x1f])],
    [["two bytes of gzip", 9, 0, /breaks off/], Buffer.from([0x1f, 0x8b])],
    [["BLF without its header", 9, 0, /breaks off/], "LOGG\0\0\0\0"],
    [refused("MDF", /an ASAM MDF recording/), "MDF     4.11"],
    [refused("MDF, not finished", /an ASAM MDF recording/), "UnFinMF 4.11"],
    [["ASC", 0, 1, /1 frames/], "date Sat Sep 30 15:06:13.191 2017\r\nbase hex  timestamps absolute\r\n 1.0 1 3 Rx d 1 01\r\n"],
    [["ASC behind a comment", 0, 1, /1 frames/], "// by hand\n//\nbase hex  timestamps absolute\n 1.0 1 3 Rx d 1 01\n"],
    [["TRC 2.1", 0, 1, /1 frames/], ";$FILEVERSION=2.1\n;$COLUMNS=O,T,I,L,D\n16.0 DT 0003 1 01\n"],
    [["TRC 1.0", 0, 1, /1 frames/], ";##\n;##\n  1)  16  0003  1  01\n"],
    [refused("TRC 3.0", /TRC 3\.0/), ";$FILEVERSION=3.0\n;$COLUMNS=N,O\n"],
    [refused("prose", /no line is a frame/), "dated prose\nand more of it\n"],
  ] as const) {
    for (const size of [1, 3]) {
      const input = new PassThrough();
      const out = new Captured();
      const err = new Captured();
      const run = runCanDecode({ dbc, log: "-", input }, out, err);
      const bytes = Buffer.from(content as string);
      for (let at = 0; at < bytes.length; at += size) {
        input.write(bytes.subarray(at, at + size));
        await new Promise((resolve) => setImmediate(resolve));
      }
      input.end();
      t.equal(await run, exit, `${name} by ${String(size)}`);
      t.equal(out.text.split("\n").length - 1, lines, name);
      t.match(err.text, words, name);
    }
  }
});
