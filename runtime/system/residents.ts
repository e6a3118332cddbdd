// Which entities of those that may be passivated are in memory, and which leave it (rules C5): by time, and by number, the least used first.
//
// Segmented least-recently-used: who is new is on probation; who is used again later is protected, up to four fifths of all. A scan over many entities
// therefore pushes out its own kind and not those in daily use. Use is noted by the entity itself (`usedAt`) and looked at only when room is needed:
// a message costs nothing here.

import type { Address } from "../address.ts";
import type { Clock, TimeoutHandle } from "../ports/index.ts";

export const DEFAULT_RESIDENT_ENTITIES = 10_000;

/** Turns within this time of its coming are the use that it came for, ms. */
const USED_AGAIN_MS = 1_000;
const PROTECTED_SHARE = 0.8;
const LONGEST_SWEEP_MS = 30_000;
const SHORTEST_SWEEP_MS = 50;
/** Started in one sweep. */
const MAX_A_SWEEP = 500;
/** From so many times the limit on those leave too that only pause; what falls due is brought back up to a larger one. */
const CROWDED = 1.25;
/** Looked at when one must leave: they may all have something to do. */
const MAX_LOOKS = 256;

export interface Resident {
  readonly address: Address;
  /** Idle this long, it may leave, ms; Infinity: only when room is needed. */
  readonly passivateAfterMs: number;
  /** Monotonic time of its last turn. */
  readonly usedAt: number;
  /** Nothing of it waits or is under way (rules C5). */
  readonly isAtRest: boolean;
  /** It would be at rest if messages and effects of it did not wait for their next attempts, for which it is called. */
  readonly isPausing: boolean;
}

/** `idle`: unused for its type's time; `room`: the least used when there were too many. */
export type PassivationCause = "idle" | "room";

export interface ResidentsPorts<R> {
  /** Begins it; `remove` follows, sooner or later, unless it has something to do again. false: too many are leaving, it is to be tried again. */
  readonly passivate: (resident: R, cause: PassivationCause) => boolean;
  /** How many have begun to leave and are still here. */
  readonly leaving: () => number;
}

interface Seat<R> {
  readonly resident: R;
  readonly since: number;
}

export class Residents<R extends Resident> {
  readonly limit: number;
  readonly #clock: Clock;
  readonly #ports: ResidentsPorts<R>;
  readonly #probation = new Map<Address, Seat<R>>();
  readonly #protected = new Map<Address, Seat<R>>();
  #handle: TimeoutHandle | undefined;
  #sweepMs = LONGEST_SWEEP_MS;
  /** Monotonic time of the armed sweep. */
  #sweepAt = Number.POSITIVE_INFINITY;
  #isStopped = false;

  constructor(clock: Clock, limit: number, ports: ResidentsPorts<R>) {
    this.#clock = clock;
    this.limit = limit;
    this.#ports = ports;
  }

  get size(): number {
    return this.#probation.size + this.#protected.size;
  }

  /** So many times more are here than should be: all of them have something to do. */
  isCrowded(times: number, beside = 0): boolean {
    return this.size >= this.limit * times + beside;
  }

  add(resident: R): void {
    if (this.#isStopped) return;
    this.#probation.set(resident.address, { resident, since: this.#clock.monotonic() });
    this.makeRoom();
    const sweepMs = Math.max(SHORTEST_SWEEP_MS, Math.min(LONGEST_SWEEP_MS, resident.passivateAfterMs / 4));
    this.#sweepMs = Math.min(this.#sweepMs, sweepMs);
    this.#arm();
  }

  remove(address: Address): void {
    if (!this.#probation.delete(address)) this.#protected.delete(address);
  }

  /** For good: who comes while its node stops is not looked at any more. */
  stop(): void {
    this.#isStopped = true;
    this.#disarm();
  }

  #disarm(): void {
    this.#clock.clearTimeout(this.#handle);
    this.#handle = undefined;
    this.#sweepAt = Number.POSITIVE_INFINITY;
  }

  /** Soon, where too many are here: they were busy when room was needed. */
  #arm(isHurried = this.size > this.limit): void {
    if (this.size === 0) return;
    const ms = isHurried ? SHORTEST_SWEEP_MS : this.#sweepMs;
    const at = this.#clock.monotonic() + ms;
    if (at >= this.#sweepAt) return;
    this.#disarm();
    this.#sweepAt = at;
    this.#handle = this.#clock.setTimeout(
      () => {
        this.#sweepAt = Number.POSITIVE_INFINITY;
        this.#sweep();
      },
      ms,
      { unref: true },
    );
  }

  #sweep(): void {
    const now = this.#clock.monotonic();
    let started = 0;
    let mayGoOn = true;
    for (const segment of [this.#probation, this.#protected])
      for (const { resident } of segment.values()) {
        if (started >= MAX_A_SWEEP || !mayGoOn) break;
        if (now - resident.usedAt < resident.passivateAfterMs || !resident.isAtRest) continue;
        mayGoOn = this.#ports.passivate(resident, "idle");
        started++;
      }
    this.makeRoom();
    this.#arm(started >= MAX_A_SWEEP || !mayGoOn || this.size > this.limit);
  }

  /** Where too many are here, the least used ones leave. Each is looked at once: they may all have something to do, and then it is tried again soon. */
  makeRoom(): void {
    if (this.#isStopped) return;
    const now = this.#clock.monotonic();
    let surplus = this.size - this.limit - this.#ports.leaving();
    let looks = Math.min(MAX_LOOKS, this.size);
    const isCrowded = this.isCrowded(CROWDED);
    for (const segment of [this.#probation, this.#protected])
      for (const [address, seat] of segment) {
        if (surplus <= 0 || looks-- <= 0) return;
        this.remove(address);
        if (seat.resident.usedAt - seat.since > USED_AGAIN_MS) this.#protect(address, { ...seat, since: now });
        else {
          // At the end of the queue: it is gone soon, or it has something to do.
          this.#probation.set(address, { ...seat, since: now });
          if (!seat.resident.isAtRest && !(isCrowded && seat.resident.isPausing)) continue;
          surplus--;
          if (!this.#ports.passivate(seat.resident, "room")) return;
        }
      }
  }

  #protect(address: Address, seat: Seat<R>): void {
    this.#protected.set(address, seat);
    if (this.#protected.size <= this.limit * PROTECTED_SHARE) return;
    const [oldest, demoted] = this.#protected.entries().next().value ?? [];
    if (oldest === undefined || demoted === undefined) return;
    this.#protected.delete(oldest);
    this.#probation.set(oldest, demoted);
  }
}
