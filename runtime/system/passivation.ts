// Entities that leave memory and come back when they are called (rules C5): which are here, which go, and what brings them back.
//
// P1. An entity goes as a whole and between two turns, when nothing of it waits or is under way. Nobody is told: to everyone it is still there.
// P2. Before it goes the store knows when it must be back; while that is written it takes no turn, and what comes meanwhile keeps it here.

import type { Address } from "../address.ts";
import type { Turn } from "../entity/contract.ts";
import type { Entity } from "../entity/index.ts";
import type { Clock, Log, Store } from "../ports/index.ts";
import type { HostedClock } from "./hosted-clock.ts";
import type { HostedEntity } from "./hosted-entity.ts";
import { DEFAULT_RESIDENT_ENTITIES, type PassivationCause, Residents } from "./residents.ts";
import { Wakes } from "./wakes.ts";

export interface PassivationPorts {
  readonly store: Store;
  readonly clock: Clock;
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
  readonly #ports: PassivationPorts;
  readonly #residents: Residents<HostedEntity>;
  readonly #wakes: Wakes;

  constructor(ports: PassivationPorts) {
    this.#ports = ports;
    this.#residents = new Residents(ports.clock, ports.limit ?? DEFAULT_RESIDENT_ENTITIES, (live, cause) => {
      this.#passivate(live, cause);
    });
    this.#wakes = new Wakes(ports);
  }

  /** @throws what the store throws */
  start(): Promise<void> {
    return this.#wakes.start();
  }

  stop(): void {
    this.#residents.stop();
    this.#wakes.stop();
  }

  /** Far too many are here, and all of them have something to do. */
  get isCrowded(): boolean {
    return this.#residents.isCrowded;
  }

  /** It was recovered; before its first turn. */
  came(live: HostedEntity): void {
    this.#wakes.came(live.address, live.nextTimer());
  }

  /** It takes messages. Those that it was called for reach it before it may have to go again. */
  began(live: HostedEntity): void {
    this.#ports.schedule(() => {
      if (!live.hasEnded) this.#residents.add(live);
    });
  }

  /** It is no longer here, for another reason than passivation. */
  ended(entity: Address): void {
    this.#residents.remove(entity);
  }

  /** What must be durable before the turn under way is committed. */
  beforeCommit(entity: Entity, open: Turn | undefined): Promise<void> | undefined {
    return this.#wakes.needsMark(entity.address, entity.nextTimer(open), entity.isUnfinished) ? this.#wakes.mark(entity.address) : undefined;
  }

  #passivate(live: HostedEntity, cause: PassivationCause): void {
    if (!live.isAtRest) return;
    const next = live.nextTimer();
    if (!this.#wakes.mustWrite(live.address, next)) {
      this.#leave(live, cause);
      return;
    }
    live.sleep();
    this.#wakes.leaving(live.address, next).then(
      () => {
        if (live.isUndisturbed) this.#leave(live, cause);
        else live.rouse();
      },
      (error: unknown) => {
        this.#ports.log.warn({ err: error, entity: live.address }, "an idle entity stays in memory: the store could not keep when it must be back");
        live.rouse();
      },
    );
  }

  #leave(live: HostedEntity, cause: PassivationCause): void {
    this.counts[cause]++;
    this.#residents.remove(live.address);
    live.leave();
    this.#ports.left(live);
    this.#wakes.left(live.address);
  }
}
