// Children that do not end of their kill: their end is told all the same, what they do later is nobody's, and there are never many of them.

import { ChildProcess, execFileSync, fork } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import tap, { test, type Test } from "tap";

import { systemClock, systemRandom } from "../../../runtime/host/index.ts";
import { silentLog } from "../../../runtime/ports/index.ts";
import { ManualClock, settle } from "../../../runtime/simulation/manual-clock.ts";
import { child, createTree, supervisor, type DownNotice, type SupervisorReport } from "../../../runtime/supervision/index.ts";
import { type Exit, stopWithin } from "../../../runtime/workers/index.ts";
import { ParentSide } from "../../../runtime/workers/parent-side.ts";
import { echo } from "./echo.worker.ts";
import { start } from "./echoing.ts";
import { gone, heard } from "./listening.ts";
import { endOf, pause, sh, startProgram } from "./programs.ts";

tap.setTimeout(90_000);

const LET_GO = /; it did not end within 2000 ms of its kill and was let go of$/;
const NO_SIGN = /^no sign of life for \d+ ms, allowed are 1000 ms; it did not end within 2000 ms of its kill and was let go of$/;

/** A parent whose far side takes no notice of its kill. */
function far() {
  const clock = new ManualClock();
  const [did, items, left]: [string[], unknown[], { runs: number }] = [[], [], { runs: 0 }];
  const order = { module: "file:///none.worker.js", config: {}, window: { items: 8, bytes: 1_000 }, livenessMs: 1_000, shutdownMs: 100 };
  const parent = new ParentSide({ isolation: "thread", order, into: (item) => items.push(item), linked: undefined, log: silentLog, clock, left });
  parent.carriedBy({ pid: undefined, post: () => undefined, askToStop: () => undefined, kill: () => void did.push("kill"), letGo: () => void did.push("let go") });
  const exits: Exit[] = [];
  void parent.exited.then((exit) => exits.push(exit));
  parent.message({ kind: "loaded" });
  parent.message({ kind: "ready" });
  const after = async (ms: number): Promise<readonly Exit[]> => {
    await clock.advance(ms);
    await settle();
    return exits;
  };
  return { parent, did, items, left, after };
}

test("Z1. silence past livenessMs is told 2 s after the kill that does not end it, with its cause; nothing is heard afterwards, and its real end is not a second one", async (t) => {
  const { parent, did, items, left, after } = far();
  t.strictSame(await after(1_100 + 2_000), [], "not before");
  t.strictSame(did, ["kill"]);
  t.match(await after(100), [{ kind: "failed", error: { code: "DROVER_WORKER_FAILED", message: NO_SIGN, end: { kind: "probe-failed", probe: "liveness" } } }]);
  t.strictSame([did, left.runs], [["kill", "let go"], 1]);
  parent.message({ kind: "item", item: "late", weight: 1 });
  parent.message({ kind: "end" });
  parent.kill();
  t.notOk(parent.send("hello"));
  parent.gone({ detail: "at last" });
  t.equal((await after(60_000)).length, 1);
  t.strictSame([did, items, left.runs], [["kill", "let go"], [], 0]);
});

test("Z1. any failure, a stop, and an end that was said are told in the same way", async (t) => {
  const cases: readonly (readonly [name: string, fail: (parent: ParentSide) => void, end: object])[] = [
    [
      "a failure",
      (parent) => parent.fail(new Error("its heap is full", { cause: new Error("inner") })),
      { kind: "failed", error: { message: LET_GO, cause: { message: "inner" } } },
    ],
    ["a message that cannot be read", (parent) => parent.message(7), { kind: "failed", error: { message: /^it sent a message that cannot be read.*let go of$/ } }],
    ["a kill", (parent) => parent.kill(), { kind: "killed", error: { code: "DROVER_WORKER_KILLED", message: LET_GO, end: { kind: "deadline", of: "stop" } } }],
  ];
  for (const [name, fail, end] of cases) {
    const { parent, did, after } = far();
    fail(parent);
    t.strictSame(await after(2_000), [], name);
    t.match(await after(100), [end], name);
    t.strictSame(did, ["kill", "let go"], name);
  }
  const said = far();
  said.parent.message({ kind: "end" });
  t.match(await said.after(2_000 + 2_100), [{ kind: "normal" }], "its word stands");
  t.strictSame(said.did, ["kill", "let go"]);
});

test("Z1. one that ends of its kill is not let go of", async (t) => {
  const { parent, did, left, after } = far();
  parent.fail(new Error("it broke"));
  await after(2_050);
  parent.gone({ detail: "ended" });
  t.match(await after(60_000), [{ kind: "failed", error: { message: "it broke" } }]);
  t.strictSame([did, left.runs], [["kill"], 0]);
});

/** A kernel that takes its time: nobody is told that a process has ended until `release`. */
function holdExits(): { readonly release: () => void } {
  const held: (() => void)[] = [];
  const { prototype } = ChildProcess as unknown as { readonly prototype: EventEmitter };
  prototype.emit = function (this: EventEmitter, name: string, ...values: unknown[]): boolean {
    const tell = (): boolean => EventEmitter.prototype.emit.call(this, name, ...values);
    if (name !== "exit") return tell();
    held.push(tell);
    return true;
  };
  return {
    release: () => {
      Reflect.deleteProperty(prototype, "emit");
      for (const tell of held.splice(0)) tell();
    },
  };
}

test("Z1. a process and a program that their kill does not end are told, with the cause", async (t) => {
  const exits = holdExits();
  t.teardown(exits.release);
  const { running } = await start("process", { after: "mute-loop" }, { livenessMs: 300 });
  const program = await startProgram(sh("exec sleep 60", { alive: { tcp: 1, intervalMs: 20, failures: 1 }, shutdownMs: 50 }));
  t.match(await running.exited, { kind: "failed", error: { message: LET_GO, end: { kind: "probe-failed", probe: "liveness" } } });
  t.match(await endOf(program.running), { kind: "failed", message: LET_GO, end: { kind: "probe-failed", probe: "liveness" } });
  t.match(program.lines.items.at(-1), { level: "warn", message: "it did not end of its kill and is let go of" });
  exits.release();
  for (const { pid } of [running, program.running]) await gone(pid ?? 0);
});

/** What holds a thread in native code until `release`. */
function fifo(t: Test): { readonly path: string; readonly release: () => void } {
  const path = join(t.testdir({}), "fifo");
  execFileSync("mkfifo", [path]);
  const release = (): void => {
    closeSync(openSync(path, "r+"));
  };
  return { path, release };
}

test("Z1. a stop lets go of a thread in native code after its deadlines", async (t) => {
  const held = fifo(t);
  const { running, items } = await start("thread", { after: "native", fifo: held.path });
  await items.first((item) => "said" in item && item.said === "native");
  await pause(100);
  const before = systemClock.monotonic();
  t.match(await stopWithin(running, systemClock, { shutdownMs: 100 }), { kind: "killed" });
  t.ok(systemClock.monotonic() - before < 5_000);
  held.release();
});

test("Z3. the end of a process waits for native code in a thread, and keeps its exit code", async (t) => {
  const held = fifo(t);
  const node = fork(fileURLToPath(new URL("./_node-held-up.js", import.meta.url)), [held.path], { stdio: ["ignore", "ignore", "inherit", "ipc"] });
  const ended = once(node, "exit");
  t.match(await once(node, "message"), ["failed"]);
  t.equal(await Promise.race([ended, pause(500)]), undefined);
  held.release();
  t.strictSame(await ended, [7, null]);
});

test("Z1, Z2. a thread that hangs in native code is told once and started again; four may be left, until one of them has ended, and a stop is not held up", async (t) => {
  const held = fifo(t);
  const reports = heard<SupervisorReport>();
  const downs: DownNotice[] = [];
  const flags = { strategy: "one-for-one", backoff: { initialMs: 10, maxMs: 200 } } as const;
  const hung = child("hung", echo, { after: "native", fifo: held.path }, { isolation: "thread", livenessMs: 300, shutdownMs: 100 });
  const tree = createTree(supervisor("root", flags, [hung]), { clock: systemClock, random: systemRandom, log: silentLog });
  tree.onReport(reports.take);
  await tree.start();
  tree.monitor("hung", (notice) => downs.push(notice));
  const terminated = (): number => reports.items.filter(({ context }) => context === "child_terminated").length;
  t.match(await reports.first(({ context }) => context === "child_terminated"), { reason: LET_GO, cause: { kind: "probe-failed", probe: "liveness" } });
  await reports.first(({ context }) => context === "child_restarted");
  t.match(await reports.first(({ context }) => context === "start_error"), { reason: /^4 runs of it did not end of their kill/ });
  t.equal(terminated(), 4);
  t.match(tree.describe().children[0]?.lastExit, { reason: "start-failed", error: /^4 runs of it/ });
  const refused = reports.items.length;
  held.release();
  await reports.first((report) => report.context === "child_restarted" && reports.items.indexOf(report) >= refused);
  t.equal(terminated(), 4, "their late end is no second end");
  t.match(downs, [{ reason: "failed", error: { message: LET_GO } }]);
  const before = systemClock.monotonic();
  await tree.stop();
  t.ok(systemClock.monotonic() - before < 5_000);
  held.release();
});
