// Work that a step began and did not wait for ends no node: in a process of its own, since it is about that process.

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { test } from "tap";

const PROGRAM = fileURLToPath(new URL("./floating.js", import.meta.url));

interface Seen {
  readonly told: string;
  readonly heard: readonly string[];
  readonly count: number;
  readonly logged: readonly { readonly code: string; readonly stack: string; readonly advice: string }[];
}

function run(...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...args], { encoding: "utf8", timeout: 60_000 });
  const lines = stdout.trim().split("\n");
  return { status, stderr, lines, seen: JSON.parse(lines.find((line) => line.includes('"told"')) ?? "{}") as Seen, end: lines.at(-1) };
}

for (const how of ["async", "reject"]) {
  test(`S4. a step's promise that is rejected and that nobody handles (${how}) is logged and counted, and the node goes on`, (t) => {
    const { status, seen, end } = run(how);
    t.match([status, seen.told, seen.count, end], [0, "accepted", 7, '{"listeners":0}']);
    t.equal(seen.logged.length, 6, "the other system that ran has told of the first; of seven five are told, a flood fills no disk");
    t.match(seen.logged[0], { code: "DROVER_REJECTION_UNHANDLED", stack: /the audit failed[^]*floating\.js/, advice: /effect, a task or a source/ });
    t.end();
  });
}

test("S4. where the process listens itself, that decides alone", (t) => {
  const { status, seen, end } = run("async", "own");
  t.match([status, seen.heard, seen.count, seen.logged, end], [0, ["the audit failed"], 0, [], '{"listeners":1}']);
  t.end();
});

test("S4. when the last system has stopped the process is as it was", (t) => {
  const { status, stderr, end } = run("none", "after");
  t.not(status, 0);
  t.match([stderr, end], [/no system runs any more/, '{"listeners":0}']);
  t.end();
});

test("H11. writing to the console within a step is no reach, though Node's own code calls nextTick for it", (t) => {
  const { status, lines, seen } = run("console");
  t.match([status, lines[0], seen.told], [0, "written in a step", "accepted"]);
  t.end();
});
