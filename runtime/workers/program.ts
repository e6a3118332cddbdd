// Any program as a child: what takes the place of a container. Begun by launch.ts, looked at by its probes, its lines in the log, ended as a whole group.
//
// O1. Its start ends when it is ready. One that ends before that, or is not ready in time, is a start failure with its cause.
// O2. It has exited when its process is gone and nobody of its group, and nobody that carries its mark, is left: only then are its ports, files and locks free.
// O3. Whatever ends it has a cause as data: code, signal, out of memory, probe failed, deadline, cannot run.
// O4. What fails from our side (a probe, memory) is asked to end like in a stop, and killed after `shutdownMs`; memory is killed at once.
// O5. What its kill does not end is let go of (kill-wait.ts), and its end is told with its cause.

import { spawn, type ChildProcess } from "node:child_process";
import type { Writable } from "node:stream";

import type { Clock, Log, Random } from "../ports/index.ts";
import { settledWithin } from "../settled-within.ts";
import { type ControlGroup, makeControlGroup, ownGroupFolder } from "./control-group.ts";
import { deferred } from "./deferred.ts";
import { EndedError, endOfProcess, killedAfter, lateStart } from "./end-cause.ts";
import { demandRoomFor, KillWait, type LeftBehind } from "./kill-wait.ts";
import { letGo, sendHome, SHELL, shellArguments, signalGroup } from "./launch.ts";
import { logLines } from "./line-log.ts";
import { outOfMemory, watchMemory } from "./memory-watch.ts";
import { pause, untilDead, untilReady, type RunCommand } from "./probe.ts";
import { marked, sweep } from "./process-family.ts";
import { checkProgram, type ProgramSpec, runnableOf, type Runnable } from "./program-spec.ts";
import { asError, type Exit, reasonOf, type Running, type Startable, type StartContext, stopWithin } from "./running.ts";
import { WORKER_DEFAULTS } from "./start-worker.ts";

/** What cannot run at all has ended by then. No look from outside comes before: somebody else may answer there. */
const SETTLED_MS = 100;
/** The end of a process closes what a look was connected to before it is heard: so long a look that failed waits for it. */
const END_HEARD_MS = 100;
/** From our own death to the kill of a program that does not heed SIGTERM. */
const ORPHAN_GRACE_MS = 1_000;
/** What is in the pipes when it ends belongs to its log. */
const LAST_LINES_MS = 500;
const GATE = 3;

/** Characters of a line that a pattern is tried on: what some patterns take grows with the square of that, or worse. */
const MAX_TESTED = 1_024;

/** From its own start deadline to its supervisor's: the kill of what was not ready. */
const START_MARGIN_MS = 5_000;

/** A program as something that can be a child. Its start keeps its own deadline. @throws DROVER_TREE_INVALID */
export function program(spec: ProgramSpec): Startable {
  checkProgram(spec);
  const { startMs, shutdownMs } = spec;
  const left = { runs: 0 };
  return {
    start: (context) => startProgram(spec, context, left),
    ...(startMs === undefined ? {} : { startMs: startMs + (shutdownMs ?? WORKER_DEFAULTS.shutdownMs) + START_MARGIN_MS }),
    ...(shutdownMs === undefined ? {} : { shutdownMs }),
  };
}

async function startProgram(spec: ProgramSpec, context: StartContext, left: LeftBehind): Promise<Running> {
  demandRoomFor(left);
  const { clock, random, log, signal, hurry } = context;
  const run = new ProgramRun(spec, { clock, random, log, left });
  const startMs = spec.startMs ?? WORKER_DEFAULTS.startMs;
  const ready = await settledWithin(Promise.race([run.ready, run.exited.then(() => "ended" as const)]), clock, startMs, signal);
  if (ready === "ready") return run;
  if (ready === "ended") {
    const exit = await run.exited;
    // Without a probe a program that has done its work was ready.
    if (exit.kind === "normal" && spec.ready === undefined) return run;
    throw "error" in exit ? exit.error : new EndedError("DROVER_WORKER_FAILED", `it ended before it was ready (${reasonOf(exit)})`, { kind: "exit-code", code: 0 });
  }
  const exit = await stopWithin(run, clock, { shutdownMs: spec.shutdownMs ?? WORKER_DEFAULTS.shutdownMs, hurry });
  if (signal.aborted) throw asError(signal.reason);
  throw lateStart(startMs, run.lastLook, exit.kind === "killed" ? exit.error : undefined);
}

interface Ports {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly left: LeftBehind;
}

class ProgramRun implements Running {
  readonly isolation = "process";
  readonly pid: number | undefined;
  readonly exited: Promise<Exit>;
  readonly ready: Promise<"ready">;
  /** What its readiness probe saw last, when that was not what it wants. */
  lastLook: string | undefined;
  readonly #spec: ProgramSpec;
  readonly #ports: Ports;
  readonly #mark: string;
  readonly #child: ChildProcess;
  readonly #group: ControlGroup | undefined;
  readonly #exit = deferred<Exit>();
  readonly #ready = deferred<"ready">();
  /** Aborted when its process is gone: whatever looks at it ends. */
  readonly #over = new AbortController();
  readonly #killWait: KillWait;
  #stopping = false;
  #askedAt: number | undefined;
  #killedAfterMs: number | undefined;
  #failure: EndedError | undefined;

  constructor(spec: ProgramSpec, ports: Ports) {
    this.#spec = spec;
    this.#ports = ports;
    this.#mark = ports.random.id();
    this.exited = this.#exit.promise;
    this.ready = this.#ready.promise;
    const { clock, log } = ports;
    this.#killWait = new KillWait(ports, ports.left, () => {
      this.#letGo();
    });
    const runnable = runnableOf(spec);
    this.#group = makeControlGroup(ownGroupFolder(), this.#mark, spec.memoryMb, clock);
    this.#child = begin(runnable, this.#mark, this.#group, ["pipe", "pipe"]);
    this.pid = this.#child.pid;
    this.#child.on("error", (error) => {
      // Not even the shell began.
      if (this.pid === undefined)
        this.#settle({ kind: "failed", error: new EndedError("DROVER_WORKER_FAILED", error.message, { kind: "cannot-run", detail: error.message }, error) });
    });
    this.#child.on("exit", (code, signal) => void this.#gone(code, signal));
    logLines(this.#child.stdout, "stdout", log, clock, spec.lines, this.#readyLine());
    logLines(this.#child.stderr, "stderr", log, clock, spec.lines);
    this.#watch();
  }

  stop(): void {
    if (this.#stopping || this.#over.signal.aborted) return;
    this.#stopping = true;
    this.#askedAt = this.#ports.clock.monotonic();
    signalGroup(this.pid, "SIGTERM");
  }

  kill(): void {
    if (this.#over.signal.aborted) return;
    const now = this.#ports.clock.monotonic();
    this.#killedAfterMs ??= now - (this.#askedAt ?? now);
    this.#killAll();
  }

  #killAll(): void {
    this.#killWait.begin();
    this.#killGroup();
  }

  #killGroup(): void {
    this.#group?.kill();
    signalGroup(this.pid, "SIGKILL");
  }

  /** O5. */
  #letGo(): void {
    this.#child.stdout?.destroy();
    this.#child.stderr?.destroy();
    this.#child.unref();
    this.#settle(this.#exitOf(null, null));
  }

  #watch(): void {
    const { pid } = this;
    if (pid === undefined) return;
    try {
      letGo(pid, this.#child.stdio[GATE] as Writable, this.#spec.niceness, this.#group);
    } catch (error) {
      this.#fail(error as EndedError);
      this.#killAll();
      return;
    }
    const { clock } = this.#ports;
    const { ready, memoryMb } = this.#spec;
    if (ready === undefined) {
      void this.#settled().then((isThere) => {
        if (isThere) this.#isReady();
      });
    } else if (!("line" in ready)) {
      const failed = (detail: string): void => {
        this.lastLook = detail;
      };
      const looks = async (): Promise<boolean> => (await this.#settled()) && untilReady(ready, clock, this.#command, this.#over.signal, failed);
      void looks().then((isReady) => {
        if (isReady) this.#isReady();
      });
    }
    if (memoryMb !== undefined && this.#group?.limitsMemory !== true)
      watchMemory({ pid, mark: this.#mark }, memoryMb, clock, this.#over.signal, (usedMb) => {
        this.#fail(outOfMemory(memoryMb, usedMb));
        this.#killAll();
      });
  }

  /** False where its process is gone by then: what is left to do before it has exited (O2) may take longer. */
  async #settled(): Promise<boolean> {
    await pause(this.#ports.clock, SETTLED_MS, this.#over.signal);
    return !this.#over.signal.aborted;
  }

  #readyLine(): ((line: string) => boolean) | undefined {
    const { ready } = this.#spec;
    if (ready === undefined || !("line" in ready)) return undefined;
    const pattern = new RegExp(ready.line, "u");
    return (line) => {
      if (!pattern.test(line.slice(0, MAX_TESTED))) return true;
      this.#isReady();
      return false;
    };
  }

  /** From our side: asked to, killed, or failed. */
  get #isEnding(): boolean {
    return this.#stopping || this.#killedAfterMs !== undefined || this.#failure !== undefined;
  }

  #isReady(): void {
    if (this.#isEnding) return;
    this.#ready.resolve("ready");
    const { alive } = this.#spec;
    if (alive === undefined) return;
    const { clock } = this.#ports;
    const over = this.#over.signal;
    void untilDead(alive, clock, this.#command, over).then(async (detail) => {
      if (detail === undefined) return;
      await pause(clock, END_HEARD_MS, over);
      if (over.aborted || this.#isEnding) return;
      this.#fail(new EndedError("DROVER_WORKER_FAILED", `its liveness probe failed: ${detail}`, { kind: "probe-failed", probe: "liveness", detail }));
      void stopWithin(this, clock, { shutdownMs: this.#spec.shutdownMs ?? WORKER_DEFAULTS.shutdownMs });
    });
  }

  /** An exec probe: a process like the program, without a word in the log. */
  readonly #command: RunCommand = async ([command = "", ...args], signal) => {
    try {
      const mark = this.#ports.random.id();
      const child = begin(runnableOf({ ...this.#spec, command, args }), mark, undefined, ["ignore", "ignore"]);
      const ended = deferred<string | undefined>();
      child.on("error", (error) => {
        ended.resolve(error.message);
      });
      child.on("exit", (code, by) => {
        signalGroup(child.pid, "SIGKILL");
        void sweep(mark).then(() => {
          sendHome(child.stdio[GATE] as Writable);
          ended.resolve(code === 0 ? undefined : wordOf(code, by));
        });
      });
      const kill = (): void => {
        signalGroup(child.pid, "SIGKILL");
      };
      signal.addEventListener("abort", kill);
      if (child.pid !== undefined) letGo(child.pid, child.stdio[GATE] as Writable, this.#spec.niceness, this.#group);
      if (signal.aborted) kill();
      return await ended.promise;
    } catch (error) {
      return asError(error).message;
    }
  };

  #fail(error: EndedError): void {
    this.#failure ??= error;
  }

  async #gone(code: number | null, signal: NodeJS.Signals | null): Promise<void> {
    this.#killWait.end();
    this.#over.abort();
    const { clock, log } = this.#ports;
    const { memoryMb } = this.#spec;
    if (memoryMb !== undefined && (this.#group?.outOfMemory() ?? 0) > 0) this.#fail(outOfMemory(memoryMb, undefined));
    const exit = this.#exitOf(code, signal);
    // Until the group is killed nobody else can have its number: the guard holds it.
    const left = this.#stopping || this.#killedAfterMs !== undefined ? [] : await marked(this.#mark);
    if (left.length > 0) log.warn({ processes: left.length }, "it left processes behind; they are killed");
    this.#killGroup();
    await sweep(this.#mark);
    await settledWithin(Promise.all([closed(this.#child.stdout), closed(this.#child.stderr)]), clock, LAST_LINES_MS, undefined);
    this.#child.stdout?.destroy();
    this.#child.stderr?.destroy();
    sendHome(this.#child.stdio[GATE] as Writable);
    this.#settle(exit);
  }

  #settle(exit: Exit): void {
    this.#over.abort();
    this.#group?.remove();
    this.#exit.resolve(exit);
  }

  #exitOf(code: number | null, signal: NodeJS.Signals | null): Exit {
    if (this.#failure !== undefined) return { kind: "failed", error: this.#killWait.told(this.#failure) };
    if (this.#killedAfterMs !== undefined) return { kind: "killed", error: this.#killWait.told(killedAfter(this.#killedAfterMs)) };
    if (this.#stopping && (code === 0 || code === TERMINATED || signal === "SIGTERM")) return { kind: "shutdown" };
    if (code === 0) return { kind: "normal" };
    return { kind: "failed", error: new EndedError("DROVER_WORKER_FAILED", wordOf(code, signal), endOfProcess(code, signal)) };
  }
}

/** What a shell makes of SIGTERM: 128 + 15. */
const TERMINATED = 143;

function begin({ file, args, cwd, env }: Runnable, mark: string, group: ControlGroup | undefined, output: readonly ["pipe" | "ignore", "pipe" | "ignore"]): ChildProcess {
  const before = shellArguments({ gate: GATE, close: [], graceMs: ORPHAN_GRACE_MS, mark, group });
  return spawn(SHELL, [...before, file, ...args], { cwd, env, detached: true, stdio: ["ignore", ...output, "pipe"] });
}

function wordOf(code: number | null, signal: NodeJS.Signals | null): string {
  if (signal !== null) return `it was ended by ${signal}`;
  return code === 127 || code === 126 ? `it ended with code ${String(code)}: what it runs was not found, or cannot be run` : `it ended with code ${String(code)}`;
}

function closed(stream: NodeJS.ReadableStream | null): Promise<void> {
  if (stream?.readable !== true) return Promise.resolve();
  return new Promise((resolve) => {
    stream.once("close", () => {
      resolve();
    });
  });
}
