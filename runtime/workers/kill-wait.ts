// What does not end of its kill: a thread in native code, a process in an uninterruptible wait. After a while nobody waits for its end any more; it is let go of, and its end
// is told with the cause that it had. What it holds (a port, a lock, memory) it holds until it has ended by itself.
//
// Z1. From the kill to letting go: 2 s, and a second look, since a parent that was held up itself sees the timer before the end that came in time.
// Z2. So many runs of one child may be left behind (`MAX_LEFT_BEHIND`): it is not started again until one of them has ended.
// Z3. A thread is a part of this process: the end of the process waits, after everything of ours has stopped, until its native code returns, and keeps its exit code.

import { DroverError } from "../errors.ts";
import type { Clock, Log, TimeoutHandle } from "../ports/index.ts";
import { type EndCause, EndedError } from "./end-cause.ts";

/** How long a kill may take to show before nobody waits for it any more. */
export const KILL_WAIT_MS = 2_000;
export const SECOND_LOOK_MS = 100;
const MAX_LEFT_BEHIND = 4;

/** Runs of one child that were let go of and have not ended yet, and what is known of the end of its last run. */
export interface LeftBehind {
  runs: number;
  ended?: EndCause | undefined;
}

/** Z2. @throws DROVER_WORKER_FAILED */
export function demandRoomFor(left: LeftBehind | undefined): void {
  if (left === undefined || left.runs < MAX_LEFT_BEHIND) return;
  throw new DroverError("DROVER_WORKER_FAILED", `${String(left.runs)} runs of it did not end of their kill and still run; it is not started again until one of them has ended`);
}

/** Z1. The wait of one run. */
export class KillWait {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #left: LeftBehind;
  readonly #letGo: () => void;
  #timer: TimeoutHandle | undefined;
  #isLeft = false;

  /** @param letGo called once, unless `end` is called before */
  constructor({ clock, log }: { readonly clock: Clock; readonly log: Log }, left: LeftBehind | undefined, letGo: () => void) {
    this.#clock = clock;
    this.#log = log;
    this.#left = left ?? { runs: 0 };
    this.#letGo = letGo;
  }

  /** Before its kill; the first one counts. */
  begin(): void {
    this.#timer ??= this.#clock.setTimeout(() => {
      this.#timer = this.#clock.setTimeout(() => {
        this.#leave();
      }, SECOND_LOOK_MS);
    }, KILL_WAIT_MS);
  }

  /** It has ended, in time or late. */
  end(): void {
    this.#clock.clearTimeout(this.#timer);
    if (this.#isLeft) this.#left.runs--;
    this.#isLeft = false;
  }

  /** Why it ended, and where that is so, that it was let go of. */
  told(error: Error): Error {
    return this.#isLeft ? notEnded(error) : error;
  }

  #leave(): void {
    this.#isLeft = true;
    this.#left.runs++;
    this.#log.warn({}, "it did not end of its kill and is let go of");
    this.#letGo();
  }
}

function notEnded(error: Error): DroverError {
  const detail = `${error.message}; it did not end within ${String(KILL_WAIT_MS)} ms of its kill and was let go of`;
  const code = error instanceof DroverError ? error.code : "DROVER_WORKER_FAILED";
  if (error instanceof EndedError) return new EndedError(code, detail, error.end, error.cause);
  return new DroverError(code, detail, error.cause === undefined ? {} : { cause: error.cause });
}
