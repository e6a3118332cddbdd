// What a supervisor needs to know of anything that runs: how it starts, how it ends, how it is ended.
//
// R1. `exited` settles exactly once and never rejects: a failure is a value.
// R2. `stop` and `kill` only begin; `exited` is the end. Both may be called at any time and any number of times.
// R3. Every wait here has a deadline: stop, then kill after `shutdownMs`, then give up waiting after `killWaitMs`.

import { inspect } from "node:util";
import { DroverError } from "../errors.ts";
import type { Clock, Log, Random } from "../ports/index.ts";
import { settledWithin } from "../settled-within.ts";
import { MAX_CAUSES } from "./end-cause.ts";
import { KILL_WAIT_MS } from "./kill-wait.ts";

/** Why something ended. OTP's reasons: normal, shutdown, and the abnormal ones. */
export type Exit =
  /** Its promise resolved without being asked to. */
  | { readonly kind: "normal" }
  /** It was asked to end and did, or it gave up in order (a supervisor past its intensity); `cause` says why. */
  | { readonly kind: "shutdown"; readonly cause?: Error }
  | { readonly kind: "failed"; readonly error: Error }
  /** It did not end within its deadline. */
  | { readonly kind: "killed"; readonly error: Error };

/** `transient` children come back after these only. */
export function isAbnormal(exit: Exit): boolean {
  return exit.kind === "failed" || exit.kind === "killed";
}

/** Why it ended abnormally, or gave up. */
export function errorOf(exit: Exit): Error | undefined {
  return exit.kind === "normal" ? undefined : exit.kind === "shutdown" ? exit.cause : exit.error;
}

/** One line for reports: the kind, and the message of what caused it. */
export function reasonOf(exit: Exit): string {
  const error = errorOf(exit);
  return error === undefined ? exit.kind : `${exit.kind}: ${error.message}`;
}

export interface Running {
  readonly exited: Promise<Exit>;
  /** Asks it to end in order. */
  stop(): void;
  /** Ends it without asking; for code in this thread that cannot be ended, it is let go of. */
  kill(): void;
  /** Particulars for the tree. */
  readonly pid?: number | undefined;
  readonly isolation?: Isolation | undefined;
}

/**
 * Where it runs. `inline`: in this thread. `thread`: one of its own in this process; it may loop and fill its heap, and shares native crashes, buffers and what takes gigabytes
 * of heap in one operation with us. `process`: shares nothing; the place for code and memory that you do not trust.
 */
export type Isolation = "inline" | "thread" | "process";

export interface StartContext {
  /** Aborted when the start is no longer wanted: reject soon, leave nothing behind. */
  readonly signal: AbortSignal;
  /** Aborted when there is no time left to end in order what was begun. */
  readonly hurry?: AbortSignal;
  readonly clock: Clock;
  readonly random: Random;
  /** Carries the path in the tree. */
  readonly log: Log;
}

/** Anything that can be a child. Resolves when it is ready; a rejection is a start failure. May be started again after it ended. */
export interface Startable {
  /** What it says itself about its deadlines, as options of a child; whoever puts it into a tree may say otherwise. */
  readonly startMs?: number | undefined;
  readonly shutdownMs?: number | undefined;
  start(context: StartContext): Promise<Running>;
}

export interface StopLimits {
  /** From the request to the kill, ms; `Infinity` waits (OTP's default for supervisors), 0 kills without asking (OTP: `brutal_kill`). */
  readonly shutdownMs: number;
  /** From the kill to letting go, ms; default 2 s. */
  readonly killWaitMs?: number;
  /** Aborted when somebody above has no time left: kill now. */
  readonly hurry?: AbortSignal | undefined;
}

/** Stops, kills after the deadline, and says how it ended. Never rejects, never waits longer than its limits. */
export async function stopWithin(running: Running, clock: Clock, limits: StopLimits): Promise<Exit> {
  if (limits.shutdownMs > 0) {
    running.stop();
    const inOrder = await settledWithin(running.exited, clock, limits.shutdownMs, limits.hurry);
    if (inOrder !== undefined) return inOrder;
  }
  running.kill();
  const killed = await settledWithin(running.exited, clock, limits.killWaitMs ?? KILL_WAIT_MS, undefined);
  return killed ?? { kind: "killed", error: new DroverError("DROVER_WORKER_KILLED", "it did not end even when it was killed and was let go of") };
}

/** Whatever was thrown, as an Error. */
export function asError(thrown: unknown): Error {
  if (isSound(thrown)) return thrown;
  try {
    return new Error(typeof thrown === "string" ? thrown : `threw ${shownOf(thrown)}`);
  } catch {
    return new Error("threw a value that cannot be shown");
  }
}

/** An object as JSON, which is nothing for a symbol or a function and throws for a bigint. */
function shownOf(thrown: unknown): string {
  return typeof thrown === "object" ? JSON.stringify(thrown) : inspect(thrown);
}

/** An Error that can be told: its message is a text, and reading its stack and its causes does not throw. */
function isSound(value: unknown): value is Error {
  try {
    let one = value;
    for (let depth = 0; one instanceof Error && depth < MAX_CAUSES; depth++) {
      const told: readonly unknown[] = [one.message, one.stack];
      if (typeof told[0] !== "string") return false;
      one = one.cause;
    }
    return value instanceof Error;
  } catch {
    return false;
  }
}
