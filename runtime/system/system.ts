// A node's system: registers types, hosts entities, takes messages from every side and tells each sender the truth (design sections 3, 5).

import { type Address, entityOf } from "../address.ts";
import type { EntityType, Registered } from "../actor/index.ts";
import type { DoorReads, EventData } from "../entity/contract.ts";
import { DroverError } from "../errors.ts";
import type { Answer, Told } from "../outcome.ts";
import type { Clock, Log, Random, Store } from "../ports/index.ts";
import { createCommitter } from "./committer.ts";
import type { EntityOptions, Remote, System, TellOptions } from "./contract.ts";
import { DeadLetters } from "./dead-letters.ts";
import type { Door } from "./door.ts";
import { Entities } from "./entities.ts";
import { type HostedClock, openHostedClock } from "./hosted-clock.ts";
import { HostedEntity } from "./hosted-entity.ts";
import { DEFAULT_MAIL_BUDGET_BYTES, MailBudget } from "./mail-budget.ts";
import { listViews } from "./listing.ts";
import { createObservation } from "./observation.ts";
import { outsideMessage } from "./outside-message.ts";
import { register } from "./registry.ts";
import { createRouter } from "./router.ts";
import { type SystemCounters, systemMetrics } from "./system-metrics.ts";

export interface SystemOptions {
  /** Name of this node. */
  readonly node: string;
  readonly types: readonly Registered[];
  /** Types of entities that live on other nodes: their protocols are described here too. */
  readonly foreignTypes?: readonly EntityType[];
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Epoch under which this node owns what it hosts (rules E1). Default 1. */
  readonly epoch?: number;
  /** What all mailboxes of this node hold together at most, bytes; what is more is told `full`. Default 64 MiB. */
  readonly mailBudgetBytes?: number;
  /** Whether the wall clock may fire `wall` timers (rules K1). Default: always. */
  readonly wallTrusted?: () => boolean;
  /** Copies the values that a message names, and the outcome of its guard, before it is journaled (vehicle V3). */
  readonly door?: Door;
  /** Runs soon, after what is already waiting; default `setImmediate`. A simulation supplies its own order. */
  readonly defer?: (run: () => void) => void;
}

/** @throws DROVER_TYPE_INVALID */
export function createSystem(options: SystemOptions): System {
  const { node, store, clock, random, log, wallTrusted = () => true } = options;
  const defer = options.defer ?? ((run: () => void) => void setImmediate(run));
  const { entityTypes, actorTypes } = register(options.types);
  const committer = createCommitter(store, defer, log);
  const deadLetters = new DeadLetters(clock);
  const mailBudget = new MailBudget(options.mailBudgetBytes ?? DEFAULT_MAIL_BUDGET_BYTES);
  const counters: SystemCounters = { messages: new Map(), restarts: 0, divergences: 0 };
  let hostedClock: HostedClock | undefined;
  let remote: Remote | undefined;
  let isStopping = false;

  const entities = new Entities({
    types: entityTypes,
    store,
    clock,
    random,
    log,
    open: async (entity, type, given) => {
      if (hostedClock === undefined) throw new DroverError("DROVER_STORE_FAILED", "the system is not running");
      return HostedEntity.activate(entity, type, given, {
        node,
        epoch: options.epoch ?? 1,
        store,
        clock,
        random,
        log: log.child({ entity }),
        committer,
        hosted: hostedClock,
        mailBudget,
        wallTrusted,
        schedule: defer,
        deadLetters,
        changed: (change) => {
          observation.changed(change);
        },
        deliver: (message) => route(message),
        restarted: () => {
          counters.restarts++;
        },
        diverged: () => {
          counters.divergences++;
        },
      });
    },
  });
  const observation = createObservation(entities, store, log);
  const route = createRouter({ entities, actorTypes, remote: () => remote, door: options.door, deadLetters, clock, isStopping: () => isStopping });

  function counted<T extends Told | Answer>(outcome: T): T {
    counters.messages.set(outcome.kind, (counters.messages.get(outcome.kind) ?? 0) + 1);
    return outcome;
  }

  async function enter(address: string, event: EventData, given: TellOptions, ask: boolean): Promise<Told | Answer> {
    const message = outsideMessage({ address, event, options: given, ask }, { node, now: clock.now(), id: random.id() });
    if ("kind" in message) return counted(message);
    if (isStopping) return counted({ kind: "owner-away" });
    if (given.create !== undefined) await entities.activate(entityOf(message.to), given.create);
    return counted(await route(message));
  }

  async function inform(address: Address, event: EventData, create?: EntityOptions): Promise<Told> {
    if (isStopping) return { kind: "owner-away" };
    const entity = entityOf(address);
    if (create !== undefined) await entities.activate(entity, create);
    const taker = await entities.taker(entity, () => false);
    if (taker === "away") return { kind: "owner-away" };
    return taker === undefined ? { kind: "no-such-actor" } : taker.inform(address, event);
  }

  function notify(address: Address, event: EventData, reads?: DoorReads): boolean {
    const live = entities.live(entityOf(address));
    const queued = live?.notify(address, event, reads) ?? false;
    if (!queued) deadLetters.add({ to: address, type: event.type, from: "local", reason: live === undefined ? "no-such-actor" : "mailbox full" });
    return queued;
  }

  return {
    node,
    tell: async (address, event, given = {}) => (await enter(address, event, given, false)) as Told,
    ask: async (address, event, given) => (await enter(address, event, given, true)) as Answer,
    receive: async (message) => counted(await route(message)),
    inform,
    notify,
    activate: (entity, given) => entities.activate(entity, given),
    deactivate: (entity) => entities.deactivate(entity),
    ended: (entity) => entities.ended(entity),
    views: () => observation.views(),
    read: (address) => observation.read(address),
    history: (address, query) => observation.history(address, query),
    watch: (listener) => observation.watch(listener),
    list: (query) => listViews(observation.views(), query),
    mount: (directory) => {
      observation.mount(directory);
    },
    setRemote: (given) => {
      remote = given;
    },
    reachable: (receiver) => {
      for (const live of entities.all()) live.wake(receiver);
    },
    stateOf: (entity) => entities.live(entity)?.encodedStateNow(),
    settledStateOf: async (entity) => entities.live(entity)?.encodedState(),
    taken: (entity, id) => entities.live(entity)?.taken(id),
    deadLetters: ({ after, limit }) => deadLetters.list(after ?? 0, limit),
    describeEntities: () => [...entities.describe()],
    metrics: () => systemMetrics(counters, deadLetters, mailBudget, committer, entities),
    protocolOf: (type) => (actorTypes.get(type) ?? options.foreignTypes?.find(({ types }) => types.has(type))?.types.get(type))?.messages.describe(),
    start: async () => {
      hostedClock ??= await openHostedClock(clock, store);
      isStopping = false;
      entities.start();
    },
    stop: async () => {
      isStopping = true;
      await entities.stop();
      const ending = hostedClock;
      hostedClock = undefined;
      await ending?.stop();
    },
  };
}
