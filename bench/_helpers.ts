// What every bench shares: one sample budget, what a contender is, and how rounds become numbers.
//
// F1. Work is counted where it arrives; a contender whose receiver did not see all of it fails in `finish`, so a silent failure is never a fast one.
// F2. One contender a process, so that none runs on code that another has made slow; their rounds are interleaved, so that a slow moment of the machine hits all.
// F3. A claim is the ratio to the group's reference, round by round in the same run; the median is quoted, with the middle half and the extremes beside it.

/** The clock, taken before the runtime is loaded: a tally reads it within the steps that it measures, where any other way to it throws (hosting H11). */
const clock = performance.now.bind(performance);

export interface Budget {
  /** Interleaved rounds of each contender. */
  readonly rounds: number;
  /** A contender's turn in a round, ms. */
  readonly roundMs: number;
  /** Run before the first round, ms. */
  readonly warmupMs: number;
  /** Stands for the rest of the sizes: a quick run shows that a bench works, its numbers mean nothing. */
  readonly isQuick: boolean;
}

/**
 * The one sample budget. 21 rounds: an odd number above the 20 that the goals ask for, and the quartiles are rounds that happened. 250 ms: some 10 times the pause
 * of a full garbage collection and 100 flushes of a disk, and short enough that a contender's rounds follow each other within the seconds in which a shared machine
 * keeps its speed. 1 s of warm-up: the optimising compiler has settled on each hot path measured here after about half of that.
 */
export const BUDGET: Budget = { rounds: 21, roundMs: 250, warmupMs: 1_000, isQuick: false };
export const QUICK: Budget = { rounds: 2, roundMs: 20, warmupMs: 20, isQuick: true };

/** What one stretch of work came to, at the receiver. */
export interface Sample {
  /** Units that arrived. */
  readonly work: number;
  readonly elapsedMs: number;
  /** What the group says that it times, ms; missing only where heap is measured. */
  readonly latenciesMs?: readonly number[];
  /** What the units hold of the heap, together, in a group that asks how much. */
  readonly heapBytes?: number;
}

export interface Prepared {
  /** Works for some ms; called again until the round's time is over. */
  sample(): Sample | Promise<Sample>;
  /** Ends everything. @throws Error when the receiver did not take what was sent (F1) */
  finish(): void | Promise<void>;
}

export interface Contender {
  readonly name: string;
  /** Runs in a process of its own. */
  prepare(budget: Budget): Prepared | Promise<Prepared>;
}

/** A contender that is no JavaScript: it speaks the lines of round-lines.ts on its standard streams. */
export interface ForeignContender {
  readonly name: string;
  /** Program and arguments, to which the budget's times are added. */
  readonly command: () => readonly string[];
}

export interface Group {
  readonly name: string;
  readonly unit: string;
  /** `rate`: units a second, more is better. `latency`: ms a unit, less is better. `heap`: bytes a unit, less is better. */
  readonly measures: "rate" | "latency" | "heap";
  /** Which times p50, p99 and p999 are of, the same for all contenders; missing only where heap is measured. */
  readonly timed?: string;
  /** Name of the contender that the others are told as ratios to. */
  readonly reference: string;
  readonly contenders: readonly (Contender | ForeignContender)[];
}

export interface BenchDefinition {
  readonly name: string;
  readonly question: string;
  readonly groups: readonly Group[];
}

export interface Spread {
  readonly min: number;
  readonly lowerQuartile: number;
  readonly median: number;
  readonly upperQuartile: number;
  readonly max: number;
}

/** @param values at least one */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.round(share * (sorted.length - 1))] ?? Number.NaN;
  return { min: at(0), lowerQuartile: at(0.25), median: at(0.5), upperQuartile: at(0.75), max: at(1) };
}

/** @param share 0 to 1 @returns NaN of nothing */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

/** Counts at a receiver, and tells when the awaited number has come. What is not awaited costs one comparison. */
export class Tally {
  received = 0;
  /** Since the last burst was due: how long until each timed one had arrived, ms. */
  timesMs: number[] = [];
  #since = 0;
  #every = Number.POSITIVE_INFINITY;
  #timed = Number.POSITIVE_INFINITY;
  #awaited = Number.POSITIVE_INFINITY;
  #next = Number.POSITIVE_INFINITY;
  #arrived: () => void = () => undefined;

  readonly one = (): void => {
    if (++this.received >= this.#next) this.#reached();
  };

  /** Resolves when `total` have been received since the beginning. */
  reaches(total: number): Promise<void> {
    if (this.received >= total) return Promise.resolve();
    return new Promise((resolve) => {
      this.#awaited = total;
      this.#arrived = resolve;
      this.#next = Math.min(this.#awaited, this.#timed);
    });
  }

  /** `count` more are due now, and each `every`th of them is timed from now on. Resolves when all have been received. */
  due(count: number, every: number): Promise<void> {
    this.timesMs = [];
    this.#every = every;
    this.#timed = this.received + every;
    this.#since = clock();
    return this.reaches(this.received + count);
  }

  #reached(): void {
    if (this.received >= this.#timed) {
      this.timesMs.push(clock() - this.#since);
      this.#timed += this.#every;
    }
    if (this.received >= this.#awaited) {
      this.#awaited = Number.POSITIVE_INFINITY;
      this.#arrived();
    }
    this.#next = Math.min(this.#awaited, this.#timed);
  }
}

/** Runs so many stretches of work, one after the other, and times each. */
export function inStretches(stretches: number, run: (at: number) => void): Required<Pick<Sample, "elapsedMs" | "latenciesMs">> {
  const latenciesMs: number[] = [];
  const start = clock();
  let since = start;
  for (let at = 0; at < stretches; at++) {
    run(at);
    const now = clock();
    latenciesMs.push(now - since);
    since = now;
  }
  return { elapsedMs: since - start, latenciesMs };
}

/** @throws Error naming both counts (F1) */
export function mustMatch(what: string, received: number, sent: number): void {
  if (received !== sent) throw new Error(`${what}: ${String(sent)} were sent and ${String(received)} arrived`);
}
