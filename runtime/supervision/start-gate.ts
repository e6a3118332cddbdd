// Where requests to a supervisor wait while it starts, as a call waits in the mailbox of OTP's supervisor during its init.
//
// G1. They go on in the order in which they came, once it runs; where it does not come to run, or its end begins before, all are told `not-running`.
// G2. At most 1,000 wait (`full`), each for at most 5 s (`deadline`): a child that awaits a request to its own supervisor while that starts waits for itself, in OTP for ever.
//     Less than a child's own `startMs`, so that it hears it before its start is given up.

import type { Clock } from "../ports/index.ts";

/** What whoever asked is told; `go`: the request is served now. */
export type Word = "go" | "not-running" | "deadline" | "full";

const MAX_WAITING = 1_000;
const MAX_WAIT_MS = 5_000;

export class StartGate {
  readonly #clock: Clock;
  readonly #waiting = new Set<(word: Word) => void>();
  #isShut = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A start begins. */
  shut(): void {
    this.#isShut = true;
  }

  /** The start is over, or nobody needs to wait for it any more (G1). */
  open(word: "go" | "not-running"): void {
    this.#isShut = false;
    for (const tell of this.#waiting) tell(word);
  }

  /** At once where nothing starts. */
  pass(): Word | Promise<Word> {
    if (!this.#isShut) return "go";
    if (this.#waiting.size >= MAX_WAITING) return "full";
    return new Promise((resolve) => {
      const tell = (word: Word): void => {
        this.#clock.clearTimeout(timer);
        this.#waiting.delete(tell);
        resolve(word);
      };
      const timer = this.#clock.setTimeout(() => {
        tell("deadline");
      }, MAX_WAIT_MS);
      this.#waiting.add(tell);
    });
  }
}
