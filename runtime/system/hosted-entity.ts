// An entity hosted here: recovered from the store or begun anew, its messages in, its views, its end.
//
// H1. Who repeats a message while the first of its id is still on its way waits for that one's outcome; it is not judged a second time at the door (rules M2).

import type { Address } from "../address.ts";
import type { EntityType } from "../actor/index.ts";
import { DroverError } from "../errors.ts";
import type { DoorReads, Effect, EventData, Input, JournalRecord, Sender, SupervisionReport, TakenEntry, Turn } from "../entity/contract.ts";
import {
  isKept,
  createEntity,
  encodeRecord,
  encodeState,
  type Entity,
  type EntityListener,
  linkOf,
  type NextTimer,
  readBackProblem,
  readStored,
  restoreEntity,
  type StateEntry,
  type UnheardKind,
  upgradeCode,
} from "../entity/index.ts";
import { isA } from "../is-a.ts";
import type { Answer, Told } from "../outcome.ts";
import type { Clock, Log, Random, StepWatch, Store } from "../ports/index.ts";
import { settledWithin } from "../settled-within.ts";
import { asItIsNow } from "../xstate/index.ts";
import { Activation, type ActivationOwner, changeOf, stampOf } from "./activation.ts";
import { storableState } from "./snapshot-rhythm.ts";
import { beginFailure, checkLabels } from "./beginning.ts";
import type { Committer } from "./committer.ts";
import type { EntityNode, EntityOptions, RemoteMessage } from "./contract.ts";
import type { DeadLetters, SetAsideTimer, UndeliveredMessage } from "./dead-letters.ts";
import { describeEntity, type Hosting, viewOf } from "./entity-views.ts";
import type { HostedClock } from "./hosted-clock.ts";
import { lossOf, type LostMessage, type Mail, type Settled } from "./mail.ts";
import type { JournalLimit } from "./journal-limit.ts";
import type { MailBudget } from "./mail-budget.ts";
import { inTime, STORE_WITHIN_MS } from "./in-time.ts";
import type { OneByOne } from "./one-by-one.ts";
import { type Interest, interestOf } from "./interest.ts";
import { Outgoing, type OutgoingOwner } from "./outgoing.ts";
import { tellDivergences } from "./divergences.ts";
import { recoveryWatch } from "./recovery-watch.ts";
import type { SinceSnapshot } from "./snapshot-rhythm.ts";
import { entryOutcome, toldOf } from "./told.ts";
import type { Topics } from "./topics.ts";
import type { ActorView, Change } from "./views.ts";
import { endedWell, watched, type Work } from "./watched.ts";

/** Begins the keys of code that runs beside turns and effects. */
const OUTSIDE = "outside of turns: ";

const CAUGHT_UP_WITHIN_MS = 5_000;
/** A timer that arms itself for at once never is. */
const CAUGHT_UP_TURNS = 8;

const NOT_ENDED = { kind: "unknown", reason: "its commit has not ended in time; ask again with the same id" } as const;

type MessageInput = Extract<Input, { kind: "message" }>;

/** The same for all entities of a node. */
export interface HostedEntityPorts {
  readonly node: string;
  /** Who speaks when the node itself does. */
  readonly local: Sender;
  readonly epoch: number;
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly committer: Committer;
  readonly hosted: HostedClock;
  readonly mailBudget: MailBudget;
  readonly stepWatch: StepWatch | undefined;
  readonly suspectsWay: OneByOne;
  /** See `ActivationPorts`. */
  readonly journalLimitOf: (type: string) => JournalLimit;
  readonly wallTrusted: () => boolean;
  readonly schedule: (run: () => void) => void;
  readonly deadLetters: DeadLetters;
  readonly topics: Topics;
  readonly isWatched: () => boolean;
  readonly changed: (change: Change) => void;
  readonly deliver: (message: RemoteMessage) => Promise<Told | Answer>;
  /** See `ActivationPorts`. */
  readonly beforeCommit: (entity: Entity, open: Turn | undefined) => Promise<void> | undefined;
  /** Something of an entity reached nobody. */
  readonly unheard: (kind: UnheardKind) => void;
  readonly restarted: () => void;
  readonly diverged: () => void;
  /** It cannot go on here. */
  readonly failed: (entity: HostedEntity, cause: Error) => void;
}

/** Without a cause it was a clean stop. */
interface Ending {
  readonly cause: Error | undefined;
}

interface Recovered {
  readonly entity: Entity;
  /** Taken and in no store yet: nothing is done with the entity before it is. */
  readonly upgrade: Turn | undefined;
  /** The incarnation that it leaves with that turn. */
  readonly left: string | undefined;
  readonly isNew: boolean;
  readonly changed: readonly SupervisionReport[];
  readonly since: SinceSnapshot;
  readonly asOf: number;
}

export interface EncodedState {
  readonly type: string;
  readonly incarnation: string;
  readonly revision: number;
  readonly encoded: Uint8Array;
}

export class HostedEntity implements ActivationOwner, OutgoingOwner, EntityListener {
  /** It is out of memory and comes back when it is called. */
  hasLeft = false;
  /** Another one goes on with the entity here, in newer versions of its types: what is told of its end is not the entity's. */
  isSucceeded = false;
  readonly #ports: HostedEntityPorts;
  readonly #entity: Entity;
  readonly #activation: Activation;
  /** Made with the first effect: most entities at rest have had none. */
  #sent: Outgoing | undefined;
  readonly #options: EntityOptions;
  readonly #isNew: boolean;
  /** Committed; its effects are not performed before `begin`. */
  readonly #upgrade: Turn | undefined;
  /** Some message of its actors has a lane or a key of its own. */
  readonly #isSorted: boolean;
  /** Messages from outside that are on their way into a turn, by id. */
  #taking: Map<string, Promise<unknown>> | undefined;
  #ending: Ending | undefined;
  #listeners: ((ending: Ending) => void)[] | undefined;

  /**
   * Recovers the entity from the store, or makes a new history; takes no turn before `begin`.
   * @param options of a new history; without them there is none: undefined when the store does not know the entity
   * @param isAbandoned nobody waits for it any more: nothing is written then
   * @throws when what is stored cannot be read by the registered types; DROVER_STORE_FAILED when its upgrade or its new incarnation could not be committed
   */
  static async activate(
    address: Address,
    type: EntityType,
    options: EntityOptions | undefined,
    ports: HostedEntityPorts,
    isAbandoned: () => boolean,
  ): Promise<HostedEntity | undefined> {
    const recovered = await recover(address, type, ports, () => ports.random.id());
    if (isAbandoned()) return undefined;
    if (recovered.upgrade !== undefined)
      await inTime(commitUpgrade(recovered, recovered.upgrade, ports), ports.clock, STORE_WITHIN_MS, `the turn that ${address} goes on with is not stored`);
    if (options === undefined && recovered.isNew) return undefined;
    const hosted = new HostedEntity(options ?? { input: undefined }, ports, recovered);
    for (const report of recovered.changed) hosted.reported(report);
    return hosted;
  }

  /** What the store knows of an actor, without bringing its entity into memory; undefined when it knows nothing. */
  static async look(address: Address, entity: Address, type: EntityType, ports: HostedEntityPorts): Promise<ActorView | undefined> {
    const found = await recover(entity, type, ports);
    found.entity.listen({
      posted: () => undefined,
      observerFailed: () => undefined,
      unheard: () => undefined,
      watched: (cell, what, run) => watchedOutside(ports.stepWatch, found.entity, { cell, what }, run),
    });
    const view = found.isNew ? undefined : found.entity.view(address);
    return view === undefined ? undefined : viewOf(view, found.entity, { node: ports.node, epoch: ports.epoch, asOf: found.asOf, since: found.asOf, isRunning: false });
  }

  private constructor(options: EntityOptions, ports: HostedEntityPorts, { entity, isNew, upgrade, since, asOf }: Recovered) {
    this.#ports = ports;
    this.#upgrade = upgrade;
    this.#entity = entity;
    this.#options = options;
    this.#isNew = isNew;
    this.#isSorted = [...entity.type.types.values()].some(({ messages }) => messages.isSorted);
    this.#activation = new Activation(entity, ports, this, { mailbox: entity.type.root.mailbox, since, asOf });
    entity.listen(this);
  }

  get address(): Address {
    return this.#entity.address;
  }

  get type(): string {
    return this.#entity.type.name;
  }

  /** In the versions that it runs. */
  get entityType(): EntityType {
    return this.#entity.type;
  }

  get #isVolatile(): boolean {
    return this.#entity.type.durability === "volatile";
  }

  get #outgoing(): Outgoing {
    return (this.#sent ??= new Outgoing(this.#entity, this.#ports, this, this.#activation));
  }

  get #log(): Log {
    return this.#ports.log.child({ entity: this.address });
  }

  /** Resolves at a clean stop, rejects with the cause when the entity cannot go on here. */
  async ended(): Promise<void> {
    const { cause } = this.#ending ?? (await new Promise<Ending>((resolve) => (this.#listeners ??= []).push(resolve)));
    if (cause !== undefined) throw cause;
  }

  /** Why it cannot go on here. */
  get failure(): Error | undefined {
    return this.#ending?.cause;
  }

  #end(cause?: unknown): void {
    if (this.#ending !== undefined) return;
    const error = cause === undefined || isA(cause, Error) ? cause : new Error("the entity failed", { cause });
    this.#ending = { cause: error };
    for (const listener of this.#listeners ?? []) listener(this.#ending);
    this.#listeners = undefined;
    if (error !== undefined) this.#ports.failed(this, error);
  }

  // ---- owner of its activation

  perform(effect: Effect, input: string): void {
    this.#outgoing.perform(effect, input);
  }

  lost(message: LostMessage, reason: string): void {
    this.#ports.deadLetters.addLost({ ...message, reason });
  }

  failed(cause: unknown): void {
    this.#outgoing.stop("the entity failed");
    this.#end(cause);
  }

  /** Timers that were set aside have letters of the history that was left: those ring no more. */
  forked(): void {
    this.#listSetAside();
  }

  // ---- listener of its entity

  posted(input: MessageInput): void {
    if (this.#activation.hasControlRoom) {
      this.#activation.control({
        input,
        settle: (result) => {
          countDead(this.#ports.deadLetters, result, input);
        },
      });
    } else this.#ports.deadLetters.add({ to: input.to, type: input.event.type, from: "local", reason: "mailbox full" });
  }

  observerFailed(actor: Address, error: unknown): void {
    this.#log.warn({ err: error, actor }, "an observer of an actor threw; it is told nothing more");
  }

  unheard(kinds: readonly UnheardKind[]): void {
    for (const kind of kinds) this.#ports.unheard(kind);
  }

  watched<V>(cell: Address, what: string, run: () => V): V {
    return watchedOutside(this.#ports.stepWatch, this.#entity, { cell, what }, run);
  }

  /** First turn of a new history, or what recovery must say; resolves when that is committed. @throws DroverError with the code of what the first turn failed with */
  async begin(): Promise<void> {
    const { input, labels = {}, children, bareSnapshot } = this.#options;
    const first: Promise<void>[] = [];
    // A history may have begun without its root having started, or its root has failed for good: this is the next try.
    const root = this.#entity.view(this.address);
    if (root === undefined || root.status === "error") {
      checkLabels(this.address, labels);
      first.push(this.#say({ kind: "start", input, labels, ...(bareSnapshot === undefined ? {} : { bareSnapshot }) }));
    }
    if (children !== undefined) first.push(this.#say({ kind: "children", specs: children }));
    if (!this.#isNew) {
      // An actor that fails on its recovery is its supervisor's business, not a reason to host none of them.
      const fresh = this.#upgrade?.effects ?? [];
      for (const said of this.#entity.recoveryInputs(this.#ports.clock.now(), fresh)) first.push(this.#say(said).catch(() => undefined));
      for (const effect of this.#entity.recoveryEffects(fresh)) this.perform(effect, "");
      for (const effect of fresh) this.perform(effect, "");
      if (this.#upgrade !== undefined) this.#ports.changed(changeOf(this.#entity, this.#upgrade, this.#activation.asOf));
    }
    if (!this.#isNew) this.#listSetAside();
    this.#activation.begin();
    await Promise.all(first);
  }

  #say(input: Input): Promise<void> {
    const heard = lossOf(input.kind === "postponed" ? this.#entity.messageOf(input) : undefined, (message, reason) => {
      this.lost(message, reason);
    });
    return new Promise((resolve, reject) => {
      this.#activation.control({
        input,
        settle: (result) => {
          heard(result);
          if (result.kind === "accepted-at" || result.kind === "accepted" || result.kind === "dropped") resolve();
          else reject(beginFailure(this.address, input, result));
        },
      });
    });
  }

  /** Timers that were set aside and can ring again have letters. @param parked the one that was set aside just now; default: all that are known of old */
  #listSetAside(parked?: string): void {
    const { address: entity, incarnation } = this.#entity;
    for (const timer of this.#entity.parkedTimers())
      if (parked === undefined || timer.parked === parked) this.#ports.deadLetters.addTimer({ ...timer, entity, incarnation }, parked !== undefined);
  }

  /** Arms a timer that was set aside again, for now. Settles after the commit. */
  ring({ parked, timer, incarnation }: SetAsideTimer, author: string, withinMs: number): Promise<Told> {
    if (incarnation !== this.#entity.incarnation) return Promise.resolve({ kind: "refused", accepts: [], reason: "its entity has a new history since" });
    return new Promise((resolve) => {
      const mail: Mail = {
        input: { kind: "ring", parked, timer, author },
        deadline: this.#ports.clock.monotonic() + withinMs,
        settle: (result) => {
          resolve(toldOf(result, this.#isVolatile));
        },
        overdue: () => {
          resolve(NOT_ENDED);
        },
      };
      if (!this.#activation.offerControl(mail)) resolve(this.#turnedAway());
    });
  }

  /** Settles after the commit. @param known as in `System.fork` */
  fork(left: string, known: number): Promise<Told> {
    return this.#activation.fork({ kind: "forked", as: this.#ports.random.id(), left, known }).then((result) => toldOf(result, this.#isVolatile));
  }

  async stop(): Promise<void> {
    await this.#stop(() => this.#activation.stop());
  }

  /** As `stop`, for who goes on with the entity here. @returns what waits for it and nobody would send again */
  async stopForHeir(): Promise<readonly Mail[]> {
    this.isSucceeded = true;
    return this.#stop(() => this.#activation.stopForHeir());
  }

  async #stop<T>(stopped: () => Promise<T>): Promise<T> {
    this.#outgoing.stopEffects();
    const left = await stopped();
    this.#outgoing.stop("the node stopped hosting the entity");
    this.#forgive();
    this.#end();
    return left;
  }

  /** What waited for its predecessor comes first. */
  inherit(left: readonly Mail[]): void {
    for (const mail of left) if (!(mail.isUrgent === true ? this.#activation.offerControl(mail) : this.#activation.offer(mail))) mail.settle?.({ kind: "owner-away" });
  }

  #forgive(): void {
    const { stepWatch } = this.#ports;
    const { address: entity } = this;
    for (const { key } of stepWatch?.hung ?? []) if (stepWatch !== undefined && key.startsWith(OUTSIDE)) endedWell(stepWatch, { entity, key });
  }

  // ---- passivation (rules C5)

  get passivateAfterMs(): number {
    return this.#entity.type.passivateAfterMs ?? Number.POSITIVE_INFINITY;
  }

  /** Monotonic time of its last turn. */
  get usedAt(): number {
    return this.#activation.usedAt;
  }

  /** No cell has mail, an uncommitted step, an unanswered ask or a run, and nobody waits here for a reply. */
  get isAtRest(): boolean {
    return this.#activation.isAtRest && this.#hasNothingOpen;
  }

  get #hasNothingOpen(): boolean {
    return !this.#entity.isUnfinished && this.outboxDepth === 0 && this.#isExpectedByNobody;
  }

  get #isExpectedByNobody(): boolean {
    return this.#sent?.isWaitedFor !== true && this.#taking === undefined;
  }

  /** At rest but for messages and effects that wait for their next attempts: out of memory they wait as well. */
  get isPausing(): boolean {
    return this.#activation.isAtRest && this.#hasOnlyAttempts;
  }

  get #hasOnlyAttempts(): boolean {
    return this.#isExpectedByNobody && this.#sent?.isPausing !== false && this.#entity.isRepeatable;
  }

  get hasEnded(): boolean {
    return this.#activation.ended;
  }

  nextTimer(): NextTimer {
    return this.#entity.nextTimer();
  }

  /** Resolves when the timers that were due have fired and that is committed, in bounded time: until then who was called for them is not through. */
  async caughtUp(): Promise<void> {
    const { clock, hosted, wallTrusted } = this.#ports;
    const now = { elapsed: hosted.now(), wall: wallTrusted() ? clock.now() : Number.NEGATIVE_INFINITY };
    const giveUpAt = clock.monotonic() + CAUGHT_UP_WITHIN_MS;
    for (let turns = 0; turns < CAUGHT_UP_TURNS && !this.hasEnded; turns++) {
      const { elapsed = Number.POSITIVE_INFINITY, wall = Number.POSITIVE_INFINITY, setBackBefore = Number.NEGATIVE_INFINITY } = this.nextTimer();
      const isSetBack = wallTrusted() && clock.now() < setBackBefore;
      if (elapsed > now.elapsed && wall > now.wall && !isSetBack) return;
      await settledWithin(this.#activation.turned(), clock, Math.max(0, giveUpAt - clock.monotonic()), undefined, { unref: true });
    }
  }

  sleep(): void {
    this.#activation.sleep();
  }

  /** @param isPausing it fell asleep as one that pauses */
  isUndisturbed(isPausing: boolean): boolean {
    return this.#activation.isUndisturbed && (isPausing ? this.#hasOnlyAttempts : this.#hasNothingOpen);
  }

  rouse(): void {
    this.#activation.rouse();
  }

  /** Out of memory, at once: only when it is at rest, or asleep and undisturbed. */
  leave(): void {
    this.#forgive();
    this.hasLeft = true;
    this.#activation.leave();
    this.#sent?.stop("the entity left memory");
    this.#end();
  }

  get mailboxDepth(): number {
    return this.#activation.mailboxDepth;
  }

  get mailboxBytes(): number {
    return this.#activation.mailboxBytes;
  }

  /** Messages that found the mailbox full and wait in the entity's record. */
  get shelved(): number {
    return this.#entity.shelved.messages;
  }

  get outboxDepth(): number {
    return this.#sent?.waiting ?? 0;
  }

  /** Receivers of waiting rows may be in reach again. */
  wake(receiver?: Address): void {
    this.#sent?.wake(receiver);
  }

  // ---- messages in

  take(message: RemoteMessage, reads: DoorReads | undefined, fingerprint: string | undefined): Promise<Told | Answer> {
    const { clock } = this.#ports;
    const { sender: from } = message;
    const sender: Sender = from.kind === "outside" && fingerprint !== undefined ? { ...from, fingerprint } : from;
    const input: Input = {
      kind: "message",
      to: message.to,
      // A row of another actor's outbox stays what it is, whatever this one does with its copy.
      event: from.kind === "entity" && this.#isVolatile ? asItIsNow(message.event) : message.event,
      sender,
      wantsReply: message.ask || message.replyKey !== undefined,
      ...answerBy(message, clock.now()),
      ...(reads === undefined ? {} : { reads }),
      ...(message.replyKey === undefined ? {} : { replyKey: message.replyKey }),
      ...(message.answers === undefined ? {} : { answers: message.answers }),
      ...(message.trace === undefined ? {} : { trace: message.trace }),
    };
    const at = clock.monotonic();
    const deadline = at + message.withinMs;
    let over: (() => void) | undefined;
    const settled = new Promise<Settled>((resolve) => {
      const mail: Mail = {
        input,
        at,
        deadline,
        ...(message.bytes === undefined ? {} : { bytes: message.bytes }),
        settle: (result) => {
          resolve(result);
          over?.();
        },
        overdue: () => {
          if (over !== undefined) return;
          const ended = new Promise<void>((resolveEnd) => {
            over = resolveEnd;
          });
          if (from.kind === "outside") this.#note(from.id, ended);
          resolve(NOT_ENDED);
        },
      };
      if (!this.#offer(mail, from.kind !== "entity")) resolve(this.#turnedAway());
    });
    if (from.kind === "outside") this.#note(from.id, settled);
    return settled.then((result) => {
      countDead(this.#ports.deadLetters, result, message);
      return this.#answerTo(result, message, deadline);
    });
  }

  /** H1. */
  #note(id: string, ended: Promise<unknown>): void {
    const taking = (this.#taking ??= new Map<string, Promise<unknown>>());
    taking.set(id, ended);
    void ended.then(() => {
      if (taking.get(id) === ended) taking.delete(id);
      if (taking.size === 0 && this.#taking === taking) this.#taking = undefined;
    });
  }

  /** Settles when what became of the message of this id that is on its way is known; undefined when there is none. */
  taking(id: string): Promise<unknown> | undefined {
    return this.#taking?.get(id);
  }

  /** After the commit: the word that it was taken, or the reply once it is there. */
  #answerTo(result: Settled, message: RemoteMessage, deadline: number): Told | Answer | Promise<Answer> {
    const entry = result.kind === "duplicate" ? result.entry : undefined;
    if (entry !== undefined) return this.repeated(entry, message);
    const told = toldOf(result, this.#isVolatile, message.sender);
    if (!message.ask || told.kind !== "accepted" || message.sender.kind !== "outside") return told;
    const answer = this.taken(message.sender.id)?.answer;
    return answer ?? this.#outgoing.awaitAnswer(message.sender.id, Math.max(0, deadline - this.#ports.clock.monotonic()));
  }

  /** The same id again: the same outcome, and the same reply or a seat beside those who wait for it (rules M2). */
  repeated(entry: TakenEntry, message: RemoteMessage): Told | Answer | Promise<Answer> {
    if (!message.ask || entry.outcome.kind !== "accepted") return entryOutcome(entry, this.#isVolatile);
    return entry.answer ?? this.#outgoing.awaitAnswer(entry.id, message.withinMs);
  }

  /** A volatile actor's news are taken as they are: a copy of each would cost a tenth of what it takes. */
  notify(to: Address, event: EventData, reads: DoorReads | undefined): boolean {
    const input = this.#isVolatile ? this.#local(to, event, reads) : this.#local(to, asItIsNow(event), asItIsNow(reads));
    return this.#offer(new LocalMail(input, this.#ports.deadLetters), true);
  }

  /** By its message's lane and key. @param mayReplace whether nothing counts on this very message, as a sender's numbered line does */
  #offer(mail: Mail, mayReplace: boolean): boolean {
    const { input } = mail;
    if (!this.#isSorted || input.kind !== "message") return this.#activation.offer(mail);
    const spec = this.#entity.specOf(input.to, input.event.type);
    if (spec?.lane === "control") return this.#activation.offerControl(mail);
    const by = mayReplace ? spec?.coalesceBy : undefined;
    if (by !== undefined) mail.key = JSON.stringify([input.to, input.event.type, input.event[by]]);
    return this.#activation.offer(mail);
  }

  inform(to: Address, event: EventData, withinMs: number): Promise<Told> {
    const input = this.#local(to, event, undefined);
    return new Promise((resolve) => {
      const mail: Mail = {
        input,
        deadline: this.#ports.clock.monotonic() + withinMs,
        settle: (result) => {
          countDead(this.#ports.deadLetters, result, input);
          resolve(toldOf(result, this.#isVolatile));
        },
        overdue: () => {
          resolve(NOT_ENDED);
        },
      };
      if (!this.#activation.offerControl(mail)) resolve(this.#turnedAway());
    });
  }

  #turnedAway(): Told {
    return this.#activation.isTaking ? { kind: "full", retryAfterMs: 100 } : { kind: "owner-away" };
  }

  #local(to: Address, event: EventData, reads: DoorReads | undefined): MessageInput {
    const { local: sender } = this.#ports;
    return reads === undefined ? { kind: "message", to, event, sender, wantsReply: false } : { kind: "message", to, event, sender, wantsReply: false, reads };
  }

  /** Committed ones only. */
  taken(id: string): TakenEntry | undefined {
    return this.#entity.taken(id);
  }

  /** As above, unless its time is over. */
  known(id: string): TakenEntry | undefined {
    const entry = this.taken(id);
    return entry !== undefined && isKept(entry, { now: this.#ports.clock.now(), elapsed: this.#ports.hosted.now() }) ? entry : undefined;
  }

  // ---- supervision

  reported(report: SupervisionReport): void {
    const log = this.#log;
    const fields = { supervisor: this.address, ...report };
    if (report.context === "child_started") log.info(fields, "supervision");
    else log.warn(fields, "supervision");
    if (report.context === "child_restarted") this.#ports.restarted();
    if (report.parked !== undefined) this.#listSetAside(report.parked);
    if (report.context !== "entity_failed") return;
    // Its own supervision has given up: whoever hosts it decides when it is tried again.
    this.#outgoing.stopEffects();
    void this.#activation.stop().then(() => {
      this.#outgoing.stop("the entity failed");
      this.#end(new Error(report.reason));
    });
  }

  // ---- views (committed state only, rules C4)

  get #hosting(): Hosting {
    const { node, epoch } = this.#ports;
    const { asOf, since, ended } = this.#activation;
    return { node, epoch, asOf, since, isRunning: !ended };
  }

  view(address: Address): ActorView | undefined {
    const view = this.#entity.view(address);
    return view === undefined ? undefined : viewOf(view, this.#entity, this.#hosting);
  }

  entered(address: Address): StateEntry | undefined {
    return this.#entity.entered(address);
  }

  addresses(): Iterable<Address> {
    return this.#entity.addresses();
  }

  /** As soon as no turn is open; undefined when the entity has ended before. */
  async encodedState(): Promise<EncodedState | undefined> {
    await this.#activation.quiet();
    return this.encodedStateNow();
  }

  /** undefined while a turn is open. */
  encodedStateNow(): EncodedState | undefined {
    if (this.#activation.isOpen || this.#activation.ended) return undefined;
    const state = this.#entity.state();
    return { type: this.type, incarnation: state.incarnation, revision: state.revision, encoded: encodeState(state) };
  }

  /** undefined while a turn is open too. */
  readBackProblem(): string | undefined {
    return this.#activation.isOpen || this.#activation.ended ? undefined : readBackProblem(this.#entity);
  }

  /** What an actor has under way; undefined when there is no such actor. */
  interest(address: Address): Interest | undefined {
    const { clock, hosted } = this.#ports;
    const { mailboxDepth: depth, mailboxBytes: bytes, oldestMs } = this.#activation;
    const subscriptions = this.#sent?.subscriptionsOf(address) ?? [];
    return interestOf(this.#entity, address, {
      mailbox: { depth, bytes, oldestMs, shelved: this.shelved, postponed: this.#entity.postponed },
      subscriptions,
      now: { wall: clock.now(), elapsed: hosted.now() },
    });
  }

  describe(recoveries: { readonly count: number; readonly last?: EntityNode["lastExit"] }): EntityNode {
    return describeEntity(this.#entity, this.#hosting, recoveries);
  }
}

/** Nobody waits for what becomes of it. Very many may wait at once, so that it holds no more than it needs. */
class LocalMail implements Mail {
  readonly input: MessageInput;
  readonly #deadLetters: DeadLetters;

  constructor(input: MessageInput, deadLetters: DeadLetters) {
    this.input = input;
    this.#deadLetters = deadLetters;
  }

  settle(result: Settled): void {
    countDead(this.#deadLetters, result, this.input);
  }
}

function countDead(deadLetters: DeadLetters, result: Settled, { to, event, sender }: Omit<UndeliveredMessage, "reason">): void {
  const reason = result.kind === "dropped" ? result.reason : result.kind === "no-such-actor" ? result.kind : undefined;
  if (reason !== undefined) deadLetters.addMessage({ to, event, sender, reason });
}

/** @param newIncarnation of a history that may have gone back (rules T1); left out: it is only looked at */
async function recover(address: Address, type: EntityType, ports: HostedEntityPorts, newIncarnation?: () => string): Promise<Recovered> {
  const stored = type.durability === "volatile" ? undefined : await inTime(ports.store.load(address), ports.clock, STORE_WITHIN_MS, `${address} could not be read`);
  if (stored === undefined) {
    return {
      entity: createEntity(type, address, ports.random.id()),
      isNew: true,
      upgrade: undefined,
      left: undefined,
      changed: [],
      since: { turns: 0, bytes: 0, isOutdated: false },
      asOf: ports.clock.now(),
    };
  }
  // A new one is written with the next turn: until then there is one way back fewer.
  const isDamaged = stored.damaged !== undefined;
  if (isDamaged)
    ports.log.error(
      { entity: address, damaged: stored.damaged, from: stored.snapshot?.revision ?? 0 },
      "a damaged snapshot was passed over; the state comes from an older one and its journal",
    );
  const forkAs = stored.isRestored === true ? newIncarnation?.() : undefined;
  const { last, restored } = watched(ports.stepWatch, { entity: address, cell: address, what: "recovery", key: `recovery ${upgradeCode(type)}` }, () => {
    const read = { ...readStored(stored), ...(forkAs === undefined ? {} : { forkAs }) };
    const newest = read.records.at(-1)?.stamp ?? read.snapshot?.stamp;
    if (newest !== undefined) ports.hosted.atLeast(newest.elapsed);
    const watch = recoveryWatch(ports.stepWatch, address, type);
    const found = restoreEntity(type, address, read, () => stampOf(ports), watch);
    watch?.ended();
    return { last: newest, restored: found };
  });
  const { entity, divergences, upgrade, isRemade, changed } = restored;
  tellDivergences(address, divergences, ports.log, ports.diverged);
  const left = forkAs === undefined ? undefined : stored.incarnation;
  if (left !== undefined) ports.log.warn({ entity: address, left, revision: stored.revision }, "the store was put back from a copy: the entity goes on as a new incarnation");
  if (upgrade !== undefined) return { entity, isNew: false, upgrade, left, changed, since: { turns: 0, bytes: 0, isOutdated: false }, asOf: entity.stamp.now };
  const bytes = stored.records.reduce((sum, { record }) => sum + record.byteLength, 0);
  return { entity, isNew: false, upgrade, left, changed, since: { turns: stored.records.length, bytes, isOutdated: isRemade || isDamaged }, asOf: last?.now ?? 0 };
}

/** That it came to its end for one state says nothing of the next: it is forgiven when the entity has ended well. */
function watchedOutside<V>(watch: StepWatch | undefined, { address: entity, type }: Entity, { cell, what }: Pick<Work, "cell" | "what">, run: () => V): V {
  return watch === undefined ? run() : watched(watch, { entity, cell, what, key: `${OUTSIDE}${what} ${cell} ${upgradeCode(type)}`, isSettledLater: true }, run);
}

/** Before anything else happens to it, with a full state (rules T3). @throws DROVER_STORE_FAILED: the store is asked again at the next activation, and whatever was written counts (rules C2) */
async function commitUpgrade({ entity, left }: Pick<Recovered, "entity" | "left">, { record, revision }: Turn, ports: HostedEntityPorts): Promise<void> {
  // In memory it is committed already.
  await ports.beforeCommit(entity, undefined);
  const bytes = encodeRecord(record as JournalRecord);
  entity.linked(linkOf(bytes));
  const snapshot = storableState(entity.state(), ports.log);
  if (left !== undefined && snapshot === undefined)
    throw new DroverError("DROVER_ENTITY_TOO_LARGE", `${entity.address} cannot go on as a new incarnation: its full state is larger than a store takes`);
  const outcome = await ports.committer.commit({
    entity: entity.address,
    type: entity.type.name,
    incarnation: entity.incarnation,
    revision,
    epoch: ports.epoch,
    at: entity.stamp.now,
    record: bytes,
    ...(snapshot === undefined ? {} : { snapshot, forgetsOlder: entity.type.durability === "snapshot" }),
    ...(left === undefined ? {} : { replaces: left }),
  });
  if (outcome.kind === "committed") return;
  const what = left === undefined ? `the upgrade of ${entity.address} to the registered versions` : `the new incarnation of ${entity.address}`;
  throw new DroverError("DROVER_STORE_FAILED", `${what} could not be committed (${outcome.kind}): ${outcome.reason}`);
}

/** Of an ask: the wall time until which its sender waits. */
function answerBy({ ask, withinMs, replyKey, sender }: RemoteMessage, now: number): { readonly answerBy?: number } {
  if (ask) return { answerBy: now + withinMs };
  return replyKey === undefined || sender.kind !== "entity" || sender.expiresAt === undefined ? {} : { answerBy: sender.expiresAt };
}
