// A program as plain data: what to run, where, with what, when it counts as ready and as alive. Checked whole before anything is begun.

import { accessSync, constants, statSync, type Stats } from "node:fs";
import { delimiter, isAbsolute, join, resolve } from "node:path";

import { DroverError } from "../errors.ts";
import { aNumber, aText, demandShape, keysOf, listOf, recordOf, type Shape } from "../shape/index.ts";
import { inheritedEnvironment } from "./child-environment.ts";
import { EndedError } from "./end-cause.ts";
import type { LineLimits } from "./line-log.ts";

/** How one looks from outside whether it works. */
export type Probe =
  /** `port` on loopback, or `host:port`: a connection can be made. */
  | { readonly tcp: number | string }
  /** A GET is answered with `status`; default any of 200 to 399. */
  | { readonly http: string; readonly status?: number | undefined }
  /** A command, run as the program is, ends with code 0. */
  | { readonly exec: readonly string[] };

/** The first look comes 100 ms after its start. */
export type ReadinessProbe = (
  | Probe
  /** A line of its stdout matches this regular expression, at most 200 characters; of a long line the first 1,024 characters count. It is tried
   *  in this thread, line by line: a pattern with nested repetitions, `(a+)+b`, can hold up the node. */
  | { readonly line: string }
) & {
  /** From one look to the next, ms, > 0, default 250. */
  readonly intervalMs?: number | undefined;
  /** Of one look, ms, > 0, default 2 s. */
  readonly timeoutMs?: number | undefined;
};

export type LivenessProbe = Probe & {
  /** From one look to the next, ms, > 0, default 10 s. */
  readonly intervalMs?: number | undefined;
  /** Of one look, ms, > 0, default 2 s. */
  readonly timeoutMs?: number | undefined;
  /** So many in a row end it, integer >= 1, default 3. */
  readonly failures?: number | undefined;
};

export interface ProgramSpec {
  /** A path, from `cwd` where it is relative, or a name that is looked for along the PATH of the program. */
  readonly command: string;
  readonly args?: readonly string[] | undefined;
  /** Default: where this process runs. */
  readonly cwd?: string | undefined;
  /** Names that it inherits if they are set here; default PATH, HOME, USER, LOGNAME, LANG, LC_ALL, TZ, TMPDIR. `DROVER_*` is never inherited. */
  readonly inherit?: readonly string[] | undefined;
  /** Added to that. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Default: it is ready when it still runs after 100 ms, or has ended with code 0. */
  readonly ready?: ReadinessProbe | undefined;
  /** Default: it is alive while it runs. */
  readonly alive?: LivenessProbe | undefined;
  /** Of it and all that it starts, MB of RAM, > 0; default none. */
  readonly memoryMb?: number | undefined;
  /** -20 to 19; below 0 needs the right to. Default: that of this process. */
  readonly niceness?: number | undefined;
  readonly lines?: LineLimits | undefined;
  /** From the start to ready, ms, > 0, default 10 s. */
  readonly startMs?: number | undefined;
  /** From SIGTERM to SIGKILL of the whole group, ms, >= 0, default 5 s. */
  readonly shutdownMs?: number | undefined;
}

const MAX_PATTERN = 200;
const MAX_ARGUMENT_BYTES = 131_072;
const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;

type ProbeKeys<P> = P extends unknown ? keyof P : never;
const PROBE = {
  tcp: { title: "a port, or host:port", "x-test": (value: unknown) => typeof value === "number" || typeof value === "string" },
  http: aText,
  status: { type: "integer", minimum: 100, maximum: 599 },
  exec: listOf(aText),
  intervalMs: aNumber,
  timeoutMs: aNumber,
} as const satisfies Record<string, Shape>;
const PROGRAM = keysOf<ProgramSpec>(
  {
    command: aText,
    args: listOf(aText),
    cwd: aText,
    inherit: listOf(aText),
    env: recordOf(aText),
    ready: keysOf<Record<ProbeKeys<ReadinessProbe>, unknown>>({ ...PROBE, line: aText }, []),
    alive: keysOf<Record<ProbeKeys<LivenessProbe>, unknown>>({ ...PROBE, failures: aNumber }, []),
    memoryMb: aNumber,
    niceness: aNumber,
    lines: keysOf<LineLimits>({ perSecond: aNumber, burst: aNumber, maxBytes: aNumber }, []),
    startMs: aNumber,
    shutdownMs: aNumber,
  },
  ["command"],
);

/** @throws DROVER_TREE_INVALID with all keys that are unknown, missing or of another kind, or with the first value that cannot be */
export function checkProgram(spec: ProgramSpec): void {
  demandShape(withPlainEnvironment(spec), PROGRAM, "a program", "DROVER_TREE_INVALID", true);
  if (spec.command === "") throw invalid("command is the name or path of a program");
  for (const text of [spec.command, ...(spec.args ?? []), spec.cwd ?? "."]) checkText(text);
  for (const name of [...(spec.inherit ?? []), ...Object.keys(spec.env ?? {})])
    if (!VARIABLE.test(name)) throw invalid(`a variable of the environment is [A-Za-z_][A-Za-z0-9_]*, got "${name.slice(0, 80)}"`);
  for (const value of Object.values(spec.env ?? {})) checkText(value);
  if (spec.ready !== undefined) checkProbe("ready", spec.ready);
  if (spec.alive !== undefined) checkProbe("alive", spec.alive);
  checkPositive("memoryMb", spec.memoryMb);
  checkPositive("startMs", spec.startMs);
  if (spec.shutdownMs !== undefined && !(spec.shutdownMs >= 0)) throw invalid(`shutdownMs is >= 0, got ${String(spec.shutdownMs)}`);
  const { niceness } = spec;
  if (niceness !== undefined && !(Number.isInteger(niceness) && niceness >= -20 && niceness <= 19)) throw invalid(`niceness is an integer from -20 to 19, got ${String(niceness)}`);
  for (const [name, value] of Object.entries(spec.lines ?? {})) checkPositive(`lines.${name}`, value as number | undefined);
}

/** That of the process itself is an object of its own class. */
function withPlainEnvironment(spec: ProgramSpec | undefined): unknown {
  const env: unknown = spec?.env;
  return typeof env === "object" && env !== null && !Array.isArray(env) ? { ...spec, env: { ...env } } : spec;
}

function checkProbe(name: "ready" | "alive", probe: (ReadinessProbe | LivenessProbe) & { readonly failures?: number | undefined }): void {
  checkPositive(`${name}.intervalMs`, probe.intervalMs);
  checkPositive(`${name}.timeoutMs`, probe.timeoutMs);
  if (probe.failures !== undefined && !(Number.isInteger(probe.failures) && probe.failures >= 1))
    throw invalid(`${name}.failures is an integer >= 1, got ${String(probe.failures)}`);
  const kinds = ["tcp", "http", "exec", "line"].filter((kind) => kind in probe);
  if (kinds.length !== 1 || (name === "alive" && "line" in probe)) throw invalid(`${name} says one of tcp, http, exec${name === "ready" ? ", line" : ""}`);
  if ("line" in probe) checkLine(probe.line);
  if ("tcp" in probe && tcpTarget(probe.tcp) === undefined) throw invalid(`${name}.tcp is a port or host:port, got "${String(probe.tcp).slice(0, 80)}"`);
  if ("http" in probe && !/^https?:\/\/[^/]/.test(probe.http)) throw invalid(`${name}.http is a URL of http: or https:, got "${probe.http.slice(0, 80)}"`);
  if ("http" in probe && !URL.canParse(probe.http)) throw invalid(`${name}.http is no URL: "${probe.http.slice(0, 80)}"`);
  if ("exec" in probe) {
    if (probe.exec.length === 0 || probe.exec[0] === "") throw invalid(`${name}.exec is a command and its arguments`);
    for (const text of probe.exec) checkText(text);
  }
}

function checkLine(pattern: string): void {
  if (pattern === "" || pattern.length > MAX_PATTERN) throw invalid(`ready.line is a regular expression of 1 to ${String(MAX_PATTERN)} characters`);
  try {
    new RegExp(pattern, "u");
  } catch (error) {
    throw invalid(`ready.line: ${(error as Error).message}`);
  }
}

export function tcpTarget(tcp: number | string): { readonly host: string; readonly port: number } | undefined {
  const [, host = "127.0.0.1", digits = ""] = /^(?:\[?([^[\]]+)\]?:)?(\d{1,5})$/.exec(String(tcp)) ?? [];
  const port = Number(digits);
  return digits !== "" && port > 0 && port <= 65_535 ? { host, port } : undefined;
}

function checkPositive(name: string, value: number | undefined): void {
  if (value !== undefined && !(value > 0)) throw invalid(`${name} is > 0, got ${String(value)}`);
}

/** The kernel takes no zero byte, and no longer argument. */
function checkText(text: string): void {
  if (text.includes("\0") || Buffer.byteLength(text) >= MAX_ARGUMENT_BYTES)
    throw invalid(`arguments, paths and values are texts without a zero character below 128 KiB, got "${text.slice(0, 40)}"`);
}

function invalid(detail: string): DroverError {
  return new DroverError("DROVER_TREE_INVALID", `a program: ${detail}`);
}

/** A spec with all that the machine has to say to it. */
export interface Runnable {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

const INHERITED = ["PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TZ", "TMPDIR"];

/** Looks for the command and the folder as they are now. @throws EndedError of `cannot-run` */
export function runnableOf(spec: Pick<ProgramSpec, "command" | "args" | "cwd" | "inherit" | "env">): Runnable {
  const cwd = folderOf(spec.cwd);
  const env = { ...inheritedEnvironment(spec.inherit ?? INHERITED), ...spec.env };
  return { file: fileOf(spec.command, cwd, env["PATH"]), args: spec.args ?? [], cwd, env };
}

/** A folder that a process can run in. @throws EndedError of `cannot-run` */
export function folderOf(written: string | undefined): string {
  const cwd = resolve(written ?? ".");
  if (found(cwd)?.isDirectory() !== true) throw cannotRun(`its working directory ${cwd} is no folder`);
  if (!mayRun(cwd)) throw cannotRun(`its working directory ${cwd} may not be entered`);
  return cwd;
}

function fileOf(command: string, cwd: string, path: string | undefined): string {
  const places = command.includes("/")
    ? [isAbsolute(command) ? command : join(cwd, command)]
    : (path ?? "/usr/local/bin:/usr/bin:/bin").split(delimiter).map((folder) => resolve(cwd, folder, command));
  let why = command.includes("/") ? `there is no file ${places[0] ?? command}` : `there is no command "${command}" along PATH`;
  for (const file of places) {
    const there = found(file);
    if (there === undefined) continue;
    why = `${file} is no program that may be run`;
    if (there.isFile() && mayRun(file)) return file;
  }
  throw cannotRun(why);
}

/** What cannot be looked at is not there. */
function found(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}

function mayRun(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function cannotRun(detail: string): EndedError {
  return new EndedError("DROVER_WORKER_FAILED", detail, { kind: "cannot-run", detail });
}
