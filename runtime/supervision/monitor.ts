// Monitors: whoever wants to know how a child ends is told so, once (OTP's monitors, by a path in the tree). Supervisors do not use them.
//
// W1. A monitor watches one run: the one that is there, or being started, when it is set. The end of that run is told once, whatever fills its place afterwards.
// W2. Where nothing runs, the notice says so at once: `not-running`, or `no-such-child` (OTP: noproc).
// W3. A notice never comes within the call that asked for it, and never after `stop`.

import type { Clock, Log } from "../ports/index.ts";
import { errorOf, type Exit } from "../workers/index.ts";

export interface RunEnd {
  /** As a child's exit; `start-failed` when it was never ready. A start that was broken off ended by `shutdown`. */
  readonly reason: Exit["kind"] | "start-failed";
  readonly error?: Error;
  /** Wall ms. */
  readonly at: number;
}

export interface DownNotice {
  /** As it was asked for. */
  readonly path: string;
  readonly reason: RunEnd["reason"] | "not-running" | "no-such-child";
  readonly error?: Error;
  /** When it ended, or when it was found not to run; wall ms. */
  readonly at: number;
}

export interface Monitor {
  /** No notice from now on, also none that is on its way. Again is harmless. */
  stop(): void;
}

/** One run of a child, from its start to its end, as its monitors see it. */
export class WatchedRun {
  readonly #listeners = new Set<(end: RunEnd) => void>();
  #hasEnded = false;

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Returns how to leave. */
  watch(listener: (end: RunEnd) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** The first end is the end: a child that was let go of may come to another one later. */
  end(end: RunEnd): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    for (const listener of this.#listeners) listener(end);
    this.#listeners.clear();
  }
}

export function runEndOf(exit: Exit, at: number): RunEnd {
  const error = errorOf(exit);
  return { reason: exit.kind, ...(error === undefined ? {} : { error }), at };
}

/** @param found the run at `path`, or why there is none  @param listener one that throws is logged */
export function monitorRun(
  path: string,
  found: WatchedRun | "not-running" | "no-such-child",
  listener: (notice: DownNotice) => void,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): Monitor {
  let isOver = false;
  const tell = async (end: Omit<DownNotice, "path">): Promise<void> => {
    // W3: whoever asked has its handle first.
    await Promise.resolve();
    if (isOver) return;
    isOver = true;
    try {
      // An async one is waited for: its rejection is a throw as well.
      await (listener({ path, ...end }) as unknown);
    } catch (thrown) {
      log.error({ err: thrown, path }, "a monitor of a supervised child threw");
    }
  };
  const leave = typeof found === "string" ? undefined : found.watch((end) => void tell(end));
  if (typeof found === "string") void tell({ reason: found, at: clock.now() });
  return {
    stop: () => {
      isOver = true;
      leave?.();
    },
  };
}
