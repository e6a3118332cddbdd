// Services: what a configuration may say of a program, and what becomes of it.

import { test } from "tap";
import { CheckedFile, ProblemList } from "../../../actors/vehicle-file/index.ts";
import { formatProblem } from "../../../runtime/index.ts";
import { service, services, servicesSchema, type ServiceConfig } from "../../../runtime/supervision/index.ts";
import type { ProgramSpec, Startable } from "../../../runtime/workers/index.ts";

const nothing: Startable = { start: () => Promise.reject(new Error("not started")) };

test("a service becomes a program with its limits, and a child with room for its deadlines", (t) => {
  const seen: ProgramSpec[] = [];
  const written: ServiceConfig = {
    command: "camera",
    args: ["--port", "8090"],
    cwd: "/opt",
    inherit: ["PATH"],
    env: { MODE: "day" },
    ready: { line: "^up", interval_ms: 10 },
    alive: { http: "http://127.0.0.1:8090/", status: 204, timeout_ms: 20, failures: 5 },
    memory_mb: 100,
    niceness: 5,
    restart: "transient",
    start_ms: 1_000,
    stop_ms: 2_000,
    log: { lines_per_second: 7, line_bytes: 100 },
  };
  const one = service("camera", written, (spec) => {
    seen.push(spec);
    return nothing;
  });
  t.match(one, { id: "camera", kind: "hosted", options: { kind: "service", restart: "transient", startMs: 8_000, shutdownMs: 2_000 } });
  t.match(seen, [
    {
      command: "camera",
      args: ["--port", "8090"],
      cwd: "/opt",
      inherit: ["PATH"],
      env: { MODE: "day" },
      ready: { line: "^up", intervalMs: 10 },
      alive: { http: "http://127.0.0.1:8090/", status: 204, timeoutMs: 20, failures: 5 },
      memoryMb: 100,
      niceness: 5,
      lines: { perSecond: 7, maxBytes: 100 },
      startMs: 1_000,
      shutdownMs: 2_000,
    },
  ]);
  t.match(service("plain", { command: "true" }, () => nothing).options, { restart: "permanent", startMs: 20_000, shutdownMs: 5_000 });
  t.strictSame(services(undefined).children, []);
  t.throws(() => service("bad", { command: "true", ready: { line: "(" } }), { code: "DROVER_CONFIG_INVALID", message: /^services\.bad: a program: ready\.line: / });
  t.end();
});

test("D2. what is wrong with a service that code hands over is told by its keys", (t) => {
  const wrong = [
    [{}, /^services\.bad: the key "command" is missing/],
    [{ comand: "true" }, /^services\.bad: comand: .*did you mean "command"/],
    [{ command: "true", memory_mb: -1 }, /^services\.bad: memory_mb: -1 is out of range \(expected a whole number from 1 to 1000000\)$/],
    [{ command: "true", memoryMb: 5 }, /^services\.bad: memoryMb: .*did you mean "memory_mb"/],
    [{ command: "true", args: "-c" }, /^services\.bad: args: the text "-c" stands here/],
    [undefined, /^services\.bad: nothing stands here/],
  ] as const;
  for (const [config, message] of wrong) {
    t.throws(() => service("bad", config as never), { code: "DROVER_CONFIG_INVALID", message });
    t.throws(() => services({ bad: config as never }), { code: "DROVER_CONFIG_INVALID", message });
  }
  t.end();
});

test("D2. what is wrong with a service is told with its line, what was expected, and the nearest key", (t) => {
  const problemsOf = (yaml: string): readonly string[] => {
    const problems = new ProblemList();
    new CheckedFile("node.yaml", yaml, problems).read(servicesSchema);
    return problems.list().map(formatProblem);
  };
  t.strictSame(problemsOf("a: { command: x, ready: { tcp: 80 } }\nb: { command: x, ready: { tcp: 'host:80', timeout_ms: 5 }, alive: { exec: [x], failures: 1 } }\n"), []);
  const wrong = [
    ["a: { comand: x }", /node\.yaml:1:6: a\.comand: .*did you mean "command"/],
    ["a: {}", /the key "command" is missing/],
    ["a: { command: x, args: [80] }", /1:25: a\.args\.0: .*80 stands here/],
    ["a: { command: x, env: { 'bad name': x } }", /"bad name" is not a name that can stand here/],
    ["a: { command: x, env: { A: 1 } }", /a\.env\.A: .*1 stands here/],
    ["a: { command: x, inherit: ['A=B'] }", /a\.inherit\.0/],
    ["a: { command: x, ready: { tcp: 80, http: 'http://x/' } }", /a\.ready\.(http|tcp): the key/],
    ["a: { command: x, ready: { tcp: 70000 } }", /70000 is out of range/],
    ["a: { command: x, ready: {} }", /a\.ready: the key that says what is meant is missing \(expected one of line, tcp, http, exec\)$/],
    ["a: { command: x, alive: { line: up } }", /a\.alive\.line: the key "line" is not known here/],
    ["a: { command: x, restart: always }", /expected one of permanent, transient, temporary/],
    ["a: { command: x, niceness: 20 }", /20 is out of range/],
    ["a: { command: x, memory_mb: 0 }", /0 is out of range/],
    ["'../x': { command: x }", /is not a name that can stand here .*1 to 64 letters/],
    ["a: x", /keys and values/],
  ] as const;
  for (const [yaml, message] of wrong) t.match(problemsOf(yaml).join("\n"), message, yaml);
  t.end();
});
