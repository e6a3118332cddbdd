// A node's system: registers types, hosts entities, takes messages from every side and tells each sender the truth (design sections 3, 5).

import { type ActivationLimits, activationLimits } from "../activation-limits.ts";
import { type Address, entityOf, kindOf } from "../address.ts";
import type { EntityType, Registered } from "../actor/index.ts";
import type { DoorReads, EventData } from "../entity/contract.ts";
import { upgradeCode, withUnheard } from "../entity/index.ts";
import { DroverError } from "../errors.ts";
import { isA } from "../is-a.ts";
import { messageOf } from "../message-of.ts";
import type { Answer, Refusal, Told } from "../outcome.ts";
import type { Clock, Log, Random, StepWatch, Store } from "../ports/index.ts";
import { register } from "../registered-types.ts";
import { settledWithin } from "../settled-within.ts";
import { aClock, aFunction, aLog, anObject, aRandom, aStore, aText, aWholeNumberFrom, demandShape, keysOf, listOf, oneOf, recordOf } from "../shape/index.ts";
import { sureLog } from "../sure-log.ts";
import { asItIsNow, isEvent } from "../xstate/index.ts";
import { ActiveVersions, type VersionsAtStart } from "./active-versions.ts";
import { ActivationGate } from "./activation-gate.ts";
import { createCommitter } from "./committer.ts";
import type { EntityOptions, RaisedVersions, Remote, System, TellOptions } from "./contract.ts";
import { DeadLetters, type SetAsideTimer } from "./dead-letters.ts";
import { type Door, guarded } from "./door.ts";
import { type Call, Entities, NotAdmitted } from "./entities.ts";
import { type HostedClock, openHostedClock } from "./hosted-clock.ts";
import { HostedEntity, type HostedEntityPorts } from "./hosted-entity.ts";
import { type JournalLimit, journalLimit, journalLimitsOf } from "./journal-limit.ts";
import { DEFAULT_MAIL_BUDGET_BYTES, MailBudget } from "./mail-budget.ts";
import { BEGUN_WITHIN_MS, inTime, LOOK_WITHIN_MS, STORE_WITHIN_MS } from "./in-time.ts";
import { allKeptOut, keptOut } from "./kept-out.ts";
import { createInspection } from "./inspection.ts";
import { createListing } from "./listing.ts";
import { News } from "./news.ts";
import { createObservation } from "./observation.ts";
import { OneByOne } from "./one-by-one.ts";
import { optionNames, unknownOption } from "./option-names.ts";
import { DEFAULT_WITHIN_MS, outsideMessage, type Sent } from "./outside-message.ts";
import { Passivation } from "./passivation.ts";
import { demandActorQuery, demandHistoryQuery, demandLetterQuery } from "./queries.ts";
import { createRouter, RETRY_AFTER_MS } from "./router.ts";
import { Topics } from "./topics.ts";
import type { ActorView } from "./views.ts";
import { UnhandledRejections } from "./unhandled-rejections.ts";
import { upgradeSleepers } from "./sleepers.ts";
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
  /** Epoch under which this node owns what it hosts (rules E1): a whole number. Default 1. */
  readonly epoch?: number;
  /** What all mailboxes of this node hold together at most, bytes; what is more is told `full`. A whole number from 1, default 64 MiB. */
  readonly mailBudgetBytes?: number;
  /**
   * How much of the journal of an entity stays, by entity type, e.g. `{ vehicle: { records: 50_000, bytes: 268_435_456 } }`: more where its records wait for somebody who takes them. What is older
   * is forgotten, whoever has not had it; `history` says so. Default, for any placement: 5,000 records, or as many as weigh 8 MiB.
   */
  readonly journalLimits?: Readonly<Record<string, JournalLimit>>;
  /** How many entities of types that passivate may be in memory (`entityType`); beyond it the least used leave. A whole number from 1, default 10,000. */
  readonly residentEntities?: number;
  /** How fast entities may come into memory: what comes in a storm waits, commands first. */
  readonly activation?: ActivationLimits;
  /**
   * What a start makes of a newer version of an actor type than the one that the store's actors run (rules T4). `raised-by-hand`, the default: they go on with the old one, among `earlier`, and the
   * release can be taken back, until `raiseVersions`. `raised-at-start`: they are brought over at once, and no former release can read them any more.
   */
  readonly versions?: VersionsAtStart;
  /** Ends the process when a step or other code of an actor hangs, and names what hung before (rules M4): `startStepWatch`. Default: none. */
  readonly stepWatch?: StepWatch;
  /** Whether the wall clock may fire `wall` timers (rules K1). Default: always. */
  readonly wallTrusted?: () => boolean;
  /** Copies the values that a message names, and the outcome of its guard, before it is journaled (vehicle V3). */
  readonly door?: Door;
  /** Runs soon, after what is already waiting; default `setImmediate`. A simulation supplies its own order. */
  readonly defer?: (run: () => void) => void;
}

const OPTIONS = keysOf<SystemOptions>(
  {
    node: aText,
    types: listOf(anObject),
    foreignTypes: listOf(anObject),
    store: aStore,
    clock: aClock,
    random: aRandom,
    log: aLog,
    epoch: aWholeNumberFrom(0),
    mailBudgetBytes: aWholeNumberFrom(1),
    journalLimits: recordOf(journalLimit),
    residentEntities: aWholeNumberFrom(1),
    activation: activationLimits,
    versions: oneOf("raised-by-hand", "raised-at-start"),
    stepWatch: anObject,
    wallTrusted: aFunction,
    door: aFunction,
    defer: aFunction,
  },
  ["node", "types", "store", "clock", "random", "log"],
);

const VERSIONS = keysOf<{ versions: unknown }>({ versions: recordOf(aWholeNumberFrom(1)) }, ["versions"]);
const DEADLINE = { kind: "deadline" } as const;
const ENTITY_OPTIONS = optionNames<EntityOptions>({ input: true, labels: true, bareSnapshot: true, children: true });

/** @throws DROVER_TYPE_INVALID; DROVER_CONFIG_INVALID for an option that is unknown, missing or of another kind */
export function createSystem(options: SystemOptions): System {
  demandShape(options, OPTIONS, "createSystem", "DROVER_CONFIG_INVALID", true);
  const { node, store, clock, random, stepWatch, wallTrusted = () => true } = options;
  const log = sureLog(options.log);
  const defer = options.defer ?? ((run: () => void) => void setImmediate(run));
  const registry = register(options.types);
  const active = new ActiveVersions(registry.entityTypes, { store, clock, log });
  /** In the versions that are active. */
  const entityTypes = new Map(registry.entityTypes);
  const actorTypes = new Map(registry.actorTypes);
  const typeOf = (entity: Address): EntityType | undefined => entityTypes.get(kindOf(entity));
  const codeOf = (entity: string): string | undefined => {
    const type = typeOf(entity as Address);
    return type === undefined ? undefined : upgradeCode(type);
  };
  const describedTypes = new Map([...(options.foreignTypes ?? []).flatMap(({ types }) => [...types]), ...actorTypes]);
  const committer = createCommitter(store, defer, log, () => running?.hosted.ride());
  const deadLetters = new DeadLetters(clock);
  const rejections = new UnhandledRejections(clock, log);
  const topics = new Topics();
  const journalLimitOf = journalLimitsOf(options.journalLimits ?? {}, registry.entityTypes);
  const mailBudget = new MailBudget(options.mailBudgetBytes ?? DEFAULT_MAIL_BUDGET_BYTES);
  const counters: SystemCounters = { messages: new Map(), unheard: {}, restarts: 0, divergences: 0 };
  const suspectsWay = new OneByOne();
  const gate = new ActivationGate(clock, options.activation);
  const isPassivating = [...entityTypes.values()].some(({ passivateAfterMs }) => passivateAfterMs !== undefined);
  let passivation: Passivation | undefined;
  /** Aborted with the stop: what brings sleepers to new versions ends. */
  let upgrading = new AbortController();
  /** What is the same for all entities; undefined while the system does not run. */
  let running: HostedEntityPorts | undefined;
  let remote: Remote | undefined;
  let isStopping = false;
  /** The last of those that take turns. */
  let raising: Promise<unknown> = Promise.resolve();

  const entities = new Entities({
    types: entityTypes,
    store,
    clock,
    random,
    log,
    gate,
    passivation: () => passivation,
    keptOut: (entity, type) => (stepWatch === undefined ? undefined : keptOut(stepWatch, entity, type, clock.now())),
    allKeptOut: () => (stepWatch === undefined ? [] : allKeptOut(stepWatch, typeOf, clock.now())),
    open: async (entity, type, given, isAbandoned) => {
      const refusal = active.refusal(type);
      if (refusal !== undefined) throw refusal;
      return HostedEntity.activate(entity, type, given, portsOf(), isAbandoned);
    },
  });
  const portsOf = (): HostedEntityPorts => {
    if (running === undefined) throw new DroverError("DROVER_STORE_FAILED", "the system is not running");
    return running;
  };
  const portsWith = (hosted: HostedClock): HostedEntityPorts => ({
    node,
    local: { kind: "local", name: node },
    epoch: options.epoch ?? 1,
    store,
    clock,
    random,
    log,
    committer,
    hosted,
    mailBudget,
    stepWatch,
    suspectsWay,
    journalLimitOf,
    wallTrusted,
    schedule: defer,
    deadLetters,
    topics,
    isWatched: () => observation.isWatched(),
    changed: (change) => {
      observation.changed(change);
    },
    deliver: (message) => route(message),
    beforeCommit: (entity, open) => (entity.type.passivateAfterMs === undefined ? undefined : passivation?.beforeCommit(entity, open)),
    unheard: (kind) => {
      counters.unheard = withUnheard(counters.unheard, [kind]);
    },
    restarted: () => {
      counters.restarts++;
    },
    diverged: () => {
      counters.divergences++;
    },
    failed: (entity, cause) => {
      entities.failed(entity, cause);
    },
  });
  const news = new News(deadLetters, async (entity) => entities.taker(entity, () => false, aCall()));
  const observation = createObservation(entities, store, log);
  const door = guarded(options.door, { node, log, clock });
  const route = createRouter({
    entities,
    begin,
    actorTypes,
    remote: () => remote,
    door,
    stepWatch,
    isCareful: () => running?.hosted.isCareful() === true,
    deadLetters,
    budget: mailBudget,
    clock,
    isStopping: () => isStopping,
  });

  /** Replies and refusals are kept, for who asks again (rules M2): whoever hears one has a copy. */
  function counted<T extends Told | Answer>(outcome: T): T {
    counters.messages.set(outcome.kind, (counters.messages.get(outcome.kind) ?? 0) + 1);
    return outcome.kind === "accepted" ? outcome : asItIsNow(outcome);
  }

  async function enter(address: string, event: EventData, given: TellOptions | undefined, how: Pick<Sent, "ask" | "again">): Promise<Told | Answer> {
    const sent = outsideMessage({ address, event, options: given, ...how }, { node, now: clock.now(), id: random.id() });
    if ("kind" in sent) return counted(sent);
    const { message, isFirst } = sent;
    const create = isStopping || sent.create === undefined ? undefined : ownOptions(entityOf(message.to), sent.create);
    return counted(await route(message, { create, isFirst }));
  }

  /**
   * What keeps an entity from beginning is the outcome of the message that should have begun it (hosting A4). One whose time was over before it could begin is `deadline`.
   * @throws DROVER_ADDRESS_INVALID, DROVER_TYPE_INVALID
   */
  async function begin(entity: Address, options: EntityOptions, call: Call): Promise<Refusal | undefined> {
    try {
      await entities.activate(entity, options, call);
      return undefined;
    } catch (cause) {
      if (isA(cause, DroverError) && (cause.code === "DROVER_ADDRESS_INVALID" || cause.code === "DROVER_TYPE_INVALID")) throw cause;
      if (isA(cause, NotAdmitted)) {
        if (cause.entry === "full") return { kind: "full", retryAfterMs: RETRY_AFTER_MS, reason: cause.message };
        return isStopping ? { kind: "owner-away" } : { kind: "deadline" };
      }
      if (entities.whyOut(entity) !== undefined) return away(entity);
      return { kind: "not-stored", reason: `${entity} could not begin: ${messageOf(cause)}` };
    }
  }

  function away(entity: Address): Refusal {
    const reason = entities.whyOut(entity);
    return reason === undefined ? { kind: "owner-away" } : { kind: "owner-away", reason };
  }

  /** What an entity begins with is what it was when it was called: of one that is here nothing is begun. */
  function ownOptions(entity: Address, options: EntityOptions): EntityOptions {
    return entities.live(entity) === undefined ? asItIsNow(options) : options;
  }

  /** The host's own word waits as long as a message does by default. */
  function aCall(): Call {
    return { lane: "command", giveUpAt: clock.monotonic() + DEFAULT_WITHIN_MS };
  }

  async function inform(address: Address, given: EventData, create?: EntityOptions): Promise<Told> {
    if (isStopping) return { kind: "owner-away" };
    const event = asItIsNow(given);
    const entity = entityOf(address);
    const call = aCall();
    if (create !== undefined) {
      const begun = begin(entity, ownOptions(entity, create), { ...call, lane: "background" }).then((unbegun) => ({ unbegun }));
      // What it began may go on.
      const { unbegun } = (await settledWithin(begun, clock, call.giveUpAt - clock.monotonic(), undefined, { unref: true })) ?? { unbegun: DEADLINE };
      if (unbegun !== undefined) return unbegun;
    }
    const live = await taker(entity, call);
    return live instanceof HostedEntity ? live.inform(address, event, call.giveUpAt - clock.monotonic()) : live;
  }

  /** A timer that was set aside, for whom its entity comes back into memory. */
  async function ring(timer: SetAsideTimer, author: string): Promise<Told> {
    if (isStopping) return { kind: "owner-away" };
    const call = aCall();
    const live = await taker(timer.entity, call);
    return live instanceof HostedEntity ? live.ring(timer, author, call.giveUpAt - clock.monotonic()) : live;
  }

  /** Who takes the host's own word, or why nobody does. */
  async function taker(entity: Address, call: Call): Promise<HostedEntity | Refusal> {
    const called = entities.taker(entity, () => false, call).then((found) => ({ found }));
    const { found } = (await settledWithin(called, clock, call.giveUpAt - clock.monotonic(), undefined, { unref: true })) ?? { found: "late" };
    if (found === "late") return { kind: "deadline" };
    if (found === "away") return away(entity);
    if (found === "full") return { kind: "full", retryAfterMs: RETRY_AFTER_MS };
    return found ?? { kind: "no-such-actor" };
  }

  function notify(address: Address, event: EventData, reads?: DoorReads): boolean {
    const entity = entityOf(address);
    if (!isReadable(event)) {
      deadLetters.add({ to: address, type: "(none)", from: "local", reason: "not an event" });
      return false;
    }
    if (entities.isComing(entity) || news.isWaitedFor(entity)) {
      if (news.wait(address, asItIsNow(event), asItIsNow(reads))) return true;
      deadLetters.add({ to: address, type: event.type, from: "local", reason: "mailbox full" });
      return false;
    }
    const live = entities.live(entity);
    const queued = live?.notify(address, event, reads) ?? false;
    if (!queued)
      deadLetters.add({
        to: address,
        type: event.type,
        from: "local",
        reason: live !== undefined ? "mailbox full" : entities.whyOut(entity) === undefined ? "no-such-actor" : "owner-away",
      });
    return queued;
  }

  /** Of an entity that is not in memory; as one that comes it waits its turn. If it came meanwhile, as it is there. */
  async function stored(address: Address): Promise<ActorView | undefined> {
    const entity = entityOf(address);
    const type = entityTypes.get(kindOf(entity));
    if (type === undefined || type.durability === "volatile" || running === undefined) return undefined;
    const giveUpAt = clock.monotonic() + LOOK_WITHIN_MS;
    if ((await gate.enter("command", () => clock.monotonic() >= giveUpAt).entry) !== "entered")
      throw new DroverError("DROVER_STORE_FAILED", `${address} could not be read: too many wait for the store`, { retryable: true });
    try {
      const view = await HostedEntity.look(address, entity, type, portsOf());
      const absent = entities.absence(entity);
      return view === undefined || absent === undefined ? observation.read(address) : { ...view, absent };
    } finally {
      gate.leave();
    }
  }

  const list = createListing({ node, epoch: options.epoch ?? 1, types: entityTypes, store, observation, absence: (entity) => entities.absence(entity) });

  async function bring(entity: Address, giveUpAt: number): Promise<HostedEntity | undefined> {
    const taker = await entities.taker(entity, () => false, { lane: "background", giveUpAt });
    if (typeof taker === "string") throw new Error(`it is ${taker}`);
    return taker;
  }

  /** Until what it was to come back for is done: others wait for its place. One that comes already may come to nothing, and is waited for. @throws what kept it from coming */
  async function wake(entity: Address): Promise<void> {
    if (!entities.isOnItsWay(entity)) return;
    await entities.activate(entity, undefined, { lane: "background", giveUpAt: Number.POSITIVE_INFINITY });
    await entities.live(entity)?.caughtUp();
  }

  function useActiveVersions(): void {
    for (const [name, given] of registry.entityTypes) {
      const type = active.typeFor(given);
      entityTypes.set(name, type);
      for (const [actor, member] of type.types) {
        actorTypes.set(actor, member);
        describedTypes.set(actor, member);
      }
    }
  }

  async function raiseVersions(to: Readonly<Record<string, number>>): Promise<RaisedVersions> {
    portsOf();
    await active.raise(to);
    useActiveVersions();
    const left = await entities.renew();
    bringSleepers();
    return { versions: active.list(), left };
  }

  /** To the versions that are active now; what did so before has come to its end or begins anew. */
  function bringSleepers(): void {
    upgrading.abort();
    if (passivation === undefined) return;
    upgrading = new AbortController();
    void upgradeSleepers([...entityTypes.values()], { store, clock, random, log, wake, signal: upgrading.signal });
  }

  const inspection = createInspection({
    node,
    hosted: async (entity) => {
      if (entities.absence(entity) === "passivated") await bring(entity, aCall().giveUpAt);
      return entities.live(entity);
    },
    types: entityTypes,
    actorTypes,
    history: (address, query) => observation.history(address, query),
    isKnown: (entity) => entities.absence(entity) === "passivated" || observation.read(entity) !== undefined,
    store,
    clock,
    random,
    door,
    stepWatch,
  });

  return {
    node,
    inspection,
    tell: async (address, event, given) => (await enter(address, event, given, { ask: false })) as Told,
    ask: async (address, event, given) => (await enter(address, event, given, { ask: true })) as Answer,
    receive: async (message) => counted(await route(asItIsNow(message))),
    inform: async (address, event, create) => asItIsNow(await inform(address, event, create)),
    notify,
    publish: (topic, event) => topics.publish(topic, event),
    activate: async (entity, given) => {
      const unknown = unknownOption(given, ENTITY_OPTIONS);
      if (unknown !== undefined) throw new DroverError("DROVER_CONFIG_INVALID", `activate ${entity}: ${unknown.message}`);
      return inTime(entities.activate(entity, ownOptions(entity, given)), clock, BEGUN_WITHIN_MS, `${entity} has not begun yet`);
    },
    deactivate: (entity) => entities.deactivate(entity),
    ended: (entity) => entities.ended(entity),
    addresses: () => observation.addresses(),
    *views() {
      for (const view of observation.views()) yield asItIsNow(view);
    },
    read: (address) => asItIsNow(observation.read(address)),
    look: async (address) => asItIsNow(observation.read(address) ?? (await inTime(stored(address), clock, LOOK_WITHIN_MS, `${address} could not be read`))),
    history: async (address, query) => {
      demandHistoryQuery(query);
      return inTime(observation.history(address, query), clock, STORE_WITHIN_MS, `the history of ${address} could not be read`);
    },
    watch: (listener) => observation.watch(listener),
    list: async (query) => {
      demandActorQuery(query);
      return asItIsNow(await inTime(list(query), clock, STORE_WITHIN_MS, "the actors could not be listed"));
    },
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
    fork: async (entity, left, known) => (await entities.liveNow(entity)?.fork(left, known)) ?? { kind: "owner-away" },
    readBackProblem: (entity) => entities.live(entity)?.readBackProblem(),
    taken: (entity, id) => asItIsNow(entities.live(entity)?.taken(id)),
    deadLetters: (query) => {
      demandLetterQuery(query);
      return asItIsNow(deadLetters.list(query));
    },
    redeliver: async (number, { author }) =>
      deadLetters.redeliver(
        number,
        async (to, event, id) => enter(to, event, { id, author }, { ask: false, again: true }),
        async (timer) => asItIsNow(await ring(timer, author)),
      ),
    describeEntities: () => [...entities.describe()],
    versions: () => active.list(),
    raiseVersions: async (given) => {
      demandShape({ versions: given }, VERSIONS, "raiseVersions", "DROVER_CONFIG_INVALID", true);
      const to = { ...given };
      const raised = raising.then(() => raiseVersions(to));
      raising = raised.catch(() => undefined);
      return raised;
    },
    metrics: () => systemMetrics({ counters, deadLetters, rejections, mailBudget, committer, entities, gate, passivation, topics }),
    actorTypes: Object.freeze([...describedTypes.keys()]),
    protocolOf: (type) => asItIsNow(describedTypes.get(type)?.messages.describe()),
    start: async () => {
      if (running === undefined) {
        await active.open(options.versions ?? "raised-by-hand");
        useActiveVersions();
      }
      const { ended, problem } = stepWatch?.begin(codeOf) ?? {};
      if (ended !== undefined) log.error({ ...ended }, "code of an actor was under way when the process before ended; what comes of it again is stepped alone");
      if (problem !== undefined) log.warn({ problem }, "what is under way is not written down: code of an actor that ends the process at once may have no name");
      if (running === undefined) {
        const hosted = await openHostedClock(clock, store, stepWatch === undefined ? undefined : node);
        const { takenOverFrom: former } = hosted;
        if (former !== undefined) log.warn({ former }, "the store was taken over from a node that had not let go of it: what may come again is stepped alone for ten minutes");
        running = portsWith(hosted);
      }
      isStopping = false;
      rejections.start();
      if (isPassivating && passivation === undefined) {
        const { residentEntities: limit } = options;
        const { hosted } = running;
        const began = new Passivation({
          store,
          clock,
          random,
          log,
          hosted,
          wallTrusted,
          schedule: defer,
          ...(limit === undefined ? {} : { limit }),
          wake,
          left: (live) => {
            entities.left(live);
          },
        });
        passivation = began;
        entities.start();
        await began.start();
        bringSleepers();
      } else entities.start();
    },
    stop: async () => {
      isStopping = true;
      upgrading.abort();
      passivation?.stop();
      await entities.stop();
      passivation = undefined;
      const ending = running;
      running = undefined;
      await ending?.hosted.stop();
      rejections.stop();
    },
  };
}

/** The types say that it is one, the code may not: whoever notifies is not thrown at. */
function isReadable(event: EventData): boolean {
  try {
    return isEvent(event);
  } catch {
    return false;
  }
}
