// Why something that runs outside of this thread ended, as data: for the tree, for reports, for whoever decides what to do about it.

import { DroverError, type ErrorCode } from "../errors.ts";

export type EndCause =
  /** It ended by itself, with this code. */
  | { readonly kind: "exit-code"; readonly code: number }
  /** A signal that we did not send: a native crash, the kernel, an operator. */
  | { readonly kind: "signal"; readonly signal: string }
  /** Its memory limit, or the heap that it was given. */
  | { readonly kind: "out-of-memory"; readonly limitMb?: number; readonly usedMb?: number }
  | { readonly kind: "probe-failed"; readonly probe: "readiness" | "liveness"; readonly detail: string }
  /** Not ready, or not gone, in time. */
  | { readonly kind: "deadline"; readonly of: "start" | "stop"; readonly afterMs: number }
  /** There is no such command, it may not be run, or where it should run is missing. */
  | { readonly kind: "cannot-run"; readonly detail: string };

/** What a process does to itself, by its code or that of others in it. Any other signal is somebody else's. */
const ITS_OWN: ReadonlySet<string> = new Set(["SIGABRT", "SIGBUS", "SIGFPE", "SIGILL", "SIGSEGV", "SIGSYS", "SIGTRAP"]);

/** Whether somebody else ended it who is not its supervisor: an operator, the kernel. */
export function isByOthers(end: EndCause | undefined): boolean {
  return end?.kind === "signal" && !ITS_OWN.has(end.signal);
}

/** A DroverError that knows its cause as data. */
export class EndedError extends DroverError {
  readonly end: EndCause;

  constructor(code: ErrorCode, detail: string, end: EndCause, cause?: unknown) {
    super(code, detail, cause === undefined ? {} : { cause });
    this.end = end;
  }
}

/** Of causes of causes, so many are looked at. */
export const MAX_CAUSES = 8;

/** Of the error or of what caused it; undefined where nobody knows more than its message. */
export function endCauseOf(error: unknown): EndCause | undefined {
  let one = error;
  for (let depth = 0; one instanceof Error && depth < MAX_CAUSES; depth++) {
    if (one instanceof EndedError) return one.end;
    one = one.cause;
  }
  return undefined;
}

/** How a process ended by itself. */
export function endOfProcess(code: number | null, signal: string | null): EndCause {
  return signal === null ? { kind: "exit-code", code: code ?? -1 } : { kind: "signal", signal };
}

/** @param elapsedMs from the request to stop to the kill, as it was; 0: nobody asked */
export function killedAfter(elapsedMs: number): EndedError {
  const afterMs = Math.round(elapsedMs);
  const detail = afterMs === 0 ? "it was killed without being asked to stop" : `it did not stop within ${String(afterMs)} ms and was killed`;
  return new EndedError("DROVER_WORKER_KILLED", detail, { kind: "deadline", of: "stop", afterMs });
}

/** @param seen what is known of why */
export function lateStart(afterMs: number, seen?: string, cause?: unknown): EndedError {
  const detail = `it was not ready within ${String(afterMs)} ms${seen === undefined ? "" : `; last seen: ${seen}`}`;
  return new EndedError("DROVER_WORKER_START_TIMEOUT", detail, { kind: "deadline", of: "start", afterMs }, cause);
}
