// One look at a program from outside, and looking again and again.
//
// Q1. A look ends within its time, whatever the other side does, and leaves nothing behind: no socket, no process.
// Q2. Readiness asks until it is answered; whoever starts the program keeps the deadline. Liveness tolerates all but so many failures in a row.

import { get as httpGet } from "node:http";
import { get as httpsGet } from "node:https";
import { connect } from "node:net";

import type { Clock } from "../ports/index.ts";
import { settledWithin } from "../settled-within.ts";
import { deferred } from "./deferred.ts";
import { type LivenessProbe, type Probe, tcpTarget } from "./program-spec.ts";

/** undefined: it works; else what was seen instead. */
type Look = (signal: AbortSignal) => Promise<string | undefined>;

/** Runs a command as the program is run; how it ended, undefined for code 0. Ends it with its whole group when the signal is aborted. */
export type RunCommand = (command: readonly string[], signal: AbortSignal) => Promise<string | undefined>;

const TIMEOUT_MS = 2_000;
const READY_EVERY_MS = 250;
const ALIVE_EVERY_MS = 10_000;
const FAILURES = 3;

interface Intervals {
  readonly intervalMs?: number | undefined;
  readonly timeoutMs?: number | undefined;
}

/** True once a look succeeds, false when `signal` is aborted before, whatever a look saw. @param failed told what each look saw that did not */
export async function untilReady(probe: Probe & Intervals, clock: Clock, run: RunCommand, signal: AbortSignal, failed: (detail: string) => void): Promise<boolean> {
  for (;;) {
    const detail = await lookOnce(probe, clock, run, signal);
    if (signal.aborted) return false;
    if (detail === undefined) return true;
    failed(detail);
    await pause(clock, probe.intervalMs ?? READY_EVERY_MS, signal);
  }
}

/** Resolves with what was seen when it failed too often, or undefined when `signal` is aborted. */
export async function untilDead(probe: LivenessProbe, clock: Clock, run: RunCommand, signal: AbortSignal): Promise<string | undefined> {
  const allowed = probe.failures ?? FAILURES;
  for (let failures = 0; ; ) {
    await pause(clock, probe.intervalMs ?? ALIVE_EVERY_MS, signal);
    const detail = signal.aborted ? undefined : await lookOnce(probe, clock, run, signal);
    if (signal.aborted) return undefined;
    failures = detail === undefined ? 0 : failures + 1;
    if (detail !== undefined && failures >= allowed) return failures === 1 ? detail : `${String(failures)} times in a row, at last: ${detail}`;
  }
}

async function lookOnce(probe: Probe & Intervals, clock: Clock, run: RunCommand, signal: AbortSignal): Promise<string | undefined> {
  const timeoutMs = probe.timeoutMs ?? TIMEOUT_MS;
  const end = new AbortController();
  const stop = (): void => {
    end.abort();
  };
  signal.addEventListener("abort", stop);
  try {
    const seen = await settledWithin(
      lookOf(probe, run)(end.signal).then((detail) => ({ detail })),
      clock,
      timeoutMs,
      signal,
    );
    return seen === undefined ? `${nameOf(probe)}: no answer within ${String(timeoutMs)} ms` : seen.detail === undefined ? undefined : `${nameOf(probe)}: ${seen.detail}`;
  } finally {
    signal.removeEventListener("abort", stop);
    stop();
  }
}

function nameOf(probe: Probe): string {
  if ("tcp" in probe) return `tcp ${String(probe.tcp)}`;
  return "http" in probe ? `http ${probe.http}` : `exec ${probe.exec.join(" ").slice(0, 100)}`;
}

function lookOf(probe: Probe, run: RunCommand): Look {
  if ("tcp" in probe) return (signal) => canConnect(probe.tcp, signal);
  if ("http" in probe) return (signal) => answers(probe.http, probe.status, signal);
  return (signal) => run(probe.exec, signal);
}

function canConnect(tcp: number | string, signal: AbortSignal): Promise<string | undefined> {
  const seen = deferred<string | undefined>();
  const socket = connect({ ...(tcpTarget(tcp) ?? { port: 0 }), signal });
  socket.on("connect", () => {
    seen.resolve(undefined);
    socket.destroy();
  });
  socket.on("error", (error) => {
    seen.resolve(wordOf(error));
  });
  return seen.promise;
}

function answers(url: string, wanted: number | undefined, signal: AbortSignal): Promise<string | undefined> {
  const seen = deferred<string | undefined>();
  const get = url.startsWith("https:") ? httpsGet : httpGet;
  const request = get(url, { signal, agent: false }, (response) => {
    const status = response.statusCode ?? 0;
    const isWanted = wanted === undefined ? status >= 200 && status < 400 : status === wanted;
    seen.resolve(isWanted ? undefined : `status ${String(status)}`);
    response.on("error", () => undefined);
    response.destroy();
  });
  request.on("error", (error) => {
    seen.resolve(wordOf(error));
  });
  return seen.promise;
}

/** A connection tried at several addresses fails with a list and no message of its own. */
function wordOf(error: Error): string {
  return error.message === "" ? ((error as NodeJS.ErrnoException).code ?? error.name) : error.message;
}

export async function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  await settledWithin(new Promise<undefined>(() => undefined), clock, ms, signal);
}
