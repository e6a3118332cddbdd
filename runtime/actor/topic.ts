// Topics: what actors of one node tell whoever listens there. Telemetry is not mail (design section 5): nothing of it is kept, acknowledged or sent to another node.

import type { CallbackActorLogic, EventObject } from "xstate";

import type { EventData } from "../entity/contract.ts";
import { DroverError } from "../errors.ts";
import { markedCallback } from "../xstate/index.ts";

const TOPIC = /^[A-Za-z0-9_.~-]{1,64}(\/[A-Za-z0-9_.~-]{1,64}){0,15}$/;
const MAX_WAITING = 10_000;

/** Input of an invoked `subscription`. */
export interface SubscriptionInput {
  /** One topic, by its whole name: up to 16 segments of 1 to 64 characters of [A-Za-z0-9_.~-], separated by `/`. */
  readonly topic: string;
}

/** What an actor emits to publish. */
export interface Publication extends EventData {
  readonly type: "drover.publication";
  readonly topic: string;
  readonly event: EventData;
}

/**
 * A source that listens to a topic of its node for as long as it is invoked, and again after a recovery; what was published in between is not heard. Its machine gets the events that its
 * protocol lists, none that is internal, has a reply or reads values; others are counted as refused. An actor that listens stays in memory. A topic that is none is the source's error.
 * @param how.waiting events that wait while the actor is busy, 1 to 10,000, default 64; what is more is dropped and counted
 * @param how.overflow what is dropped then, default `drop-oldest`
 * @throws DROVER_TYPE_INVALID
 */
export function subscription(how: { readonly waiting?: number; readonly overflow?: "drop-oldest" | "drop-newest" } = {}): CallbackActorLogic<EventObject, SubscriptionInput> {
  const { waiting = 64, overflow = "drop-oldest" } = how;
  if (!Number.isSafeInteger(waiting) || waiting < 1 || waiting > MAX_WAITING)
    throw new DroverError("DROVER_TYPE_INVALID", `subscription: waiting is a whole number from 1 to ${String(MAX_WAITING)}, this is ${String(waiting)}`);
  return markedCallback<SubscriptionInput>({ kind: "subscription", waiting, overflow });
}

/**
 * `emit(publication("weather/berlin", { type: "weather.changed", celsius: 21 }))`: published on the actor's node after the commit of its turn, and never again in a replay.
 * @throws DROVER_TOPIC_INVALID
 */
export function publication(topic: string, event: EventData): Publication {
  return { type: "drover.publication", topic: topicName(topic), event };
}

/** @throws DROVER_TOPIC_INVALID */
export function topicName(value: unknown): string {
  if (typeof value === "string" && TOPIC.test(value)) return value;
  const shown = typeof value === "string" ? JSON.stringify(value.slice(0, 128)) : typeof value;
  throw new DroverError("DROVER_TOPIC_INVALID", `${shown} is no topic: up to 16 segments of 1 to 64 characters of [A-Za-z0-9_.~-], separated by "/"`);
}
