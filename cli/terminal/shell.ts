// What a command stands on: streams, environment, time. main.ts hands over the real ones, tests their own.

import type { Readable, Writable } from "node:stream";
import type { ExitCode } from "./exit-code.ts";

export interface Shell {
  /** Data. */
  readonly out: Writable;
  /** Words. */
  readonly err: Writable;
  readonly input: Readable;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `out` is a terminal that may be redrawn. */
  readonly isTerminal: boolean;
  readonly hasColour: boolean;
  /** Width of the terminal. */
  readonly columns: () => number;
  /** Its height. */
  readonly rows: () => number;
  /** Aborted by the first SIGINT, SIGTERM or SIGHUP: end in order. */
  readonly interrupt: AbortSignal;
  /** Aborted by the second one: end now. */
  readonly hurry: AbortSignal;
}

/** What a verb hears of how it was called, and how it says its end. */
export interface Call extends Shell {
  /** `--json`. */
  readonly json: boolean;
}

/** Runs one verb: resolves with its exit code; what it throws is shown as a failure. */
export type Verb = (call: Call) => Promise<ExitCode>;
