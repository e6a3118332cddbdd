// The topics of a node: who listens to what, and what was published. Nothing is kept here; what waits, waits with its listener.

import { topicName } from "../actor/index.ts";
import type { EventData } from "../entity/contract.ts";
import { plainCopy } from "../entity/index.ts";
import { DroverError } from "../errors.ts";
import { messageOf } from "../message-of.ts";
import { asItIsNow, isEvent } from "../xstate/index.ts";

/** As it was when it was published. */
export interface Published {
  /** To be looked at: several listeners may have it. */
  readonly event: EventData;
  /** For one listener, once: it is that one's to change. */
  own(): EventData;
}

export interface TopicListener {
  /** Takes it, drops it or refuses it; never throws. @returns whether it was taken in, to wait for its turn */
  hear(published: Published): boolean;
}

export class Topics {
  /** `taken`: handed to an actor in a turn that ended well. */
  readonly counts = { published: 0, taken: 0, overflow: 0, refused: 0 };
  readonly #listeners = new Map<string, Set<TopicListener>>();
  #listening = 0;

  /** Subscriptions that are open. */
  get listening(): number {
    return this.#listening;
  }

  /**
   * To everyone who listens now, in the order of their coming. One copy is made here: nobody outside can change it afterwards. Where several listen each has one of its own when its turn comes.
   * @returns how many took it in
   * @throws DROVER_TOPIC_INVALID for a name that is no topic, and for an event that is not plain data with a type
   */
  publish(topic: unknown, event: unknown): number {
    const listeners = this.#listeners.get(topicName(topic));
    const copy = copied(event);
    this.counts.published++;
    if (listeners === undefined) return 0;
    const published: Published = listeners.size === 1 ? { event: copy, own: () => copy } : { event: copy, own: () => asItIsNow(copy) };
    let heard = 0;
    for (const listener of listeners) if (listener.hear(published)) heard++;
    return heard;
  }

  /** @returns how it ends. @throws DROVER_TOPIC_INVALID */
  listen(topic: unknown, listener: TopicListener): () => void {
    const name = topicName(topic);
    const listeners = this.#listeners.get(name) ?? new Set<TopicListener>();
    this.#listeners.set(name, listeners.add(listener));
    this.#listening++;
    return () => {
      if (!listeners.delete(listener)) return;
      this.#listening--;
      if (listeners.size === 0) this.#listeners.delete(name);
    };
  }
}

function copied(event: unknown): EventData {
  try {
    if (isEvent(event)) return plainCopy(event) as EventData;
  } catch (cause) {
    throw new DroverError("DROVER_TOPIC_INVALID", `what is published is plain data: ${messageOf(cause)}`, { cause });
  }
  throw new DroverError("DROVER_TOPIC_INVALID", "what is published is an event: an object with a type");
}
