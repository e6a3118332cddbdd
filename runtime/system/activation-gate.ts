// How fast entities may come into memory: a token bucket and a bound on how many are on their way at once (promise S5).
//
// G1. Who finds no room waits, commands before the rest (timers that fell due, recoveries), each in order of arrival; nobody is refused for coming in a storm.
//     Who needs room in memory waits too while there is none, and lets those pass who need none.
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

/** Room in memory is looked for again this often, ms. */
const LOOK_AGAIN_MS = 20;

const DEFAULTS: Required<ActivationLimits> = { perSecond: 5_000, burst: 1_000, concurrent: 256, waiting: 10_000 };

/** `gave-up`: its time had passed when its turn came. */
export type Entry = "entered" | "gave-up" | "full";

interface Waiting {
  readonly hasRoom: () => boolean;
  readonly isGone: () => boolean;
  readonly settle: (entry: Entry) => void;
}

export class ActivationGate {
  readonly #clock: Clock;
  readonly #limits: Required<ActivationLimits>;
  readonly #commands = new Ring<Waiting>();
  readonly #others = new Ring<Waiting>();
  /** Commands first. */
  readonly #queues = [this.#commands, this.#others];
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

  /**
   * @param isGone asked when its turn has come: nobody waits for it any more. Who has entered calls `leave`, whatever became of it.
   * @param hasRoom asked before it enters; by default there is room
   */
  async enter(priority: "command" | "background", isGone: () => boolean, hasRoom: () => boolean = always): Promise<Entry> {
    const queue = priority === "command" ? this.#commands : this.#others;
    if (this.waiting === 0 && hasRoom() && this.#take()) return "entered";
    if (priority === "command" && queue.length >= this.#limits.waiting) return "full";
    const entry = new Promise<Entry>((settle) => {
      queue.push({ isGone, hasRoom, settle });
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
    for (const queue of this.#queues) for (let next = queue.shift(); next !== undefined; next = queue.shift()) next.settle("gave-up");
  }

  /** The queue whose first may enter, as far as room is concerned. */
  #ready(): Ring<Waiting> | undefined {
    for (const queue of this.#queues) {
      for (let first = queue.first(); first?.isGone() === true; first = queue.first()) {
        queue.shift();
        first.settle("gave-up");
      }
      if (queue.first()?.hasRoom() === true) return queue;
    }
    return undefined;
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
    for (let queue = this.#ready(); queue !== undefined && this.#take(); queue = this.#ready()) queue.shift()?.settle("entered");
    this.#arm();
  }

  /** For the next token, or for room in memory; room inside is told by who leaves. */
  #arm(): void {
    if (this.waiting === 0 || this.#handle !== undefined || this.#inside >= this.#limits.concurrent) return;
    const untilToken = Math.max(1, Math.ceil(((1 - this.#tokens) / this.#limits.perSecond) * 1_000));
    this.#handle = this.#clock.setTimeout(
      () => {
        this.#handle = undefined;
        this.#admit();
      },
      this.#tokens < 1 ? untilToken : LOOK_AGAIN_MS,
    );
  }
}

function always(): boolean {
  return true;
}
