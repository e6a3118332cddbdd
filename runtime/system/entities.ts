// Which entities live on this node: activation, deactivation, recovery. At most one of them is under way for an entity at any time.
//
// N1. Two activations of one entity never overlap: the next one begins when the last has written what it had to write.
// N2. An entity that cannot go on is recovered from the store, with backoff, until somebody deactivates it; meanwhile it is away, not gone.
//     A supervisor that listens to `ended` and activates it sooner takes precedence.
// N3. An entity that the store knows and that is not active here is away as well: no message to it is ever told "no such actor" (rules M1).
// N4. One of a passivating type is never away for that: whoever calls it brings it back and waits for it, within its deadline. One that was deactivated stays away
//     until it is activated again.
// N5. One that is kept out (kept-out.ts) is away, and why is told, from the start of the system until its time is over; then it is recovered like one that failed.
// N6. Where the versions of its actor types have changed, an entity here is stopped and comes back in the new ones (`renew`); to everyone it is on its way meanwhile, and nobody is told of an end.

import { type Address, entityOf, kindOf } from "../address.ts";
import type { EntityType } from "../actor/index.ts";
import { DroverError } from "../errors.ts";
import { isA } from "../is-a.ts";
import type { Clock, Log, Random, Store, TimeoutHandle } from "../ports/index.ts";
import { Retry } from "../retry.ts";
import { settledWithin } from "../settled-within.ts";
import type { ActivationGate, Admission, Lane, Room } from "./activation-gate.ts";
import { messageOf } from "../message-of.ts";
import type { EntityNode, EntityOptions, RaisedVersions } from "./contract.ts";
import type { HostedEntity } from "./hosted-entity.ts";
import type { KeptOut, KeptOutEntity } from "./kept-out.ts";
import type { Mail } from "./mail.ts";
import type { Passivation } from "./passivation.ts";
import type { Absence } from "./views.ts";

const RECOVERY = { firstMs: 200, longestMs: 30_000 };
/** An entity that ran this long since its recovery is sound again. */
const STABLE_MS = 60_000;
/** A stop waits this long for what is coming into memory. */
const STARTED_WITHIN_MS = 3_000;
/** N6. At once: the others go on meanwhile. */
const RENEWED_AT_ONCE = 64;
const MAX_NAMED = 100;

interface Starting {
  readonly kind: "starting";
  /** N6. What it succeeds; undefined: nothing. */
  readonly renews: HostedEntity | undefined;
  readonly done: Promise<void>;
  /** The type that it has is looked up. */
  isOpening: boolean;
  live: HostedEntity | undefined;
  /** Messages that wait for it to come. */
  waiting: number;
  /** What these hold, the one that called it first among them. */
  waitingBytes: number;
  /** Monotonic time after which nobody waits for it any more. */
  giveUpAt: number;
  readonly admission: Admission;
  /** Nobody waits for what the store says of it any more: what comes of that is dropped. */
  isAbandoned: boolean;
  /** It has failed, whatever is under way. */
  readonly abandon: (cause: Error) => void;
}

type Place =
  | Starting
  | { readonly kind: "live"; readonly live: HostedEntity }
  | { readonly kind: "failed"; readonly cause: unknown }
  | { readonly kind: "stopping"; readonly done: Promise<void>; readonly live: HostedEntity };

class Slot {
  place: Place = { kind: "failed", cause: undefined };
  /** undefined: it came because it was called, and begins no history. */
  options: EntityOptions | undefined;
  /** Of one that is kept out: lets it in (N5). */
  release: TimeoutHandle | undefined;
  /** Of an entity that failed. */
  retry: Retry | undefined;
  recoveries: number;
  lastFailure: EntityNode["lastExit"];
  liveSince: number;
  /** Its start failed. */
  hasFailed = false;

  /** @param before what is known of it when it failed and begins again */
  constructor(options: EntityOptions | undefined, before: Slot | undefined) {
    this.options = options;
    this.retry = before?.retry;
    this.recoveries = before?.recoveries ?? 0;
    this.lastFailure = before?.lastFailure;
    this.liveSince = before?.liveSince ?? 0;
  }
}

/** Who calls an entity. */
export interface Call {
  readonly lane: Lane;
  /** Monotonic time until which it waits. */
  readonly giveUpAt: number;
  /** Of the message that waits for it; undefined: there is none. */
  readonly bytes?: number;
}

const WHENEVER: Call = { lane: "background", giveUpAt: Number.POSITIVE_INFINITY };

/** The entity was not brought into memory: too many wait for that, or nobody does any more. It may be tried again. */
export class NotAdmitted extends DroverError {
  readonly entry: "full" | "gave-up";

  constructor(entity: Address, entry: "full" | "gave-up") {
    super("DROVER_STORE_FAILED", `${entity} was not activated: ${entry === "full" ? "too many wait for that" : "nobody waits for it any more"}`, { retryable: true });
    this.entry = entry;
  }
}

/** One more waits for it. */
function joined(starting: Starting, { lane, giveUpAt }: Call): void {
  starting.giveUpAt = Math.max(starting.giveUpAt, giveUpAt);
  starting.admission.join(lane);
}

export interface EntitiesPorts {
  readonly types: ReadonlyMap<string, EntityType>;
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly gate: ActivationGate;
  /** Undefined where no type passivates, and while the system does not run. */
  readonly passivation: () => Passivation | undefined;
  /** Why it may not come into memory; undefined: it may (N5). */
  readonly keptOut: (entity: Address, type: EntityType) => KeptOut | undefined;
  readonly allKeptOut: () => readonly KeptOutEntity[];
  /** Without options only what the store knows; undefined when it does not. */
  readonly open: (entity: Address, type: EntityType, options: EntityOptions | undefined, isAbandoned: () => boolean) => Promise<HostedEntity | undefined>;
}

export class Entities {
  readonly #ports: EntitiesPorts;
  readonly #slots = new Map<Address, Slot>();
  /** Deactivated ones of passivating types. */
  readonly #held = new Set<Address>();
  /** Ends each question to the store whether it knows an entity. */
  readonly #asking = new Set<() => void>();
  /** Whose time out is over (N5). */
  readonly #released = new Set<Address>();
  #isRunning = false;
  recoveries = 0;

  constructor(ports: EntitiesPorts) {
    this.#ports = ports;
  }

  /** Entities can be activated from now on, again after a stop too. */
  start(): void {
    this.#isRunning = true;
    for (const { entity, out } of this.#ports.allKeptOut()) if (!this.#released.has(entity)) this.#keepOut(entity, undefined, undefined, out);
  }

  /**
   * @param call its time counts until the entity may enter: what has begun is not taken back
   * @throws DROVER_ADDRESS_INVALID, DROVER_TYPE_INVALID, DROVER_STORE_FAILED when the system is not running, too many wait to come or the time is over, and what the first turn failed with;
   * DROVER_ACTOR_HUNG for one that is kept out (N5)
   */
  async activate(entity: Address, options: EntityOptions | undefined, call: Call = WHENEVER): Promise<void> {
    const type = this.#typeOf(entity);
    this.#held.delete(entity);
    for (;;) {
      if (!this.#isRunning) throw new DroverError("DROVER_STORE_FAILED", "the system is not running");
      const slot = this.#slots.get(entity);
      if (slot?.place.kind === "live") return;
      if (slot?.place.kind === "starting") {
        joined(slot.place, call);
        // Who was called begins no history.
        if (options === undefined || slot.options !== undefined) return slot.place.done;
        await slot.place.done;
        continue;
      }
      if (slot?.place.kind === "stopping") {
        await slot.place.done;
        continue;
      }
      const out = this.#released.has(entity) ? undefined : this.#ports.keptOut(entity, type);
      if (out !== undefined) throw this.#keepOut(entity, slot, options, out);
      if (call.giveUpAt <= this.#ports.clock.monotonic()) throw new NotAdmitted(entity, "gave-up");
      const done = this.#begin(entity, this.#slotFor(entity, options, slot), call);
      if (slot?.place.kind === "failed") this.#keepRecovering(entity, slot, slot.place.cause, done);
      return done;
    }
  }

  /** N5. @returns what who activates it is told */
  #keepOut(entity: Address, before: Slot | undefined, options: EntityOptions | undefined, { reason, leftMs }: KeptOut): DroverError {
    const cause = new DroverError("DROVER_ACTOR_HUNG", reason);
    if (before?.release !== undefined) {
      before.options = options ?? before.options;
      return cause;
    }
    const { clock, log, random } = this.#ports;
    const slot = this.#slotFor(entity, options, before);
    const retry = (slot.retry ??= new Retry(clock, () => random.next(), RECOVERY));
    slot.place = { kind: "failed", cause };
    slot.lastFailure = { reason: "kept-out", error: reason, at: clock.now() };
    log.error({ err: cause, entity }, "the node runs without an entity whose code ended two of its processes");
    slot.release = clock.setTimeout(
      () => {
        slot.release = undefined;
        this.#released.add(entity);
        this.#recover(entity, slot, retry, cause);
      },
      leftMs,
      { unref: true },
    );
    return cause;
  }

  /** Why it is kept out, as things are now; undefined where it is not (N5). */
  whyOut(entity: Address): string | undefined {
    const slot = this.#slots.get(entity);
    const type = this.#ports.types.get(kindOf(entity));
    return slot?.release === undefined || type === undefined ? undefined : this.#ports.keptOut(entity, type)?.reason;
  }

  /** How many are kept out (N5). */
  get keptOut(): number {
    let count = 0;
    for (const { release } of this.#slots.values()) if (release !== undefined) count++;
    return count;
  }

  /** N2. Who calls a failed entity and finds no place at the gate has tried nothing: its recovery goes on. */
  #keepRecovering(entity: Address, slot: Slot, cause: unknown, done: Promise<void>): void {
    const { retry } = slot;
    done.catch((error: unknown) => {
      if (retry !== undefined && isA(error, NotAdmitted)) this.#failedAgain(entity, slot, retry, cause);
    });
  }

  /** Resolves when it has ended; also ends its recovery. */
  async deactivate(entity: Address): Promise<void> {
    if (this.#passivating(entity) !== undefined) this.#held.add(entity);
    for (;;) {
      const slot = this.#slots.get(entity);
      if (slot === undefined) return;
      const { place } = slot;
      if (place.kind === "starting") await this.#startOver(entity, place);
      else if (place.kind === "stopping") return place.done;
      else if (place.kind === "failed") {
        this.#forget(entity, slot);
        return;
      } else {
        const done = place.live.stop().finally(() => {
          this.#forget(entity, slot);
        });
        slot.place = { kind: "stopping", done, live: place.live };
        return done;
      }
    }
  }

  /** Resolves when a start has come to its end, of which a store that does not answer is one. */
  async #startOver(entity: Address, starting: Starting): Promise<void> {
    const over = starting.done.then(
      () => true,
      () => true,
    );
    if ((await settledWithin(over, this.#ports.clock, STARTED_WITHIN_MS, undefined)) === true) return;
    starting.isAbandoned = true;
    if (starting.live === undefined) starting.abandon(new DroverError("DROVER_STORE_FAILED", `${entity} was stopped before the store had answered`, { retryable: true }));
    else await starting.live.stop();
    await over;
  }

  /** Nothing is activated any more; resolves when nothing is hosted. */
  async stop(): Promise<void> {
    this.#isRunning = false;
    this.#ports.gate.stop();
    for (const giveUp of [...this.#asking]) giveUp();
    await Promise.all([...this.#slots.keys()].map((entity) => this.deactivate(entity)));
  }

  async ended(entity: Address): Promise<void> {
    for (;;) {
      const place = this.#slots.get(entity)?.place;
      if (place?.kind === "failed") throw place.cause;
      if (place?.kind === "starting") await place.done;
      const live = this.live(entity);
      await live?.ended();
      if (live?.isSucceeded !== true) return;
    }
  }

  /** N6. Every entity here goes on in the versions that are active now. @returns those that could not; at most 100 are named */
  async renew(): Promise<RaisedVersions["left"]> {
    const left: { readonly entity: Address; readonly reason: string }[] = [];
    const entities = this.#slots.keys();
    const some = async (): Promise<void> => {
      for (const entity of entities) {
        const reason = await this.#renewed(entity);
        if (reason !== undefined && left.length < MAX_NAMED) left.push({ entity, reason });
      }
    };
    await Promise.all(Array.from({ length: RENEWED_AT_ONCE }, some));
    return left;
  }

  /** Resolves when it writes nothing of an older version here any more. @returns why it is not here then */
  async #renewed(entity: Address): Promise<string | undefined> {
    for (;;) {
      const slot = this.#slots.get(entity);
      const type = this.#ports.types.get(kindOf(entity));
      if (!this.#isRunning || slot === undefined || type === undefined || slot.place.kind === "failed") return undefined;
      const { place } = slot;
      // Its type is looked up when it opens.
      if (place.kind === "starting" && !place.isOpening && place.renews === undefined) return undefined;
      if (place.kind === "live") {
        if (place.live.entityType === type) return undefined;
        try {
          await this.#succeed(entity, slot, place.live);
        } catch (cause) {
          return messageOf(cause);
        }
      } else await place.done.catch(() => undefined);
    }
  }

  #succeed(entity: Address, { options, ...before }: Slot, live: HostedEntity): Promise<void> {
    this.#ports.passivation()?.ended(entity);
    const { clock, log, random } = this.#ports;
    const slot = Object.assign(new Slot(options, undefined), before);
    this.#slots.set(entity, slot);
    const done = this.#begin(entity, slot, WHENEVER, live);
    done.catch((cause: unknown) => {
      log.error({ err: cause, entity }, "an entity could not go on in the active versions of its actor types; it is tried again");
      slot.lastFailure = { reason: "failed", error: messageOf(cause), at: clock.now() };
      this.#failedAgain(entity, slot, (slot.retry ??= new Retry(clock, () => random.next(), RECOVERY)), cause);
    });
    return done;
  }

  /** It takes messages now. */
  isLive(entity: Address): boolean {
    return this.#slots.get(entity)?.place.kind === "live";
  }

  /** Who takes messages now. */
  liveNow(entity: Address): HostedEntity | undefined {
    const place = this.#slots.get(entity)?.place;
    return place?.kind === "live" ? place.live : undefined;
  }

  /** It is on its way, and no message of so many bytes may wait for that any more: as many do as its mailbox has room for. */
  isCrowded(entity: Address, own: number): boolean {
    const starting = this.#slots.get(entity)?.place;
    if (starting?.kind !== "starting") return false;
    const { messages, bytes } = this.#ports.types.get(kindOf(entity))?.root.mailbox ?? { messages: 0, bytes: 0 };
    return starting.waiting >= messages || (starting.waitingBytes > 0 && starting.waitingBytes + own > bytes);
  }

  /** It is on its way, or goes over to newer versions (N6): what waits for it reaches it. */
  isComing(entity: Address): boolean {
    const place = this.#slots.get(entity)?.place;
    return (place?.kind === "starting" && place.renews !== undefined) || this.isOnItsWay(entity);
  }

  /** Its turns are taken here; also while its first one is. */
  live(entity: Address): HostedEntity | undefined {
    const place = this.#slots.get(entity)?.place;
    return place?.kind === "live" || place?.kind === "starting" ? place.live : undefined;
  }

  /**
   * Who takes a message now; `away` when somebody will later, `full` when too many wait for that. Waits for an activation under way, and brings back what was passivated (N4).
   * @param isElsewhere another node has it, as far as is known
   */
  async taker(entity: Address, isElsewhere: () => boolean, call: Call): Promise<HostedEntity | "away" | "full" | undefined> {
    const slot = this.#slots.get(entity);
    const starting = slot?.place;
    if (starting?.kind === "starting") {
      const { bytes: own = 0 } = call;
      if (this.isCrowded(entity, own)) return "full";
      joined(starting, call);
      starting.waiting++;
      starting.waitingBytes += own;
      await starting.done.catch(() => undefined);
      starting.waiting--;
      starting.waitingBytes -= own;
    }
    const place = this.#slots.get(entity)?.place;
    if (place?.kind === "live") return place.live;
    if (place !== undefined) return "away";
    if (slot !== undefined && (slot.options !== undefined || slot.hasFailed)) return "away";
    if (isElsewhere()) return undefined;
    const type = this.#passivating(entity);
    if (type === undefined || this.#held.has(entity)) return (await this.#isStored(entity)) ? "away" : undefined;
    return slot === undefined ? this.#called(entity, call) : undefined;
  }

  /** N4. */
  async #called(entity: Address, call: Call): Promise<HostedEntity | "away" | "full" | undefined> {
    if (!this.#isRunning) return "away";
    const slot = this.#slotFor(entity, undefined, undefined);
    try {
      await this.#begin(entity, slot, call);
    } catch (cause) {
      if (isA(cause, NotAdmitted)) return cause.entry === "full" ? "full" : "away";
      this.#ports.log.error({ err: cause, entity }, "an entity that was called could not come back into memory");
      return "away";
    }
    return slot.place.kind === "live" ? slot.place.live : undefined;
  }

  /** Whether a message of this id is on its way here, also while the entity stops: what becomes of it is not known. */
  isTaking(entity: Address, id: string): boolean {
    const place = this.#slots.get(entity)?.place;
    return place !== undefined && place.kind !== "failed" && place.live?.taking(id) !== undefined;
  }

  /** Whether an entity of this address comes into memory when it is called. */
  comesWhenCalled(entity: Address): boolean {
    return !this.#held.has(entity) && this.#passivating(entity) !== undefined;
  }

  /** It comes when it is called, and is not there yet. */
  isOnItsWay(entity: Address): boolean {
    const kind = this.#slots.get(entity)?.place.kind;
    return (kind === undefined || kind === "starting") && this.comesWhenCalled(entity);
  }

  /** Its type is registered here: what the store has of it was written here. */
  isOfType(entity: Address): boolean {
    return this.#ports.types.has(kindOf(entity));
  }

  /** How an entity that the store knows is absent; undefined while it is in memory. */
  absence(entity: Address): Absence | undefined {
    if (this.live(entity) !== undefined) return undefined;
    return this.isOnItsWay(entity) ? "passivated" : "away";
  }

  /** It has left memory by itself. */
  left(live: HostedEntity): void {
    const slot = this.#slots.get(live.address);
    if (slot?.place.kind === "live" && slot.place.live === live) this.#forget(live.address, slot);
  }

  #passivating(entity: Address): EntityType | undefined {
    const type = this.#ports.types.get(kindOf(entity));
    return type?.passivateAfterMs === undefined || entity.split("/").length !== 3 ? undefined : type;
  }

  /** N3. A store that does not answer cannot say that it is gone; who stops does not wait for it. */
  async #isStored(entity: Address): Promise<boolean> {
    const type = this.#ports.types.get(kindOf(entity));
    if (type === undefined || type.durability === "volatile") return false;
    if (!this.#isRunning) return true;
    return new Promise((resolve) => {
      const end = (isStored: boolean): void => {
        this.#asking.delete(giveUp);
        resolve(isStored);
      };
      const giveUp = (): void => {
        end(true);
      };
      this.#asking.add(giveUp);
      this.#ports.store.revisionOf(entity).then((head) => {
        end(head !== undefined);
      }, giveUp);
    });
  }

  *all(): Iterable<HostedEntity> {
    for (const entity of this.#slots.keys()) {
      const live = this.live(entity);
      if (live !== undefined) yield live;
    }
  }

  /** Nothing of it is held here. */
  *describe(): Iterable<EntityNode> {
    for (const [entity, { place, recoveries, lastFailure }] of this.#slots) {
      const last = lastFailure === undefined ? undefined : { ...lastFailure };
      const history = { count: recoveries, ...(last === undefined ? {} : { last }) };
      const live = place.kind === "live" || place.kind === "starting" ? place.live : undefined;
      if (live !== undefined) yield live.describe(history);
      else
        yield {
          id: entity,
          kind: "entity",
          state: place.kind,
          restarts: recoveries,
          since: last?.at ?? this.#ports.clock.now(),
          ...(last === undefined ? {} : { lastExit: last }),
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

  #slotFor(entity: Address, options: EntityOptions | undefined, failed: Slot | undefined): Slot {
    failed?.retry?.cancel();
    this.#ports.clock.clearTimeout(failed?.release);
    const slot = new Slot(options, failed);
    this.#slots.set(entity, slot);
    return slot;
  }

  /** @param renews is stopped first (N6) */
  #begin(entity: Address, slot: Slot, { lane, giveUpAt, bytes = 0 }: Call, renews?: HostedEntity): Promise<void> {
    const again = slot.lastFailure !== undefined && renews === undefined;
    const { gate, clock } = this.#ports;
    const admission = gate.enter(
      lane,
      () => starting.giveUpAt <= clock.monotonic(),
      // Who stays for good needs no room among those that come and go.
      slot.options === undefined ? this.#roomFor(entity) : undefined,
    );
    let abandon = (_cause: Error): void => undefined;
    const abandoned = new Promise<never>((_resolve, reject) => {
      abandon = reject;
    });
    const starting: Starting = {
      kind: "starting",
      renews,
      done: Promise.resolve(),
      isOpening: false,
      live: undefined,
      waiting: 0,
      waitingBytes: bytes,
      giveUpAt,
      admission,
      isAbandoned: false,
      abandon,
    };
    const done = Promise.race([this.#enter(entity, slot, starting), abandoned]);
    slot.place = Object.assign(starting, { done });
    done.then(
      () => {
        if (!again) return;
        slot.recoveries++;
        this.recoveries++;
      },
      () => {
        slot.hasFailed = true;
        if (slot.place === starting) this.#forget(entity, slot);
      },
    );
    return done;
  }

  #roomFor(entity: Address): Room {
    const { passivation } = this.#ports;
    return {
      isFree: (lane, waitedMs) => passivation()?.hasRoomFor(lane, waitedMs) !== false,
      take: (lane) => passivation()?.enters(entity, lane),
    };
  }

  async #enter(entity: Address, slot: Slot, starting: Starting): Promise<void> {
    // N6. Whatever the gate says: it writes nothing more.
    const left = await starting.renews?.stopForHeir();
    try {
      const entry = await starting.admission.entry;
      if (entry !== "entered") throw new NotAdmitted(entity, entry);
      try {
        await this.#open(entity, slot, starting);
      } finally {
        this.#ports.gate.leave();
      }
    } finally {
      if (left !== undefined) handedOn(left, starting.live);
    }
  }

  async #open(entity: Address, slot: Slot, starting: Starting): Promise<void> {
    const type = this.#typeOf(entity);
    starting.isOpening = true;
    const live = await this.#ports.open(entity, type, slot.options, () => starting.isAbandoned);
    if (starting.isAbandoned) return;
    if (live === undefined) {
      this.#forget(entity, slot);
      return;
    }
    const passivation = type.passivateAfterMs === undefined ? undefined : this.#ports.passivation();
    passivation?.came(live);
    starting.live = live;
    try {
      await live.begin();
    } catch (cause) {
      await live.stop();
      throw cause;
    }
    slot.place = { kind: "live", live };
    slot.liveSince = this.#ports.clock.monotonic();
    passivation?.began(live);
    if (live.failure !== undefined) this.failed(live, live.failure);
  }

  /** N2. One that is starting or stopping is not looked at here. */
  failed(live: HostedEntity, cause: Error): void {
    const entity = live.address;
    const slot = this.#slots.get(entity);
    if (slot?.place.kind !== "live" || slot.place.live !== live) return;
    const { clock, log, random } = this.#ports;
    const retry = (slot.retry ??= new Retry(clock, () => random.next(), RECOVERY));
    this.#ports.passivation()?.ended(entity);
    slot.place = { kind: "failed", cause };
    slot.lastFailure = { reason: "failed", error: cause.message, at: clock.now() };
    if (clock.monotonic() - slot.liveSince >= STABLE_MS) retry.reset();
    log.error({ err: cause, entity }, "an entity cannot go on here; it is recovered from the store");
    this.#recoverLater(entity, slot, retry, cause);
  }

  #recoverLater(entity: Address, slot: Slot, retry: Retry, cause: unknown): void {
    if (!this.#isRunning) return;
    retry.later(() => {
      this.#recover(entity, slot, retry, cause);
    });
  }

  #recover(entity: Address, slot: Slot, retry: Retry, cause: unknown): void {
    void this.activate(entity, slot.options).catch((error: unknown) => {
      this.#ports.log.error({ err: error, entity }, "an entity could not be recovered; it is tried again");
      this.#failedAgain(entity, slot, retry, cause);
    });
  }

  /** Its failed start took the slot away, unless somebody else has begun anew meanwhile. */
  #failedAgain(entity: Address, slot: Slot, retry: Retry, cause: unknown): void {
    if (!this.#isRunning || this.#slots.has(entity)) return;
    this.#slots.set(entity, slot);
    slot.place = { kind: "failed", cause };
    this.#recoverLater(entity, slot, retry, cause);
  }

  #forget(entity: Address, slot: Slot): void {
    slot.retry?.cancel();
    this.#ports.clock.clearTimeout(slot.release);
    if (this.#slots.get(entity) !== slot) return;
    this.#slots.delete(entity);
    this.#ports.passivation()?.ended(entity);
  }
}

/** What a successor finds waiting comes first; where there is none its senders are told. */
function handedOn(left: readonly Mail[], live: HostedEntity | undefined): void {
  if (live !== undefined) live.inherit(left);
  else for (const mail of left) mail.settle?.({ kind: "owner-away" });
}
