// How fast entities may come into memory: a token bucket and a bound on how many are on their way at once (promise S5).
//
// G1. Who finds no room waits: commands first, then what entities send each other in turn with the rest (timers that fell due, recoveries), each in order of arrival.
//     Who needs room in memory waits too while there is none, and lets the other lanes pass, and of its own those who need none. For how long it has waited counts there (passivation P5).
//     A message between entities does not wait: its sender, which is in memory, is told `full`.
//     However long the commands last: of eight that enter one is another that has waited for 5 s, while there is such a one.
// G2. Who has given up meanwhile costs nothing: its turn passes without a token.
// G3. Each lane has a bound (promise S5). Who is turned away by it comes again: a sender is told `full`, an outbox and a timer wait in the store.
// G4. Who waits already and is called in another lane waits in both: the first that has its turn counts, so that no command waits behind a storm because its entity is part of it.

import type { ActivationLimits } from "../activation-limits.ts";
import type { Clock, TimeoutHandle } from "../ports/index.ts";
import { Ring } from "./ring.ts";

/** Room in memory is looked for again this often, ms. */
const LOOK_AGAIN_MS = 20;

/** G1. */
const COMMANDS_IN_A_ROW = 7;
const LONG_MS = 5_000;

const DEFAULTS: Required<ActivationLimits> = { perSecond: 5_000, burst: 1_000, concurrent: 256, waiting: 10_000 };

/** `message`: of another entity. */
export type Lane = "command" | "message" | "background";

/** `gave-up`: its time had passed when its turn came. */
export type Entry = "entered" | "gave-up" | "full";

export interface Admission {
  /** Who has entered calls `leave`, whatever became of it. */
  readonly entry: Promise<Entry>;
  /** G4. It is called in this lane too. */
  join(lane: Lane): void;
}

/** What who enters needs in memory. */
export interface Room {
  /** Whether there is some for this lane. @param waitedMs for how long it has been waited for */
  isFree(lane: Lane, waitedMs: number): boolean;
  /** It is taken, by who enters in this lane. */
  take(lane: Lane): void;
}

interface Waiting {
  /** Monotonic time. */
  readonly since: number;
  /** undefined: it needs none. */
  readonly room: Room | undefined;
  readonly isGone: () => boolean;
  readonly settle: (entry: Entry) => void;
  /** In which it has a place; none: it waits no longer. */
  readonly lanes: Set<Lane>;
}

interface Queue {
  readonly lane: Lane;
  /** Places of some who wait no longer among them, of those who need room in memory and of those who do not. */
  readonly places: readonly [Ring<Waiting>, Ring<Waiting>];
  /** Of those who wait. */
  count: number;
}

interface Ready {
  readonly queue: Queue;
  readonly waiting: Waiting;
}

const MANY_HOLES = 32;

export class ActivationGate {
  readonly #clock: Clock;
  readonly #limits: Required<ActivationLimits>;
  readonly #lanes: Readonly<Record<Lane, Queue>> = { command: queueOf("command"), message: queueOf("message"), background: queueOf("background") };
  /** In the order in which they are looked at: commands first, of the others the one that has waited while the other one entered. */
  #queues: readonly [Queue, Queue, Queue] = [this.#lanes.command, this.#lanes.message, this.#lanes.background];
  /** Commands that have entered since another one did. */
  #commands = 0;
  #tokens: number;
  #filledAt: number;
  #inside = 0;
  #waiting = 0;
  #handle: TimeoutHandle | undefined;

  constructor(clock: Clock, limits: ActivationLimits = {}) {
    this.#clock = clock;
    this.#limits = { ...DEFAULTS, ...limits };
    this.#tokens = this.#limits.burst;
    this.#filledAt = clock.monotonic();
  }

  get waiting(): number {
    return this.#waiting;
  }

  /**
   * @param isGone asked when its turn has come: nobody waits for it any more
   * @param room what it needs in memory, if anything
   */
  enter(lane: Lane, isGone: () => boolean, room?: Room): Admission {
    if (this.#waiting === 0 && room?.isFree(lane, 0) !== false && this.#take()) {
      room?.take(lane);
      return new Settled("entered");
    }
    if (!this.#hasPlaceIn(lane, room)) return new Settled("full");
    const lanes = new Set<Lane>();
    let settle = (_entry: Entry): void => undefined;
    const entry = new Promise<Entry>((resolve) => {
      settle = resolve;
    });
    const waiting: Waiting = { since: this.#clock.monotonic(), isGone, room, settle, lanes };
    this.#waiting++;
    this.#place(waiting, lane);
    return {
      entry,
      join: (other) => {
        if (lanes.size > 0 && !lanes.has(other) && this.#hasPlaceIn(other, room)) this.#place(waiting, other);
      },
    };
  }

  #hasPlaceIn(lane: Lane, room: Room | undefined): boolean {
    return this.#lanes[lane].count < this.#limits.waiting && (lane !== "message" || room?.isFree(lane, 0) !== false);
  }

  #place(waiting: Waiting, lane: Lane): void {
    const queue = this.#lanes[lane];
    queue.count++;
    placesOf(queue, waiting).push(waiting);
    waiting.lanes.add(lane);
    this.#arm();
  }

  leave(): void {
    this.#inside--;
    this.#admit();
  }

  /** Nobody enters any more: whoever waits has given up. */
  stop(): void {
    this.#clock.clearTimeout(this.#handle);
    this.#handle = undefined;
    for (const queue of this.#queues) for (const places of queue.places) for (let next = places.shift(); next !== undefined; next = places.shift()) this.#settle(next, "gave-up");
  }

  #settle(waiting: Waiting, entry: Entry): void {
    if (waiting.lanes.size === 0) return;
    this.#waiting--;
    for (const lane of waiting.lanes) this.#lanes[lane].count--;
    const { lanes } = waiting;
    for (const lane of [...lanes]) {
      lanes.delete(lane);
      const queue = this.#lanes[lane];
      const places = placesOf(queue, waiting);
      if (places.length > queue.count * 2 + MANY_HOLES) places.filter((each) => each.lanes.has(lane));
    }
    waiting.settle(entry);
  }

  /** Who may enter next, as far as room is concerned. */
  #ready(): Ready | undefined {
    if (this.#commands >= COMMANDS_IN_A_ROW) {
      const longSince = this.#clock.monotonic() - LONG_MS;
      const [, ...others] = this.#queues;
      for (const queue of others) {
        const waiting = this.#firstOf(queue);
        if (waiting !== undefined && waiting.since <= longSince) return { queue, waiting };
      }
    }
    for (const queue of this.#queues) {
      const waiting = this.#firstOf(queue);
      if (waiting !== undefined) return { queue, waiting };
    }
    return undefined;
  }

  /** Of those that wait in it, unless there is no room for it. */
  #firstOf(queue: Queue): Waiting | undefined {
    const now = this.#clock.monotonic();
    let found: Waiting | undefined;
    for (const places of queue.places) {
      for (let first = places.first(); first !== undefined && !this.#isWaiting(first, queue); first = places.first()) places.shift();
      const first = places.first();
      if (first === undefined || (found !== undefined && found.since <= first.since)) continue;
      if (first.room?.isFree(queue.lane, now - first.since) !== false) found = first;
    }
    return found;
  }

  /** G1, G2. */
  #isWaiting(waiting: Waiting, { lane }: Queue): boolean {
    const { lanes, room, since } = waiting;
    if (!lanes.has(lane)) return false;
    if (waiting.isGone()) this.#settle(waiting, "gave-up");
    else if (lane !== "message" || room?.isFree(lane, this.#clock.monotonic() - since) !== false) return true;
    else if (lanes.size === 1) this.#settle(waiting, "full");
    else {
      lanes.delete(lane);
      this.#lanes[lane].count--;
    }
    return false;
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
    for (let ready = this.#ready(); ready !== undefined && this.#take(); ready = this.#ready()) {
      const { queue, waiting } = ready;
      placesOf(queue, waiting).shift();
      waiting.room?.take(queue.lane);
      this.#settle(waiting, "entered");
      const [commands, other, last] = this.#queues;
      this.#commands = queue === commands ? this.#commands + 1 : 0;
      if (queue === other) this.#queues = [commands, last, other];
    }
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

class Settled implements Admission {
  readonly entry: Promise<Entry>;

  constructor(entry: Entry) {
    this.entry = Promise.resolve(entry);
  }

  join(): void {
    // Its turn is over.
  }
}

function queueOf(lane: Lane): Queue {
  return { lane, places: [new Ring(), new Ring()], count: 0 };
}

function placesOf({ places: [inNeed, others] }: Queue, { room }: Waiting): Ring<Waiting> {
  return room === undefined ? others : inNeed;
}
