// The commands for one vehicle that wait to be written down, and those that are under way to it: how many there may be, and what is told to who finds no room (promise S5).
//
// N1. One turn at a time writes down all that came during the one before it. It writes the whole list, once for all of them: the more there are, the less each costs.
// N2. Who waits too long leaves the line, and nothing of it was written: only what a turn may have taken has to be taken out of the list again.
// N3. At most as many are under way as the vehicle is asked at a time, so that none is written down to be turned away; the others wait in the line for their place.
// N4. `not-stored` is the word for a store that takes nothing: a turn has waited for it, and none was committed meanwhile. Where there are too many it is `full`, at once if waiting cannot help.

import { type Address, type EventData, settledWithin, type System, type Told } from "../runtime/index.ts";
import type { Clock } from "../runtime/ports/index.ts";
import { MOST_TO_ONE_PEER } from "../runtime/wire/index.ts";
import { requestsOf } from "./requests-address.ts";

/** As it stands in the list. */
export interface Note {
  readonly request: string;
  readonly fingerprint: string;
}

export interface Writing {
  /** What is not accepted must not leave. */
  readonly told: Promise<Told>;
  /** Whether it was written, or may have been, whenever that is known. */
  readonly settled: Promise<boolean>;
  /** What came of it is known, or nobody waits for it any more: its place is another's. */
  over(): void;
}

const DEADLINE = { kind: "deadline" } as const;
const NOT_WRITTEN = { kind: "not-stored", reason: "what leaves for a vehicle is written down first, and the store takes nothing at the moment" } as const;
/** A store that takes longer has no room or hangs. */
const WRITTEN_WITHIN_MS = 2_000;
/** In the line. */
const WAITS_MS = 2_000;
const MOST_WAITING = 512;
const MOST_UNTAKEN = 512;
/** N4: so long no word came of any that is under way. */
const SILENT_AFTER_MS = 1_000;
const RETRY_AFTER_MS = 1_000;
/** More than can be open at once; forgetting one only keeps it in the list for longer. */
const MOST_ANSWERED = 1_000;

/** What waits for a turn, or is in one. */
interface Entry<T extends Note> {
  readonly note: T;
  /** Once it is in one. */
  turn?: Turn;
  readonly begun: Promise<true>;
  readonly begin: (isBegun: true) => void;
  readonly noted: Promise<Told>;
  readonly settle: (told: Told) => void;
  isUnderWay: boolean;
}

interface Turn {
  /** When it began, or when another one was last seen to be committed before it, ms of passing time. */
  since: number;
  revision: number | undefined;
}

interface LeavingNote extends Note {
  readonly expiresAt: number;
}

export class NotingLine {
  readonly #vehicle: Address;
  readonly #requests: Address;
  readonly #system: () => System;
  readonly #clock: Clock;
  #waiting: Entry<LeavingNote>[] = [];
  #untaken: Entry<Note>[] = [];
  /** Told with the next that leaves, so that an answer costs no commit of its own. */
  #answered: string[] = [];
  #turn: Turn | undefined;
  #underWay = 0;
  /** When one was last over, ms of passing time. */
  #overAt = 0;

  constructor(vehicle: Address, system: () => System, clock: Clock) {
    this.#vehicle = vehicle;
    this.#requests = requestsOf(vehicle);
    this.#system = system;
    this.#clock = clock;
  }

  leaves({ request, fingerprint, expiresAt }: LeavingNote, withinMs: number): Writing {
    const refusal = this.#refusal();
    if (refusal !== undefined) return { told: Promise.resolve(refusal), settled: Promise.resolve(false), over: () => undefined };
    const entry = entryOf({ request, fingerprint, expiresAt });
    this.#waiting.push(entry);
    this.#go();
    return {
      told: this.#toldOf(entry, withinMs),
      settled: entry.noted.then(({ kind }) => kind === "accepted" || kind === "unknown"),
      over: () => {
        this.#over(entry);
      },
    };
  }

  /** @returns whether it is known to be out of the list */
  async untaken({ request, fingerprint }: Note): Promise<boolean> {
    if (this.#untaken.length >= MOST_UNTAKEN) return false;
    const entry = entryOf({ request, fingerprint });
    this.#untaken.push(entry);
    this.#go();
    const told = await settledWithin(entry.noted, this.#clock, WRITTEN_WITHIN_MS, undefined);
    this.#untaken = this.#untaken.filter((each) => each !== entry);
    // Refused: it is not in the list.
    return told?.kind === "accepted" || told?.kind === "refused";
  }

  answered(request: string): void {
    this.#answered = [...this.#answered, request].slice(-MOST_ANSWERED);
  }

  /** N4. Why nobody may wait now. */
  #refusal(): Told | undefined {
    if (this.#takesNothing) return NOT_WRITTEN;
    const isSilent = this.#underWay >= MOST_TO_ONE_PEER && this.#clock.monotonic() - this.#overAt >= SILENT_AFTER_MS;
    return isSilent || this.#waiting.length >= MOST_WAITING ? this.#full : undefined;
  }

  async #toldOf(entry: Entry<LeavingNote>, withinMs: number): Promise<Told> {
    const began = this.#clock.monotonic();
    if (entry.turn === undefined) await settledWithin(entry.begun, this.#clock, Math.min(withinMs, WAITS_MS), undefined);
    if (entry.turn === undefined) {
      // N2.
      this.#waiting = this.#waiting.filter((each) => each !== entry);
      entry.settle(DEADLINE);
      if (withinMs < WAITS_MS) return DEADLINE;
      return this.#takesNothing ? NOT_WRITTEN : this.#full;
    }
    const now = this.#clock.monotonic();
    const ownMs = began + withinMs - now;
    const turnMs = entry.turn.since + WRITTEN_WITHIN_MS - now;
    const told = await settledWithin(entry.noted, this.#clock, Math.max(0, Math.min(ownMs, turnMs)), undefined);
    if (told !== undefined) return told.kind === "full" ? this.#full : told;
    if (ownMs < turnMs) return DEADLINE;
    return this.#takesNothing ? NOT_WRITTEN : this.#full;
  }

  #over(entry: Entry<LeavingNote>): void {
    if (!entry.isUnderWay) return;
    entry.isUnderWay = false;
    this.#underWay--;
    this.#overAt = this.#clock.monotonic();
    this.#go();
  }

  /** N1. */
  #go(): void {
    if (this.#turn !== undefined) return;
    const left = this.#waiting.splice(0, MOST_TO_ONE_PEER - this.#underWay);
    const untaken = this.#untaken.splice(0);
    if (left.length === 0 && untaken.length === 0) return;
    const turn: Turn = { since: this.#clock.monotonic(), revision: this.#revision };
    this.#turn = turn;
    if (this.#underWay === 0) this.#overAt = turn.since;
    this.#underWay += left.length;
    for (const entry of left) {
      entry.isUnderWay = true;
      entry.turn = turn;
      entry.begin(true);
    }
    const answered = left.length === 0 ? [] : this.#answered.splice(0);
    // In this order: an id of which nothing came may leave anew.
    void Promise.all([this.#write("request.untaken", untaken, {}), this.#write("request.left", left, { answered })]).then(() => {
      this.#turn = undefined;
      this.#go();
    });
  }

  async #write(type: string, entries: readonly Entry<Note>[], more: object): Promise<void> {
    const [first, ...others] = entries.map(({ note }) => note);
    if (first === undefined) return;
    const told = await this.#inform({ type, ...first, ...more, ...(others.length === 0 ? {} : { others }) });
    for (const { settle } of entries) settle(told);
  }

  /** What it throws says that nothing was taken. */
  async #inform(event: EventData): Promise<Told> {
    try {
      return await this.#system().inform(this.#requests, event, { input: undefined });
    } catch (cause) {
      return { kind: "not-stored", reason: cause instanceof Error ? cause.message : String(cause) };
    }
  }

  /** N4. */
  get #takesNothing(): boolean {
    const turn = this.#turn;
    if (turn === undefined || this.#clock.monotonic() - turn.since < WRITTEN_WITHIN_MS) return false;
    const revision = this.#revision;
    if (revision === turn.revision) return true;
    turn.since = this.#clock.monotonic();
    turn.revision = revision;
    return false;
  }

  get #revision(): number | undefined {
    return this.#system().read(this.#requests)?.revision;
  }

  get #full(): Told {
    const [tenant = "", , name = ""] = this.#vehicle.split("/");
    const reason =
      this.#underWay >= MOST_TO_ONE_PEER
        ? `${String(this.#underWay)} requests to vehicle ${tenant}/${name} are still without an answer`
        : `too many commands for vehicle ${tenant}/${name} wait to be written down before they leave`;
    return { kind: "full", retryAfterMs: RETRY_AFTER_MS, reason };
  }
}

function entryOf<T extends Note>(note: T): Entry<T> {
  const { promise: begun, resolve: begin } = promiseOf<true>();
  const { promise: noted, resolve: settle } = promiseOf<Told>();
  return { note, begun, begin, noted, settle, isUnderWay: false };
}

function promiseOf<T>(): { readonly promise: Promise<T>; readonly resolve: (value: T) => void } {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
