// Starts programs for the tests and keeps what they write. Asserts nothing.

import { systemClock, systemRandom } from "../../../runtime/host/index.ts";
import { errorOf, program, type ProgramSpec, type Running } from "../../../runtime/workers/index.ts";
import { heard, type Heard, listeningLog, type LogLine } from "./listening.ts";

export interface StartedProgram {
  readonly running: Running;
  readonly lines: Heard<LogLine>;
}

export async function startProgram(spec: ProgramSpec, { signal }: Pick<AbortController, "signal"> = new AbortController()): Promise<StartedProgram> {
  const lines = heard<LogLine>();
  const running = await program(spec).start({ signal, clock: systemClock, random: systemRandom, log: listeningLog(lines) });
  return { running, lines };
}

/** A line of `sh`. */
export const sh = (line: string, more: Omit<ProgramSpec, "command" | "args"> = {}): ProgramSpec => ({ command: "sh", args: ["-c", line], ...more });

/** How it ended, with the cause as data in the place of the error's own field. */
export async function endOf(running: Running): Promise<{ readonly kind: string; readonly message: string | undefined; readonly end: unknown }> {
  const exit = await running.exited;
  const error = errorOf(exit) as (Error & { readonly end?: unknown }) | undefined;
  return { kind: exit.kind, message: error?.message, end: error?.end };
}

export const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    systemClock.setTimeout(resolve, ms);
  });
