// Any program as a supervised child: how it starts, ends and fails, and that nothing of it is left.

import { fork } from "node:child_process";
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { getPriority } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { test } from "tap";

import { systemClock, systemRandom } from "../../../runtime/host/index.ts";
import { silentLog } from "../../../runtime/ports/index.ts";
import { ownGroupFolder } from "../../../runtime/workers/control-group.ts";
import { hosted, startTree, supervisor } from "../../../runtime/supervision/index.ts";
import { endCauseOf, errorOf, program, stopWithin } from "../../../runtime/workers/index.ts";
import { gone } from "./listening.ts";
import { endOf, pause, sh, startProgram } from "./programs.ts";

test("S4. a program's own end has its cause as data: code, signal, native crash", async (t) => {
  const cases = [
    ["exit 3", { kind: "failed", message: "it ended with code 3", end: { kind: "exit-code", code: 3 } }],
    ["exit 0", { kind: "normal", message: undefined, end: undefined }],
    ["kill -SEGV $$", { kind: "failed", message: "it was ended by SIGSEGV", end: { kind: "signal", signal: "SIGSEGV" } }],
    ["kill -ABRT $$", { kind: "failed", message: "it was ended by SIGABRT", end: { kind: "signal", signal: "SIGABRT" } }],
    ["kill -KILL $$", { kind: "failed", message: "it was ended by SIGKILL", end: { kind: "signal", signal: "SIGKILL" } }],
    ["kill -TERM $$", { kind: "failed", message: "it was ended by SIGTERM", end: { kind: "signal", signal: "SIGTERM" } }],
  ] as const;
  await Promise.all(
    cases.map(async ([line, end]) => {
      const { running } = await startProgram(sh(`echo up; sleep 0.2; ${line}`, { ready: { line: "^up$" } }));
      t.strictSame(await endOf(running), end, line);
    }),
  );
});

test("a command that does not exist, may not be run or is a folder, and a folder that is missing, are start failures that say so", async (t) => {
  const folder = t.testdir({ plain: "#!/bin/sh\n", sub: {} });
  const cases = [
    [{ command: "no-such-program-here" }, /there is no command "no-such-program-here" along PATH/],
    [{ command: "./nothing", cwd: folder }, /there is no file .*nothing/],
    [{ command: join(folder, "plain") }, /plain is no program that may be run/],
    [{ command: join(folder, "sub") }, /sub is no program that may be run/],
    [{ command: "true", cwd: join(folder, "missing") }, /its working directory .*missing is no folder/],
    [{ command: "true", cwd: join(folder, "plain") }, /its working directory .*plain is no folder/],
  ] as const;
  for (const [spec, message] of cases) await t.rejects(startProgram(spec), { code: "DROVER_WORKER_FAILED", message, end: { kind: "cannot-run" } }, String(message));
  await t.rejects(startProgram(sh("exit 127", { ready: { line: "never" } })), { message: /code 127: what it runs was not found/, end: { kind: "exit-code", code: 127 } });
  await t.rejects(startProgram(sh("exit 0", { ready: { line: "never" } })), { message: /ended before it was ready \(normal\)/ });
  // Text without a first line that names an interpreter is what a shell takes it for.
  chmodSync(join(folder, "plain"), 0o755);
  writeFileSync(join(folder, "plain"), "exit 9\n");
  await t.rejects(startProgram({ command: "./plain", cwd: folder, ready: { line: "never" } }), { message: /code 9/, end: { kind: "exit-code", code: 9 } });
});

test("without a probe a program is ready when it still runs a moment later, or has done its work", async (t) => {
  t.match(await endOf((await startProgram({ command: "true" })).running), { kind: "normal" });
  const lasting = await startProgram(sh("exec sleep 1000"));
  t.strictSame(await stopWithin(lasting.running, systemClock, { shutdownMs: 5_000 }), { kind: "shutdown" });
  const closed = await startProgram(sh("exec >&- 2>&-; exec sleep 1000"));
  t.strictSame(await stopWithin(closed.running, systemClock, { shutdownMs: 5_000 }), { kind: "shutdown" }, "one that closes its stdout goes on");
});

test("S5. a program that fails again and again leaves no descriptor, no process and no group behind", async (t) => {
  const open = (): number => readdirSync("/proc/self/fd").length;
  await startProgram(sh("exit 1", { ready: { line: "never" } })).catch(() => undefined);
  const before = open();
  for (let round = 0; round < 12; round++) await t.rejects(startProgram(sh("setsid sleep 1000 & sleep 1000 & echo x; exit 1", { ready: { line: "never" }, memoryMb: 500 })));
  // What was killed is closed when the kernel has ended it.
  for (let wait = 0; wait < 50 && open() > before + 1; wait++) await pause(100);
  t.ok(open() <= before + 1, `${String(before)} -> ${String(open())} descriptors`);
  const own = ownGroupFolder();
  const groups = (): readonly string[] => (own === undefined ? [] : readdirSync(own).filter((name) => name.startsWith(`drover-${String(process.pid)}-`)));
  for (let wait = 0; wait < 50 && groups().length > 0; wait++) await pause(100);
  t.strictSame(groups(), []);
});

test("S5. what cannot be a program is refused before anything is begun", (t) => {
  const bad = [
    { command: "" },
    { command: "a\0b" },
    { command: "true", args: ["x".repeat(200_000)] },
    { command: "true", env: { "bad name": "1" } },
    { command: "true", env: { "": "1" } },
    { command: "true", env: { A: "\0" } },
    { command: "true", inherit: ["A=B"] },
    { command: "true", niceness: 20 },
    { command: "true", niceness: 0.5 },
    { command: "true", memoryMb: 0 },
    { command: "true", startMs: Number.NaN },
    { command: "true", shutdownMs: -1 },
    { command: "true", lines: { perSecond: 0 } },
    { command: "true", ready: { line: "(" } },
    { command: "true", ready: { line: "" } },
    { command: "true", ready: { line: "x".repeat(300) } },
    { command: "true", ready: { tcp: 0 } },
    { command: "true", ready: { tcp: "host:70000" } },
    { command: "true", ready: { http: "ftp://x/" } },
    { command: "true", ready: { http: "http://a b/" } },
    { command: "true", ready: { exec: [] } },
    { command: "true", ready: { tcp: 80, http: "http://localhost/" } },
    { command: "true", ready: { line: "up", tcp: 80 } },
    { command: "true", ready: { line: "up", intervalMs: 0 } },
    { command: "true", alive: {} as never },
    { command: "true", alive: { line: "up", tcp: 80 } as never },
    { command: "true", alive: { tcp: 80, failures: 0 } },
    { command: "true", alive: { tcp: 80, intervalMs: 0 } },
  ] as const;
  for (const spec of bad) t.throws(() => program(spec), { code: "DROVER_TREE_INVALID" }, JSON.stringify(spec).slice(0, 80));
  t.end();
});

test("S5. of a program every key that is unknown, missing or of another kind is told, with what was expected and the nearest key", (t) => {
  const wrong = [
    [{ command: "true", memoryMB: 100 }, /^a program: memoryMB: the key "memoryMB" is not known here \(expected one of command, .*; did you mean "memoryMb"\?\)$/],
    [{ command: "true", args: "-c" }, /^a program: args: the text "-c" stands here \(expected a list\)$/],
    [{ command: "true", args: [1] }, /^a program: args\.0: the number 1 stands here \(expected a text\)$/],
    [{ command: "true", startMs: "500" }, /^a program: startMs: the text "500" stands here \(expected a number\)$/],
    [{ command: "true", env: { A: 1 } }, /^a program: env\.A: the number 1 stands here \(expected a text\)$/],
    [{ command: "true", env: "A=1" }, /^a program: env: the text "A=1" stands here/],
    [{ command: "true", ready: true }, /^a program: ready: the value true stands here/],
    [{ command: "true", ready: { line: "up", timeoutMS: 5 } }, /^a program: ready\.timeoutMS: .*did you mean "timeoutMs"/],
    [{ command: "true", ready: { tcp: true } }, /^a program: ready\.tcp: the value true stands here \(expected a port, or host:port\)$/],
    [{ command: "true", ready: { http: "http://x/", status: "200" } }, /^a program: ready\.status: the text "200" stands here \(expected a whole number from 100 to 599\)$/],
    [{ command: "true", ready: { line: "up", failures: 2 } }, /^a program: ready\.failures: the key "failures" is not known here/],
    [{ command: "true", alive: { exec: "test -f x" } }, /^a program: alive\.exec: the text "test -f x" stands here \(expected a list\)$/],
    [{ command: "true", lines: { perSec: 5 } }, /^a program: lines\.perSec: .*did you mean "perSecond"/],
    [{ comand: "true", cwd: 1 }, /^a program: comand: .*did you mean "command"\?\)\na program: cwd: .*\na program: the key "command" is missing/],
    [{}, /^a program: the key "command" is missing \(expected a text\)$/],
    [undefined, /^a program: nothing stands here/],
    ["true", /^a program: the text "true" stands here/],
  ] as const;
  for (const [spec, message] of wrong) t.throws(() => program(spec as never), { code: "DROVER_TREE_INVALID", message }, JSON.stringify(spec));
  t.ok(program({ command: "true", env: process.env as Record<string, string>, ready: { tcp: "[::1]:80" }, alive: { tcp: 80 }, cwd: undefined }), "what can be is taken");
  t.end();
});

test("a program gets the environment that is listed, its folder and its niceness, and nothing else", async (t) => {
  const folder = t.testdir({});
  process.env["LISTED"] = "yes";
  process.env["UNLISTED"] = "no";
  process.env["DROVER_SECRET"] = "no";
  const { running, lines } = await startProgram(
    sh("pwd -P; env; ls -l /proc/self/fd | grep -c ' [3-9] ->'; echo done; exec sleep 60", {
      cwd: folder,
      inherit: ["PATH", "LISTED", "NOT_SET", "DROVER_SECRET"],
      env: { ADDED: "a b", mark: "mine", folder: "mine", go: "mine" },
      niceness: 7,
      ready: { line: "^done$" },
    }),
  );
  const said = lines.items.map(({ message }) => message);
  t.equal(said[0], folder);
  const names = said.filter((line) => /^[A-Z_]+=/.test(line)).map((line) => line.split("=")[0]);
  t.strictSame(names.filter((name) => name !== "PWD").toSorted(), ["ADDED", "DROVER_RUN", "LISTED", "PATH"]);
  t.ok(said.includes("ADDED=a b"));
  for (const name of ["mark", "folder", "go"]) t.ok(said.includes(`${name}=mine`), "also under a name that what begins it may use");
  t.ok(said.includes("1"), "of our descriptors it has none: the one is that of ls itself");
  t.equal(getPriority(running.pid ?? 0), 7);
  t.strictSame(await stopWithin(running, systemClock, { shutdownMs: 5_000 }), { kind: "shutdown" });
});

test("S4. a stop asks the whole group, kills the whole group after its deadline, and says so", async (t) => {
  const { running, lines } = await startProgram(sh("trap '' TERM; sleep 1000 & echo $!; sleep 1000 & echo $!; wait; wait", { ready: { line: "^\\d+$" }, shutdownMs: 300 }));
  await lines.first(() => lines.items.length >= 2);
  const below = lines.items.map(({ message }) => Number(message));
  const exit = await stopWithin(running, systemClock, { shutdownMs: 300 });
  t.match(exit, { kind: "killed", error: { code: "DROVER_WORKER_KILLED", end: { kind: "deadline", of: "stop" } } });
  const end = endCauseOf(errorOf(exit));
  t.ok(end?.kind === "deadline" && end.afterMs >= 299 && end.afterMs < 1_500, "as long as it was");
  await Promise.all([running.pid ?? 0, ...below].map(gone));

  const polite = await startProgram(sh("trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.05; done", { ready: { line: "up" } }));
  t.strictSame(await stopWithin(polite.running, systemClock, { shutdownMs: 5_000 }), { kind: "shutdown" });
  t.ok(
    polite.lines.items.some(({ message }) => message === "bye"),
    "its last words are in the log",
  );
});

test("S4. a program's own deadlines hold in a tree unless the tree says otherwise, and what is recorded of its kill is what was", async (t) => {
  const deaf = program(sh("trap '' TERM; while :; do sleep 0.1; done", { shutdownMs: 300, startMs: 2_000 }));
  t.match(hosted("it", deaf).options, { shutdownMs: 300, startMs: 2_000 + 300 + 5_000 });
  t.match(hosted("it", deaf, { shutdownMs: 100, startMs: 50 }).options, { shutdownMs: 100, startMs: 50 });
  for (const [options, ms] of [
    [{}, 300],
    [{ shutdownMs: 100 }, 100],
  ] as const) {
    const tree = await startTree(supervisor("root", { strategy: "one-for-one" }, [hosted("it", deaf, options)]), { clock: systemClock, random: systemRandom, log: silentLog });
    await tree.stop();
    const cause = tree.describe().children[0]?.lastExit?.cause;
    t.ok(cause?.kind === "deadline" && cause.of === "stop" && cause.afterMs >= ms - 1 && cause.afterMs < ms + 1_200, `${String(ms)} ms: ${JSON.stringify(cause)}`);
  }
});

test("a probe's command leaves nothing behind, also where it began a daemon", async (t) => {
  const folder = t.testdir({});
  const probe = `setsid sh -c 'echo $$ >${folder}/daemon; exec sleep 1000' & while [ ! -s ${folder}/daemon ]; do sleep 0.01; done`;
  const { running } = await startProgram(sh("exec sleep 1000", { ready: { exec: ["sh", "-c", probe] } }));
  await gone(Number(readFileSync(`${folder}/daemon`, "utf8")));
  running.kill();
  t.match(await running.exited, { kind: "killed" });
});

test("S4. daemons that leave the group and the session end with their program", async (t) => {
  const { running, lines } = await startProgram(sh("(setsid sh -c 'echo $$; exec sleep 1000' &) ; sleep 0.2; exit 5", { ready: { line: "^\\d+$" } }));
  const daemon = Number(lines.items[0]?.message);
  t.match(await endOf(running), { kind: "failed", end: { kind: "exit-code", code: 5 } });
  await gone(daemon);
  t.match(await lines.first(({ message }) => message.includes("left processes behind")), { level: "warn", fields: { processes: 1 } });
});

test("a program that is never ready is ended in time with what its probe saw last, and leaves nothing", async (t) => {
  const started = startProgram(sh("echo $$; exec sleep 1000", { startMs: 400, shutdownMs: 300, ready: { tcp: "127.0.0.1:1", intervalMs: 50 } }));
  await t.rejects(started, {
    code: "DROVER_WORKER_START_TIMEOUT",
    message: /not ready within 400 ms; last seen: tcp 127\.0\.0\.1:1: .*ECONNREFUSED/,
    end: { kind: "deadline", of: "start", afterMs: 400 },
  });
  const abort = new AbortController();
  const unwanted = startProgram(sh("exec sleep 1000", { ready: { line: "never" } }), abort);
  systemClock.setTimeout(() => {
    abort.abort(new Error("no longer"));
  }, 100);
  await t.rejects(unwanted, { message: "no longer" });
});

test("a program is ready when a line, a port, an address or a command says so", async (t) => {
  const serve = `const s = require("node:http").createServer((q, r) => { r.statusCode = q.url === "/up" ? 204 : 503; r.end(); }); s.listen(0, "127.0.0.1", () => console.log("port " + s.address().port));`;
  const server = await startProgram({ command: process.execPath, args: ["-e", serve], ready: { line: "^port \\d+$" } });
  const port = Number(server.lines.items[0]?.message.split(" ")[1]);
  const folder = t.testdir({});
  const waiting = sh("exec sleep 1000");
  const ready = [
    { tcp: port },
    { tcp: `localhost:${String(port)}` },
    { http: `http://127.0.0.1:${String(port)}/up` },
    { http: `http://127.0.0.1:${String(port)}/`, status: 503 },
    { exec: ["test", "-d", folder] },
  ] as const;
  for (const probe of ready) {
    const { running } = await startProgram({ ...waiting, ready: probe });
    running.kill();
    await running.exited;
    t.pass(JSON.stringify(probe));
  }
  const late = startProgram({ ...waiting, ready: { exec: ["test", "-d", join(folder, "later")], intervalMs: 20 } });
  await pause(100);
  mkdirSync(join(folder, "later"));
  (await late).running.kill();
  for (const probe of [{ http: `http://127.0.0.1:${String(port)}/` }, { exec: ["no-such-command"] }, { exec: ["sleep", "100"], timeoutMs: 50 }, { exec: ["false"] }] as const)
    await t.rejects(
      startProgram({ ...waiting, startMs: 300, ready: { intervalMs: 50, ...probe } }),
      { message: /status 503|no command "no-such|no answer within 50 ms|code 1/ },
      JSON.stringify(probe),
    );
  await stopWithin(server.running, systemClock, { shutdownMs: 5_000 });
});

test("S4. a program whose liveness probe fails too often in a row is ended with what was seen", async (t) => {
  const folder = t.testdir({ alive: "" });
  const { running } = await startProgram(
    sh(`trap '' TERM; echo up; sleep 0.4; rm ${folder}/alive; while :; do sleep 0.05; done`, {
      ready: { line: "up" },
      alive: { exec: ["test", "-e", join(folder, "alive")], intervalMs: 60, failures: 2 },
      shutdownMs: 200,
    }),
  );
  t.match(await endOf(running), { kind: "failed", message: /liveness probe failed: 2 times in a row, at last: exec test -e/, end: { kind: "probe-failed", probe: "liveness" } });
});

test("S4, S5. a program that takes more memory than it may, itself or by what it starts, is ended with that cause", async (t) => {
  const eat = `const kept = []; setInterval(() => { kept.push(Buffer.alloc(8 << 20, 1)); }, 10)`;
  const alone = await startProgram({ command: process.execPath, args: ["-e", eat], memoryMb: 150 });
  const below = await startProgram(sh(`"$NODE" -e '${eat}'; echo over`, { memoryMb: 150, env: { NODE: process.execPath } }));
  const daemon = await startProgram(sh(`(setsid "$NODE" -e '${eat}' &); exec sleep 1000`, { memoryMb: 150, env: { NODE: process.execPath } }));
  for (const { running } of [alone, below, daemon]) {
    const { kind, end } = await endOf(running);
    t.match({ kind, end }, { kind: "failed", end: { kind: "out-of-memory", limitMb: 150 } });
  }
});

test("S4. a node that is killed leaves no orphan: not the program, not what it started, not one that ignores SIGTERM, no daemon", async (t) => {
  const lines = [
    "sleep 1000 & echo $!; sh -c 'sleep 1000 & echo $!; wait' & echo $!; sleep 0.2; echo up; wait",
    "trap '' TERM INT HUP; echo up; while :; do sleep 0.1; done",
    "setsid sh -c 'trap \"\" TERM; echo $$; while :; do sleep 0.1; done' & sleep 0.2; echo up; wait",
  ];
  await Promise.all(
    lines.map(async (line) => {
      const node = fork(fileURLToPath(new URL("./_node-with-programs.js", import.meta.url)), [line], { stdio: ["ignore", "ignore", "inherit", "ipc"] });
      const pids = await new Promise<readonly number[]>((resolve) => {
        node.on("message", (message) => {
          resolve(message as readonly number[]);
        });
      });
      t.ok(pids.length > 0 && pids.every((pid) => pid > 0), `${String(pids.length)} processes: ${line}`);
      node.kill("SIGKILL");
      await Promise.all(pids.map(gone));
    }),
  );
});
