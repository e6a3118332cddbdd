// One run of a node: an operating system's process as the simulator sees it. What it holds of the outside ends with it, in the middle of anything.
//
// P1. After its end nothing of it runs: its timers are gone, nothing that it awaited ever settles, and nobody who awaits it from inside hears again.
// P2. While it is paused (a long garbage collection, a suspended machine) everything that would have reached it waits, in order.
// P3. What it defers runs soon, in an order that the seed decides.

import type { Clock, Random, TimeoutHandle } from "../ports/index.ts";
import type { Happening, Timeline } from "./timeline.ts";

/** Wall time at the beginning of every simulation: 2026-01-01T00:00:00Z. */
const BEGINNING_MS = 1_767_225_600_000;

/** Deferred work waits at most this long: about a turn of a busy event loop. */
const DEFER_MS = 0.4;

export interface ProcessOptions {
  readonly node: string;
  /** Counts the runs of this node from 1. */
  readonly run: number;
  readonly timeline: Timeline;
  /** Of this process alone, so that what one process draws changes nothing for the others. */
  readonly random: Random;
  /** Of the scheduler. */
  readonly order: Random;
  /** What this machine's wall clock is ahead of the simulation's, ms. */
  readonly wallOffsetMs: () => number;
}

export class SimulatedProcess {
  readonly node: string;
  readonly run: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly #timeline: Timeline;
  readonly #order: Random;
  readonly #armed = new Set<Happening>();
  readonly #ends = new Set<() => void>();
  #held: (() => void)[] | undefined;
  #isAlive = true;

  constructor({ node, run, timeline, random, order, wallOffsetMs }: ProcessOptions) {
    this.node = node;
    this.run = run;
    this.random = random;
    this.#timeline = timeline;
    this.#order = order;
    const began = timeline.nowMs;
    this.clock = {
      now: () => Math.floor(BEGINNING_MS + timeline.nowMs + wallOffsetMs()),
      monotonic: () => timeline.nowMs - began,
      setTimeout: (work, delayMs) => this.#arm(work, delayMs) as unknown as TimeoutHandle,
      clearTimeout: (handle) => {
        if (handle !== undefined) this.#disarm(handle as unknown as Happening);
      },
    };
  }

  /** The simulation's time, ms. */
  get nowMs(): number {
    return this.#timeline.nowMs;
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  get isPaused(): boolean {
    return this.#held !== undefined;
  }

  /** Timers that are armed. */
  get pendingTimers(): number {
    return this.#armed.size;
  }

  /** P3. */
  readonly defer = (work: () => void): void => {
    // Most of it at once: an event loop that has nothing else to do.
    this.after(this.#order.next() < 0.5 ? 0 : this.#order.next() * DEFER_MS, work);
  };

  /** Something that reaches the process after a time; nothing that it could call off. */
  after(delayMs: number, work: () => void): void {
    if (!this.#isAlive) return;
    this.#timeline.after(delayMs, () => {
      this.enter(work);
    });
  }

  /** Settles after a time; never, when the process ends before. */
  wait(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.after(delayMs, resolve);
    });
  }

  /** Runs `work` in the process: now, when it is resumed (P2), or never (P1). */
  enter(work: () => void): void {
    if (!this.#isAlive) return;
    if (this.#held === undefined) work();
    else this.#held.push(work);
  }

  pause(): void {
    if (this.#isAlive) this.#held ??= [];
  }

  resume(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const work of held) this.after(0, work);
  }

  /** P1. */
  end(): void {
    if (!this.#isAlive) return;
    this.#isAlive = false;
    this.#held = undefined;
    for (const armed of this.#armed) this.#timeline.callOff(armed);
    this.#armed.clear();
    for (const told of [...this.#ends]) told();
    this.#ends.clear();
  }

  /** Tells somebody outside that the process has ended; at once when it has. Returns how not to be told any more. */
  onEnd(told: () => void): () => void {
    if (!this.#isAlive) {
      told();
      return () => undefined;
    }
    this.#ends.add(told);
    return () => {
      this.#ends.delete(told);
    };
  }

  #arm(work: () => void, delayMs: number): Happening | undefined {
    if (!this.#isAlive) return undefined;
    const armed: Happening = this.#timeline.after(delayMs, () => {
      this.enter(() => {
        // While the process was paused it may have been cleared by what ran before.
        if (this.#armed.delete(armed)) work();
      });
    });
    this.#armed.add(armed);
    return armed;
  }

  #disarm(armed: Happening): void {
    if (!this.#armed.delete(armed)) return;
    this.#timeline.callOff(armed);
  }
}
