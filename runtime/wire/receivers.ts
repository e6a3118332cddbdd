// Who in this process wants what from the bus: subscriptions, servers of asks, watchers of last values. Adapters hand over what arrives; nothing a receiver does reaches them.
// Few per node, never one per actor (design section 7), so a plain walk over them is enough.

import type { Clock, Delivery, Log, SubscribeOptions, Subscription } from "../ports/index.ts";
import { type AskHandler, AskServer, type Respond } from "./ask-server.ts";
import { LastValues, type Sink } from "./last-values.ts";
import { patternMatches, requirePattern } from "./names.ts";
import { MOST_TO_ONE_PEER } from "./pending-asks.ts";

export interface ReceiversOptions {
  readonly clock: Clock;
  readonly log: Log;
}

interface Subscriber {
  readonly pattern: string;
  readonly sink: Sink;
  readonly onGap: ((epoch: number) => void) | undefined;
  dropped: number;
}

export class Receivers {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #subscribers = new Set<Subscriber>();
  readonly #servers = new Set<AskServer>();
  readonly #watched = new Map<string, LastValues>();
  /** Sinks that threw: the message is lost for that sink. */
  sinkFailures = 0;

  constructor(options: ReceiversOptions) {
    this.#clock = options.clock;
    this.#log = options.log;
  }

  /** @throws DROVER_KEY_INVALID */
  subscribe(pattern: string, sink: Sink, options: SubscribeOptions = {}, closed: () => Promise<void> = done): Subscription {
    requirePattern(pattern);
    const subscriber: Subscriber = { pattern, sink, onGap: options.onGap, dropped: 0 };
    this.#subscribers.add(subscriber);
    return closing(
      () => subscriber.dropped,
      () => this.#subscribers.delete(subscriber),
      closed,
    );
  }

  /** @throws DROVER_KEY_INVALID */
  serve(pattern: string, handler: AskHandler, maxInFlight = MOST_TO_ONE_PEER, closed: () => Promise<void> = done): Subscription {
    requirePattern(pattern);
    const server = new AskServer(pattern, handler, maxInFlight, this.#clock, this.#log);
    this.#servers.add(server);
    return closing(
      () => server.refused,
      () => this.#servers.delete(server),
      closed,
    );
  }

  /** What is known of a pattern that is watched, made at its first watcher. @throws DROVER_KEY_INVALID */
  watch(pattern: string, sink: Sink, epoch: number, closed: () => Promise<void> = done): Subscription {
    requirePattern(pattern);
    const values = this.#watched.get(pattern) ?? new LastValues();
    this.#watched.set(pattern, values);
    let dropped = 0;
    const guarded: Sink = (delivery) => {
      if (!this.#hand(sink, delivery)) dropped++;
    };
    values.join(guarded, epoch);
    const leave = (): void => {
      values.leave(guarded);
      if (values.watchers === 0) this.#watched.delete(pattern);
    };
    return closing(() => dropped, leave, closed);
  }

  isWatched(pattern: string): boolean {
    return this.#watched.has(pattern);
  }

  get watchedPatterns(): readonly string[] {
    return [...this.#watched.keys()];
  }

  serves(key: string): boolean {
    for (const server of this.#servers) if (patternMatches(server.pattern, key)) return true;
    return false;
  }

  wants(key: string): boolean {
    for (const subscriber of this.#subscribers) if (patternMatches(subscriber.pattern, key)) return true;
    return this.#watchers(key).length > 0;
  }

  /** @param present a value that stood before this side asked for it: of interest to watchers only */
  deliver(delivery: Delivery, present: boolean): void {
    if (!present) {
      for (const subscriber of [...this.#subscribers]) {
        if (patternMatches(subscriber.pattern, delivery.key) && !this.#hand(subscriber.sink, delivery)) subscriber.dropped++;
      }
    }
    for (const values of this.#watchers(delivery.key)) values.offer(delivery);
  }

  /** False when nobody here serves the key. The first server that matches answers. */
  deliverAsk(delivery: Delivery, withinMs: number, respond: Respond): boolean {
    for (const server of this.#servers) {
      if (!patternMatches(server.pattern, delivery.key)) continue;
      server.take(delivery, withinMs, respond);
      return true;
    }
    return false;
  }

  beginResync(pattern?: string): void {
    for (const [watched, values] of this.#watched) if (pattern === undefined || watched === pattern) values.beginResync();
  }

  endResync(epoch: number): void {
    for (const values of [...this.#watched.values()]) values.endResync(epoch);
  }

  /** Tells every subscriber that messages may have been missed. */
  gap(epoch: number): void {
    for (const { onGap, pattern } of [...this.#subscribers]) {
      try {
        onGap?.(epoch);
      } catch (error) {
        this.#log.error({ err: error, pattern }, "a listener of gaps threw");
      }
    }
  }

  /** Asks that were refused, asks whose handler failed, asks under way. */
  get asks(): { readonly refused: number; readonly failed: number; readonly inFlight: number } {
    const servers = [...this.#servers];
    const sum = (of: (server: AskServer) => number): number => servers.reduce((total, server) => total + of(server), 0);
    return { refused: sum((server) => server.refused), failed: sum((server) => server.failed), inFlight: sum((server) => server.inFlight) };
  }

  #watchers(key: string): readonly LastValues[] {
    return [...this.#watched].filter(([pattern]) => patternMatches(pattern, key)).map(([, values]) => values);
  }

  #hand(sink: Sink, delivery: Delivery): boolean {
    try {
      sink(delivery);
      return true;
    } catch (error) {
      this.sinkFailures++;
      this.#log.error({ err: error, key: delivery.key }, "a sink threw");
      return false;
    }
  }
}

const done = (): Promise<void> => Promise.resolve();

function closing(dropped: () => number, leave: () => void, closed: () => Promise<void>): Subscription {
  let open = true;
  return {
    get dropped() {
      return dropped();
    },
    close: async () => {
      if (!open) return;
      open = false;
      leave();
      await closed();
    },
  };
}
