// What leaves an entity after its commits: effects, sources, messages to other entities, answers to those who wait, supervision's reports.
//
// O1. Nothing here throws into the turn, and after `stop` nothing leaves any more: what is unfinished is the next activation's, by its class (rules F1, F2).
// O2. An effect that hangs leaves nothing but its name in the crash file: the next process knows it by that (rules M4). An `idempotent` one by its own key; a `state` one by its place and
//     the version of its actor, since it is computed under ever new keys; a `once` one is not repeated, and has no key. What a volatile entity does is the doing of the input that made
//     it happen, which may be sent again: that is set aside then.

import type { Address } from "../address.ts";
import type { AnyActorType, EntityType } from "../actor/index.ts";
import type { Effect, EffectOutcome, EventData, OutboxRow, DeliveryOutcome, SupervisionReport } from "../entity/contract.ts";
import type { Entity } from "../entity/index.ts";
import type { Answer, Told } from "../outcome.ts";
import type { Clock, Log, Random, StepWatch } from "../ports/index.ts";
import { ownOf } from "../own-of.ts";
import { asItIsNow } from "../xstate/index.ts";
import type { Activation } from "./activation.ts";
import { Answers } from "./answers.ts";
import type { RemoteMessage } from "./contract.ts";
import type { DeadLetters } from "./dead-letters.ts";
import { Effects } from "./effects.ts";
import type { SubscriptionView } from "./listening.ts";
import { Relay } from "./relay.ts";
import { RunningSources } from "./running-sources.ts";
import type { Mail } from "./mail.ts";
import type { Topics } from "./topics.ts";
import { hungBefore, watched, type Work } from "./watched.ts";

export interface OutgoingPorts {
  readonly epoch: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly deadLetters: DeadLetters;
  readonly topics: Topics;
  readonly stepWatch: StepWatch | undefined;
  readonly deliver: (message: RemoteMessage) => Promise<Told | Answer>;
}

export interface OutgoingOwner {
  reported(report: SupervisionReport): void;
  /** It is another incarnation from now on (rules T1). */
  forked(): void;
}

type Act = Extract<Effect, { kind: "act" }>;

/** Where results come back as inputs. */
type Inbox = Pick<Activation, "control" | "lazily" | "hasControlRoom">;

/** Each of its parts is made when it is first needed: most actors never need most of them. */
export class Outgoing {
  readonly #entity: Entity;
  readonly #ports: OutgoingPorts;
  readonly #owner: OutgoingOwner;
  readonly #inbox: Inbox;
  #answers: Answers | undefined;
  #relay: Relay | undefined;
  #effects: Effects | undefined;
  #sources: RunningSources | undefined;
  #areEffectsStopped = false;
  #isStopped = false;

  constructor(entity: Entity, ports: OutgoingPorts, owner: OutgoingOwner, inbox: Inbox) {
    this.#entity = entity;
    this.#ports = ports;
    this.#owner = owner;
    this.#inbox = inbox;
  }

  get #type(): EntityType {
    return this.#entity.type;
  }

  get #log(): Log {
    return this.#ports.log.child({ entity: this.#entity.address });
  }

  // ---- what is under way

  /** Somebody waits here for a reply. */
  get isWaitedFor(): boolean {
    return this.#answers !== undefined && this.#answers.size > 0;
  }

  /** As `Answers.await`. */
  awaitAnswer(id: string, withinMs: number): Promise<Answer> {
    return (this.#answers ??= new Answers(this.#ports.clock)).await(id, withinMs);
  }

  /** Rows of the outbox that have not had their last word. */
  get waiting(): number {
    return this.#relay?.waiting ?? 0;
  }

  /** Nothing of it is being tried: its messages and effects wait for their next attempts. */
  get isPausing(): boolean {
    return this.#relay?.isPausing !== false && this.#effects?.isPausing !== false;
  }

  /** As `Relay.wake`. */
  wake(receiver: Address | undefined): void {
    this.#relay?.wake(receiver);
  }

  /** As `Listening.of`. */
  subscriptionsOf(actor: Address): readonly SubscriptionView[] {
    return this.#sources?.subscriptionsOf(actor) ?? [];
  }

  // ---- effects of committed turns

  /** @param input key of the one that made it happen; empty: not known, or nobody sends that again */
  perform(effect: Effect, input: string): void {
    switch (effect.kind) {
      case "act":
        if (!this.#areEffectsStopped) (this.#effects ??= this.#makeEffects()).perform(effect, input);
        break;
      case "source.start":
        (this.#sources ??= this.#makeSources()).start(effect.cell, effect.incarnation);
        break;
      case "source.send":
        this.#sources?.send(effect.incarnation, effect.event);
        break;
      case "source.stop":
        this.#sources?.stop(effect.incarnation);
        break;
      case "answer":
        this.#answers?.settle(effect.id, effect.answer);
        break;
      case "send":
        if (!this.#isStopped) (this.#relay ??= this.#makeRelay()).enqueue(effect.row);
        break;
      case "forked":
        this.#relay?.leave(effect.under, this.#entity.incarnation);
        this.#owner.forked();
        break;
      case "log":
        this.#log.info({ actor: effect.cell, value: asItIsNow(effect.value) }, effect.label ?? "log");
        break;
      case "emit":
        // Told with the change; a publication goes to its topic too.
        if (effect.event.type === "drover.publication") this.#publish(effect.cell, effect.event);
        break;
      case "supervision":
        this.#owner.reported(effect.report);
        break;
    }
  }

  /** Told before the last commit has ended: what effects say from now on is recovery's to settle. */
  stopEffects(): void {
    this.#areEffectsStopped = true;
    const effects = this.#effects;
    if (effects === undefined) return;
    const { address } = this.#entity;
    watched(this.#ports.stepWatch, { entity: address, cell: address, what: "the abort of its effects", key: "" }, () => {
      effects.stop();
    });
  }

  stop(reason: string): void {
    this.#isStopped = true;
    this.stopEffects();
    this.#relay?.stop();
    this.#sources?.stopAll();
    this.#answers?.abandon(reason);
  }

  #makeSources(): RunningSources {
    return new RunningSources(this.#entity, { ...this.#ports, log: this.#log }, this.#inbox);
  }

  #makeRelay(): Relay {
    const { epoch, deliver, clock, random } = this.#ports;
    const { address: entity, incarnation } = this.#entity;
    const settled = (row: OutboxRow, outcome: DeliveryOutcome): void => {
      this.#settled(row, outcome);
    };
    return new Relay({ entity, incarnation, epoch, settled, deliver }, clock, random);
  }

  #makeEffects(): Effects {
    const { clock, random } = this.#ports;
    return new Effects({
      clock,
      random,
      log: this.#log,
      implementation: (cell, name) => ownOf(this.#supplier(cell as Address, name)?.effects ?? {}, name),
      withinMs: (cell, name) => ownOf(this.#supplier(cell as Address, name)?.effectWithinMs ?? {}, name),
      watched: (act, input, run) => {
        const { stepWatch } = this.#ports;
        return stepWatch === undefined ? run() : watched(stepWatch, this.#workOf(act, input), run);
      },
      performed: (key, outcome) => {
        this.#performed(key, outcome);
      },
      faulted: (act, fault) => {
        this.#inbox.control({ input: { kind: "fault", cell: act.cell, incarnation: act.incarnation, ...fault, where: `action "${act.name}"` } });
      },
    });
  }

  /** O2. */
  #workOf({ cell, key, name, declared }: Act, input: string): Work {
    const base = { entity: this.#entity.address, cell, what: `${declared === undefined ? "action" : "effect"} "${name}"` };
    if (this.#type.durability === "volatile") return { ...base, key: input, isSettledLater: true };
    if (declared === "idempotent") return { ...base, key: effectKey(key) };
    return { ...base, key: declared === "state" ? `state ${name} of ${cell} v${String(this.#type.types.get(this.#actorOf(cell))?.version ?? 0)}` : "" };
  }

  /** That the receiver took it tells the actor nothing; it only closes the row. A refusal may be what an ask waits for. */
  #settled(row: OutboxRow, outcome: DeliveryOutcome): void {
    const under = row.under?.incarnation;
    const input = { kind: "delivered", receiver: row.receiver, seq: row.seq, ...(under === undefined ? {} : { under }), outcome: asItIsNow(outcome) } as const;
    if (outcome.kind === "accepted") {
      this.#inbox.lazily(input);
      return;
    }
    const { address: entity, incarnation } = this.#entity;
    this.#ports.deadLetters.addMessage({ to: row.to, event: row.event, sender: { kind: "entity", entity, incarnation: under ?? incarnation, seq: row.seq }, reason: outcome.kind });
    this.#inbox.control({ input });
  }

  /** A plain `done` tells the actor nothing either. */
  #performed(key: string, outcome: EffectOutcome): void {
    const input = { kind: "performed", key, outcome } as const;
    if (outcome.kind === "done") this.#inbox.lazily(input);
    else this.#inbox.control({ input, ...this.#forgiving(key) });
  }

  /** An effect that hung and was not tried again is forgotten once its actor's turn with that is committed: what is pending until then would be tried again. */
  #forgiving(key: string): Pick<Mail, "settle"> {
    const { stepWatch } = this.#ports;
    const { address } = this.#entity;
    if (stepWatch === undefined || hungBefore(stepWatch, address, effectKey(key)) === 0) return {};
    return {
      settle: () => {
        if (this.#entity.pending().every((effect) => effect.key !== key)) stepWatch.settled(address, effectKey(key));
      },
    };
  }

  /** Name of the cell's actor type; of a cell that ended with the turn an empty one. */
  #actorOf(cell: Address): string {
    return this.#entity.view(cell)?.type.split("/")[0] ?? "";
  }

  /** By the cell's actor type; a cell that ended with the turn is looked for by the effect's name. */
  #supplier(cell: Address, name: string): AnyActorType | undefined {
    const own = this.#type.types.get(this.#actorOf(cell));
    const has = (type: AnyActorType): boolean => ownOf(type.effects, name) !== undefined;
    return own !== undefined && has(own) ? own : [...this.#type.types.values()].find(has);
  }

  #publish(cell: Address, { topic, event }: EventData): void {
    try {
      this.#ports.topics.publish(topic, event);
    } catch (error) {
      this.#log.warn({ err: error, actor: cell }, "what an actor published was no event for a topic");
    }
  }
}

function effectKey(key: string): string {
  return `effect ${key}`;
}
