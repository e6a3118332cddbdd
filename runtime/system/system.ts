// A node's system: registers types, hosts entities, takes messages from every side and tells each sender the truth (design sections 3, 5).

import { type Address, addressProblem, entityOf, kindOf, parseAddress } from "../address.ts";
import type { AnyActorType, EntityType, Registered } from "../actor/index.ts";
import type { DoorReads, EventData, TakenEntry } from "../entity/contract.ts";
import { decodeRecord, fingerprintOf } from "../entity/index.ts";
import { DroverError } from "../errors.ts";
import type { Answer, Told } from "../outcome.ts";
import type { Clock, Log, MetricSample, Random, Store } from "../ports/index.ts";
import { createCommitter } from "./committer.ts";
import type { AskOptions, EntityNode, EntityOptions, Remote, RemoteMessage, System, TellOptions } from "./contract.ts";
import { DeadLetters } from "./dead-letters.ts";
import type { Door, DoorVerdict } from "./door.ts";
import { historyEntry } from "./history.ts";
import { type HostedClock, openHostedClock } from "./hosted-clock.ts";
import { HostedEntity } from "./hosted-entity.ts";
import { listViews } from "./listing.ts";
import type { ActorView, Change, Directory, HistoryEntry, HistoryQuery } from "./views.ts";

const DEFAULT_WITHIN_MS = 10_000;
const LONGEST_KEEP_MS = 24 * 3_600_000;
const MAX_ID_CHARACTERS = 128;

export interface SystemOptions {
  /** Name of this node. */
  readonly node: string;
  readonly types: readonly Registered[];
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Epoch under which this node owns what it hosts (rules E1). Default 1. */
  readonly epoch?: number;
  /** Whether the wall clock may fire `wall` timers (rules K1). Default: always. */
  readonly wallTrusted?: () => boolean;
  /** Copies the values that a message names, and the outcome of its guard, before it is journaled (vehicle V3). */
  readonly door?: Door;
  /** Runs soon, after what is already waiting; default `setImmediate`. A simulation supplies its own order. */
  readonly defer?: (run: () => void) => void;
}

export function createSystem(options: SystemOptions): System {
  const { node, store, clock, random, log } = options;
  const defer = options.defer ?? ((run: () => void) => void setImmediate(run));
  const { entityTypes, actorTypes } = register(options.types);
  const committer = createCommitter(store, defer, log);
  const deadLetters = new DeadLetters(clock);
  const hosted = new Map<Address, HostedEntity>();
  const activating = new Map<Address, Promise<void>>();
  const directories: Directory[] = [];
  const listeners = new Set<(change: Change) => void>();
  const counters = { messages: new Map<string, number>(), restarts: 0, divergences: 0 };
  let hostedClock: HostedClock | undefined;
  let remote: Remote | undefined;
  let stopping = false;

  function count(outcome: string): void {
    counters.messages.set(outcome, (counters.messages.get(outcome) ?? 0) + 1);
  }

  function counted<T extends Told | Answer>(outcome: T): T {
    count(outcome.kind);
    return outcome;
  }

  // ---- activation

  async function activate(entity: Address, given: EntityOptions): Promise<void> {
    if (entityOf(entity) !== entity) throw new DroverError("DROVER_ADDRESS_INVALID", `"${entity}" is not the address of an entity: tenant/type/id is expected`);
    const type = entityTypes.get(kindOf(entity));
    if (type === undefined) throw new DroverError("DROVER_TYPE_INVALID", `no entity type "${kindOf(entity)}" is registered on this node; there are ${[...entityTypes.keys()].join(", ")}`);
    if (hostedClock === undefined) throw new DroverError("DROVER_STORE_FAILED", "the system has not been started");
    const under = activating.get(entity);
    if (under !== undefined) return under;
    if (hosted.has(entity)) return;
    const run = HostedEntity.activate(entity, type, given, {
      node,
      epoch: options.epoch ?? 1,
      store,
      clock,
      random,
      log: log.child({ entity }),
      committer,
      hosted: hostedClock,
      wallTrusted: options.wallTrusted ?? (() => true),
      schedule: defer,
      deadLetters,
      changed: (change) => {
        for (const listener of listeners) listener(change);
      },
      deliver: (message) => route(message),
      restarted: () => {
        counters.restarts++;
      },
      diverged: () => {
        counters.divergences++;
      },
    }).then(async (live) => {
      hosted.set(entity, live);
      live.ended.then(
        () => {
          if (hosted.get(entity) === live) hosted.delete(entity);
        },
        () => {
          if (hosted.get(entity) === live) hosted.delete(entity);
        },
      );
      try {
        await live.begin();
      } catch (cause) {
        hosted.delete(entity);
        await live.stop();
        throw cause;
      }
    });
    activating.set(entity, run);
    try {
      await run;
    } finally {
      activating.delete(entity);
    }
  }

  async function ended(entity: Address): Promise<void> {
    await hosted.get(entity)?.ended;
  }

  async function deactivate(entity: Address): Promise<void> {
    const live = hosted.get(entity);
    hosted.delete(entity);
    await live?.stop();
  }

  // ---- messages

  /** Where a message goes: an entity here, another node, or nowhere. */
  async function route(message: RemoteMessage): Promise<Told | Answer> {
    const entity = entityOf(message.to);
    await activating.get(entity)?.catch(() => undefined);
    const live = hosted.get(entity);
    if (live !== undefined) return deliver(live, message);
    if (remote?.route(entity) !== undefined) return remote.send(message);
    deadLetters.add({ to: message.to, type: message.event.type, from: senderName(message), reason: "no-such-actor" });
    return { kind: "no-such-actor" };
  }

  async function deliver(live: HostedEntity, message: RemoteMessage): Promise<Told | Answer> {
    if (message.answers !== undefined) return live.take(message, undefined, undefined);
    const view = live.view(message.to);
    const type = view === undefined ? undefined : actorTypes.get(view.type);
    if (view === undefined || type === undefined) {
      deadLetters.add({ to: message.to, type: message.event.type, from: senderName(message), reason: "no-such-actor" });
      return { kind: "no-such-actor" };
    }
    // The fingerprint is that of what was sent: what the door adds may differ at a repetition (rules M2).
    const fingerprint = message.sender.kind === "outside" ? fingerprintOf(message.to, message.event, message.sender.author) : undefined;
    const known = message.sender.kind === "outside" ? live.taken(message.sender.id) : undefined;
    if (known !== undefined && known.expiresAt > clock.now() && known.fingerprint === fingerprint) return live.repeated(known, message);
    const verdict: DoorVerdict = options.door?.(message, type) ?? { kind: "pass" };
    if (verdict.kind === "refuse") return verdict.refusal;
    const { event = message.event, to = message.to } = verdict;
    const meant = to === message.to ? view : live.view(to);
    const messages = meant === undefined ? undefined : actorTypes.get(meant.type)?.messages;
    const checked = messages?.check(event);
    if (checked?.ok === false) return { kind: "invalid", problems: checked.problems, accepts: meant?.accepts ?? [] };
    return live.take({ ...message, to, event }, verdict.reads, fingerprint);
  }

  async function tell(address: string, event: EventData, given: TellOptions = {}): Promise<Told> {
    const message = outside(address, event, given, false, given.withinMs ?? DEFAULT_WITHIN_MS);
    if ("kind" in message) return counted(message);
    if (given.create !== undefined && !hosted.has(entityOf(message.to))) await activate(entityOf(message.to), given.create);
    return counted((await route(message)) as Told);
  }

  async function ask(address: string, event: EventData, given: AskOptions): Promise<Answer> {
    const message = outside(address, event, given, true, given.withinMs);
    if ("kind" in message) return counted(message);
    if (given.create !== undefined && !hosted.has(entityOf(message.to))) await activate(entityOf(message.to), given.create);
    return counted((await route(message)) as Answer);
  }

  function outside(address: string, event: EventData, given: TellOptions, wantsAnswer: boolean, withinMs: number): RemoteMessage | Extract<Told & Answer, { kind: "invalid" | "owner-away" }> {
    const problem = addressProblem(address);
    if (problem !== undefined) return { kind: "invalid", problems: [{ path: "/to", message: problem }], accepts: [] };
    const id = given.id ?? random.id();
    if (id.length === 0 || id.length > MAX_ID_CHARACTERS) return { kind: "invalid", problems: [{ path: "/id", message: `1 to ${String(MAX_ID_CHARACTERS)} characters are expected` }], accepts: [] };
    if (stopping) return { kind: "owner-away" };
    const keepMs = Math.min(LONGEST_KEEP_MS, Math.max(withinMs, given.keepMs ?? LONGEST_KEEP_MS));
    return {
      to: parseAddress(address),
      event,
      sender: { kind: "outside", id, author: given.author ?? `node:${node}`, expiresAt: clock.now() + keepMs },
      ask: wantsAnswer,
      withinMs,
      ...(given.trace === undefined ? {} : { trace: given.trace }),
    };
  }

  async function inform(address: Address, event: EventData, create?: EntityOptions): Promise<Told> {
    const entity = entityOf(address);
    if (create !== undefined && !hosted.has(entity)) await activate(entity, create);
    await activating.get(entity)?.catch(() => undefined);
    const live = hosted.get(entity);
    return live === undefined ? { kind: "no-such-actor" } : live.inform(address, event);
  }

  function notify(address: Address, event: EventData, reads?: DoorReads): boolean {
    const live = hosted.get(entityOf(address));
    const queued = live?.notify(address, event, reads) ?? false;
    if (!queued) deadLetters.add({ to: address, type: event.type, from: "local", reason: live === undefined ? "no-such-actor" : "mailbox full" });
    return queued;
  }

  // ---- views

  function* views(): Iterable<ActorView> {
    for (const live of hosted.values()) yield* live.views();
    for (const directory of directories) for (const view of directory.views()) if (!hosted.has(view.entity)) yield view;
  }

  function read(address: Address): ActorView | undefined {
    const live = hosted.get(entityOf(address));
    if (live !== undefined) return live.view(address);
    for (const directory of directories) {
      const view = directory.read(address);
      if (view !== undefined) return view;
    }
    return undefined;
  }

  async function history(address: Address, query: HistoryQuery): Promise<readonly HistoryEntry[]> {
    const entity = entityOf(address);
    if (!hosted.has(entity)) {
      const directory = directories.find((candidate) => candidate.read(entity) !== undefined);
      return directory === undefined ? [] : directory.history(address, query);
    }
    const found: HistoryEntry[] = [];
    let { after, before } = query;
    // An entity's journal holds the turns of all its actors: read on until enough of them concern this one.
    for (let pages = 0; pages < 20 && found.length < query.limit; pages++) {
      const page = await store.journal({ entity, limit: 500, order: query.order, ...(after === undefined ? {} : { after }), ...(before === undefined ? {} : { before }) });
      for (const stored of page) {
        const entry = historyEntry(decodeRecord(stored.record), address);
        if (entry !== undefined && found.length < query.limit) found.push(entry);
      }
      const last = page.at(-1);
      if (last === undefined || page.length < 500) break;
      if (query.order === "oldest-first") after = last.revision;
      else before = last.revision;
    }
    return found;
  }

  function watch(listener: (change: Change) => void): () => void {
    listeners.add(listener);
    const others = directories.map((directory) => directory.watch(listener));
    return () => {
      listeners.delete(listener);
      for (const unwatch of others) unwatch();
    };
  }

  function metrics(): readonly MetricSample[] {
    const samples: MetricSample[] = [];
    const gauge = (name: string, help: string, value: number, labels?: Readonly<Record<string, string>>): void => {
      samples.push({ name, help, kind: "gauge", value, ...(labels === undefined ? {} : { labels }) });
    };
    const counter = (name: string, help: string, value: number, labels?: Readonly<Record<string, string>>): void => {
      samples.push({ name, help, kind: "counter", value, ...(labels === undefined ? {} : { labels }) });
    };
    for (const [outcome, value] of counters.messages) counter("drover_messages_total", "Messages by outcome.", value, { outcome });
    for (const [reason, value] of deadLetters.counts) counter("drover_dead_letters_total", "Messages that reached nobody, by reason.", value, { reason });
    counter("drover_actor_restarts_total", "Restarts of actors by their entity's supervisor.", counters.restarts);
    counter("drover_replay_divergences_total", "Recovered turns whose replay differed from what was committed.", counters.divergences);
    counter("drover_commit_batches_total", "Transactions written.", committer.counters.batches);
    counter("drover_commit_turns_total", "Turns committed.", committer.counters.turns);
    counter("drover_commit_failures_total", "Turns not committed, by outcome.", committer.counters.refused, { outcome: "refused" });
    counter("drover_commit_failures_total", "Turns not committed, by outcome.", committer.counters.unknown, { outcome: "unknown" });
    const byType = new Map<string, { entities: number; mail: number; outbox: number }>();
    for (const live of hosted.values()) {
      const sum = byType.get(live.type) ?? { entities: 0, mail: 0, outbox: 0 };
      byType.set(live.type, { entities: sum.entities + 1, mail: sum.mail + live.mailboxDepth, outbox: sum.outbox + live.outboxDepth });
    }
    for (const [type, sum] of byType) {
      gauge("drover_entities", "Entities hosted here.", sum.entities, { type });
      gauge("drover_mailbox_messages", "Messages waiting in mailboxes.", sum.mail, { type });
      gauge("drover_outbox_messages", "Messages committed and not yet taken by their receivers.", sum.outbox, { type });
    }
    return samples;
  }

  return {
    node,
    tell,
    ask,
    receive: async (message) => (stopping ? { kind: "owner-away" } : counted(await route(message))),
    inform,
    notify,
    activate,
    deactivate,
    ended,
    views,
    read,
    history,
    watch,
    list: (query) => listViews(views(), query),
    mount: (directory) => {
      directories.push(directory);
    },
    setRemote: (given) => {
      remote = given;
    },
    stateOf: (entity) => hosted.get(entity)?.encodedState(),
    taken: (entity: Address, id: string): TakenEntry | undefined => hosted.get(entity)?.taken(id),
    deadLetters: ({ after, limit }) => deadLetters.list(after ?? 0, limit),
    describeEntities: (): readonly EntityNode[] => [...hosted.values()].map((live) => live.describe()),
    metrics,
    protocolOf: (type) => actorTypes.get(type)?.messages.describe(),
    start: async () => {
      hostedClock ??= await openHostedClock(clock, store);
    },
    stop: async () => {
      stopping = true;
      await Promise.all([...hosted.keys()].map((entity) => deactivate(entity)));
      await committer.idle();
      await hostedClock?.stop();
    },
  };
}

function register(types: readonly Registered[]): { readonly entityTypes: ReadonlyMap<string, EntityType>; readonly actorTypes: ReadonlyMap<string, AnyActorType> } {
  const supplied = types.filter((type): type is AnyActorType => type.kind === "actor");
  const entityTypes = new Map<string, EntityType>();
  const actorTypes = new Map<string, AnyActorType>();
  for (const given of types) {
    if (given.kind !== "entity") continue;
    if (entityTypes.has(given.name)) throw new DroverError("DROVER_TYPE_INVALID", `the entity type "${given.name}" is registered twice`);
    const entity = given.using(...supplied.filter((type) => given.types.has(type.name)));
    entityTypes.set(entity.name, entity);
    for (const [name, type] of entity.types) actorTypes.set(name, type);
  }
  const unused = supplied.find((type) => actorTypes.get(type.name) !== type);
  if (unused !== undefined) throw new DroverError("DROVER_TYPE_INVALID", `the actor type "${unused.name}" belongs to no registered entity type`);
  return { entityTypes, actorTypes };
}

function senderName(message: RemoteMessage): string {
  return message.sender.kind === "outside" ? message.sender.author : message.sender.entity;
}
