// One entity's subscriptions to topics: what waits for its turn, within bounds, and goes in beside its mail.
//
// L1. Each subscription holds so many events as it says; what is more is dropped, oldest or newest first, and counted. Nobody is told: telemetry is not mail.
// L2. Of all subscriptions of an entity together at most 16 events are in its control lane, in turns of the subscriptions: a flood of them leaves most of every turn (64 inputs) to mail.
// L3. The actor's protocol is the door: what it does not list, what the host alone says, and what wants a reply or values is refused and counted, and logged once for each subscription.
// L4. So is a message of a type whose check hung the process twice (rules M4), until the process runs without that subscription or the actor has another version.

import { type Address, entityOf } from "../address.ts";
import type { AnyMessages, Checked } from "../actor/index.ts";
import type { EventData } from "../entity/contract.ts";
import { messageOf } from "../message-of.ts";
import type { Log, StepWatch } from "../ports/index.ts";
import type { TaskMark } from "../xstate/index.ts";
import type { Activation } from "./activation.ts";
import type { Settled } from "./mail.ts";
import { Ring } from "./ring.ts";
import type { Published, Topics } from "./topics.ts";
import { endedWell } from "./watched.ts";
import { checkUnderWatch } from "./watched-check.ts";

const MAX_UNDER_WAY = 16;

/** A subscription as a look inside shows it; counts are since it began. */
export interface SubscriptionView {
  readonly topic: string;
  readonly waiting: number;
  /** Handed to the actor in turns that ended well. */
  readonly taken: number;
  /** Did not find room. */
  readonly dropped: number;
  /** The actor's protocol does not take them. */
  readonly refused: number;
}

export interface SubscriptionSource {
  /** The source's own. */
  readonly cell: Address;
  readonly incarnation: number;
  readonly mark: Extract<TaskMark, { kind: "subscription" }>;
  readonly topic: unknown;
  /** Of the actor that listens. */
  readonly messages: AnyMessages;
  readonly version: string;
}

interface Subscription extends SubscriptionSource {
  readonly waiting: Ring<Published>;
  taken: number;
  dropped: number;
  refused: number;
}

export class Listening {
  readonly #topics: Topics;
  readonly #inbox: Pick<Activation, "control">;
  readonly #log: Log;
  readonly #watch: StepWatch | undefined;
  readonly #open = new Set<Subscription>();
  /** Have something waiting, in the order of their turns. */
  readonly #due = new Set<Subscription>();
  #underWay = 0;

  constructor(topics: Topics, inbox: Pick<Activation, "control">, log: Log, watch: StepWatch | undefined) {
    this.#watch = watch;
    this.#topics = topics;
    this.#inbox = inbox;
    this.#log = log;
  }

  /** @returns how it ends; what waits then is gone. @throws DROVER_TOPIC_INVALID */
  begin(source: SubscriptionSource): () => void {
    const begun: Subscription = { ...source, waiting: new Ring(), taken: 0, dropped: 0, refused: 0 };
    const leave = this.#topics.listen(source.topic, { hear: (published) => this.#hear(begun, published) });
    this.#open.add(begun);
    return () => {
      leave();
      this.#forgive(begun);
      this.#open.delete(begun);
      this.#due.delete(begun);
    };
  }

  /** What hung once, and has not since. */
  #forgive({ cell, version }: Subscription): void {
    const entity = entityOf(cell);
    for (const { key } of this.#watch?.hung ?? []) if (this.#watch !== undefined && key.startsWith(hearingKey(cell, version, ""))) endedWell(this.#watch, { entity, key });
  }

  /** Of the sources below `actor`. */
  of(actor: Address): readonly SubscriptionView[] {
    return [...this.#open]
      .filter(({ cell }) => cell.startsWith(`${actor}/~/`))
      .map(({ topic, waiting, taken, dropped, refused }) => ({ topic: topic as string, waiting: waiting.length, taken, dropped, refused }));
  }

  #hear(to: Subscription, published: Published): boolean {
    const { event } = published;
    const problem = this.#problemOf(to, event);
    if (problem !== undefined) {
      this.#topics.counts.refused++;
      if (to.refused++ === 0) this.#log.warn({ source: to.cell, topic: to.topic, type: event.type, problem }, "the protocol of an actor does not take what is published to it");
      return false;
    }
    const isFull = to.waiting.length >= to.mark.waiting;
    if (isFull) {
      to.dropped++;
      this.#topics.counts.overflow++;
      if (to.mark.overflow === "drop-newest") return false;
      to.waiting.shift();
    }
    to.waiting.push(published);
    this.#due.add(to);
    this.#feed();
    return true;
  }

  /** L4. */
  #problemOf({ cell, messages, version }: Subscription, event: EventData): string | undefined {
    try {
      return problemIn(
        messages,
        event,
        checkUnderWatch(this.#watch, messages, event, () => ({
          entity: entityOf(cell),
          cell,
          what: `check of ${event.type}`,
          key: hearingKey(cell, version, event.type),
          isSettledLater: true,
        })),
      );
    } catch (cause) {
      return messageOf(cause);
    }
  }

  /** L2. */
  #feed(): void {
    for (const next of this.#due) {
      if (this.#underWay >= MAX_UNDER_WAY) return;
      this.#due.delete(next);
      const event = next.waiting.shift()?.own();
      if (event === undefined) continue;
      // Added again, it comes last, and the loop comes to it.
      if (next.waiting.length > 0) this.#due.add(next);
      this.#underWay++;
      this.#inbox.control({
        input: { kind: "source", cell: next.cell, incarnation: next.incarnation, said: { kind: "event", event } },
        settle: (result) => {
          this.#settled(next, result);
        },
      });
    }
  }

  #settled(of: Subscription, result: Settled): void {
    this.#underWay--;
    if (result.kind === "accepted" || result.kind === "accepted-at") {
      of.taken++;
      this.#topics.counts.taken++;
    }
    // An entity that has ended takes nothing any more; its sources are about to be stopped.
    if (result.kind === "owner-away") this.#due.clear();
    else this.#feed();
  }
}

/** L3. */
function problemIn(messages: AnyMessages, event: EventData, checked: Checked): string | undefined {
  if (!checked.ok) return checked.problems.map(({ path, message }) => `${path}: ${message}`).join("; ");
  const spec = messages.specOf(event.type);
  return spec?.reply === undefined && spec?.reads === undefined ? undefined : `"${event.type}" has a reply or reads values: it is told or asked, not published`;
}

function hearingKey(cell: Address, version: string, type: string): string {
  return `hearing ${cell} ${version} ${type}`;
}
