// When a program counts as ready, and what is told of one that ends before.

import { existsSync, readFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";

import { type Test, test } from "tap";

import { systemClock, systemRandom } from "../../../runtime/host/index.ts";
import { type Clock, silentLog } from "../../../runtime/ports/index.ts";
import { createTree, hosted, supervisor } from "../../../runtime/supervision/index.ts";
import { program, type ProgramSpec, type Running, type Startable } from "../../../runtime/workers/index.ts";
import { gone } from "./listening.ts";
import { endOf, pause, sh, startProgram } from "./programs.ts";

/** As in program.ts. */
const SETTLED_MS = 100;

/** A port of loopback that takes each connection and says nothing. */
async function silentPort(): Promise<{ readonly port: number; readonly close: () => void }> {
  const server = createServer((socket) => socket.on("error", () => undefined)).unref();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { port: (server.address() as AddressInfo).port, close: () => server.close() };
}

/** What starts after a program: how often it was begun. */
function counted(): Startable & { begun: number } {
  return {
    begun: 0,
    start() {
      this.begun++;
      return Promise.reject(new Error("begun"));
    },
  };
}

const PORTS = { clock: systemClock, random: systemRandom, log: silentLog };

const ENDS = [
  ["exit 3", { code: "DROVER_WORKER_FAILED", message: "it ended with code 3", end: { kind: "exit-code", code: 3 } }],
  ["exit 0", { code: "DROVER_WORKER_FAILED", message: "it ended before it was ready (normal)", end: { kind: "exit-code", code: 0 } }],
  ["kill -SEGV $$", { code: "DROVER_WORKER_FAILED", message: "it was ended by SIGSEGV", end: { kind: "signal", signal: "SIGSEGV" } }],
] as const;

test("O1. a program that ends before its probe succeeded is a start failure with its cause, also while a look hangs", async (t) => {
  const { port, close } = await silentPort();
  const folder = t.testdir({});
  const lived = join(folder, "lived");
  const probes = [
    { tcp: "127.0.0.1:1" },
    { http: "http://127.0.0.1:1/" },
    { exec: ["false"] },
    { line: "never" },
    { http: `http://127.0.0.1:${String(port)}/`, timeoutMs: 60_000 },
    { exec: ["sleep", "1000"], timeoutMs: 60_000 },
  ] as const;
  for (const [line, end] of ENDS) {
    const alive = { exec: ["touch", lived], intervalMs: 1, failures: 1 } as const;
    await Promise.all(probes.map((ready) => t.rejects(startProgram(sh(`sleep 0.3; ${line}`, { ready, alive })), end, `${line}: ${JSON.stringify(ready)}`)));
  }
  t.notOk(existsSync(lived), "what was never ready is not looked at for being alive");
  close();
});

test("O1. what starts after a program that ends before it was ready is not begun", async (t) => {
  for (const ready of [{ tcp: "127.0.0.1:1" }, { http: "http://127.0.0.1:1/" }, { exec: ["false"] }] as const) {
    const next = counted();
    const spec = supervisor("root", { strategy: "rest-for-one", intensity: 0 }, [hosted("db", program(sh("sleep 0.2; exit 3", { ready }))), hosted("app", next)]);
    await t.rejects(createTree(spec, PORTS).start(), { message: /code 3/ }, JSON.stringify(ready));
    t.equal(next.begun, 0);
  }
});

/** Starts it, and sees it as settled only when its process is gone, however slow the machine is: before all that is done at its end. */
async function startSettlingLate(t: Test, line: string, more: Partial<ProgramSpec>): Promise<Running> {
  const pid = join(t.testdir({}), "pid");
  const isGone = (): boolean => {
    if (!existsSync(pid)) return false;
    try {
      return !process.kill(Number(readFileSync(pid, "utf8")), 0);
    } catch {
      return true;
    }
  };
  const whenGone = async (call: () => void): Promise<void> => {
    while (!isGone()) await nextTurn();
    call();
  };
  const clock: Clock = {
    ...systemClock,
    setTimeout: (call, delayMs, options) => {
      if (delayMs !== SETTLED_MS) return systemClock.setTimeout(call, delayMs, options);
      void whenGone(call);
      return systemClock.setTimeout(() => undefined, Number.POSITIVE_INFINITY);
    },
  };
  const spec = sh(`echo $$ >${pid}; ${line}`, more);
  return program(spec).start({ signal: new AbortController().signal, clock, random: systemRandom, log: silentLog });
}

test("O1. a program that cannot run is not ready: not without a probe, and not because somebody else answers where its probe looks", async (t) => {
  const { port, close } = await silentPort();
  for (const more of [{}, { ready: { tcp: port } }, { ready: { exec: ["true"] } }] as const)
    await t.rejects(startSettlingLate(t, "exit 3", more), { message: "it ended with code 3", end: { kind: "exit-code", code: 3 } }, JSON.stringify(more));
  t.match(await (await startSettlingLate(t, "exit 0", {})).exited, { kind: "normal" }, "without a probe it may have done its work");
  close();
});

test("O1. a program that is stopped, or late, while a look hangs is not ready, and neither it nor the look is left", async (t) => {
  const folder = t.testdir({});
  const looking = (name: string, startMs: number): ProgramSpec => {
    const wait = (file: string): string => `echo $$ >${join(folder, file)}; exec sleep 1000`;
    return sh(wait(name), { startMs, ready: { exec: ["sh", "-c", wait(`${name}-look`)], timeoutMs: 60_000 } });
  };
  const pidIn = (file: string): number => (existsSync(join(folder, file)) ? Number(readFileSync(join(folder, file), "utf8")) : 0);
  const nobody = (name: string): Promise<unknown> => Promise.all([pidIn(name), pidIn(`${name}-look`)].map(gone));

  await t.rejects(startProgram(looking("late", 1_200)), { code: "DROVER_WORKER_START_TIMEOUT", end: { kind: "deadline", of: "start", afterMs: 1_200 } });
  await nobody("late");

  const next = counted();
  const tree = createTree(supervisor("root", { strategy: "rest-for-one" }, [hosted("db", program(looking("stopped", 60_000))), hosted("app", next)]), PORTS);
  const started = t.rejects(tree.start(), { message: "the tree was stopped while it started" });
  while (pidIn("stopped-look") === 0) await pause(10);
  await tree.stop();
  await started;
  await nobody("stopped");
  t.equal(next.begun, 0);
});

test("S4. a program that ends while its liveness probe looks has its own end as cause, and one that is killed its kill", async (t) => {
  const folder = t.testdir({});
  const cases = [
    [`process.kill(process.pid, "SIGSEGV")`, { kind: "failed", end: { kind: "signal", signal: "SIGSEGV" } }],
    ["process.exit(3)", { kind: "failed", end: { kind: "exit-code", code: 3 } }],
    [`console.log("seen")`, { kind: "killed", end: { kind: "deadline", of: "stop", afterMs: 0 } }],
  ] as const;
  for (const [answer, end] of cases) {
    const { port, close } = await silentPort();
    close();
    const serve = `require("node:http").createServer(() => { ${answer}; }).listen(${String(port)}, "127.0.0.1", () => console.log("up"));`;
    const alive = { http: `http://127.0.0.1:${String(port)}/`, intervalMs: 10, timeoutMs: 60_000, failures: 1 };
    const { running, lines } = await startProgram({ command: process.execPath, args: ["-e", serve], cwd: folder, ready: { line: "^up$" }, alive });
    if (end.kind === "killed") {
      await lines.first(({ message }) => message === "seen");
      running.kill();
    }
    t.match(await endOf(running), end, answer);
  }
});
