// One entity, live on this node: mailbox in, turns, commits, then effects (design section 5).
//
// V1. One turn at a time; while its commit is under way the entity takes no further turn (hosting H1).
// V2. Nothing leaves before its commit: effects, answers, views, timers and changes all follow `committed` (promise S2).
// V3. A commit of unknown outcome stops the entity until the store was asked for its revision (rules C2).
// V4. A refused commit rolls the turn back and tells its senders; the entity ends here, and whoever hosts it recovers it from the store.
//     Where the store only has no room now, it goes on from what is committed instead, with backoff: senders from outside and other entities are told, what nobody would
//     repeat (its timers, its host's news, words of its sources) waits. A full disk, or a full queue before it, takes down no entity, and nothing that hangs on one.
// V5. Nobody waits longer than its deadline, whatever the store does: what still waits for its turn is told `deadline` and is never taken, what is being committed `unknown`.
// V6. A turn that comes to no record that a store takes, whatever the reason, is taken back and its inputs are stepped one by one: the one it is due to has failed, which is its record
//     then (hosting H13). Where only the full state is too large, the turn is stored without it.

import type { Address } from "../address.ts";
import type { Effect, Input, JournalRecord, Turn, TurnStamp } from "../entity/contract.ts";
import { type Entity, encodeRecord, linkOf, type TurnGuide } from "../entity/index.ts";
import { DroverError } from "../errors.ts";
import { isA } from "../is-a.ts";
import { messageOf } from "../message-of.ts";
import {
  type Clock,
  type CommitOutcome,
  type EntityCommit,
  type Log,
  MAX_RECORD_BYTES,
  type Random,
  silentLog,
  type StepWatch,
  type Store,
  type TimeoutHandle,
} from "../ports/index.ts";
import { Retry, type RetryLimits } from "../retry.ts";
import type { Committer } from "./committer.ts";
import { DeadlineWatch } from "./deadline-watch.ts";
import type { HostedClock } from "./hosted-clock.ts";
import { type JournalLimit, trimDue } from "./journal-limit.ts";
import type { MailBudget } from "./mail-budget.ts";
import { isSameSender, lossOf, type LostMessage, type Mail, type Settled } from "./mail.ts";
import { Mailbox, type MailboxLimits } from "./mailbox.ts";
import { bytesOf } from "./post.ts";
import { Shelf } from "./shelf.ts";
import { policyOf, type SinceSnapshot, SnapshotRhythm, storableState } from "./snapshot-rhythm.ts";
import type { OneByOne } from "./one-by-one.ts";
import { Suspects } from "./suspects.ts";
import { Timers } from "./timers.ts";
import type { Change } from "./views.ts";
import { nameOf } from "./watched.ts";

const MAX_INPUTS = 64;
/** A turn takes no further input after this long: one hot entity must not keep the others waiting. */
const MAX_TURN_MS = 5;
/** Of them at most so many that nobody waits for. */
const MAX_LAZY = 32;
/** Results that nobody waits for ride on the next turn, or on one of their own after this long. A crash before that finds their effects unconfirmed and settles them by class (rules F1). */
const LAZY_MS = 250;
/** What comes before the first input that has a key. */
const NOBODYS = { from: 0, key: "" };
/** Room is looked for often: senders from outside wait for the outcome of each try. */
const TRY_STORE_AGAIN = { firstMs: 100, longestMs: 1_000 };
const ASK_STORE_AGAIN = { firstMs: 100, longestMs: 5_000 };
/** Mailbox B4. */
const REPLACED: Settled = { kind: "refused", accepts: [], reason: "a newer message of its kind took its place while it waited" };
/** A stop waits this long for the commit under way. */
const STOP_WITHIN_MS = 3_000;

export interface ActivationPorts {
  readonly node: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly hosted: HostedClock;
  readonly mailBudget: MailBudget;
  readonly store: Store;
  readonly committer: Committer;
  readonly log: Log;
  readonly epoch: number;
  readonly wallTrusted: () => boolean;
  readonly schedule: (run: () => void) => void;
  /** Who ends a process that hangs in a step, and knows of what hung before (rules M4). */
  readonly stepWatch: StepWatch | undefined;
  readonly suspectsWay: OneByOne;
  /** Of an entity type. */
  readonly journalLimitOf: (type: string) => JournalLimit;
  /** Called with each turn that is about to be committed; where it returns a promise the commit waits for it. It never rejects. */
  readonly beforeCommit: (entity: Entity, open: Turn | undefined) => Promise<void> | undefined;
  /** Whether `changed` has listeners. */
  readonly isWatched: () => boolean;
  /** Told after the effects; never throws. */
  readonly changed: (change: Change) => void;
}

export interface ActivationOwner {
  /** Performs one effect of a committed turn. Never throws. @param input key of the one that made it happen, where somebody watches what hangs */
  perform(effect: Effect, input: string): void;
  /** A message that was accepted, and shelved, came to nothing. */
  lost(message: LostMessage, reason: string): void;
  /** The entity cannot go on here; `cause` is for its supervisor. */
  failed(cause: unknown): void;
}

export interface ActivationOptions {
  readonly mailbox: MailboxLimits;
  readonly since: SinceSnapshot;
  /** Wall time of the recovered state, ms. */
  readonly asOf: number;
}

/** `asleep`: it takes no turn until it is out of memory or roused. `waiting`: suspects of others come first (suspects P4). */
type Phase = "idle" | "scheduled" | "waiting" | "committing" | "settling" | "asleep" | "ended";

/** The turn that is being committed. */
interface OpenTurn {
  readonly turn: Turn;
  readonly taken: readonly Mail[];
  readonly change: Change;
  readonly commit: EntityCommit;
  /** Hash of its record. */
  readonly link: string;
}

/** What few entities need is made when it is first needed: an idle one is small. */
export class Activation implements TurnGuide {
  readonly entity: Entity;
  readonly since: number;
  readonly #ports: ActivationPorts;
  /** Of a volatile entity there is none. */
  readonly #rhythm: SnapshotRhythm | undefined;
  readonly #mailbox: Mailbox<Mail>;
  /** undefined: what finds no room is refused. */
  readonly #shelf: Shelf | undefined;
  readonly #owner: ActivationOwner;
  #timers: Timers | undefined;
  #deadlines: DeadlineWatch | undefined;
  /** Of the control lane; gone when nothing waits: an actor at rest holds none. */
  #urgentDeadlines: DeadlineWatch | undefined;
  #askAgain: Retry | undefined;
  #tryAgain: Retry | undefined;
  #lazy: Input[] | undefined;
  #lazyHandle: TimeoutHandle | undefined;
  #phase: Phase = "idle";
  #open: OpenTurn | undefined;
  readonly #suspects: Suspects | undefined;
  #quiet: (() => void)[] | undefined;
  #stopping: Promise<void> | undefined;
  #asOf: number;
  #usedAt: number;
  #trimmed = 0;
  /** So many inputs are stepped alone (V6). */
  #alone = 0;
  /** Of a volatile turn under watch, ascending: from which effect on they are which input's. */
  #begun: { readonly from: number; readonly key: string }[] | undefined;
  /** Where its node's own messages go that wait when it ends; undefined: nowhere. */
  #left: Mail[] | undefined;

  constructor(entity: Entity, ports: ActivationPorts, owner: ActivationOwner, options: ActivationOptions) {
    const { clock } = ports;
    this.entity = entity;
    this.#ports = ports;
    this.#owner = owner;
    this.#rhythm = this.#isVolatile ? undefined : new SnapshotRhythm(options.since, policyOf(entity.type.durability));
    this.#mailbox = new Mailbox(options.mailbox, ports.mailBudget);
    if (entity.type.root.mailbox.overflow === "shelve")
      this.#shelf = new Shelf({ entity, mailbox: this.#mailbox, budget: ports.mailBudget, clock, lost: (message, reason) => owner.lost(message, reason) });
    this.#asOf = options.asOf;
    this.since = clock.now();
    this.#usedAt = clock.monotonic();
    this.#suspects = Suspects.of(entity, ports, () => {
      if (this.#phase !== "waiting") return;
      this.#phase = "idle";
      this.#goOn();
    });
  }

  get #isVolatile(): boolean {
    return this.entity.type.durability === "volatile";
  }

  get mailboxDepth(): number {
    return this.#mailbox.depth;
  }

  /** Of messages that wait. */
  get mailboxBytes(): number {
    return this.#mailbox.bytes;
  }

  /** How long the oldest message whose arrival is known has waited; undefined when none waits. */
  get oldestMs(): number | undefined {
    for (const { at } of this.#mailbox) if (at !== undefined) return this.#ports.clock.monotonic() - at;
    return undefined;
  }

  get ended(): boolean {
    return this.#phase === "ended";
  }

  /** A turn is being committed. */
  get isOpen(): boolean {
    return this.#open !== undefined;
  }

  /** It takes messages, room in the mailbox provided. */
  get isTaking(): boolean {
    return this.#stopping === undefined && !this.ended;
  }

  /** Monotonic time of the last turn. */
  get usedAt(): number {
    return this.#usedAt;
  }

  /** Nothing waits, and no turn is open or about to begin. */
  get isAtRest(): boolean {
    return this.#phase === "idle" && this.#stopping === undefined && this.#hasNoMail;
  }

  get #hasNoMail(): boolean {
    return this.#mailbox.length === 0 && this.#lazy === undefined;
  }

  /** Wall time of the last turn that changed anything, ms. */
  get asOf(): number {
    return this.#asOf;
  }

  /** Whether the control lane has room for what others decide the amount of. */
  get hasControlRoom(): boolean {
    return this.#mailbox.hasControlRoom();
  }

  /** Arms timers and begins to take turns. */
  begin(): void {
    this.#rearm();
    this.#wake();
  }

  /** false: the mailbox is full or the entity takes nothing any more; `mail.settle` is not called. What is full may have an overflow (shelf H1). */
  offer(mail: Mail): boolean {
    return this.isTaking && this.#noteTaken(mail, this.#shelf?.isNeededFor(mail) === true ? this.#shelf.offer(mail) : this.#mailbox.offer(mail));
  }

  /** @param taken what a mailbox said to its offer */
  #noteTaken(mail: Mail, taken: Mail | boolean): boolean {
    if (taken === false) return false;
    if (taken !== true) taken.settle?.(REPLACED);
    this.#noteDeadline(mail);
    this.#wake();
    return true;
  }

  /** As `offer`, before user messages. */
  offerControl(mail: Mail): boolean {
    if (!this.isTaking || !this.#mailbox.hasControlRoom(mail.input.kind === "message" ? bytesOf(mail) : undefined)) return false;
    if (mail.deadline !== undefined) (this.#urgentDeadlines ??= this.#deadlineWatch()).note(mail.deadline);
    this.control(mail);
    return true;
  }

  /** Overtakes user messages; never refused while the entity lives. Settled with `owner-away` when it does not. */
  control(mail: Mail): void {
    if (this.ended) {
      mail.settle?.({ kind: "owner-away" });
      return;
    }
    if (mail.input.kind === "message") mail.isUrgent = true;
    this.#mailbox.control(mail);
    this.#wake();
  }

  /** As `control`, for what nobody waits for: taken with the next turn, at the latest after 250 ms. */
  lazily(input: Input): void {
    if (this.ended) return;
    (this.#lazy ??= []).push(input);
    this.#armLazy();
  }

  /** A turn of its own, as soon as none is open; its full state goes with it (rules T1). */
  async fork(input: Extract<Input, { kind: "forked" }>): Promise<Settled> {
    do await this.quiet();
    while (this.isOpen);
    if (this.#stopping !== undefined || (this.#phase !== "idle" && this.#phase !== "scheduled")) return { kind: "owner-away" };
    return new Promise((settle) => {
      this.#step([{ input, settle }]);
    });
  }

  /** Resolves when no turn is open: what is read then is the newest committed state. */
  async quiet(): Promise<void> {
    while (this.#open !== undefined) await new Promise<void>((resolve) => (this.#quiet ??= []).push(resolve));
  }

  /** Resolves when the turn that is open, or the next one, has ended; also when it has itself. */
  turned(): Promise<void> {
    return this.ended ? Promise.resolve() : new Promise((resolve) => (this.#quiet ??= []).push(resolve));
  }

  /** Only when it is at rest: takes no turn from here on, and keeps what comes. */
  sleep(): void {
    this.#phase = "asleep";
  }

  /** Whether nothing has come since it fell asleep. */
  get isUndisturbed(): boolean {
    return this.#phase === "asleep" && this.#stopping === undefined && this.#hasNoMail;
  }

  rouse(): void {
    if (this.#phase !== "asleep") return;
    this.#phase = "idle";
    this.#goOn();
  }

  /** Ends at once; only where it is at rest or undisturbed, so that nobody is told anything. */
  leave(): void {
    this.#end();
  }

  /** As `stop`, for whoever goes on with the entity here. @returns what waits and nobody would send again: messages of the node itself */
  async stopForHeir(): Promise<readonly Mail[]> {
    this.#left ??= [];
    await this.stop();
    return this.#left;
  }

  /** Lets the commit under way end, for at most 3 s, then ends. Mail that waits is settled as not taken. */
  stop(): Promise<void> {
    return (this.#stopping ??= this.#stop());
  }

  async #stop(): Promise<void> {
    const timeout = this.#ports.clock.setTimeout(() => {
      this.#abandon("the node stopped before the store had answered");
    }, STOP_WITHIN_MS);
    if (this.#askAgain?.isWaiting === true) this.#abandon("the node stopped before the store could be asked");
    if (this.#tryAgain?.isWaiting === true) this.#abandon("the node stopped while the store had no room");
    await this.quiet();
    // What was only noted is written, so that a clean stop leaves nothing unconfirmed.
    while (this.#lazy !== undefined && !this.ended) {
      this.#step(this.#takeLazy());
      await this.quiet();
    }
    this.#ports.clock.clearTimeout(timeout);
    this.#end();
  }

  #wake(): void {
    if (this.#phase !== "idle" || this.#stopping !== undefined) return;
    this.#phase = "scheduled";
    this.#ports.schedule(() => {
      if (this.#phase !== "scheduled") return;
      this.#phase = "idle";
      if (this.#stopping === undefined) this.#run();
    });
  }

  #armLazy(): void {
    this.#lazyHandle ??= this.#ports.clock.setTimeout(() => {
      this.#lazyHandle = undefined;
      this.#wake();
    }, LAZY_MS);
  }

  #takeLazy(): Mail[] {
    const lazy = this.#lazy;
    if (lazy === undefined) return [];
    this.#ports.clock.clearTimeout(this.#lazyHandle);
    this.#lazyHandle = undefined;
    const taken = lazy.splice(0, MAX_LAZY);
    if (lazy.length === 0) this.#lazy = undefined;
    return taken.map((input) => ({ input }));
  }

  /** Most entities have no timer. */
  #rearm(): void {
    const { entity } = this;
    if (this.#timers === undefined && !entity.hasTimers) return;
    (this.#timers ??= new Timers(this.#ports, (input) => {
      this.control({ input });
    })).rearm(entity);
  }

  #noteDeadline({ deadline }: Mail): void {
    if (deadline !== undefined) (this.#deadlines ??= this.#deadlineWatch()).note(deadline);
  }

  #deadlineWatch(): DeadlineWatch {
    return new DeadlineWatch(this.#ports.clock, (now) => this.#expire(now));
  }

  #run(): void {
    const isAlone = this.#alone > 0;
    if (isAlone) this.#alone--;
    const mails = this.#inTime(isAlone ? this.#mailbox.take(1) : this.#mailbox.take(MAX_INPUTS, this.#takeLazy()));
    const cut = this.#suspects === undefined ? mails : this.#suspects.cut(mails, this.#mailbox);
    if (cut === undefined) this.#phase = "waiting";
    else if (cut.length > 0) this.#step(cut);
    else this.#goOn();
  }

  /** V5. */
  #inTime(mails: readonly Mail[]): readonly Mail[] {
    if (this.#deadlines === undefined && this.#urgentDeadlines === undefined) return mails;
    const now = this.#ports.clock.monotonic();
    return mails.filter((mail) => {
      if (mail.deadline === undefined || mail.deadline > now) return true;
      mail.settle?.({ kind: "deadline" });
      return false;
    });
  }

  /** V5. */
  #expire(now: number): number | undefined {
    const isDue = (mail: Mail): boolean => mail.deadline !== undefined && mail.deadline <= now;
    for (const mail of this.#mailbox.remove(isDue)) mail.settle?.({ kind: "deadline" });
    for (const mail of this.#open?.taken ?? []) if (isDue(mail)) mail.overdue?.();
    let next: number | undefined;
    for (const { deadline } of [...this.#mailbox, ...(this.#open?.taken ?? [])]) if (deadline !== undefined && deadline > now) next = Math.min(deadline, next ?? deadline);
    return next;
  }

  /** @param instead of the mails' own inputs */
  #step(mails: readonly Mail[], instead?: readonly Input[]): void {
    const before = this.entity.revision;
    const { clock } = this.#ports;
    this.#begun = undefined;
    this.#usedAt = clock.monotonic();
    let opened: Turn | undefined;
    let turn: Turn;
    let change: Change | undefined;
    let written: Pick<OpenTurn, "commit" | "link"> | undefined;
    try {
      turn = opened = this.entity.turn(instead ?? mails.map((mail) => mail.input), stampOf(this.#ports), this);
      // Of a volatile turn that nobody watches no record is made.
      change = this.#isVolatile && !this.#ports.isWatched() ? undefined : changeOf(this.entity, turn, this.#asOf);
      written = this.#isVolatile || turn.record === undefined ? undefined : this.#writtenOf(turn, turn.record);
      this.#ports.stepWatch?.idle();
    } catch (cause) {
      this.#ports.stepWatch?.idle();
      if (opened !== undefined) this.entity.rollback();
      if (instead === undefined) {
        this.#stepAlone(mails, cause);
        return;
      }
      for (const mail of mails) mail.settle?.({ kind: "not-stored", reason: "the entity failed while it took the message; nothing of it was kept" });
      this.#fail(cause);
      return;
    }
    const isWhole = turn.consumed === mails.length;
    const taken = isWhole ? mails : mails.slice(0, turn.consumed);
    if (!isWhole) this.#mailbox.putBack(mails.slice(turn.consumed));
    if (written === undefined || change === undefined) {
      this.entity.commit();
      if (turn.revision !== before) this.#asOf = this.entity.stamp.now;
      this.#committed(turn, taken, turn.revision === before ? undefined : change);
      return;
    }
    const { commit } = written;
    const open = { turn, taken, change, ...written };
    this.#phase = "committing";
    this.#open = open;
    const { committer } = this.#ports;
    const ready = this.#ports.beforeCommit(this.entity, turn);
    void (ready === undefined ? committer.commit(commit) : ready.then(async () => committer.commit(commit))).then((outcome) => {
      if (this.#open === open) this.#answered(outcome, open);
    });
  }

  /** V6. */
  #stepAlone(mails: readonly Mail[], cause: unknown): void {
    const [only] = mails;
    if (only === undefined || mails.length > 1) {
      this.#mailbox.putBack(mails);
      this.#alone = mails.length;
      this.#goOn();
      return;
    }
    this.#ports.log.error({ err: cause, entity: this.entity.address, input: only.input.kind }, "a turn came to nothing that can be stored; its input has failed");
    const code = isA(cause, DroverError) ? cause.code : "DROVER_DATA_NOT_KEPT";
    this.#step([only], [{ kind: "attempt", of: only.input, crashes: 0, cause: `its turn cannot be stored: ${messageOf(cause)}`, code }]);
  }

  // ---- guide of its turns

  begins(input: Input, effects: number): void {
    const { stepWatch } = this.#ports;
    if (stepWatch === undefined) return;
    const { entity } = this;
    // A volatile actor's node-local message comes from nobody who sends it again, and there may be very many.
    const isNamed = !this.#isVolatile || input.kind !== "message" || input.sender.kind !== "local";
    const message = entity.messageOf(input);
    const key = isNamed ? entity.keyOf(input) : "";
    stepWatch.stepping(entity.address, message?.to ?? entity.cellOf(input), message === undefined ? `(${input.kind})` : nameOf(message.event, message.sender), key);
    if (this.#isVolatile && (key !== "" || this.#begun !== undefined)) (this.#begun ??= [NOBODYS]).push({ from: effects, key });
  }

  isOver(): boolean {
    return this.#ports.clock.monotonic() - this.#usedAt >= MAX_TURN_MS;
  }

  #makeRetry(limits: RetryLimits): Retry {
    const { clock, random } = this.#ports;
    return new Retry(clock, () => random.next(), limits);
  }

  #writtenOf(turn: Turn, record: JournalRecord): Pick<OpenTurn, "commit" | "link"> {
    const { entity } = this;
    const bytes = encodeRecord(record);
    if (bytes.byteLength > MAX_RECORD_BYTES)
      throw new DroverError("DROVER_ENTITY_TOO_LARGE", `its record would have ${String(bytes.byteLength)} bytes, a store takes ${String(MAX_RECORD_BYTES)}`);
    const link = linkOf(bytes);
    // A history opens with a full state (rules T1, T3).
    const replaces = record.incarnation === entity.incarnation ? undefined : entity.incarnation;
    const snapshot = this.#rhythm?.isDue(record.revision, bytes.byteLength) === true || replaces !== undefined ? this.#snapshotOf(turn, link) : undefined;
    if (replaces !== undefined && snapshot === undefined)
      throw new DroverError("DROVER_ENTITY_TOO_LARGE", "no new incarnation can be opened: its full state is larger than a store takes");
    const commit: EntityCommit = {
      entity: entity.address,
      type: entity.type.name,
      incarnation: record.incarnation,
      revision: record.revision,
      epoch: this.#ports.epoch,
      at: record.stamp.now,
      record: bytes,
      ...(snapshot === undefined ? {} : { snapshot, forgetsOlder: entity.type.durability === "snapshot" }),
      ...(replaces === undefined ? {} : { replaces }),
    };
    return { commit, link };
  }

  /** V6. */
  #snapshotOf(turn: Turn, link: string): Uint8Array | undefined {
    const snapshot = storableState(this.entity.state(turn, link), this.#rhythm?.isSkipping === true ? silentLog : this.#ports.log);
    if (snapshot === undefined) this.#rhythm?.skip();
    return snapshot;
  }

  #answered(outcome: CommitOutcome, open: OpenTurn): void {
    if (outcome.kind === "committed") {
      this.#stored(open);
    } else if (outcome.kind === "refused") {
      if (outcome.passing === true) this.#storeLater(open, outcome.reason);
      else this.#notStored(open, outcome.reason);
    } else {
      this.#phase = "settling";
      this.#ports.log.warn({ entity: this.entity.address, revision: open.turn.revision, reason: outcome.reason }, "commit of unknown outcome: asking the store");
      void this.#askStore(open);
    }
  }

  /** V4. */
  #notStored({ turn, taken }: OpenTurn, reason: string): void {
    this.#open = undefined;
    this.entity.rollback();
    this.#ports.log.error({ entity: this.entity.address, revision: turn.revision, reason }, "commit refused");
    for (const mail of taken) mail.settle?.({ kind: "not-stored", reason });
    this.#fail(new Error(`the store refused revision ${String(turn.revision)}: ${reason}`));
  }

  /** V3. What it had to do is its successor's now; its senders are told what is known (rules C2, F1). */
  #outlived({ turn, taken }: OpenTurn, isIn: boolean): void {
    const reason = isIn ? "another owner has gone on from this turn" : "another owner has gone on, and the store does not tell whether from this turn";
    this.#open = undefined;
    this.entity.rollback();
    this.#ports.log.error({ entity: this.entity.address, revision: turn.revision, reason }, "commit of unknown outcome: the entity has another owner");
    taken.forEach((mail, index) => {
      const result = isIn ? turn.results[index] : undefined;
      const isKnown = result !== undefined && !(result.kind === "faulted" && result.again);
      mail.settle?.(!isKnown ? { kind: "unknown", reason } : result.kind === "accepted" ? { kind: "accepted-at", revision: turn.revision } : result);
    });
    this.#fail(new Error(`revision ${String(turn.revision)}: ${reason}`));
  }

  /** V4, of a store without room. */
  #storeLater({ turn, taken }: OpenTurn, reason: string): void {
    this.#open = undefined;
    this.entity.rollback();
    this.#ports.log.warn({ entity: this.entity.address, revision: turn.revision, reason }, "commit refused for want of room; the entity goes on from what is committed");
    const isKept = ({ input }: Mail): boolean =>
      !(input.kind === "start" || input.kind === "children" || input.kind === "forked" || (input.kind === "message" && input.sender.kind !== "local"));
    for (const mail of taken) if (!isKept(mail)) mail.settle?.({ kind: "not-stored", reason });
    this.#mailbox.putBack(taken.filter(isKept));
    this.#phase = "settling";
    if (this.#stopping !== undefined) this.#abandon("the node stopped while the store had no room");
    else {
      (this.#tryAgain ??= this.#makeRetry(TRY_STORE_AGAIN)).later(() => {
        if (this.#phase !== "settling" || this.#open !== undefined) return;
        this.#phase = "idle";
        this.#goOn();
      });
    }
    this.#goOn();
  }

  /** V3: asks until the store answers. */
  async #askStore(open: OpenTurn): Promise<void> {
    const found = await this.#findInStore(open.commit).catch(() => "no answer" as const);
    if (this.#open !== open) return;
    if (found === "no answer") {
      if (this.#stopping !== undefined) this.#abandon("the node stopped before the store could be asked");
      else (this.#askAgain ??= this.#makeRetry(ASK_STORE_AGAIN)).later(() => void this.#askStore(open));
      return;
    }
    this.#askAgain?.reset();
    if (found === "written") this.#stored(open);
    else if (found === "another's") this.#notStored(open, "another owner has written this revision meanwhile");
    else if (found === "gone on from" || found === "not told") this.#outlived(open, found === "gone on from");
    else {
      this.entity.rollback();
      this.#mailbox.putBack(open.taken);
      this.#open = undefined;
      this.#phase = "idle";
      this.#goOn();
    }
  }

  /** A head at this revision or beyond is no proof: whoever took the entity over may have written it, or gone on from it. The record tells, as long as the store keeps it (rules C2, E4). */
  async #findInStore({ entity, incarnation, revision, record, replaces }: EntityCommit): Promise<"written" | "absent" | "another's" | "gone on from" | "not told"> {
    const { store } = this.#ports;
    const head = await store.revisionOf(entity);
    if (head === undefined || head.incarnation === replaces) return "absent";
    if (head.incarnation !== incarnation) return "not told";
    if (head.revision < revision) return "absent";
    const [stored] = await store.journal({ entity, after: revision - 1, before: revision + 1, limit: 1, order: "oldest-first" });
    if (stored !== undefined && Buffer.compare(stored.record, record) !== 0) return "another's";
    if (head.revision === revision) return "written";
    return stored === undefined ? "not told" : "gone on from";
  }

  #stored({ turn, taken, change, commit, link }: OpenTurn): void {
    this.entity.commit();
    this.entity.linked(link);
    const turnBytes = this.#rhythm?.committed(commit.record.byteLength, commit.snapshot !== undefined);
    this.#open = undefined;
    this.#phase = "idle";
    this.#tryAgain?.reset();
    if (turnBytes !== undefined) this.#trim(turn.revision, turnBytes);
    this.#committed(turn, taken, change);
  }

  /** The store keeps what its newest snapshots need, whatever is asked of it: looked at when there is a new one. @param turnBytes what a turn weighed lately */
  #trim(revision: number, turnBytes: number): void {
    const upTo = trimDue(this.#ports.journalLimitOf(this.entity.type.name), revision, turnBytes, this.#trimmed);
    if (upTo === undefined) return;
    this.#trimmed = upTo;
    this.#ports.store.trim(this.entity.address, upTo).catch((cause: unknown) => {
      this.#ports.log.warn({ err: cause, entity: this.entity.address }, "the journal could not be trimmed");
    });
  }

  #committed(turn: Turn, taken: readonly Mail[], change: Change | undefined): void {
    this.#rearm();
    this.#suspects?.turned(this.#ports.clock.monotonic());
    if (turn.hasReleased) this.#mailbox.putBack(this.entity.released().map((input) => this.#released(input)));
    if (change !== undefined) this.#asOf = change.at;
    this.#perform(turn.effects);
    taken.forEach((mail, index) => {
      const result = turn.results[index];
      // A restarted actor may take now what made it fail; after the third time it is set aside (hosting H13).
      if (result?.kind === "faulted" && result.again) {
        this.#again(mail);
        return;
      }
      this.#timers?.consumed(mail.input);
      if (result !== undefined) mail.settle?.(result.kind === "accepted" && !this.#isVolatile ? { kind: "accepted-at", revision: turn.revision } : result);
    });
    if (change !== undefined) this.#ports.changed(change);
    this.#goOn();
  }

  /** It was accepted: what comes to nothing now is a dead letter. */
  #released(input: Input): Mail {
    const settle = lossOf(this.entity.messageOf(input), (message, reason) => {
      this.#owner.lost(message, reason);
    });
    return { input, at: this.#usedAt, settle };
  }

  #perform(effects: readonly Effect[]): void {
    const begun = this.#begun;
    this.#begun = undefined;
    let input = 0;
    for (let at = 0; at < effects.length; at++) {
      if (begun !== undefined) while (input + 1 < begun.length && (begun[input + 1]?.from ?? 0) <= at) input++;
      this.#owner.perform(effects[at] as Effect, begun?.[input]?.key ?? "");
    }
  }

  /**
   * Behind what waits already, so that it takes nobody away; what its sender has said since goes behind it, in its order. One of the control lane keeps its place. Inputs of the entity's own are never
   * lost; a message whose mailbox has filled meanwhile was not taken.
   */
  #again(mail: Mail): void {
    const { input } = mail;
    if (input.kind !== "message") {
      this.control(mail);
      return;
    }
    if (this.#mailbox.hasNewer(mail)) {
      mail.settle?.(REPLACED);
      return;
    }
    if (!this.isTaking) {
      mail.settle?.({ kind: "owner-away" });
      return;
    }
    if (mail.isUrgent === true) {
      this.#mailbox.putBack([mail]);
      return;
    }
    const since = this.#mailbox.remove((other) => this.#isLater(other, input));
    if (!this.#noteTaken(mail, this.#mailbox.offer(mail))) mail.settle?.({ kind: "full", retryAfterMs: 100 });
    for (const each of since) {
      if (this.#mailbox.hasNewer(each)) each.settle?.(REPLACED);
      else this.#mailbox.enter(each);
    }
  }

  /**
   * Whether it waits in the user lane, or came from there, and is of the same sender; what has come back from the shelf is. What is on its way there comes after all that waits anyway (shelf H1),
   * and what was postponed had its turn before.
   */
  #isLater({ input, isUrgent, isOverflow }: Mail, { sender }: Extract<Input, { kind: "message" }>): boolean {
    if (isUrgent === true || isOverflow === true) return false;
    const message = input.kind === "shelved" ? this.entity.messageOf(input) : input;
    return message?.kind === "message" && isSameSender(message.sender, sender);
  }

  /** No turn is open any more: tells who waits for that, and goes on with what waits. */
  #goOn(): void {
    const listeners = this.#quiet;
    this.#quiet = undefined;
    if (listeners !== undefined) for (const listener of listeners) listener();
    if (this.ended) return;
    this.#shelf?.fill();
    if (this.#mailbox.length > 0) {
      this.#wake();
      return;
    }
    this.#urgentDeadlines?.stop();
    this.#urgentDeadlines = undefined;
    if (this.#lazy !== undefined) this.#armLazy();
  }

  /** The commit's end is not awaited any more: its senders do not know, and nothing of this activation counts from now on. */
  #abandon(reason: string): void {
    for (const mail of this.#open?.taken ?? []) mail.settle?.({ kind: "unknown", reason });
    this.#end();
  }

  #fail(cause: unknown): void {
    if (this.ended) return;
    this.#end();
    this.#owner.failed(cause);
  }

  #end(): void {
    if (this.ended) return;
    this.#phase = "ended";
    this.#open = undefined;
    this.#timers?.stop();
    this.#deadlines?.stop();
    this.#urgentDeadlines?.stop();
    this.#askAgain?.cancel();
    this.#tryAgain?.cancel();
    this.#ports.clock.clearTimeout(this.#lazyHandle);
    this.#lazyHandle = undefined;
    this.#shelf?.end();
    for (const mail of this.#mailbox.drain()) {
      if (this.#left !== undefined && mail.input.kind === "message" && mail.input.sender.kind === "local") this.#left.push(mail);
      else mail.settle?.({ kind: "owner-away" });
    }
    this.#goOn();
  }
}

/** What a turn changed, for those who watch. @param asOf wall time of the turn before it, ms */
export function changeOf(entity: Entity, turn: Turn, asOf: number): Change {
  const { record } = turn;
  return {
    entity: entity.address,
    incarnation: record?.incarnation ?? entity.incarnation,
    revision: turn.revision,
    at: record?.stamp.now ?? asOf,
    cells: record?.outcome.cells ?? [],
    ended: (record?.outcome.ended ?? []) as readonly Address[],
    emitted: turn.effects.flatMap((effect) => (effect.kind === "emit" ? [{ cell: effect.cell, event: effect.event }] : [])),
    record: entity.type.durability === "volatile" ? undefined : record,
  };
}

/** When a turn that begins now happens. */
export function stampOf({ clock, hosted, random }: Pick<ActivationPorts, "clock" | "hosted" | "random">): TurnStamp {
  return { now: clock.now(), elapsed: Math.floor(hosted.now()), seed: random.uint32() };
}
