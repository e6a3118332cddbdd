// What stands around a process where the kernel offers no more than groups: the guard, the mark, the family.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import type { Writable } from "node:stream";

import { test } from "tap";

import { letGo, RUN_MARK, sendHome, SHELL, shellArguments, signalGroup } from "../../../runtime/workers/launch.ts";
import { familyOf, lookoutFor, marked, ownBytes, residentBytes, sweep } from "../../../runtime/workers/process-family.ts";
import { gone } from "./listening.ts";
import { pause } from "./programs.ts";

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

interface Guards {
  readonly inside: number;
  readonly outside: number;
}

function read(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${String(pid)}/${file}`, "latin1");
  } catch {
    return "";
  }
}

/** Those that know the mark, by their arguments or their environment. */
function knowing(mark: string): readonly number[] {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return pids.map(Number).filter((pid) => ["cmdline", "environ"].some((file) => read(pid, file).includes(mark)));
}

async function guardsOf(leader: number, mark: string): Promise<Guards> {
  for (;;) {
    const group = (pid: number): number => Number(read(pid, "stat").split(") ")[1]?.split(" ")[2]);
    const guards = knowing(mark).filter((pid) => !read(pid, "environ").includes(mark));
    const inside = guards.find((pid) => group(pid) === leader);
    const outside = guards.find((pid) => group(pid) !== leader);
    if (inside !== undefined && outside !== undefined) return { inside, outside };
    await pause(20);
  }
}

async function untilNobody(mark: string): Promise<void> {
  while (knowing(mark).length > 0) await pause(50);
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

test("S4. whoever of them dies first, or together with the node: daemons of the run end, and nobody else", async (t) => {
  const bystander = spawn("sleep", ["1000"], { env: { ...process.env, [RUN_MARK]: "bystanders-test-mark" }, stdio: "ignore" });
  const orders: Readonly<Record<string, (leader: number, guards: Guards) => void>> = {
    "the group with the guard in it": (leader) => {
      signalGroup(leader, "SIGKILL");
    },
    "the guard in the group": (_leader, { inside }) => process.kill(inside, "SIGKILL"),
    "the guard outside": (_leader, { outside }) => process.kill(outside, "SIGKILL"),
    "the program": (leader) => process.kill(leader, "SIGKILL"),
  };
  await Promise.all(
    Object.entries(orders).map(async ([who, die], index) => {
      const mark = `order-${String(index)}-test-mark`;
      const { pid, gate, numbers } = begin(DAEMON, mark, 300);
      letGo(pid, gate, undefined, undefined);
      const pids = await numbers(3);
      die(pid, await guardsOf(pid, mark));
      gate.destroy();
      await Promise.all(pids.map(gone));
      await untilNobody(mark);
      t.pass(`${who}: all gone, guards too`);
    }),
  );
  t.equal(process.kill(bystander.pid ?? 0, 0), true);
  bystander.kill("SIGKILL");
});

test("S4. who goes on to begin others while it is swept is ended with all of them", async (t) => {
  const mark = "spawning-test-mark";
  const { pid, gate, numbers } = begin("setsid sh -c 'trap \"\" TERM; echo $$; while :; do setsid sleep 1000 & sleep 0.02; done' & wait", mark);
  letGo(pid, gate, undefined, undefined);
  await numbers(1);
  gate.destroy();
  await untilNobody(mark);
  t.strictSame(await marked(mark), []);
});

test("a guard that is sent home leaves what it guarded alone", async (t) => {
  const mark = "home-test-mark";
  const { pid, gate, numbers } = begin(DAEMON, mark);
  letGo(pid, gate, undefined, undefined);
  const pids = await numbers(3);
  const { inside, outside } = await guardsOf(pid, mark);
  process.kill(inside, "SIGKILL");
  await gone(inside);
  sendHome(gate);
  await gone(outside);
  for (const one of pids) t.equal(process.kill(one, 0), true);
  signalGroup(pid, "SIGKILL");
  await sweep(mark);
  await untilNobody(mark);
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
  const own = await ownBytes(family);
  t.ok(own > 0 && own < (await residentBytes(family)), "what they share counts once");
  t.strictSame(await ownBytes([-1, 2 ** 30]), 0);
  const markedNow = lookoutFor("family-test-mark");
  for (let look = 0; look < 2; look++) {
    const found = await markedNow();
    t.ok(pids.every((one) => found.includes(one)) && !found.includes(process.pid), "those that carry the mark, each time");
  }
  signalGroup(pid, "SIGKILL");
  const [daemon] = (await marked("family-test-mark")).filter((one) => one !== pid);
  t.ok(daemon !== undefined && pids.includes(daemon), "it outlived its group");
  await sweep("family-test-mark");
  await Promise.all(pids.map(gone));
  t.strictSame(await marked("family-test-mark"), []);
  sendHome(gate);
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
