// What a node's system offers to façades, links and compositions. `createSystem` makes one.

import type { Address } from "../address.ts";
import type { ChildSpec, DoorReads, EventData, TakenEntry } from "../entity/contract.ts";
import type { Answer, Told } from "../outcome.ts";
import type { MetricSample } from "../ports/index.ts";
import type { Inspection } from "./inspected.ts";
import type { Redelivery } from "./dead-letters.ts";
import type { ActorQuery, ActorView, DeadLetter, DeadLetterQuery, Directory, Listing } from "./views.ts";

export interface TellOptions {
  /** Message id: the same id has one outcome until it expires (rules M2). At most 128 characters. Default: a fresh one, which nobody is told, so that nobody can ask for its outcome again. */
  readonly id?: string;
  /** Who is answerable, e.g. a token's name. Default `node:<id>`. */
  readonly author?: string;
  /** Not taken later than this from now (`deadline`; `unknown` under an `id` where the entity could not be asked what became of it), whatever it waits for, its entity's beginning too: neither acted on nor, where the mailbox shelves, put on the shelf. A whole number from 0, default 10,000. */
  readonly withinMs?: number;
  /**
   * How long it may be acted on and, under an `id`, how long its outcome is kept and a repetition recognised, from now; a whole number from 0, 24 h at most and by default. Less than `withinMs`
   * counts as `withinMs`: so long its outcome is waited for, and an id that was forgotten meanwhile would act twice. One that waits longer, postponed or shelved, is a dead letter (rules M2).
   * Nobody was told the id of one without an `id`: of its outcome only the reply to an ask is kept, for `withinMs`, and of what crosses to another node that for a minute more.
   */
  readonly keepMs?: number;
  /** W3C traceparent. */
  readonly trace?: string;
  /** Its encoded length, where it came over a wire: what it counts against mailbox limits. A whole number from 0, default 256. */
  readonly bytes?: number;
  /** Create the entity with this input if it does not exist. It may begin although the message's time is over by then. */
  readonly create?: { readonly input: unknown; readonly labels?: Readonly<Record<string, string>> };
}

export interface AskOptions extends TellOptions {
  /** The reply is awaited this long from now; then the answer is `unknown`. Where it is not given after all: 10 s. */
  readonly withinMs: number;
}

/** A message on its way between nodes, in either direction. */
export interface RemoteMessage {
  readonly to: Address;
  readonly event: EventData;
  readonly sender:
    | { readonly kind: "outside"; readonly id: string; readonly author: string; readonly expiresAt: number; readonly repeatedMs?: number }
    | {
        readonly kind: "entity";
        readonly entity: Address;
        readonly incarnation: string;
        readonly seq: number;
        readonly epoch: number;
        readonly expiresAt?: number;
        readonly oldest?: number;
      };
  /** The reply is wanted, not only the word that it was taken. */
  readonly ask: boolean;
  /** Where an entity wants its reply. */
  readonly replyKey?: string;
  /** Set when this message answers an ask of the receiver: the key of that ask. */
  readonly answers?: string;
  /** Count of changes of hand that its sender had seen of what it is about, where a forwarding node knows it (rules O2). */
  readonly against?: number;
  /** How long it waited for its owner before it was sent, ms: its time to live counts from when it was kept (rules O2). */
  readonly waitedMs?: number;
  /** Remaining time to be taken (tell) or answered (ask), ms. */
  readonly withinMs: number;
  readonly trace?: string;
  /** Its encoded length, where it came over a wire. Default 256. */
  readonly bytes?: number;
}

/** How messages reach entities that live on other nodes. */
export interface Remote {
  /** undefined: this remote does not know the entity. */
  route(entity: Address): { readonly node: string; readonly reachable: boolean; readonly asOf?: number } | undefined;
  /** Settles by `withinMs`; `owner-away` only when nothing was sent. */
  send(message: RemoteMessage): Promise<Told | Answer>;
}

export interface EntityOptions {
  /** Input of the root actor; only the first activation of a history uses it. */
  readonly input: unknown;
  readonly labels?: Readonly<Record<string, string>>;
  /**
   * What `getPersistedSnapshot()` of bare XState gave for the root's machine: a new history goes on from there. Its children move in with it, its sources start, its timers of
   * `after` run with their whole delay; other delayed events are not in such a snapshot. `input` is kept for a restart from the beginning.
   */
  readonly bareSnapshot?: unknown;
  /** The children that must exist; others of these kinds are stopped. */
  readonly children?: readonly ChildSpec[];
}

export interface EntityNode {
  readonly id: string;
  readonly kind: "entity" | "actor";
  readonly state: string;
  readonly restarts: number;
  readonly since: number;
  readonly lastExit?: { readonly reason: string; readonly error?: string; readonly at: number };
  readonly children: readonly EntityNode[];
}

/** Of an actor type whose actors are kept. */
export interface TypeVersions {
  /** Its name. */
  readonly type: string;
  /** Registered on this node, ascending. */
  readonly known: readonly number[];
  /** The one that its actors run and write (rules T4). */
  readonly active: number;
}

export interface RaisedVersions {
  readonly versions: readonly TypeVersions[];
  /** Entities that were in memory and could not go on in the newer version: they are away, and are tried again. At most 100 are named. */
  readonly left: readonly { readonly entity: Address; readonly reason: string }[];
}

export interface System extends Directory {
  /** Views of all actors in memory, in any order. Each is made when it is come to, and is its reader's own. */
  views(): Iterable<ActorView>;
  readonly node: string;
  /** A look into actors hosted here, worked out when it is asked for. */
  readonly inspection: Inspection;
  tell(address: string, event: EventData, options?: TellOptions): Promise<Told>;
  ask(address: string, event: EventData, options: AskOptions): Promise<Answer>;
  /** A message from another node. */
  receive(message: RemoteMessage): Promise<Told | Answer>;
  /**
   * Node-local news for an actor (a watch event, a presence hint): queued, never deduplicated; false when it could not be queued. To a volatile actor it goes as it is, uncopied: who fills
   * one object anew for each news makes a new one instead.
   */
  notify(address: Address, event: EventData, reads?: DoorReads): boolean;
  /** As `notify`, and settles after the commit that contains it, or after 10 s: `deadline` was not taken and will not be, `unknown` is being committed. The host's own word: no door, no id. */
  inform(address: Address, event: EventData, create?: EntityOptions): Promise<Told>;
  /**
   * To the actors of this node that listen to the topic now (`subscription`): telemetry, which nobody keeps, confirms or sends on. Actors publish with `emit(publication(…))`.
   * @returns how many took it in, to wait for their turns
   * @throws DROVER_TOPIC_INVALID for a name that is no topic, and for an event that is not plain data with a type
   */
  publish(topic: string, event: EventData): number;
  /**
   * Activates an entity: recovers it from the store, or begins its history.
   * @throws DroverError with the code of what its first turn failed with; DROVER_STORE_FAILED where that takes longer than 60 s: it goes on, and who activates it again waits for the same;
   * DROVER_DATA_NOT_KEPT for an input that a durable entity cannot keep, and for labels that are no texts; DROVER_CONFIG_INVALID for an option that is not known
   */
  activate(entity: Address, options: EntityOptions): Promise<void>;
  /** Stops hosting: lets the turn under way end, keeps its state in the store. */
  deactivate(entity: Address): Promise<void>;
  /**
   * Resolves when the entity is no longer hosted here because it was stopped, at once when it is not; rejects with the cause when it could not go on: for its supervisor.
   * Without one it is recovered from the store with backoff; `deactivate` ends that.
   */
  ended(entity: Address): Promise<void>;
  /**
   * The committed state of an actor as `read` shows it; of an entity that is not in memory too, from the store and without bringing it there. undefined when nobody knows it.
   * @throws what the store throws
   */
  look(address: Address): Promise<ActorView | undefined>;
  /**
   * A page of all that is known here, in memory or not. Where types passivate, at most 5,000 entries of the store's index are read for it. What is known throughout the
   * listing is on one of its pages and on one alone, whatever comes into memory and leaves it meanwhile.
   * @throws DROVER_CONFIG_INVALID for a query that cannot be meant; what the store throws, where types passivate
   */
  list(query: ActorQuery): Promise<Listing>;
  /** Adds a directory whose actors are shown beside the hosted ones. */
  mount(directory: Directory): void;
  setRemote(remote: Remote): void;
  /** In reach again, by default perhaps every other node: messages of entities that wait for their receivers are tried at once. */
  reachable(receiver?: Address): void;
  /** Full committed state of an entity hosted here, encoded as the store keeps it; undefined while a turn of it is being committed too. */
  stateOf(entity: Address): { readonly type: string; readonly incarnation: string; readonly revision: number; readonly encoded: Uint8Array } | undefined;
  /** The same, as soon as no turn is being committed. */
  settledStateOf(entity: Address): Promise<{ readonly type: string; readonly incarnation: string; readonly revision: number; readonly encoded: Uint8Array } | undefined>;
  /**
   * Opens a new incarnation of an entity hosted here, whose history others hold otherwise than its store (rules T1): in one commit, with its full state. Settles after that.
   * @param left the incarnation that is left: where it is another one by now, nothing happens and the outcome is no acceptance
   * @param known the revision of it that the others have
   */
  fork(entity: Address, left: string, known: number): Promise<Told>;
  /**
   * The first place where the committed state of an entity hosted here is not what its codec reads back (rules R2): for checkers, it costs as much as a copy of the state.
   * undefined when there is none, and while a turn of it is being committed.
   */
  readBackProblem(entity: Address): string | undefined;
  /** What became of a message id at an actor hosted here, if it is still kept. */
  taken(entity: Address, id: string): TakenEntry | undefined;
  /** The last 1,000 messages that reached nobody, and timers that were set aside, oldest first. @throws DROVER_CONFIG_INVALID for a query that cannot be meant */
  deadLetters(query: DeadLetterQuery): readonly DeadLetter[];
  /** Sends one of them again, as `author` says; once it was taken never again. A timer is armed for now, and has three attempts once more. */
  redeliver(number: number, options: { readonly author: string }): Promise<Redelivery>;
  describeEntities(): readonly EntityNode[];
  metrics(): readonly MetricSample[];
  /** Known and active versions of the actor types whose actors are kept here, by name. */
  versions(): readonly TypeVersions[];
  /**
   * Makes known versions the active ones, e.g. `{ pot: 2 }`, all of them in one write. When it resolves, no entity in memory writes an older one: each was stopped, as with a stop of the
   * node, and has come back with its upgrade; messages wait meanwhile. Entities out of memory are brought over one after the other. What is active already counts as raised. It is not taken back.
   * @throws DROVER_TYPE_INVALID for a type or a version that is not registered here, DROVER_STATE_NEWER for one older than the active one, DROVER_CONFIG_INVALID for what is no version,
   * DROVER_STORE_FAILED where the store did not take it, or does not tell: then nothing has changed here, and the next call or start knows
   */
  raiseVersions(to: Readonly<Record<string, number>>): Promise<RaisedVersions>;
  /** Actor types whose protocols are known here: registered, or of entities on other nodes. */
  readonly actorTypes: readonly string[];
  /** Event types of an actor type's protocol with their JSON Schemas, for OpenAPI and errors. */
  protocolOf(type: string): readonly { readonly type: string; readonly schema: object; readonly reply: object | undefined }[] | undefined;
  start(): Promise<void>;
  /** Stops taking messages, ends turns, closes. It may be started again. */
  stop(): Promise<void>;
}
