// An entity with everything that hangs on it here: activation, effects, sources, outbox lines, waiting askers.

import { type Address, entityOf, kindOf } from "../address.ts";
import type { AnyActorType, EntityType } from "../actor/index.ts";
import type { DoorReads, Effect, EffectOutcome, EventData, Input, Sender, SupervisionReport, TakenEntry } from "../entity/contract.ts";
import { type CellView, createEntity, decodeRecord, decodeState, encodeState, type Entity, restoreEntity } from "../entity/index.ts";
import type { Answer, Told } from "../outcome.ts";
import type { Clock, Log, Random, Store } from "../ports/index.ts";
import { Activation, type Settled } from "./activation.ts";
import { Answers } from "./answers.ts";
import type { Committer } from "./committer.ts";
import type { EntityNode, EntityOptions, RemoteMessage } from "./contract.ts";
import type { DeadLetters } from "./dead-letters.ts";
import { Effects } from "./effects.ts";
import type { HostedClock } from "./hosted-clock.ts";
import { Relay } from "./relay.ts";
import { entryOutcome, toldOf } from "./told.ts";
import { Sources } from "../xstate/index.ts";
import type { ActorView, Change } from "./views.ts";

export interface HostedEntityPorts {
  readonly node: string;
  readonly epoch: number;
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly committer: Committer;
  readonly hosted: HostedClock;
  readonly wallTrusted: () => boolean;
  readonly schedule: (run: () => void) => void;
  readonly deadLetters: DeadLetters;
  readonly changed: (change: Change) => void;
  readonly deliver: (message: RemoteMessage) => Promise<Told | Answer>;
  readonly restarted: () => void;
  readonly diverged: () => void;
}

interface Failure {
  readonly reason: string;
  readonly error?: string;
  readonly at: number;
}

export class HostedEntity {
  readonly address: Address;
  readonly type: string;
  /** Resolves at a clean stop, rejects with the cause when the entity cannot go on here. */
  readonly ended: Promise<void>;
  readonly #ports: HostedEntityPorts;
  readonly #entityType: EntityType;
  readonly #entity: Entity;
  readonly #activation: Activation;
  readonly #effects: Effects;
  readonly #relay: Relay;
  readonly #sources: Sources;
  readonly #sourceCells = new Map<number, Address>();
  readonly #answers: Answers;
  readonly #restarts = new Map<string, number>();
  readonly #lastExit = new Map<string, Failure>();
  readonly #options: EntityOptions;
  readonly #isNew: boolean;
  #asOf: number;
  #end: (cause?: unknown) => void = () => undefined;

  /** Recovers the entity from the store, or makes a new history; takes no turn before `begin`. */
  static async activate(address: Address, type: EntityType, options: EntityOptions, ports: HostedEntityPorts): Promise<HostedEntity> {
    const stored = type.durability === "volatile" ? undefined : await ports.store.load(address);
    if (stored === undefined) return new HostedEntity(address, type, options, ports, createEntity(type, address, ports.random.id()), true, 0, ports.clock.now());
    const { entity, divergences, migrated } = restoreEntity(type, address, {
      snapshot: stored.snapshot === undefined ? undefined : decodeState(stored.snapshot.state),
      records: stored.records.map((record) => decodeRecord(record.record)),
    });
    for (const divergence of divergences) {
      ports.diverged();
      ports.log.error({ ...divergence }, "a replayed turn differed from what was committed; the committed outcome stands");
    }
    const last = stored.records.at(-1);
    const stamp = last === undefined ? decodeStampOf(stored) : decodeRecord(last.record).stamp;
    ports.hosted.atLeast(stamp.elapsed);
    return new HostedEntity(address, type, options, ports, entity, false, migrated ? Number.POSITIVE_INFINITY : stored.records.length, stamp.now);
  }

  private constructor(address: Address, type: EntityType, options: EntityOptions, ports: HostedEntityPorts, entity: Entity, isNew: boolean, turnsSinceSnapshot: number, asOf: number) {
    this.address = address;
    this.type = type.name;
    this.#ports = ports;
    this.#entityType = type;
    this.#entity = entity;
    this.#options = options;
    this.#isNew = isNew;
    this.#asOf = asOf;
    this.ended = new Promise((resolve, reject) => {
      this.#end = (cause) => {
        if (cause === undefined) resolve();
        else reject(cause instanceof Error ? cause : new Error(String(cause)));
      };
    });
    this.ended.catch(() => undefined); // a supervisor listens when there is one
    this.#answers = new Answers(ports.clock);
    this.#activation = new Activation(
      entity,
      {
        ...ports,
        perform: (effect) => {
          this.#perform(effect);
        },
        changed: (change) => {
          this.#asOf = change.at;
          ports.changed(change);
        },
        failed: (cause) => {
          this.#release("the entity failed");
          this.#end(cause);
        },
      },
      { mailboxLimit: type.root.mailbox.messages, turnsSinceSnapshot },
    );
    this.#effects = new Effects({
      clock: ports.clock,
      random: ports.random,
      log: ports.log,
      typeOf: (cell) => this.#typeOf(cell),
      performed: (key, outcome) => {
        this.#performed(key, outcome);
      },
      faulted: (act, error) => {
        this.#activation.control({ kind: "fault", cell: act.cell, incarnation: act.incarnation, error });
      },
    });
    this.#sources = new Sources({
      said: (incarnation, said) => {
        const cell = this.#sourceCells.get(incarnation);
        if (cell !== undefined) this.#activation.control({ kind: "source", cell, incarnation, said });
      },
      failedToStop: (incarnation, error) => {
        ports.log.warn({ err: error, source: this.#sourceCells.get(incarnation) }, "a source failed while it was stopped");
      },
    });
    entity.onPost((input) => {
      this.#activation.control(input);
    });
    this.#relay = new Relay(
      {
        entity: address,
        incarnation: entity.incarnation,
        epoch: ports.epoch,
        settled: (receiver, seq, outcome) => {
          this.#activation.control({ kind: "delivered", receiver, seq, outcome });
        },
        deliver: ports.deliver,
      },
      ports.clock,
      ports.random,
    );
  }

  /** First turn of a new history, or what recovery must say; resolves when that is committed. @throws what the first turn failed with */
  async begin(): Promise<void> {
    const { input, labels = {}, children } = this.#options;
    const first: Promise<void>[] = [];
    const say = (said: Input): void => {
      first.push(
        new Promise((resolve, reject) => {
          this.#activation.control(said, (result) => {
            if (result.kind === "accepted-at" || result.kind === "accepted" || result.kind === "dropped") resolve();
            else reject(new Error(`${said.kind}: ${"error" in result ? result.error : "reason" in result ? String(result.reason) : result.kind}`));
          });
        }),
      );
    };
    if (this.#isNew) say({ kind: "start", input, labels });
    if (children !== undefined) say({ kind: "children", specs: children });
    if (!this.#isNew) {
      for (const said of this.#entity.recoveryInputs(this.#ports.clock.now())) say(said);
      for (const effect of this.#entity.recoveryEffects()) this.#perform(effect);
    }
    this.#activation.begin();
    await Promise.all(first);
  }

  async stop(): Promise<void> {
    this.#effects.stop();
    await this.#activation.stop();
    this.#release("the node stopped hosting the entity");
    this.#end();
  }

  get mailboxDepth(): number {
    return this.#activation.mailboxDepth;
  }

  get outboxDepth(): number {
    return this.#relay.waiting;
  }

  /** The receiver of waiting rows may be in reach again. */
  wake(): void {
    this.#relay.wake();
  }

  // ---- messages in

  take(message: RemoteMessage, reads: DoorReads | undefined, fingerprint: string | undefined): Promise<Told | Answer> {
    const { clock, deadLetters } = this.#ports;
    const sender: Sender = message.sender.kind === "outside" && fingerprint !== undefined ? { ...message.sender, fingerprint } : message.sender;
    const input: Input = {
      kind: "message",
      to: message.to,
      event: message.event,
      sender,
      wantsReply: message.ask || message.replyKey !== undefined,
      ...(reads === undefined ? {} : { reads }),
      ...(message.replyKey === undefined ? {} : { replyKey: message.replyKey }),
      ...(message.answers === undefined ? {} : { answers: message.answers }),
    };
    const deadline = clock.monotonic() + message.withinMs;
    return new Promise((resolve) => {
      const settle = (result: Settled): void => {
        if (result.kind === "dropped") deadLetters.add({ to: message.to, type: message.event.type, from: message.sender.kind === "entity" ? message.sender.entity : message.sender.author, reason: result.reason });
        resolve(this.#answerTo(result, message, deadline));
      };
      if (!this.#activation.offer({ input, deadline, settle })) resolve(this.#activation.stopped ? { kind: "owner-away" } : { kind: "full", retryAfterMs: 100 });
    });
  }

  /** After the commit: the word that it was taken, or the reply once it is there. */
  #answerTo(result: Settled, message: RemoteMessage, deadline: number): Told | Answer | Promise<Answer> {
    const entry = result.kind === "duplicate" ? result.entry : undefined;
    if (entry !== undefined) return this.repeated(entry, message);
    const told = toldOf(result);
    if (!message.ask || told.kind !== "accepted" || message.sender.kind !== "outside") return told;
    const taken = this.taken(message.sender.id);
    return taken?.answer ?? this.#answers.await(message.sender.id, Math.max(0, deadline - this.#ports.clock.monotonic()));
  }

  /** The same id again: the same outcome, and the same reply or a seat beside those who wait for it (rules M2). */
  repeated(entry: TakenEntry, message: RemoteMessage): Told | Answer | Promise<Answer> {
    if (!message.ask || entry.outcome.kind !== "accepted") return entryOutcome(entry);
    return entry.answer ?? this.#answers.await(entry.id, message.withinMs);
  }

  notify(to: Address, event: EventData, reads: DoorReads | undefined): boolean {
    return this.#activation.offer({
      input: { kind: "message", to, event, sender: { kind: "local", name: this.#ports.node }, wantsReply: false, ...(reads === undefined ? {} : { reads }) },
      settle: (result) => {
        if (result.kind === "dropped") this.#ports.deadLetters.add({ to, type: event.type, from: "local", reason: result.reason });
      },
    });
  }

  inform(to: Address, event: EventData): Promise<Told> {
    return new Promise((resolve) => {
      this.#activation.control({ kind: "message", to, event, sender: { kind: "local", name: this.#ports.node }, wantsReply: false }, (result) => {
        resolve(toldOf(result));
      });
      if (this.#activation.stopped) resolve({ kind: "owner-away" });
    });
  }

  taken(id: string): TakenEntry | undefined {
    return this.#entity.taken(id);
  }

  // ---- effects out

  #perform(effect: Effect): void {
    switch (effect.kind) {
      case "act":
        this.#effects.perform(effect);
        break;
      case "source.start":
        this.#startSource(effect.cell, effect.incarnation);
        break;
      case "source.send":
        this.#sources.send(effect.incarnation, effect.event);
        break;
      case "source.stop":
        this.#sources.stop(effect.incarnation);
        this.#sourceCells.delete(effect.incarnation);
        break;
      case "answer":
        this.#answers.settle(effect.id, effect.answer);
        break;
      case "send":
        this.#relay.enqueue(effect.row);
        break;
      case "log":
        this.#ports.log.info({ actor: effect.cell, value: effect.value }, effect.label ?? "log");
        break;
      case "emit":
        break; // told with the change
      case "supervision":
        this.#report(effect.report);
        break;
    }
  }

  #startSource(cell: Address, incarnation: number): void {
    const source = this.#entity.source(cell, incarnation);
    // An ask has no source of its own: its message left by the outbox and its answer comes as one.
    if (source === undefined || source.task?.kind === "ask") return;
    this.#sourceCells.set(incarnation, cell);
    const { kind, logic, input, self, system, key, name = "" } = source;
    const supplied = source.task === undefined ? undefined : this.#entityType.types.get(source.actor)?.tasks[name];
    const cause = { author: undefined, messageId: undefined };
    const task =
      source.task === undefined
        ? undefined
        : (given: unknown, signal: AbortSignal): unknown => {
            if (supplied === undefined) throw new Error(`this node does not supply the task "${name}"`);
            return supplied(given as never, { key, signal, actor: cell, cause });
          };
    this.#sources.start({ incarnation, kind, logic, task, input, self, system });
  }

  #performed(key: string, outcome: EffectOutcome): void {
    const input: Input = { kind: "performed", key, outcome };
    // A plain `done` tells the actor nothing; it only closes the outbox row and may wait for the next turn.
    if (outcome.kind === "done") this.#activation.lazily(input);
    else this.#activation.control(input);
  }

  #report(report: SupervisionReport): void {
    const { log, clock } = this.#ports;
    this.#lastExit.set(report.offender, { reason: report.context, error: report.reason, at: clock.now() });
    log.warn({ supervisor: this.address, ...report }, "supervision");
    if (report.context === "child_restarted") {
      this.#restarts.set(report.offender, report.restarts);
      this.#ports.restarted();
    }
    if (report.context === "entity_failed") {
      this.#release("the entity failed");
      void this.#activation.stop().then(() => {
        this.#end(new Error(report.reason));
      });
    }
  }

  #release(reason: string): void {
    this.#effects.stop();
    this.#relay.stop();
    this.#sources.stopAll();
    this.#answers.abandon(reason);
  }

  // ---- views (committed state only, rules C4)

  #typeOf(cell: string): AnyActorType | undefined {
    const view = this.#entity.view(cell as Address);
    return view === undefined ? undefined : this.#entityType.types.get(view.type);
  }

  view(address: Address): ActorView | undefined {
    const view = this.#entity.view(address);
    return view === undefined ? undefined : this.#toView(view);
  }

  *views(): Iterable<ActorView> {
    for (const view of this.#entity.views()) if (view.role !== "inner") yield this.#toView(view);
  }

  #toView(cell: CellView): ActorView {
    const { node, epoch } = this.#ports;
    return {
      address: cell.address,
      entity: entityOf(cell.address),
      kind: kindOf(cell.address),
      type: cell.type,
      version: cell.version,
      status: cell.status,
      state: cell.value,
      context: cell.context,
      accepts: cell.accepts,
      durability: this.#entityType.durability,
      revision: this.#entity.revision,
      incarnation: this.#entity.incarnation,
      owner: { node, epoch },
      node,
      asOf: this.#asOf,
      labels: this.#entity.labels,
    };
  }

  encodedState(): { readonly type: string; readonly incarnation: string; readonly revision: number; readonly encoded: Uint8Array } {
    const state = this.#entity.state();
    return { type: this.type, incarnation: state.incarnation, revision: state.revision, encoded: encodeState(state) };
  }

  describe(): EntityNode {
    const node = (address: Address, kind: EntityNode["kind"], state: string, children: readonly EntityNode[]): EntityNode => {
      const lastExit = this.#lastExit.get(address);
      return { id: address, kind, state, restarts: this.#restarts.get(address) ?? 0, since: this.#activation.since, ...(lastExit === undefined ? {} : { lastExit }), children };
    };
    const children = [...this.#entity.views()].filter((view) => view.role === "child").map((view) => node(view.address, "actor", view.status, []));
    return node(this.address, "entity", this.#activation.stopped ? "stopped" : "running", children);
  }
}

function decodeStampOf(stored: { readonly snapshot: { readonly state: Uint8Array } | undefined }): { readonly now: number; readonly elapsed: number } {
  return stored.snapshot === undefined ? { now: 0, elapsed: 0 } : decodeState(stored.snapshot.state).stamp;
}
