// One node's link to the bus in memory: the Transport contract on this side of it. The bus (memory-transport.ts) decides what arrives and when.

import type { AskOutcome, Clock, Delivery, LinkState, Log, PublishOutcome, Random, SubscribeOptions, Subscription, Transport, TransportCapabilities } from "../ports/index.ts";
import { settledWithin } from "../settled-within.ts";
import { type AskHandler, LinkWatch, PendingAsks, Receivers, replyName, requireKey, SendWindow } from "../wire/index.ts";

export type BusMessage =
  | { readonly kind: "connect" }
  | { readonly kind: "publish"; readonly key: string; readonly payload: Uint8Array; readonly last: boolean; readonly confirmed: boolean }
  | {
      readonly kind: "ask";
      readonly key: string;
      readonly payload: Uint8Array;
      readonly correlation: string;
      readonly inbox: string;
      readonly replyKey: string;
      readonly withinMs: number;
    }
  | { readonly kind: "answer"; readonly to: string; readonly replyKey: string; readonly correlation: string; readonly answer: Uint8Array | "nothing" | "no-route" };

export interface MemoryLinkOptions {
  readonly name: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly capabilities: TransportCapabilities;
  /** Sends to the bus; `arrived` is called when its word comes back. */
  readonly carry: (message: BusMessage, arrived: () => void) => void;
  /** Asks the bus for the present values of a pattern. */
  readonly present: (pattern: string, give: (values: readonly { readonly key: string; readonly payload: Uint8Array }[]) => void) => void;
  readonly isCut: () => boolean;
  /** The session that announced `key` has ended. */
  readonly ended: (key: string) => void;
}

type NotSent = { readonly kind: "unavailable"; readonly reason: string } | { readonly kind: "too-large"; readonly maxBytes: number };
type Counter = "reconnects" | "sent" | "received" | "receivedBytes" | "overloaded" | "tooLarge" | "unavailable" | "unknown" | "lateAnswers";

export class MemoryLink implements Transport {
  readonly name: string;
  readonly capabilities: TransportCapabilities;
  readonly #options: MemoryLinkOptions;
  readonly #watch: LinkWatch;
  readonly #receivers: Receivers;
  readonly #asks: PendingAsks;
  readonly #window: SendWindow<BusMessage>;
  readonly #lastDue = new Map<string, number>();
  readonly #counts: Record<Counter, number> = { reconnects: 0, sent: 0, received: 0, receivedBytes: 0, overloaded: 0, tooLarge: 0, unavailable: 0, unknown: 0, lateAnswers: 0 };
  #announced: { readonly key: string; readonly payload: () => Uint8Array } | undefined;
  #wanted = false;
  #epoch = 0;
  #generation = 0;

  constructor(options: MemoryLinkOptions) {
    this.#options = options;
    this.name = options.name;
    this.capabilities = options.capabilities;
    this.#watch = new LinkWatch(options.log);
    this.#receivers = new Receivers(options);
    this.#asks = new PendingAsks(options.clock);
    this.#window = new SendWindow({
      clock: options.clock,
      send: (message, confirmed) => {
        options.carry(message, () => {
          confirmed({ kind: "accepted" });
        });
      },
      onStuck: () => {
        this.lose("a message was not confirmed in time");
        this.connect();
      },
    });
  }

  get state(): LinkState {
    return this.#watch.state;
  }

  get counters(): Readonly<Record<string, number>> {
    const { refused, failed, inFlight } = this.#receivers.asks;
    return {
      ...this.#counts,
      inFlight: this.#window.inFlight,
      waiting: this.#window.waiting,
      waitingBytes: this.#window.waitingBytes,
      asksPending: this.#asks.size,
      asksServed: inFlight,
      asksRefused: refused,
      asksFailed: failed,
      sinkFailures: this.#receivers.sinkFailures,
    };
  }

  onState(listener: (state: LinkState) => void): () => void {
    return this.#watch.on(listener);
  }

  async start(): Promise<void> {
    if (this.#wanted) return;
    this.#wanted = true;
    this.connect();
    return Promise.resolve();
  }

  async stop(withinMs = 2_000): Promise<void> {
    if (!this.#wanted) return;
    this.#wanted = false;
    if (this.state.kind === "ready") {
      if (this.#announced !== undefined) void this.#send(this.#announced.key, new Uint8Array(0), true);
      await settledWithin(this.#window.whenIdle(), this.#options.clock, withinMs, undefined);
    }
    this.lose("stopped");
  }

  async publish(key: string, payload: Uint8Array, options: { readonly qos: "drop" | "reliable" }): Promise<PublishOutcome> {
    requireKey(key);
    const refused = this.#refusal(payload);
    if (refused !== undefined) return refused;
    if (options.qos === "reliable") return this.#send(key, payload, false);
    this.#counts.sent++;
    this.#options.carry({ kind: "publish", key, payload: new Uint8Array(payload), last: false, confirmed: false }, () => undefined);
    return Promise.resolve({ kind: "handed" });
  }

  async setLast(key: string, payload: Uint8Array): Promise<PublishOutcome> {
    requireKey(key);
    return this.#refusal(payload) ?? this.#send(key, payload, true);
  }

  async subscribe(pattern: string, sink: (delivery: Delivery) => void, options?: SubscribeOptions): Promise<Subscription> {
    return Promise.resolve(this.#receivers.subscribe(pattern, sink, options));
  }

  async serve(pattern: string, handler: AskHandler, options?: { readonly maxInFlight?: number }): Promise<Subscription> {
    return Promise.resolve(this.#receivers.serve(pattern, handler, options?.maxInFlight));
  }

  async watchLast(pattern: string, sink: (delivery: Delivery) => void): Promise<Subscription> {
    const known = this.#receivers.isWatched(pattern);
    const subscription = this.#receivers.watch(pattern, sink, this.#epoch);
    if (!known && this.state.kind === "ready") {
      await new Promise<void>((resolve) => {
        this.#options.present(pattern, (values) => {
          for (const value of values) this.#receivers.deliver({ ...value, epoch: this.#epoch }, true);
          resolve();
        });
      });
    }
    return subscription;
  }

  async ask(key: string, payload: Uint8Array, options: { readonly withinMs: number }): Promise<AskOutcome> {
    requireKey(key);
    const refused = this.#refusal(payload);
    if (refused !== undefined) return refused;
    if (!(options.withinMs > 0)) return { kind: "unavailable", reason: "no time was left to send it" };
    const noRoom = this.#asks.refusal(key);
    if (noRoom !== undefined) {
      this.#counts.overloaded++;
      return { kind: "overloaded", reason: noRoom };
    }
    const correlation = this.#options.random.id();
    const replyKey = replyName(key, this.name);
    const outcome = this.#asks.open(correlation, key, replyKey, options.withinMs);
    this.#counts.sent++;
    this.#options.carry({ kind: "ask", key, payload: new Uint8Array(payload), correlation, inbox: this.name, replyKey, withinMs: options.withinMs }, () => undefined);
    return outcome;
  }

  peerLost(key: string, reason: string): void {
    requireKey(key);
    this.#asks.losePeer(key, reason);
  }

  announce(key: string, payload: () => Uint8Array): void {
    requireKey(key);
    this.#announced = { key, payload };
  }

  // What the bus calls.

  /** Changes whenever the link is lost or tried, so that what was under way over another one is known as such. */
  get generation(): number {
    return this.#generation;
  }

  connect(): void {
    if (!this.#wanted || this.state.kind === "ready" || this.state.kind === "connecting" || this.#options.isCut()) return;
    this.#watch.change({ kind: "connecting" });
    const generation = ++this.#generation;
    this.#options.carry({ kind: "connect" }, () => {
      if (generation === this.#generation) this.#established();
    });
  }

  lose(reason: string): void {
    if (this.state.kind === "down") {
      if (this.state.reason !== reason) this.#watch.change({ kind: "down", reason });
      return;
    }
    this.#generation++;
    this.#lastDue.clear();
    this.#watch.change({ kind: "down", reason });
    this.#window.lose(reason);
    this.#asks.loseAll(reason);
    if (this.#announced !== undefined) this.#options.ended(this.#announced.key);
  }

  wants(message: BusMessage): boolean {
    if (this.state.kind !== "ready") return false;
    if (message.kind === "connect") return false;
    if (message.kind === "answer") return message.to === this.name;
    return message.kind === "ask" ? this.#receivers.serves(message.key) : this.#receivers.wants(message.key);
  }

  arrive(message: BusMessage): void {
    const epoch = this.#epoch;
    const generation = this.#generation;
    this.#counts.received++;
    if (message.kind === "publish") {
      this.#counts.receivedBytes += message.payload.length;
      this.#receivers.deliver({ key: message.key, payload: message.payload, epoch }, false);
    } else if (message.kind === "ask") {
      this.#receivers.deliverAsk({ key: message.key, payload: message.payload, epoch }, message.withinMs, (answer) => {
        if (this.#generation !== generation) return;
        this.#options.carry(
          { kind: "answer", to: message.inbox, replyKey: message.replyKey, correlation: message.correlation, answer: answer === undefined ? "nothing" : new Uint8Array(answer) },
          () => undefined,
        );
      });
    } else if (message.kind === "answer" && !this.#asks.settle(message.correlation, message.replyKey, outcomeOf(message.answer))) this.#counts.lateAnswers++;
  }

  /** Not before what was sent earlier in the same lane; see the bus. */
  after(lane: string, now: number, due: number): number {
    const last = Math.max(due, this.#lastDue.get(lane) ?? 0);
    if (this.#lastDue.size > 1_000) for (const [key, passed] of this.#lastDue) if (passed <= now) this.#lastDue.delete(key);
    this.#lastDue.set(lane, last);
    return last;
  }

  #established(): void {
    if (!this.#wanted) return;
    const generation = this.#generation;
    const epoch = ++this.#epoch;
    if (epoch > 1) this.#counts.reconnects++;
    this.#watch.change({ kind: "ready", epoch });
    if (this.#announced !== undefined) void this.#send(this.#announced.key, this.#announced.payload(), true);
    for (const pattern of this.#receivers.watchedPatterns) {
      this.#receivers.beginResync(pattern);
      this.#options.present(pattern, (values) => {
        if (this.#generation !== generation) return;
        for (const value of values) this.#receivers.deliver({ ...value, epoch }, true);
        this.#receivers.endResync(epoch);
      });
    }
    if (epoch > 1) this.#receivers.gap(epoch);
  }

  #send(key: string, payload: Uint8Array, last: boolean): Promise<PublishOutcome> {
    this.#counts.sent++;
    return this.#window.offer({ kind: "publish", key, payload: new Uint8Array(payload), last, confirmed: true }, payload.length).then((outcome) => {
      if (outcome.kind === "overloaded" || outcome.kind === "unknown" || outcome.kind === "unavailable") this.#counts[outcome.kind]++;
      return outcome;
    });
  }

  #refusal(payload: Uint8Array): NotSent | undefined {
    if (payload.length > this.capabilities.maxMessageBytes) {
      this.#counts.tooLarge++;
      return { kind: "too-large", maxBytes: this.capabilities.maxMessageBytes };
    }
    if (this.state.kind === "ready" && this.#wanted) return undefined;
    this.#counts.unavailable++;
    return { kind: "unavailable", reason: this.state.kind === "down" ? this.state.reason : "connecting" };
  }
}

function outcomeOf(answer: Uint8Array | "nothing" | "no-route"): AskOutcome {
  if (answer === "nothing") return { kind: "unknown", reason: "the other side gave no answer" };
  if (answer === "no-route") return { kind: "no-route", reason: "nobody serves this key" };
  return { kind: "replied", payload: answer };
}
