// Lines of a stream: whole ones, long ones, too many, none at all.

import { PassThrough } from "node:stream";

import { test } from "tap";

import { ManualClock, settle } from "../../../runtime/simulation/manual-clock.ts";
import { logLines, type LineLimits } from "../../../runtime/workers/line-log.ts";
import { heard, type Heard, listeningLog, type LogLine } from "./listening.ts";

interface Written {
  readonly clock: ManualClock;
  readonly stream: PassThrough;
  readonly lines: Heard<LogLine>;
  readonly said: () => readonly string[];
}

function written(limits: LineLimits = {}, seen?: (line: string) => boolean): Written {
  const clock = new ManualClock();
  const stream = new PassThrough({ highWaterMark: 64 << 20 });
  const lines = heard<LogLine>();
  logLines(stream, "stdout", listeningLog(lines), clock, limits, seen);
  return { clock, stream, lines, said: () => lines.items.map(({ message }) => message) };
}

test("lines come whole, whatever the chunks; the last one needs no newline, empty ones are left out", async (t) => {
  const { stream, said } = written();
  const bytes = Buffer.from("grüße\r\n\n  \nzwei\ndrei");
  for (const byte of bytes) stream.write(Buffer.of(byte));
  stream.end();
  await settle();
  t.strictSame(said(), ["grüße", "zwei", "drei"]);
});

test("S5. a line longer than the bound is cut, between characters, and says how much is missing", async (t) => {
  const { stream, lines } = written({ maxBytes: 9 });
  stream.write("ääää");
  stream.write(`ä${"x".repeat(100_000)}`);
  stream.write(`${"x".repeat(100_000)}\nnext\n`);
  stream.end("0123456789");
  await settle();
  t.strictSame(
    lines.items.map(({ message, fields }) => [message, fields["cutBytes"]]),
    [
      ["ääää", 200_001],
      ["next", undefined],
      ["012345678", 1],
    ],
  );
});

test("S5. lines over the rate are counted: told by the next one that passes, by an entry of its own after a second, or at the end", async (t) => {
  const { clock, stream, lines } = written({ perSecond: 1, burst: 2 });
  const entries = (): readonly unknown[] => lines.items.splice(0).map(({ message, fields }) => [message, fields["suppressed"]]);
  stream.write("a\nb\nc\nd\ne\n");
  await settle();
  t.strictSame(entries(), [
    ["a", undefined],
    ["b", undefined],
  ]);
  await clock.advance(1_000);
  t.strictSame(entries(), [["lines over the rate were left out", 3]]);
  stream.write("f\ng\n");
  await settle();
  await clock.advance(999);
  stream.write("h\n");
  await settle();
  await clock.advance(1);
  stream.write("i\n");
  stream.end("j");
  await settle();
  t.strictSame(entries(), [
    ["f", undefined],
    ["lines over the rate were left out", 2],
    ["i", undefined],
    ["lines over the rate were left out", 1],
  ]);
  t.equal(clock.pending, 0);
});

test("S5. blank lines cost what lines cost: over the bound they are counted, not looked at", async (t) => {
  const { clock, stream, lines } = written();
  for (let part = 0; part < 8; part++) stream.write("\r\n".repeat(1 << 15));
  stream.end("and a word\n");
  for (let slice = 0; slice < 8; slice++) await clock.advance(25);
  const told = lines.items.reduce((sum, { fields }) => sum + Number(fields["suppressed"] ?? 0), 0);
  t.ok(told >= (1 << 18) - 8_000 && told <= 1 << 18, `${String(told)} were counted, and at most a thousand a slice looked at`);
});

test("S5. what floods is read by slices: the stream waits for us, every line is counted, and one that is awaited is found", async (t) => {
  let looked = 0;
  const { clock, stream, lines } = written({}, (line) => {
    looked++;
    return line !== "ready";
  });
  stream.write("y\n".repeat(5_000));
  stream.write("ready\n");
  const megabyte = "y\n".repeat(1 << 19);
  for (let part = 0; part < 12; part++) stream.write(megabyte);
  await settle();
  t.ok(stream.isPaused(), "not all at once");
  for (let slice = 0; slice < 20; slice++) await clock.advance(25);
  stream.end();
  await settle();
  t.equal(looked, 5_001, "and no further");
  const told = lines.items.reduce((sum, { fields }) => sum + Number(fields["suppressed"] ?? 0), 0);
  const passed = lines.items.filter(({ message }) => message === "y" || message === "ready").length;
  t.equal(told + passed, 5_001 + 12 * (1 << 19), `${String(passed)} passed`);
});
