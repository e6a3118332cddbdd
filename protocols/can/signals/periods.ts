// How often a message comes, and when its absence means something (vehicle.md, "Silence counts only when …").

import { attributeOf, type CanMessage, type Database } from "../model/index.ts";

/** Silent after this many periods … */
const SILENT_PERIODS = 3;
/** … but never before this. */
const MIN_SILENCE_MS = 1_000;
const INTERVALS_TO_LEARN = 20;

/** GenMsgCycleTime, else the attribute called `attribute` (TrailCurrent's is CycleTime) or its default, in ms; undefined: an event message, or to be learnt. */
export function messagePeriodMs(database: Database, message: CanMessage, attribute?: string): number | undefined {
  if (message.cycleTimeMs !== undefined) return message.cycleTimeMs;
  const named = attribute === undefined ? undefined : Number(attributeOf(database, message, attribute));
  return named !== undefined && Number.isFinite(named) && named > 0 ? named : undefined;
}

/** max(3 periods, 1 s). */
export function silentAfterMs(periodMs: number): number {
  return Math.max(SILENT_PERIODS * periodMs, MIN_SILENCE_MS);
}

/** The median of the newest 20 intervals: a lost frame or a burst does not move it. */
export class PeriodLearner {
  readonly #intervals = new Float64Array(INTERVALS_TO_LEARN);
  #count = 0;
  #lastMs = Number.NaN;
  #learntMs: number | undefined;

  /** @param timeMs of a frame; an earlier one than the last is ignored */
  heard(timeMs: number): void {
    const interval = timeMs - this.#lastMs;
    if (interval < 0) return;
    this.#lastMs = timeMs;
    if (Number.isNaN(interval)) return;
    this.#intervals[this.#count % INTERVALS_TO_LEARN] = interval;
    this.#count++;
    if (this.#count % INTERVALS_TO_LEARN === 0) {
      const sorted = this.#intervals.toSorted();
      this.#learntMs = ((sorted[INTERVALS_TO_LEARN / 2 - 1] ?? 0) + (sorted[INTERVALS_TO_LEARN / 2] ?? 0)) / 2;
    }
  }

  /** Undefined until 20 intervals were seen. */
  get periodMs(): number | undefined {
    return this.#learntMs;
  }

  /** After a gap the next interval says nothing. */
  interrupt(): void {
    this.#lastMs = Number.NaN;
  }
}
