// How fast entities may come into memory: a token bucket and a bound on how many are on their way at once (promise S5).
//
// G1. Who finds no room waits, commands before the rest (timers that fell due, recoveries), each in order of arrival; nobody is refused for coming in a storm.
// G2. Who has given up meanwhile costs nothing: its turn passes without a token.

import type { Clock, TimeoutHandle } from "../ports/index.ts";
import { Ring } from "./ring.ts";

export interface ActivationLimits {
  /** Activations a second, over time. Default 5,000. */
  readonly perSecond?: number;
  /** Of them at once after a quiet time. Default 1,000. */
  readonly burst?: number;
  /** On their way at the same time, i.e. between the store's reading and the end of their first turn. Default 256. */
  readonly concurrent?: number;
  /** Commands that wait for an activation of their own at most; what is more is told `full`. Default 10,000. */
  readonly waiting?: number;
}

const DEFAULTS: Required<ActivationLimits> = { perSecond: 5_000, burst: 1_000, concurrent: 256, waiting: 10_000 };

/** `gave-up`: its time had passed when its turn came. */
export type Entry = "entered" | "gave-up" | "full";

interface Waiting {
  readonly isGone: () => boolean;
  readonly settle: (entry: Entry) => void;
}

export class ActivationGate {
  readonly #clock: Clock;
  readonly #limits: Required<ActivationLimits>;
  readonly #commands = new Ring<Waiting>();
  readonly #others = new Ring<Waiting>();
  #tokens: number;
  #filledAt: number;
  #inside = 0;
  #handle: TimeoutHandle | undefined;

  constructor(clock: Clock, limits: ActivationLimits = {}) {
    this.#clock = clock;
    this.#limits = { ...DEFAULTS, ...limits };
    this.#tokens = this.#limits.burst;
    this.#filledAt = clock.monotonic();
  }

  get waiting(): number {
    return this.#commands.length + this.#others.length;
  }

  /** @param isGone asked when its turn has come: nobody waits for it any more. Who has entered calls `leave`, whatever became of it. */
  async enter(priority: "command" | "background", isGone: () => boolean): Promise<Entry> {
    const queue = priority === "command" ? this.#commands : this.#others;
    if (this.waiting === 0 && this.#take()) return "entered";
    if (priority === "command" && queue.length >= this.#limits.waiting) return "full";
    const entry = new Promise<Entry>((settle) => {
      queue.push({ isGone, settle });
    });
    this.#arm();
    return entry;
  }

  leave(): void {
    this.#inside--;
    this.#admit();
  }

  /** Nobody enters any more: whoever waits has given up. */
  stop(): void {
    this.#clock.clearTimeout(this.#handle);
    this.#handle = undefined;
    for (let next = this.#next(); next !== undefined; next = this.#next()) next.settle("gave-up");
  }

  #next(): Waiting | undefined {
    return this.#commands.shift() ?? this.#others.shift();
  }

  #take(): boolean {
    const { perSecond, burst, concurrent } = this.#limits;
    const now = this.#clock.monotonic();
    this.#tokens = Math.min(burst, this.#tokens + ((now - this.#filledAt) / 1_000) * perSecond);
    this.#filledAt = now;
    if (this.#inside >= concurrent || this.#tokens < 1) return false;
    this.#tokens--;
    this.#inside++;
    return true;
  }

  #admit(): void {
    while (this.waiting > 0 && this.#take()) {
      let next = this.#next();
      for (; next?.isGone() === true; next = this.#next()) next.settle("gave-up");
      if (next === undefined) {
        this.#tokens++;
        this.#inside--;
      } else next.settle("entered");
    }
    this.#arm();
  }

  /** For the next token; room inside is told by who leaves. */
  #arm(): void {
    if (this.waiting === 0 || this.#handle !== undefined || this.#inside >= this.#limits.concurrent) return;
    this.#handle = this.#clock.setTimeout(
      () => {
        this.#handle = undefined;
        this.#admit();
      },
      Math.max(1, Math.ceil(((1 - this.#tokens) / this.#limits.perSecond) * 1_000)),
    );
  }
}
