// One entity, live on this node: mailbox in, turns, commits, then effects (design section 5).
//
// V1. One turn at a time; while its commit is under way the entity takes no further turn (hosting H1).
// V2. Nothing leaves before its commit: effects, answers, views, timers and changes all follow `committed` (promise S2).
// V3. A commit of unknown outcome stops the entity until the store was asked for its revision (rules C2).
// V4. A refused commit rolls the turn back and tells its senders; the entity ends, and its supervisor recovers it from the store.

import type { Address } from "../address.ts";
import type { Effect, Input, InputResult, JournalRecord, Turn } from "../entity/contract.ts";
import { type Entity, encodeRecord, encodeState } from "../entity/index.ts";
import type { Clock, CommitOutcome, Log, Random, Store, TimeoutHandle } from "../ports/index.ts";
import type { Committer } from "./committer.ts";
import type { HostedClock } from "./hosted-clock.ts";
import { Mailbox } from "./mailbox.ts";
import { Timers } from "./timers.ts";
import type { Change } from "./views.ts";

const MAX_INPUTS = 64;
/** Results of effects that nobody waits for ride on the next turn, or on one of their own after this long. */
const LAZY_MS = 250;
const FIRST_ASK_AGAIN_MS = 100;
const LONGEST_ASK_AGAIN_MS = 5_000;

export interface Mail {
  readonly input: Input;
  /** Monotonic time after which it is not taken any more. */
  readonly deadline?: number;
  /** Told once: after the commit that contains it, or when it is clear that none will. */
  readonly settle?: (result: Settled) => void;
}

export type Settled = InputResult | { readonly kind: "accepted-at"; readonly revision: number };

export interface ActivationPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly hosted: HostedClock;
  readonly store: Store;
  readonly committer: Committer;
  readonly log: Log;
  readonly epoch: number;
  readonly wallTrusted: () => boolean;
  readonly schedule: (run: () => void) => void;
  /** Performs one effect of a committed turn. */
  readonly perform: (effect: Effect) => void;
  readonly changed: (change: Change) => void;
  /** The entity cannot go on here; `cause` is for its supervisor. */
  readonly failed: (cause: unknown) => void;
}

export interface SnapshotPolicy {
  /** A full state is stored after this many turns... */
  readonly everyTurns: number;
  /** ...and this many journal bytes. */
  readonly everyBytes: number;
}

const DEFAULT_POLICY: SnapshotPolicy = { everyTurns: 100, everyBytes: 32_768 };

type Phase = "idle" | "scheduled" | "committing" | "settling" | "stopped";

export class Activation {
  readonly entity: Entity;
  readonly #ports: ActivationPorts;
  readonly #policy: SnapshotPolicy;
  readonly #mailbox: Mailbox<Mail>;
  readonly #timers: Timers;
  readonly #lazy: Input[] = [];
  #lazyHandle: TimeoutHandle | undefined;
  #phase: Phase = "idle";
  #turnsSinceSnapshot: number;
  #bytesSinceSnapshot: number;
  #stopping: (() => void) | undefined;
  readonly since: number;
  turns = 0;

  constructor(entity: Entity, ports: ActivationPorts, options: { readonly mailboxLimit: number; readonly turnsSinceSnapshot: number; readonly policy?: SnapshotPolicy }) {
    this.entity = entity;
    this.#ports = ports;
    this.#policy = options.policy ?? DEFAULT_POLICY;
    this.#mailbox = new Mailbox(options.mailboxLimit);
    this.#turnsSinceSnapshot = options.turnsSinceSnapshot;
    this.#bytesSinceSnapshot = 0;
    this.#timers = new Timers(ports.clock, ports.hosted, ports.wallTrusted, (input) => {
      this.control(input);
    });
    this.since = ports.clock.now();
  }

  get #isVolatile(): boolean {
    return this.entity.type.durability === "volatile";
  }

  get mailboxDepth(): number {
    return this.#mailbox.depth;
  }

  get mailboxRefused(): number {
    return this.#mailbox.refused;
  }

  get stopped(): boolean {
    return this.#phase === "stopped";
  }

  /** Arms timers and begins to take turns. */
  begin(): void {
    this.#timers.rearm(this.entity);
    this.#wake();
  }

  /** false: the mailbox is full or the entity has stopped; `mail.settle` is not called. */
  offer(mail: Mail): boolean {
    if (this.#phase === "stopped" || !this.#mailbox.offer(mail)) return false;
    this.#wake();
    return true;
  }

  /** Overtakes user messages; never refused. */
  control(input: Input, settle?: (result: Settled) => void): void {
    if (this.#phase === "stopped") return;
    this.#mailbox.control(settle === undefined ? { input } : { input, settle });
    this.#wake();
  }

  /** As `control`, for what nobody waits for: taken with the next turn, at the latest after 250 ms. */
  lazily(input: Input): void {
    if (this.#phase === "stopped") return;
    this.#lazy.push(input);
    this.#lazyHandle ??= this.#ports.clock.setTimeout(() => {
      this.#lazyHandle = undefined;
      this.#wake();
    }, LAZY_MS);
  }

  /** Lets the commit under way end, then stops. Mail that waits is settled as not taken. */
  async stop(): Promise<void> {
    if (this.#phase === "stopped") return;
    if (this.#phase === "committing" || this.#phase === "settling") {
      await new Promise<void>((resolve) => {
        this.#stopping = resolve;
      });
    }
    if (this.#lazy.length > 0 && !this.stopped) await this.#lastTurn();
    this.#end({ kind: "owner-away" });
  }

  /** Writes what was only noted, so that a clean stop leaves nothing unconfirmed. */
  async #lastTurn(): Promise<void> {
    const mails = this.#takeLazy();
    const turn = this.entity.turn(mails.map((mail) => mail.input), this.#stamp());
    if (turn.record === undefined) {
      this.entity.commit();
      return;
    }
    const outcome = await this.#ports.committer.commit(this.#commitOf(turn, turn.record));
    if (outcome.kind === "committed") this.entity.commit();
    else this.entity.rollback();
  }

  #wake(): void {
    if (this.#phase !== "idle") return;
    this.#phase = "scheduled";
    this.#ports.schedule(() => {
      if (this.#phase !== "scheduled") return;
      this.#phase = "idle";
      this.#run();
    });
  }

  #takeLazy(): Mail[] {
    this.#ports.clock.clearTimeout(this.#lazyHandle);
    this.#lazyHandle = undefined;
    return this.#lazy.splice(0, MAX_INPUTS).map((input) => ({ input }));
  }

  #take(): Mail[] {
    const mails = this.#takeLazy();
    const room = MAX_INPUTS - mails.length;
    if (room > 0) mails.push(...this.#mailbox.take(room));
    const now = this.#ports.clock.monotonic();
    return mails.filter((mail) => {
      if (mail.input.kind === "timer") this.#timers.consumed(mail.input);
      if (mail.deadline === undefined || mail.deadline > now) return true;
      mail.settle?.({ kind: "deadline" });
      return false;
    });
  }

  #stamp(): { now: number; elapsed: number; seed: number } {
    return { now: this.#ports.clock.now(), elapsed: Math.floor(this.#ports.hosted.now()), seed: this.#ports.random.uint32() };
  }

  #run(): void {
    const mails = this.#take();
    if (mails.length === 0) {
      if (this.#mailbox.length > 0) this.#wake();
      return;
    }
    let turn: Turn;
    try {
      turn = this.entity.turn(mails.map((mail) => mail.input), this.#stamp());
    } catch (cause) {
      this.#fail(cause, mails);
      return;
    }
    if (turn.consumed < mails.length) this.#mailbox.putBack(mails.slice(turn.consumed));
    const taken = mails.slice(0, turn.consumed);
    if (turn.record === undefined || this.#isVolatile) {
      const change = this.#changeOf(turn);
      this.entity.commit();
      this.#committed(turn, taken, change);
      return;
    }
    this.#phase = "committing";
    const change = this.#changeOf(turn);
    void this.#ports.committer.commit(this.#commitOf(turn, turn.record)).then((outcome) => {
      this.#settled(outcome, turn, taken, change);
    });
  }

  #commitOf(turn: Turn, record: JournalRecord): Parameters<Committer["commit"]>[0] {
    const bytes = encodeRecord(record);
    this.#turnsSinceSnapshot++;
    this.#bytesSinceSnapshot += bytes.byteLength;
    const due = record.revision === 1 || (this.#turnsSinceSnapshot >= this.#policy.everyTurns && this.#bytesSinceSnapshot >= this.#policy.everyBytes);
    const snapshot = due ? encodeState(this.entity.state(turn)) : undefined;
    if (due) {
      this.#turnsSinceSnapshot = 0;
      this.#bytesSinceSnapshot = 0;
    }
    return {
      entity: this.entity.address,
      type: this.entity.type.name,
      incarnation: this.entity.incarnation,
      revision: record.revision,
      epoch: this.#ports.epoch,
      at: record.stamp.now,
      record: bytes,
      ...(snapshot === undefined ? {} : { snapshot }),
    };
  }

  #settled(outcome: CommitOutcome, turn: Turn, taken: readonly Mail[], change: Change): void {
    if (outcome.kind === "committed") {
      this.entity.commit();
      this.#phase = "idle";
      this.#committed(turn, taken, change);
    } else if (outcome.kind === "refused") {
      this.entity.rollback();
      this.#ports.log.error({ entity: this.entity.address, revision: turn.revision, reason: outcome.reason }, "commit refused");
      for (const mail of taken) mail.settle?.({ kind: "not-stored", reason: outcome.reason });
      this.#fail(new Error(`the store refused revision ${String(turn.revision)}: ${outcome.reason}`), []);
    } else {
      this.#phase = "settling";
      this.#ports.log.warn({ entity: this.entity.address, revision: turn.revision, reason: outcome.reason }, "commit of unknown outcome: asking the store");
      void this.#askStore(turn, taken, change, FIRST_ASK_AGAIN_MS);
    }
  }

  /** V3: asks until the store answers. */
  async #askStore(turn: Turn, taken: readonly Mail[], change: Change, againMs: number): Promise<void> {
    const stored = await this.#ports.store.revisionOf(this.entity.address).then(
      (revision) => ({ revision }),
      () => undefined,
    );
    if (this.#stopping !== undefined && stored === undefined) {
      for (const mail of taken) mail.settle?.({ kind: "unknown", reason: "the node stopped before the store could be asked" });
      this.#finishStopping();
      return;
    }
    if (stored === undefined) {
      this.#ports.clock.setTimeout(() => void this.#askStore(turn, taken, change, Math.min(LONGEST_ASK_AGAIN_MS, againMs * 2)), againMs);
      return;
    }
    const there = stored.revision !== undefined && stored.revision.incarnation === this.entity.incarnation && stored.revision.revision >= turn.revision;
    this.#phase = "idle";
    if (there) {
      this.entity.commit();
      this.#committed(turn, taken, change);
      return;
    }
    this.entity.rollback();
    this.#mailbox.putBack(taken);
    this.#finishStopping();
    this.#wake();
  }

  #committed(turn: Turn, taken: readonly Mail[], change: Change): void {
    this.turns++;
    this.#timers.rearm(this.entity);
    for (const effect of turn.effects) this.#ports.perform(effect);
    taken.forEach((mail, index) => {
      const result = turn.results[index];
      if (result === undefined) return;
      // A restarted actor may take now what made it fail; after the third time it is set aside (hosting H13).
      if (result.kind === "faulted" && result.again && this.#mailbox.offer(mail)) return;
      mail.settle?.(result.kind === "accepted" ? { kind: "accepted-at", revision: turn.revision } : result);
    });
    if (change.cells.length > 0 || change.ended.length > 0 || change.emitted.length > 0 || change.record !== undefined) this.#ports.changed(change);
    this.#finishStopping();
    if (this.#mailbox.length > 0) this.#wake();
  }

  #changeOf(turn: Turn): Change {
    const outcome = turn.record?.outcome;
    return {
      entity: this.entity.address,
      incarnation: this.entity.incarnation,
      revision: turn.revision,
      at: turn.record?.stamp.now ?? this.#ports.clock.now(),
      cells: outcome?.cells ?? [],
      ended: (outcome?.ended ?? []) as readonly Address[],
      emitted: turn.effects.flatMap((effect) => (effect.kind === "emit" ? [{ cell: effect.cell, event: effect.event }] : [])),
      record: this.#isVolatile ? undefined : turn.record,
    };
  }

  #finishStopping(): void {
    const resolve = this.#stopping;
    this.#stopping = undefined;
    resolve?.();
  }

  #fail(cause: unknown, mails: readonly Mail[]): void {
    for (const mail of mails) mail.settle?.({ kind: "not-stored", reason: "the entity failed while it took the message; nothing of it was kept" });
    this.#end({ kind: "owner-away" });
    this.#finishStopping();
    this.#ports.failed(cause);
  }

  #end(rest: Settled): void {
    this.#phase = "stopped";
    this.#timers.stop();
    this.#ports.clock.clearTimeout(this.#lazyHandle);
    for (const mail of this.#mailbox.drain()) mail.settle?.(rest);
  }
}
