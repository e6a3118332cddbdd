// Whatever an isolated child does to itself, it dies alone, with its cause, and this thread goes on answering meanwhile.

import tap, { test } from "tap";

import { hosted } from "../../../runtime/supervision/index.ts";
import { program } from "../../../runtime/workers/index.ts";
import { dieAlone, type Fault, isolated } from "./faults.ts";

/** Real processes, and some of them twice on a busy machine. */
tap.setTimeout(90_000);

const FAULTS: readonly Fault[] = (["thread", "process"] as const).flatMap((isolation) => [
  [`${isolation}: a busy loop`, isolated(isolation, "loop"), { reason: "failed", error: /no sign of life/, cause: { kind: "probe-failed", probe: "liveness" } }] as const,
  [`${isolation}: blank lines`, isolated(isolation, "blank-lines"), { reason: "normal" }] as const,
  [`${isolation}: a heap blow-up`, isolated(isolation, "fill-heap"), { reason: "failed", error: /its heap is full/, cause: { kind: "out-of-memory", limitMb: 40 } }] as const,
  [`${isolation}: process.exit`, isolated(isolation, "exit"), { reason: "failed", cause: { kind: "exit-code", code: 3 } }] as const,
  [`${isolation}: an unhandled rejection`, isolated(isolation, "unhandled"), { reason: "failed", error: "nobody looked" }] as const,
]);
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

test("S4. a fault in a thread or a process is a supervised death with its cause, and the event loop stays responsive", (t) =>
  dieAlone(t, [...FAULTS, ...CONSOLE, ...NATIVE, ...FLOODS]));
