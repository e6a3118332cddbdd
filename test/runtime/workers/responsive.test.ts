// Whatever an isolated child does to itself, it dies alone, with its cause, and this thread goes on answering meanwhile.

import { monitorEventLoopDelay } from "node:perf_hooks";

import tap, { test } from "tap";

import { systemClock, systemRandom } from "../../../runtime/host/index.ts";
import { silentLog } from "../../../runtime/ports/index.ts";
import { child, createTree, hosted, supervisor, type ChildSpec, type LastExit } from "../../../runtime/supervision/index.ts";
import { program } from "../../../runtime/workers/index.ts";
import { echo, type EchoConfig } from "./echo.worker.ts";
import { pause } from "./programs.ts";

/** Real processes, and some of them twice on a busy machine. */
tap.setTimeout(90_000);

const P99_MS = 50;
const RESOLUTION_MS = 5;
const TRIES = 3;

/** p99 of the event loop's lag while `run` is under way, ms. */
async function lagOf(run: () => Promise<void>): Promise<number> {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  await run();
  histogram.disable();
  return Math.max(0, histogram.percentile(99) / 1e6 - RESOLUTION_MS);
}

/** Runs it under a supervisor that gives up at once; how it ended there. */
async function endOf(spec: ChildSpec): Promise<LastExit | undefined> {
  const tree = createTree(supervisor("root", { strategy: "one-for-one", intensity: 0 }, [spec]), { clock: systemClock, random: systemRandom, log: silentLog });
  // Its end may come before the word that all have started.
  await tree.start().catch(() => undefined);
  await tree.exited;
  return tree.describe().children[0]?.lastExit;
}

const isolated = (isolation: "thread" | "process", after: NonNullable<EchoConfig["after"]>): ChildSpec =>
  child("it", echo, { after }, { isolation, ...(after === "fill-heap" || after === "make-garbage" ? { maxHeapMb: 40 } : {}), ...(after === "loop" ? { livenessMs: 400 } : {}) });

const FAULTS: readonly (readonly [string, ChildSpec, object])[] = (["thread", "process"] as const).flatMap((isolation) => [
  [`${isolation}: a busy loop`, isolated(isolation, "loop"), { reason: "failed", error: /no sign of life/, cause: { kind: "probe-failed", probe: "liveness" } }] as const,
  [`${isolation}: blank lines`, isolated(isolation, "blank-lines"), { reason: "normal" }] as const,
  [`${isolation}: a heap blow-up`, isolated(isolation, "fill-heap"), { reason: "failed", error: /its heap is full/, cause: { kind: "out-of-memory", limitMb: 40 } }] as const,
  [`${isolation}: process.exit`, isolated(isolation, "exit"), { reason: "failed", cause: { kind: "exit-code", code: 3 } }] as const,
  [`${isolation}: an unhandled rejection`, isolated(isolation, "unhandled"), { reason: "failed", error: "nobody looked" }] as const,
]);
const FULL = { reason: "failed", error: /its heap is full/, cause: { kind: "out-of-memory", limitMb: 256 } };
/** Where one allocation does not fit below V8's own limit, V8 ends the process, whichever thread it was. */
const HEAPS = [
  ["thread: a list that doubles, without a word about its heap", isolated("thread", "fill-heap-in-one-list"), FULL],
  ["thread: lists of 80 MB, without a word about its heap", isolated("thread", "fill-heap-in-large-pieces"), FULL],
  ["thread: garbage beyond its limit, which is no failure", isolated("thread", "make-garbage"), { reason: "normal" }],
] as const;
/** In a process such a loop fills its own heap: Node keeps there what the pipe does not take. */
const CONSOLE = [["thread: lines in a loop", isolated("thread", "console-flood"), { reason: "normal" }]] as const;
const NATIVE = [
  ["process: abort", isolated("process", "abort"), { reason: "failed", cause: { kind: "signal", signal: "SIGABRT" } }],
  ["process: a segmentation fault", isolated("process", "segv"), { reason: "failed", cause: { kind: "signal", signal: "SIGSEGV" } }],
] as const;
const flood = `const b = Buffer.alloc(1 << 20, 120); let n = 0; (function more() { if (n++ === 100) process.exit(4); else process.stdout.write(b, more); })();`;
const FLOODS = [
  ["program: 100 MB without a newline", hosted("it", program({ command: process.execPath, args: ["-e", flood] })), { reason: "failed", cause: { kind: "exit-code", code: 4 } }],
  [
    "program: blank lines without end",
    hosted("it", program({ command: "sh", args: ["-c", "timeout 0.6 yes ''; exit 6"] })),
    { reason: "failed", cause: { kind: "exit-code", code: 6 } },
  ],
  [
    "program: lines without end, none of which is the awaited one",
    hosted("it", program({ command: "sh", args: ["-c", "exec yes"], ready: { line: "^never$" }, startMs: 600 }), { restart: "temporary" }),
    { reason: "start-failed", cause: { kind: "deadline", of: "start" } },
  ],
  ["program: lines without end", hosted("it", program({ command: "sh", args: ["-c", "timeout 0.6 yes; exit 6"] })), { reason: "failed", cause: { kind: "exit-code", code: 6 } }],
] as const;

test("S4. a fault in a thread or a process is a supervised death with its cause, and the event loop stays responsive", async (t) => {
  const quiet = await lagOf(() => pause(700));
  for (const [name, spec, wanted] of [...FAULTS, ...CONSOLE, ...HEAPS, ...NATIVE, ...FLOODS]) {
    let end: LastExit | undefined;
    const lags: number[] = [];
    // A machine that others load is late by itself, now and then: twice that lateness is the bound, and what is late each time is late by the fault.
    let bound = Math.max(P99_MS, 2 * quiet);
    while (lags.length < TRIES && !lags.some((lag) => lag <= bound)) {
      if (lags.length > 0) bound = Math.max(bound, 2 * (await lagOf(() => pause(700))));
      const lag = await lagOf(async () => {
        end = await endOf(spec);
      });
      lags.push(lag);
    }
    t.match(end, wanted, name);
    t.ok(Math.min(...lags) <= bound, `${name}: p99 ${lags.map((lag) => lag.toFixed(1)).join(", ")} ms, allowed ${bound.toFixed(1)} ms`);
  }
});
