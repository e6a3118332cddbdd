// The Transport port over MQTT 3.1.1 (aedes and Mosquitto alike). research/transports.md sections 5 and 7 say why it is as it is; mqtt-link.ts keeps the sessions.
//
// Y4. What was under way when a session ended is `unknown`, what waited was not sent; only the caller sends again.
// Y5. Order holds per key and kind of message (confirmed, unconfirmed, last value) while a session lasts.

import {
  type AskOutcome,
  type Delivery,
  DroverError,
  type LinkState,
  type PublishOutcome,
  type SubscribeOptions,
  type Subscription,
  type Transport,
  type TransportCapabilities,
} from "../../runtime/ports/index.ts";
import {
  type AskHandler,
  encodeSegment,
  isReserved,
  nodeName,
  patternMatches,
  PendingAsks,
  Receivers,
  replyName,
  requireKey,
  requirePattern,
  SendWindow,
  vehicleNames,
  WIRE_ROOT,
} from "../../runtime/wire/index.ts";
import { decodeAnswer, decodeAsk, encodeAnswer, encodeAsk, MAX_INBOX_BYTES } from "./ask-frame.ts";
import { MqttLink } from "./mqtt-link.ts";
import { MAX_PAYLOAD_BYTES, type MqttTransportOptions } from "./mqtt-options.ts";
import { askedKey, askFilterOf, askTopicOf, filterOf } from "./topics.ts";

/** Least time between two announcements because somebody else cleared our presence. */
const REANNOUNCE_MS = 1_000;
const ASKS_SHARE = 4;

/** @throws DROVER_CONFIG_INVALID for a URL or node name that cannot be used */
export function mqttTransport(options: MqttTransportOptions): Transport {
  return new MqttTransport(options);
}

interface Outgoing {
  readonly topic: string;
  readonly payload: Buffer;
  readonly retain: boolean;
}

interface NotSent {
  readonly kind: "unavailable" | "overloaded";
  readonly reason: string;
}

const COUNTERS = ["sent", "sentBytes", "received", "receivedBytes", "overloaded", "tooLarge", "unavailable", "unknown", "lateAnswers", "badFrames", "reannounced"] as const;

class MqttTransport implements Transport {
  readonly capabilities: TransportCapabilities = { protocol: "mqtt3", maxMessageBytes: MAX_PAYLOAD_BYTES, reasonNoRoute: false, durableLastValue: true };
  readonly #options: MqttTransportOptions;
  readonly #link: MqttLink;
  readonly #receivers: Receivers;
  readonly #asks: PendingAsks;
  readonly #window: SendWindow<Outgoing>;
  readonly #inbox: readonly string[];
  readonly #counts = Object.fromEntries(COUNTERS.map((name) => [name, 0])) as Record<(typeof COUNTERS)[number], number>;
  #announced: { readonly key: string; readonly payload: () => Uint8Array } | undefined;
  #reannouncedAt = Number.NEGATIVE_INFINITY;
  /** When the broker last gave a value that stood before. */
  #presentAt = 0;
  #stopping = false;

  constructor(options: MqttTransportOptions) {
    if (Buffer.byteLength(options.node) > MAX_INBOX_BYTES || options.node.length === 0)
      throw new DroverError("DROVER_CONFIG_INVALID", `a node's name has 1 to ${String(MAX_INBOX_BYTES)} bytes`);
    this.#options = options;
    this.#link = new MqttLink(options, {
      restoring: () => {
        this.#receivers.beginResync();
      },
      message: (topic, payload, present) => {
        this.#arrive(topic, payload, present);
      },
      lost: (reason) => {
        this.#window.lose(reason);
        this.#asks.loseAll(reason);
      },
      ready: (epoch) => {
        if (epoch > 1) this.#receivers.gap(epoch);
        this.#presentAt = options.clock.monotonic();
        this.#endResyncWhenQuiet(epoch);
      },
    });
    this.#receivers = new Receivers({ clock: options.clock, log: this.#link.log });
    this.#asks = new PendingAsks(options.clock, options.asks);
    this.#window = new SendWindow<Outgoing>({
      ...options.window,
      clock: options.clock,
      send: ({ topic, payload, retain }, confirmed) => {
        this.#link.session?.publish(topic, payload, 1, retain, () => {
          confirmed({ kind: "accepted" });
        });
      },
      onStuck: () => {
        this.#link.abandon("the broker does not confirm what it is sent");
      },
    });
    this.#inbox = inboxPatterns(options);
    for (const pattern of this.#inbox) void this.#link.need(filterOf(pattern));
  }

  get state(): LinkState {
    return this.#link.state;
  }

  get counters(): Readonly<Record<string, number>> {
    const { refused, failed, inFlight } = this.#receivers.asks;
    return {
      ...this.#counts,
      ...this.#link.counts,
      inFlight: this.#window.inFlight,
      waiting: this.#window.waiting,
      waitingBytes: this.#window.waitingBytes,
      bufferedBytes: this.#link.session?.bufferedBytes ?? 0,
      asksPending: this.#asks.size,
      asksServed: inFlight,
      asksRefused: refused,
      asksFailed: failed,
      sinkFailures: this.#receivers.sinkFailures,
    };
  }

  onState(listener: (state: LinkState) => void): () => void {
    return this.#link.onState(listener);
  }

  async start(): Promise<void> {
    this.#link.start();
    return Promise.resolve();
  }

  async stop(withinMs = 2_000): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    if (this.#link.isReady) {
      const withdrawn = this.#announced === undefined ? undefined : this.#offer(this.#announced.key, Buffer.alloc(0), true);
      await this.#link.atMost(withinMs, Promise.all([withdrawn, this.#window.whenIdle()]));
    }
    await this.#link.stop(withinMs);
    this.#stopping = false;
  }

  async publish(key: string, payload: Uint8Array, options: { readonly qos: "drop" | "reliable" }): Promise<PublishOutcome> {
    requireKey(key);
    const refused = this.#refusal(payload);
    if (refused !== undefined) return refused;
    if (options.qos === "reliable") return this.#offer(key, copy(payload), false);
    return this.#hand(key, copy(payload)) ?? { kind: "handed" };
  }

  async setLast(key: string, payload: Uint8Array): Promise<PublishOutcome> {
    requireKey(key);
    return this.#refusal(payload) ?? this.#offer(key, copy(payload), true);
  }

  async ask(key: string, payload: Uint8Array, options: { readonly withinMs: number }): Promise<AskOutcome> {
    requireKey(key);
    const refused = this.#refusal(payload);
    if (refused !== undefined) return refused;
    if (!(options.withinMs > 0)) return { kind: "unavailable", reason: "no time was left to send it" };
    const noRoom = this.#asks.refusal(key);
    if (noRoom !== undefined) return this.#overloaded(noRoom);
    const correlation = this.#options.random.id();
    const replyKey = replyName(key, this.#options.node);
    const outcome = this.#asks.open(correlation, key, replyKey, options.withinMs);
    const notSent = this.#hand(askTopicOf(key), encodeAsk({ correlation, withinMs: options.withinMs, inbox: this.#options.node, payload }), ASKS_SHARE);
    if (notSent !== undefined) this.#asks.settle(correlation, replyKey, notSent);
    return outcome;
  }

  peerLost(key: string, reason: string): void {
    requireKey(key);
    this.#asks.losePeer(key, reason);
  }

  async subscribe(pattern: string, sink: (delivery: Delivery) => void, options?: SubscribeOptions): Promise<Subscription> {
    requirePattern(pattern);
    const filter = filterOf(pattern);
    const subscription = this.#receivers.subscribe(pattern, sink, options, () => this.#link.release(filter));
    return granted(subscription, await this.#link.need(filter));
  }

  async serve(pattern: string, handler: AskHandler, options?: { readonly maxInFlight?: number }): Promise<Subscription> {
    requirePattern(pattern);
    const filter = askFilterOf(pattern);
    const subscription = this.#receivers.serve(pattern, handler, options?.maxInFlight, () => this.#link.release(filter));
    return granted(subscription, await this.#link.need(filter));
  }

  async watchLast(pattern: string, sink: (delivery: Delivery) => void): Promise<Subscription> {
    requirePattern(pattern);
    const filter = filterOf(pattern);
    const first = !this.#receivers.isWatched(pattern);
    const subscription = this.#receivers.watch(pattern, sink, this.#link.epoch, () => this.#link.release(filter));
    return granted(subscription, await this.#link.need(filter, first));
  }

  announce(key: string, payload: () => Uint8Array): void {
    requireKey(key);
    if (this.#announced?.key !== key) void this.#link.need(filterOf(key));
    this.#announced = { key, payload };
    this.#link.announce(this.#announced);
  }

  // What arrives.

  #arrive(topic: string, payload: Buffer, present: boolean): void {
    this.#counts.received++;
    this.#counts.receivedBytes += payload.length;
    if (present) this.#presentAt = this.#options.clock.monotonic();
    if (this.#inbox.some((pattern) => patternMatches(pattern, topic))) {
      this.#answered(topic, payload);
      return;
    }
    const key = askedKey(topic);
    if (key !== undefined) {
      this.#asked(key, payload);
      return;
    }
    if (topic === this.#announced?.key && payload.length === 0 && !present) this.#presenceCleared();
    if (!isReserved(topic)) this.#receivers.deliver({ key: topic, payload, epoch: this.#link.epoch }, present);
  }

  #asked(key: string, payload: Buffer): void {
    const frame = decodeAsk(payload);
    if (frame === undefined) {
      this.#counts.badFrames++;
      return;
    }
    const { session } = this.#link;
    this.#receivers.deliverAsk({ key, payload: frame.payload, epoch: this.#link.epoch }, frame.withinMs, (answer) => {
      if (session === undefined || session !== this.#link.session) return;
      const fits = answer === undefined || answer.length <= this.capabilities.maxMessageBytes;
      if (!fits) this.#counts.tooLarge++;
      this.#hand(replyName(key, frame.inbox), encodeAnswer({ correlation: frame.correlation, payload: fits ? answer : undefined }), ASKS_SHARE);
    });
  }

  #answered(topic: string, payload: Buffer): void {
    const frame = decodeAnswer(payload);
    if (frame === undefined) {
      this.#counts.badFrames++;
      return;
    }
    const outcome: AskOutcome = frame.payload === undefined ? { kind: "unknown", reason: "the other side gave no answer" } : { kind: "replied", payload: frame.payload };
    if (!this.#asks.settle(frame.correlation, topic, outcome)) this.#counts.lateAnswers++;
  }

  /** An old session's will may come after the new session's presence: the node still lives, so it says so again. */
  #presenceCleared(): void {
    const now = this.#options.clock.monotonic();
    if (!this.#link.isReady || this.#stopping || this.#announced === undefined || now - this.#reannouncedAt < REANNOUNCE_MS) return;
    this.#reannouncedAt = now;
    this.#counts.reannounced++;
    void this.#offer(this.#announced.key, copy(this.#announced.payload()), true);
  }

  /** MQTT does not say when the last of the values that stood has been given: quiet for a while must do. */
  #endResyncWhenQuiet(epoch: number): void {
    const { clock, resyncMs = 1_000 } = this.#options;
    const look = (): void => {
      if (this.#link.epoch !== epoch || !this.#link.isReady) return;
      if (clock.monotonic() - this.#presentAt < resyncMs) this.#endResyncWhenQuiet(epoch);
      else this.#receivers.endResync(epoch);
    };
    clock.setTimeout(look, resyncMs, { unref: true });
  }

  // What leaves.

  #refusal(payload: Uint8Array): { readonly kind: "unavailable"; readonly reason: string } | { readonly kind: "too-large"; readonly maxBytes: number } | undefined {
    const { maxMessageBytes } = this.capabilities;
    if (payload.length > maxMessageBytes) {
      this.#counts.tooLarge++;
      return { kind: "too-large", maxBytes: maxMessageBytes };
    }
    if (this.#link.isReady && !this.#stopping) return undefined;
    this.#counts.unavailable++;
    return { kind: "unavailable", reason: this.#stopping ? "stopping" : this.state.kind === "down" ? this.state.reason : "the link is being made" };
  }

  async #offer(topic: string, payload: Buffer, retain: boolean): Promise<PublishOutcome> {
    this.#counts.sent++;
    this.#counts.sentBytes += payload.length;
    const outcome = await this.#window.offer({ topic, payload, retain }, payload.length);
    if (outcome.kind === "overloaded" || outcome.kind === "unknown" || outcome.kind === "unavailable") this.#counts[outcome.kind]++;
    return outcome;
  }

  /** To the socket, unconfirmed; why not, if not. @param share how much of the bound it may use: asks and answers go on where a flood of messages is refused */
  #hand(topic: string, payload: Buffer, share = 1): NotSent | undefined {
    const { session } = this.#link;
    if (session === undefined) return { kind: "unavailable", reason: "the link is down" };
    const limit = share * (this.#options.maxBufferedBytes ?? 524_288);
    if (session.bufferedBytes > limit) return this.#overloaded(`${String(session.bufferedBytes)} bytes stand before the socket`);
    this.#counts.sent++;
    this.#counts.sentBytes += payload.length;
    session.publish(topic, payload, 0, false);
    return undefined;
  }

  #overloaded(reason: string): { readonly kind: "overloaded"; readonly reason: string } {
    this.#counts.overloaded++;
    return { kind: "overloaded", reason };
  }
}

/** The caller may write its buffer again, and mqtt.js keeps what it is given. */
function copy(payload: Uint8Array): Buffer {
  return Buffer.from(payload);
}

function inboxPatterns({ node, vehicle }: MqttTransportOptions): readonly string[] {
  if (vehicle !== undefined) return [vehicleNames(vehicle.tenant, vehicle.vehicle).down("@reply", encodeSegment(node))];
  return [nodeName(node, "@reply"), `${WIRE_ROOT}/v/*/*/up/@reply/${encodeSegment(node)}`];
}

function granted(subscription: Subscription, refused: boolean): Subscription {
  if (!refused) return subscription;
  return {
    denied: true,
    get dropped() {
      return subscription.dropped;
    },
    close: () => subscription.close(),
  };
}
