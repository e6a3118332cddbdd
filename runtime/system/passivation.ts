// Entities that leave memory and come back when they are called (rules C5): which are here, which go, and what brings them back.
//
// P1. An entity goes as a whole and between two turns, when nothing of it waits or is under way. Nobody is told: to everyone it is still there.
// P2. Before it goes the store knows when it must be back; while that is written it takes no turn, and what comes meanwhile keeps it here. Few write that at the same time: a store
//     that is asked for too much at once turns away commits too.
// P3. Entities here may wait for others that are not: a message between entities finds room where a command finds none, so that those that are here for each other can leave. Beyond that it is turned away,
//     and its sender pauses (P4).
// P4. Where too many are here, one leaves too whose messages or effects wait for their next attempts, however long their receivers are out of reach: they are in the store, and the entity is called for
//     them. So nobody stays for what another one must do first: who is here and not at rest takes a turn, makes an attempt, or waits for a word with a deadline (an ask, a `once` effect, a
//     reply to somebody), all of which end, or runs a source of its own.
// P5. Who has waited for room for 1 s comes without it, as a guest: however many stay by right, and for how long, no timer and no command waits for ever. Few are guests at once, so that memory grows slowly
//     where those who came stay too: the place of one is free again when it has left, or after 1 s. Who is next is for the gate to say, as it is where there is room (gate G1).

import type { Address } from "../address.ts";
import type { Turn } from "../entity/contract.ts";
import type { Entity, NextTimer } from "../entity/index.ts";
import type { Clock, Log, Random, Store } from "../ports/index.ts";
import type { Lane } from "./activation-gate.ts";
import type { HostedClock } from "./hosted-clock.ts";
import type { HostedEntity } from "./hosted-entity.ts";
import { DEFAULT_RESIDENT_ENTITIES, type PassivationCause, Residents } from "./residents.ts";
import { Wakes } from "./wakes.ts";

/** P2. */
const LEAVING_AT_ONCE = 128;
/** So many times the limit, all with something to do, and nobody comes in this lane: what calls them is held back before who calls is, and that before what they wait for themselves (P3). */
const FULL: Readonly<Record<Lane, number>> = { background: 1.5, command: 2, message: 3 };
/** More that may come for messages: as many as are on their way into memory at once, of which nobody knows yet whether they stay. */
const BESIDE = 512;
/** P5. Well within the time in which a timer is expected. */
const GUEST_AFTER_MS = 1_000;
const GUEST_FOR_MS = 1_000;
/** There is one, and one for each so many of the limit: where each of them has a task of 10 min, about as many as the limit are here as guests, and messages between entities still find room. */
const LIMIT_PER_GUEST = 512;
/** P4: as long as the longest wait between two attempts of a message or an effect. */
const PAUSE_MS = 30_000;

export interface PassivationPorts {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly hosted: HostedClock;
  readonly wallTrusted: () => boolean;
  readonly schedule: (run: () => void) => void;
  /** Entities of passivating types that may be in memory; default 10,000. */
  readonly limit?: number;
  /** Brings an entity into memory, unless it is there. */
  readonly wake: (entity: Address) => Promise<void>;
  /** It is out of memory. */
  readonly left: (live: HostedEntity) => void;
}

export class Passivation {
  /** That left, by cause. */
  readonly counts: Record<PassivationCause, number> = { idle: 0, room: 0 };
  readonly wakes: Wakes;
  readonly #ports: PassivationPorts;
  readonly #residents: Residents<HostedEntity>;
  /** P2. */
  #leaving = 0;
  #isRoomSought = false;
  /** P5: until when each has its place, monotonic. */
  readonly #guests = new Map<Address, number>();

  constructor(ports: PassivationPorts) {
    this.#ports = ports;
    this.#residents = new Residents(ports.clock, ports.limit ?? DEFAULT_RESIDENT_ENTITIES, {
      passivate: (live, cause) => this.#passivate(live, cause),
      leaving: () => this.#leaving,
    });
    this.wakes = new Wakes(ports);
  }

  /** @throws what the store throws */
  start(): Promise<void> {
    return this.wakes.start();
  }

  stop(): void {
    this.#residents.stop();
    this.wakes.stop();
  }

  /** Whether one more may come. @param waitedMs for how long it has waited */
  hasRoomFor(lane: Lane, waitedMs: number): boolean {
    return !this.#isFull(lane) || (waitedMs >= GUEST_AFTER_MS && this.#hasRoomForGuest());
  }

  #isFull(lane: Lane): boolean {
    return this.#residents.isCrowded(FULL[lane], lane === "message" ? BESIDE : 0);
  }

  /** P5. */
  #hasRoomForGuest(): boolean {
    const now = this.#ports.clock.monotonic();
    for (const [entity, until] of this.#guests) if (until <= now) this.#guests.delete(entity);
    return this.#guests.size < Math.max(1, Math.floor(this.#residents.limit / LIMIT_PER_GUEST));
  }

  /** It is on its way into memory. */
  enters(entity: Address, lane: Lane): void {
    if (this.#isFull(lane)) this.#guests.set(entity, this.#ports.clock.monotonic() + GUEST_FOR_MS);
  }

  /** It was recovered; before its first turn. */
  came(live: HostedEntity): void {
    this.wakes.came(live.address, live.nextTimer());
  }

  /** It takes messages. Those that it was called for reach it before it may have to go again. */
  began(live: HostedEntity): void {
    this.#ports.schedule(() => {
      if (!live.hasEnded) this.#residents.add(live);
    });
  }

  /** It is no longer here, or did not come. */
  ended(entity: Address): void {
    this.#guests.delete(entity);
    this.#residents.remove(entity);
  }

  /** What must be durable before the turn under way is committed. */
  beforeCommit(entity: Entity, open: Turn | undefined): Promise<void> | undefined {
    return this.wakes.needsMark(entity.address, entity.nextTimer(open), entity.isUnfinished) ? this.wakes.mark(entity.address) : undefined;
  }

  /** @returns false: too many are leaving (P2) */
  #passivate(live: HostedEntity, cause: PassivationCause): boolean {
    const isPausing = !live.isAtRest;
    if (isPausing && !(cause === "room" && live.isPausing)) return true;
    // It may have come for that: who must leave before its timer fires is called again for ever.
    if (this.wakes.isDue(live.nextTimer())) return true;
    const next = isPausing ? this.#afterPause(live) : live.nextTimer();
    if (!this.wakes.mustWrite(live.address, next)) {
      this.#leave(live, cause);
      return true;
    }
    if (this.#leaving >= LEAVING_AT_ONCE) return false;
    this.#leaving++;
    live.sleep();
    this.wakes
      .leaving(live.address, next)
      .then(
        () => {
          if (live.isUndisturbed(isPausing)) this.#leave(live, cause);
          else live.rouse();
        },
        (error: unknown) => {
          this.#ports.log.warn({ err: error, entity: live.address }, "an idle entity stays in memory: the store could not keep when it must be back");
          live.rouse();
        },
      )
      .finally(() => {
        this.#leaving--;
        this.#makeRoomSoon();
      });
    return true;
  }

  /** Once for all that have left together. */
  #makeRoomSoon(): void {
    if (this.#isRoomSought) return;
    this.#isRoomSought = true;
    this.#ports.schedule(() => {
      this.#isRoomSought = false;
      this.#residents.makeRoom();
    });
  }

  /** P4. */
  #afterPause(live: HostedEntity): NextTimer {
    const { hosted, random } = this.#ports;
    const { elapsed = Number.POSITIVE_INFINITY, ...next } = live.nextTimer();
    return { ...next, elapsed: Math.min(elapsed, hosted.now() + PAUSE_MS * (0.5 + random.next() / 2)) };
  }

  #leave(live: HostedEntity, cause: PassivationCause): void {
    this.counts[cause]++;
    this.#residents.remove(live.address);
    live.leave();
    this.#ports.left(live);
    this.wakes.left(live.address);
  }
}
