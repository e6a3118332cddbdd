// One tree with every kind of child and every option that exists: an option that is added and not listed here does not compile. Nothing of it is ever started.

import { child, hosted, program, service, supervisor, type Startable } from "../../runtime/index.ts";
import type { ChildOptions, HostedOptions, ServiceConfig, SupervisorFlags } from "../../runtime/supervision/index.ts";
import type { LivenessProbe, ProgramSpec, ReadinessProbe } from "../../runtime/workers/index.ts";
import { echo, type EchoItem } from "../runtime/workers/echo.worker.ts";

type Flags<Variant, Never extends string> = Required<Omit<Variant, Never>>;
type ByBackoff = Extract<SupervisorFlags, { readonly backoff: object }>;

const started = (): never => {
  throw new Error("a tree that is read is not started");
};
const life: Startable = { startMs: 700, shutdownMs: 800, start: started };
const common = { restart: "transient", significant: true, shutdownMs: 900, startMs: 1_000 } as const;
/** A store of its own for each supervisor: a tree in which two share one is refused. */
const kept = () => ({ store: { load: started, save: started }, make: started });

const byNumber: Flags<Exclude<SupervisorFlags, ByBackoff>, "backoff" | "startFailure"> = {
  strategy: "one-for-one",
  restart: "transient",
  significant: true,
  shutdownMs: 20_000,
  autoShutdown: "all-significant",
  kept: kept(),
  intensity: 2,
  periodMs: 60_000,
};
const byBackoff: Flags<ByBackoff, "intensity" | "periodMs"> = {
  strategy: "one-for-one",
  restart: "transient",
  significant: true,
  shutdownMs: 20_000,
  autoShutdown: "any-significant",
  kept: kept(),
  backoff: { initialMs: 100, maxMs: 1_000, resetAfterMs: 5_000, giveUpAfterMs: 60_000, onGiveUp: "escalate" } satisfies Required<ByBackoff["backoff"]>,
  startFailure: "retry",
};
const worker: Required<ChildOptions<EchoItem, unknown>> = {
  ...common,
  isolation: "process",
  into: started,
  linked: started,
  livenessMs: 500,
  window: { items: 10, bytes: 1_000 },
  env: { MODE: "quiet" },
  inherit: ["PATH"],
  maxHeapMb: 64,
  cwd: "/",
  memoryMb: 200,
  niceness: 5,
};
const hostedAs: Required<HostedOptions> = { ...common, kind: "server" };
const camera: Required<ProgramSpec> = {
  command: "sleep",
  args: ["100"],
  cwd: "/",
  inherit: ["PATH"],
  env: { MODE: "quiet" },
  ready: { http: "http://127.0.0.1:8090/", status: 204, intervalMs: 100, timeoutMs: 200 } satisfies ReadinessProbe,
  alive: { tcp: 8_090, intervalMs: 100, timeoutMs: 200, failures: 2 } satisfies LivenessProbe,
  memoryMb: 100,
  niceness: 3,
  lines: { perSecond: 10, burst: 20, maxBytes: 1_000 },
  startMs: 2_000,
  shutdownMs: 1_000,
};
const listed: Required<ServiceConfig> = {
  command: "sleep",
  args: ["100"],
  cwd: "/",
  inherit: ["PATH"],
  env: { MODE: "quiet" },
  ready: { line: "^up$" },
  alive: { exec: ["true"] },
  memory_mb: 100,
  niceness: 3,
  restart: "permanent",
  start_ms: 2_000,
  stop_ms: 1_000,
  log: { lines_per_second: 10, burst: 20, line_bytes: 1_000 },
};

export const tree = supervisor("root", { ...byNumber, kept: kept(), restart: "permanent", significant: false }, [
  child("worker", echo, {}, worker),
  child("thread", echo, {}, { ...worker, isolation: "thread" }),
  child("inline", echo, {}, { ...worker, isolation: "inline" }),
  child("plain", echo, {}),
  hosted("server", life, hostedAs),
  hosted("plain-server", life),
  hosted("program", program(camera), { kind: "service" }),
  service("service", listed),
  supervisor("by-number", byNumber, [child("worker", echo, {}, worker), supervisor("deeper", { strategy: "rest-for-one" }, [child("worker", echo, {}, { isolation: "thread" })])]),
  supervisor("by-backoff", byBackoff, [hosted("server", life, hostedAs)]),
  supervisor("empty", { strategy: "one-for-all" }, []),
]);
