// Which entities live on this node: activation, deactivation, recovery. At most one of them is under way for an entity at any time.
//
// N1. Two activations of one entity never overlap: the next one begins when the last has written what it had to write.
// N2. An entity that cannot go on is recovered from the store, with backoff, until somebody deactivates it; meanwhile it is away, not gone.
//     A supervisor that listens to `ended` and activates it sooner takes precedence.
// N3. An entity that the store knows and that is not active here is away as well: no message to it is ever told "no such actor" (rules M1).

import { type Address, entityOf, kindOf } from "../address.ts";
import type { EntityType } from "../actor/index.ts";
import { DroverError } from "../errors.ts";
import type { Clock, Log, Random, Store } from "../ports/index.ts";
import { Retry } from "../retry.ts";
import type { EntityNode, EntityOptions } from "./contract.ts";
import type { HostedEntity } from "./hosted-entity.ts";

const RECOVERY = { firstMs: 200, longestMs: 30_000 };
/** An entity that ran this long since its recovery is sound again. */
const STABLE_MS = 60_000;

type Place =
  | { readonly kind: "starting"; readonly done: Promise<void>; live: HostedEntity | undefined }
  | { readonly kind: "live"; readonly live: HostedEntity }
  | { readonly kind: "failed"; readonly cause: unknown }
  | { readonly kind: "stopping"; readonly done: Promise<void> };

interface Slot {
  place: Place;
  readonly options: EntityOptions;
  readonly retry: Retry;
  recoveries: number;
  lastFailure: EntityNode["lastExit"];
  liveSince: number;
}

export interface EntitiesPorts {
  readonly types: ReadonlyMap<string, EntityType>;
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly open: (entity: Address, type: EntityType, options: EntityOptions) => Promise<HostedEntity>;
}

export class Entities {
  readonly #ports: EntitiesPorts;
  readonly #slots = new Map<Address, Slot>();
  #isRunning = false;
  recoveries = 0;

  constructor(ports: EntitiesPorts) {
    this.#ports = ports;
  }

  /** Entities can be activated from now on, again after a stop too. */
  start(): void {
    this.#isRunning = true;
  }

  /** @throws DROVER_ADDRESS_INVALID, DROVER_TYPE_INVALID, DROVER_STORE_FAILED when the system is not running, and what the first turn failed with */
  async activate(entity: Address, options: EntityOptions): Promise<void> {
    const type = this.#typeOf(entity);
    for (;;) {
      if (!this.#isRunning) throw new DroverError("DROVER_STORE_FAILED", "the system is not running");
      const slot = this.#slots.get(entity);
      if (slot?.place.kind === "live") return;
      if (slot?.place.kind === "starting") return slot.place.done;
      if (slot?.place.kind === "stopping") {
        await slot.place.done;
        continue;
      }
      return this.#begin(entity, type, this.#slotFor(entity, options, slot));
    }
  }

  /** Resolves when it has ended; also ends its recovery. */
  async deactivate(entity: Address): Promise<void> {
    for (;;) {
      const slot = this.#slots.get(entity);
      if (slot === undefined) return;
      const { place } = slot;
      if (place.kind === "starting") await place.done.catch(() => undefined);
      else if (place.kind === "stopping") return place.done;
      else if (place.kind === "failed") {
        this.#forget(entity, slot);
        return;
      } else {
        const done = place.live.stop().finally(() => {
          this.#forget(entity, slot);
        });
        slot.place = { kind: "stopping", done };
        return done;
      }
    }
  }

  /** Nothing is activated any more; resolves when nothing is hosted. */
  async stop(): Promise<void> {
    this.#isRunning = false;
    await Promise.all([...this.#slots.keys()].map((entity) => this.deactivate(entity)));
  }

  async ended(entity: Address): Promise<void> {
    const place = this.#slots.get(entity)?.place;
    if (place?.kind === "failed") throw place.cause;
    if (place?.kind === "starting") await place.done;
    await this.live(entity)?.ended;
  }

  /** Its turns are taken here; also while its first one is. */
  live(entity: Address): HostedEntity | undefined {
    const place = this.#slots.get(entity)?.place;
    return place?.kind === "live" || place?.kind === "starting" ? place.live : undefined;
  }

  /** Who takes a message now; `away` when somebody will later. Waits for an activation under way. @param isElsewhere another node has it, as far as is known */
  async taker(entity: Address, isElsewhere: () => boolean): Promise<HostedEntity | "away" | undefined> {
    const slot = this.#slots.get(entity);
    if (slot?.place.kind === "starting") await slot.place.done.catch(() => undefined);
    const place = this.#slots.get(entity)?.place;
    if (place?.kind === "live") return place.live;
    if (place !== undefined || slot !== undefined) return "away";
    return !isElsewhere() && (await this.#isStored(entity)) ? "away" : undefined;
  }

  /** N3. A store that does not answer cannot say that it is gone. */
  async #isStored(entity: Address): Promise<boolean> {
    const type = this.#ports.types.get(kindOf(entity));
    if (type === undefined || type.durability === "volatile") return false;
    return this.#ports.store.revisionOf(entity).then(
      (head) => head !== undefined,
      () => true,
    );
  }

  *all(): Iterable<HostedEntity> {
    for (const entity of this.#slots.keys()) {
      const live = this.live(entity);
      if (live !== undefined) yield live;
    }
  }

  *describe(): Iterable<EntityNode> {
    for (const [entity, { place, recoveries, lastFailure }] of this.#slots) {
      const history = { count: recoveries, ...(lastFailure === undefined ? {} : { last: lastFailure }) };
      const live = place.kind === "live" || place.kind === "starting" ? place.live : undefined;
      if (live !== undefined) yield live.describe(history);
      else
        yield {
          id: entity,
          kind: "entity",
          state: place.kind,
          restarts: recoveries,
          since: lastFailure?.at ?? this.#ports.clock.now(),
          ...(lastFailure === undefined ? {} : { lastExit: lastFailure }),
          children: [],
        };
    }
  }

  #typeOf(entity: Address): EntityType {
    if (entityOf(entity) !== entity || entity.split("/").length !== 3)
      throw new DroverError("DROVER_ADDRESS_INVALID", `"${entity}" is not the address of an entity: tenant/type/id is expected`);
    const type = this.#ports.types.get(kindOf(entity));
    if (type === undefined)
      throw new DroverError("DROVER_TYPE_INVALID", `no entity type "${kindOf(entity)}" is registered on this node; there are ${[...this.#ports.types.keys()].join(", ")}`);
    return type;
  }

  #slotFor(entity: Address, options: EntityOptions, failed: Slot | undefined): Slot {
    failed?.retry.cancel();
    const { clock, random } = this.#ports;
    const kept = failed ?? { retry: new Retry(clock, () => random.next(), RECOVERY), recoveries: 0, lastFailure: undefined, liveSince: 0 };
    const slot: Slot = { ...kept, options, place: { kind: "failed", cause: undefined } };
    this.#slots.set(entity, slot);
    return slot;
  }

  #begin(entity: Address, type: EntityType, slot: Slot): Promise<void> {
    const again = slot.lastFailure !== undefined;
    const starting: Extract<Place, { kind: "starting" }> = { kind: "starting", done: Promise.resolve(), live: undefined };
    const done = this.#open(entity, type, slot, starting);
    slot.place = Object.assign(starting, { done });
    done.then(
      () => {
        if (!again) return;
        slot.recoveries++;
        this.recoveries++;
      },
      () => {
        if (slot.place === starting) this.#forget(entity, slot);
      },
    );
    return done;
  }

  async #open(entity: Address, type: EntityType, slot: Slot, starting: Extract<Place, { kind: "starting" }>): Promise<void> {
    const live = await this.#ports.open(entity, type, slot.options);
    starting.live = live;
    try {
      await live.begin();
    } catch (cause) {
      await live.stop();
      throw cause;
    }
    slot.place = { kind: "live", live };
    slot.liveSince = this.#ports.clock.monotonic();
    live.ended.catch((cause: unknown) => {
      this.#failed(entity, slot, live, cause);
    });
  }

  /** N2. */
  #failed(entity: Address, slot: Slot, live: HostedEntity, cause: unknown): void {
    if (slot.place.kind !== "live" || slot.place.live !== live) return;
    const { clock, log } = this.#ports;
    const error = cause instanceof Error ? cause.message : String(cause);
    slot.place = { kind: "failed", cause };
    slot.lastFailure = { reason: "failed", error, at: clock.now() };
    if (clock.monotonic() - slot.liveSince >= STABLE_MS) slot.retry.reset();
    log.error({ err: cause, entity }, "an entity cannot go on here; it is recovered from the store");
    this.#recoverLater(entity, slot, cause);
  }

  #recoverLater(entity: Address, slot: Slot, cause: unknown): void {
    if (!this.#isRunning) return;
    slot.retry.later(() => {
      void this.activate(entity, slot.options).catch((error: unknown) => {
        this.#ports.log.error({ err: error, entity }, "an entity could not be recovered; it is tried again");
        // Its failed start took the slot away, unless somebody else has begun anew meanwhile.
        if (!this.#isRunning || this.#slots.has(entity)) return;
        this.#slots.set(entity, slot);
        slot.place = { kind: "failed", cause };
        this.#recoverLater(entity, slot, error);
      });
    });
  }

  #forget(entity: Address, slot: Slot): void {
    slot.retry.cancel();
    if (this.#slots.get(entity) === slot) this.#slots.delete(entity);
  }
}
