// Arms one timeout of the real clock for the earliest durable timer of an entity and hands over what falls due (rules K1).
//
// A timer is handed over only once it is committed. The one that a turn arms which is rolled back was never armed, and its generation is given to another arming: a firing of it would be
// taken for that one's, before it is due. A firing of a committed one stays right whatever is rolled back, since its generation is given to nobody else.

import type { Input } from "../entity/contract.ts";
import type { NextTimer } from "../entity/index.ts";
import type { Clock, TimeoutHandle } from "../ports/index.ts";
import type { HostedClock } from "./hosted-clock.ts";

/** The wall clock can jump, and hosted time can be corrected while other entities recover: look again at least this often. */
const LONGEST_SLEEP_MS = 60_000;

type TimerInput = Extract<Input, { kind: "timer" }>;

export interface TimerSource {
  /** Earliest due time on each clock, undefined where none is armed; of committed timers, as what is due. */
  nextTimer(): NextTimer;
  due(at: { readonly now: number; readonly elapsed: number; readonly wallTrusted: boolean; readonly watchedSince: number }): readonly Input[];
}

export interface TimersPorts {
  readonly clock: Clock;
  readonly hosted: HostedClock;
  readonly wallTrusted: () => boolean;
}

export class Timers {
  readonly #ports: TimersPorts;
  readonly #due: (input: TimerInput) => void;
  #queued: Set<string> | undefined;
  #handle: TimeoutHandle | undefined;

  constructor(ports: TimersPorts, due: (input: TimerInput) => void) {
    this.#ports = ports;
    this.#due = due;
  }

  /** Call after every commit. */
  rearm(source: TimerSource): void {
    const { clock, hosted, wallTrusted } = this.#ports;
    clock.clearTimeout(this.#handle);
    this.#handle = undefined;
    const next = source.nextTimer();
    const waits: number[] = [];
    if (next.elapsed !== undefined) waits.push(next.elapsed - hosted.now());
    if (next.wall !== undefined) waits.push(wallTrusted() ? wallWaitOf(next, clock.now()) : LONGEST_SLEEP_MS);
    if (waits.length === 0) return;
    this.#handle = clock.setTimeout(
      () => {
        this.#fire(source);
      },
      Math.max(0, Math.ceil(Math.min(LONGEST_SLEEP_MS, ...waits))),
    );
  }

  /** An input was taken by a turn that is committed, and does not come again: until then a firing is queued. */
  consumed(input: Input): void {
    if (input.kind === "timer") this.#queued?.delete(`${input.timer}#${String(input.generation)}`);
  }

  stop(): void {
    this.#ports.clock.clearTimeout(this.#handle);
    this.#handle = undefined;
  }

  #fire(source: TimerSource): void {
    const { clock, hosted } = this.#ports;
    const wallTrusted = this.#ports.wallTrusted();
    const watchedSince = hosted.watchedSince(wallTrusted);
    const due = source.due({ now: clock.now(), elapsed: hosted.now(), wallTrusted, watchedSince });
    for (const input of due) {
      if (input.kind !== "timer") continue;
      const key = `${input.timer}#${String(input.generation)}`;
      const queued = (this.#queued ??= new Set<string>());
      if (queued.has(key)) continue;
      queued.add(key);
      this.#due(input);
    }
    // Nothing is due (the wall clock is not trusted, or was looked at early): look again. What is queued already is armed anew by the commit that takes it.
    if (due.length === 0) this.rearm(source);
  }
}

/** Nothing where the clock was set back: what lies too far ahead is put right at once. */
function wallWaitOf({ wall = Number.POSITIVE_INFINITY, setBackBefore = Number.NEGATIVE_INFINITY }: NextTimer, now: number): number {
  return now < setBackBefore ? 0 : wall - now;
}
