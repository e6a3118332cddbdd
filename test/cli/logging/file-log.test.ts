// The log file of what the demo runs, on a disk that has room, has none, and has some again.

import { spawnSync } from "node:child_process";
import { readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { test } from "tap";
import { fileLog } from "../../../cli/logging/index.ts";
import { systemClock } from "../../../runtime/index.ts";
import { faultyDisk, needsFaultyDisk } from "../../faulty-disk/index.ts";

const ENOSPC = 28;
const child = fileURLToPath(new URL(`./_logging-child${import.meta.url.slice(-3)}`, import.meta.url));

interface Line {
  readonly msg: string;
  readonly lines?: number;
}

const linesOf = (path: string): readonly Line[] =>
  readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Line);

test("a full file becomes .1, and what stood there is gone", (t) => {
  const path = join(t.testdir(), "logs", "a.log");
  const { log, close } = fileLog(path, "info", 200);
  for (let number = 0; number < 12; number += 1) log.info({ number }, "line");
  close();
  const both = [...linesOf(`${path}.1`), ...linesOf(path)];
  t.ok(both.length < 12 && both.length > 2, `${String(both.length)} of 12 are left`);
  t.match(both.at(-1), { msg: "line", number: 11 });
  t.ok(readFileSync(path).length < 400);
  t.end();
});

test("on a full disk a line is lost at once: nothing waits, neither while it runs nor at its end", { skip: process.platform === "linux" ? false : "has no /dev/full" }, (t) => {
  const path = join(t.testdir(), "a.log");
  symlinkSync("/dev/full", path);
  const began = systemClock.monotonic();
  const { log, close } = fileLog(path, "info");
  for (let number = 0; number < 1_000; number += 1) log.info({ number }, "line");
  close();
  t.ok(systemClock.monotonic() - began < 1_000, "no attempt is repeated");
  log.info({}, "after the end");
  t.end();
});

test("what a full disk took of the log is said by the first line that fits again", needsFaultyDisk, (t) => {
  const folder = t.testdir();
  const { status } = spawnSync(process.execPath, [child, join(folder, "a.log"), "10"], {
    env: faultyDisk({ under: folder, fail: `write:a.log:4:3:${String(ENOSPC)}` }),
    timeout: 10_000,
  });
  t.equal(status, 0);
  const lines = linesOf(join(folder, "a.log"));
  const missing = lines.find((line) => line.lines !== undefined)?.lines ?? 0;
  t.ok(missing > 0, "the gap is told");
  t.equal(lines.length - 1 + missing, 10, "told or counted, each of them");
  t.match(lines.at(-1), { msg: "line 9" });
  t.end();
});
