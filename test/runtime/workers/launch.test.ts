// What stands around a process where the kernel offers no more than groups: the guard, the mark, the family.

import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Writable } from "node:stream";

import { test } from "tap";

import { letGo, SHELL, shellArguments, signalGroup } from "../../../runtime/workers/launch.ts";
import { familyOf, marked, residentBytes, sweep } from "../../../runtime/workers/process-family.ts";
import { gone } from "./listening.ts";

interface Begun {
  readonly pid: number;
  readonly gate: Writable;
  /** Numbers that it writes, as many as `count`. */
  readonly numbers: (count: number) => Promise<readonly number[]>;
}

function begin(line: string, mark: string, graceMs = 100): Begun {
  const child = spawn(SHELL, [...shellArguments({ gate: 3, close: [], graceMs, mark, group: undefined }), "sh", "-c", line], {
    detached: true,
    stdio: ["ignore", "pipe", "inherit", "pipe"],
  });
  let text = "";
  child.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
  });
  const numbers = async (count: number): Promise<readonly number[]> => {
    while (text.split("\n").length <= count) await once(child.stdout ?? child, "data");
    return text.trim().split("\n").map(Number);
  };
  return { pid: child.pid ?? 0, gate: child.stdio[3] as Writable, numbers };
}

const DAEMON = "setsid sh -c 'trap \"\" TERM; echo $$; while :; do sleep 0.1; done' & trap '' TERM; sleep 1000 & echo $!; echo $$; wait";

test("S4. the guard ends group and daemons when the pipe closes, by the mark alone where there is no control group", async (t) => {
  const { pid, gate, numbers } = begin(DAEMON, "guarded-test-mark");
  letGo(pid, gate, undefined, undefined);
  const pids = await numbers(3);
  t.ok(pids.includes(pid), "the shell has become the program");
  gate.destroy();
  await Promise.all(pids.map(gone));
});

test("a node that dies before it gave its word leaves nothing that has begun", async (t) => {
  const { pid, gate } = begin("echo begun; exec sleep 1000", "early-test-mark");
  gate.destroy();
  await gone(pid);
  t.strictSame(await marked("early-test-mark"), []);
});

test("the family is the group and what descends from it; a sweep ends what only the mark still joins", async (t) => {
  const { pid, gate, numbers } = begin(DAEMON, "family-test-mark");
  letGo(pid, gate, undefined, undefined);
  const pids = await numbers(3);
  const family = await familyOf(pid);
  for (const one of pids) t.ok(family.includes(one), "also the daemon while its parent lives");
  t.notOk(family.includes(process.pid));
  t.ok((await residentBytes(family)) > 300_000 * family.length);
  t.strictSame(await residentBytes([-1, 2 ** 30]), 0);
  signalGroup(pid, "SIGKILL");
  const [daemon] = (await marked("family-test-mark")).filter((one) => one !== pid);
  t.ok(daemon !== undefined && pids.includes(daemon), "it outlived its group");
  await sweep("family-test-mark");
  await Promise.all(pids.map(gone));
  t.strictSame(await marked("family-test-mark"), []);
  signalGroup(pid, "SIGKILL");
  signalGroup(undefined, "SIGKILL");
});

test("niceness that this process may not give is a cause of its own", (t) => {
  const gate = { on: () => undefined, write: () => t.fail("it must not begin") } as unknown as Writable;
  t.throws(
    () => {
      letGo(2 ** 30, gate, 5, undefined);
    },
    { code: "DROVER_WORKER_FAILED", message: /niceness 5 is not allowed to this process/ },
  );
  t.end();
});
