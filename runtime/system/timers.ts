// Arms one timeout of the real clock for the earliest durable timer of an entity and hands over what falls due (rules K1).

import type { Input } from "../entity/contract.ts";
import type { Clock, TimeoutHandle } from "../ports/index.ts";
import type { HostedClock } from "./hosted-clock.ts";

/** The wall clock can jump, and hosted time can be corrected while other entities recover: look again at least this often. */
const LONGEST_SLEEP_MS = 60_000;

type TimerInput = Extract<Input, { kind: "timer" }>;

export interface TimerSource {
  /** Earliest due time on each clock, undefined where none is armed. */
  nextTimer(): { readonly elapsed: number | undefined; readonly wall: number | undefined };
  due(at: { readonly now: number; readonly elapsed: number; readonly wallTrusted: boolean; readonly watchedSince: number }): readonly Input[];
}

export class Timers {
  readonly #clock: Clock;
  readonly #hosted: HostedClock;
  readonly #wallTrusted: () => boolean;
  readonly #due: (input: TimerInput) => void;
  readonly #queued = new Set<string>();
  #handle: TimeoutHandle | undefined;

  constructor(clock: Clock, hosted: HostedClock, wallTrusted: () => boolean, due: (input: TimerInput) => void) {
    this.#clock = clock;
    this.#hosted = hosted;
    this.#wallTrusted = wallTrusted;
    this.#due = due;
  }

  /** Call after every commit. */
  rearm(source: TimerSource): void {
    this.#clock.clearTimeout(this.#handle);
    this.#handle = undefined;
    const next = source.nextTimer();
    const waits: number[] = [];
    if (next.elapsed !== undefined) waits.push(next.elapsed - this.#hosted.now());
    if (next.wall !== undefined) waits.push(this.#wallTrusted() ? next.wall - this.#clock.now() : LONGEST_SLEEP_MS);
    if (waits.length === 0) return;
    this.#handle = this.#clock.setTimeout(
      () => {
        this.#fire(source);
      },
      Math.max(0, Math.ceil(Math.min(LONGEST_SLEEP_MS, ...waits))),
    );
  }

  /** A queued firing was taken by a turn. */
  consumed(input: TimerInput): void {
    this.#queued.delete(`${input.timer}#${String(input.generation)}`);
  }

  stop(): void {
    this.#clock.clearTimeout(this.#handle);
    this.#handle = undefined;
  }

  #fire(source: TimerSource): void {
    const wallTrusted = this.#wallTrusted();
    const watchedSince = this.#hosted.watchedSince(wallTrusted);
    const due = source.due({ now: this.#clock.now(), elapsed: this.#hosted.now(), wallTrusted, watchedSince });
    for (const input of due) {
      if (input.kind !== "timer") continue;
      const key = `${input.timer}#${String(input.generation)}`;
      if (this.#queued.has(key)) continue;
      this.#queued.add(key);
      this.#due(input);
    }
    // Nothing is due (the wall clock is not trusted, or was looked at early): look again. What is queued already is armed anew by the commit that takes it.
    if (due.length === 0) this.rearm(source);
  }
}
