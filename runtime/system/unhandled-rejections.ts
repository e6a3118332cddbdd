// Promises that are rejected while a system runs and that nobody handles: each is logged and counted, none ends the node (promise S4).
//
// J1. Where the process listens for `unhandledRejection` itself, that decides alone; it would end without anybody, and a node is not ended by one actor's promise.
// J2. Whose it was nobody can say: Node tells it when the step that made it is over. So it is no actor's fault.

import { DroverError, errorCatalogue } from "../errors.ts";
import { isA } from "../is-a.ts";
import type { Clock, Log } from "../ports/index.ts";

/** Of all copies of Drover in this process: none takes another for the host's own. */
const OURS = Symbol.for("drover.unhandledRejection");
/** A flood of them must not fill a disk. */
const LOGGED_A_WINDOW = 5;
const WINDOW_MS = 60_000;

type Hear = (reason: unknown) => void;

const hearing = new Set<Hear>();

const listener = Object.assign(
  (reason: unknown): void => {
    // J1.
    if (process.listeners("unhandledRejection").some((each) => !(OURS in each))) return;
    for (const hear of hearing) hear(reason);
  },
  { [OURS]: true },
);

export class UnhandledRejections {
  count = 0;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #hear: Hear = (reason) => {
    this.#heard(reason);
  };
  #window = { since: Number.NEGATIVE_INFINITY, logged: 0 };

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
  }

  start(): void {
    if (hearing.size === 0) process.on("unhandledRejection", listener);
    hearing.add(this.#hear);
  }

  /** With the last one the process is as it was. */
  stop(): void {
    hearing.delete(this.#hear);
    if (hearing.size === 0) process.off("unhandledRejection", listener);
  }

  #heard(reason: unknown): void {
    this.count++;
    const now = this.#clock.monotonic();
    if (now - this.#window.since >= WINDOW_MS) this.#window = { since: now, logged: 0 };
    if (this.#window.logged++ >= LOGGED_A_WINDOW) return;
    const code = "DROVER_REJECTION_UNHANDLED";
    const { title, advice } = errorCatalogue[code];
    const err = isA(reason, Error) ? reason : new DroverError(code, title, { cause: reason });
    this.#log.error({ code, err, advice, total: this.count }, "a promise was rejected and nobody handled it; the node goes on");
  }
}
