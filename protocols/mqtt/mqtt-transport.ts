// The Transport port over MQTT 3.1.1 (aedes and Mosquitto alike). research/transports.md sections 5 and 7 say why it is as it is.
//
// M1. Sessions are clean: no command ever waits in a broker's session (rules O3).
// M2. A session is announced last: filters first, so that who sees the node can reach it; then its presence; then `ready`.
// M3. What was under way when a session ended is `unknown`, what waited was not sent; only the caller sends again.
// M4. Order holds per key and quality of service while a session lasts.

import { DroverError } from "../../runtime/errors.ts";
import { type AskOutcome, type Delivery, type LinkState, type Log, type PublishOutcome, silentLog, type SubscribeOptions, type Subscription, type TimeoutHandle, type Transport, type TransportCapabilities } from "../../runtime/ports/index.ts";
import { type AskHandler, encodeSegment, isReserved, LinkWatch, nodeName, patternMatches, PendingAsks, Receivers, replyName, requireKey, requirePattern, SendWindow, vehicleNames, WIRE_ROOT } from "../../runtime/wire/index.ts";
import { decodeAnswer, decodeAsk, encodeAnswer, encodeAsk, MAX_INBOX_BYTES } from "./ask-frame.ts";
import { MAX_PAYLOAD_BYTES, type MqttTransportOptions } from "./mqtt-options.ts";
import { type Endpoint, MqttSession } from "./mqtt-session.ts";
import { askedKey, askFilterOf, askTopicOf, filterOf } from "./topics.ts";

/** A session that stood this long was a good one: the next wait begins small again. */
const STABLE_MS = 10_000;
/** Filters, presence: a broker that has not confirmed them by then is given up. */
const ESTABLISH_WITHIN_MS = 10_000;
const FILTERS_PER_SUBSCRIBE = 64;
/** Least time between two announcements because somebody else cleared our presence. */
const REANNOUNCE_MS = 1_000;

/** @throws DROVER_CONFIG_INVALID for a URL or node name that cannot be used */
export function mqttTransport(options: MqttTransportOptions): Transport {
  return new MqttTransport(options);
}

type Phase =
  | { readonly kind: "stopped" }
  | { readonly kind: "waiting"; readonly retry: TimeoutHandle }
  /** Connecting, or connected and not yet `ready`. */
  | { readonly kind: "opening"; readonly session: MqttSession; connected: boolean }
  | { readonly kind: "ready"; readonly session: MqttSession; readonly since: number };

interface Outgoing {
  readonly topic: string;
  readonly payload: Buffer;
  readonly retain: boolean;
}

const COUNTERS = ["reconnects", "attempts", "sent", "sentBytes", "received", "receivedBytes", "overloaded", "tooLarge", "unavailable", "unknown", "lateAnswers", "badFrames", "refusedFilters", "reannounced"] as const;

class MqttTransport implements Transport {
  readonly capabilities: TransportCapabilities = { protocol: "mqtt3", maxMessageBytes: MAX_PAYLOAD_BYTES, reasonNoRoute: false, durableLastValue: true };
  readonly #options: MqttTransportOptions;
  readonly #endpoint: Endpoint;
  readonly #log: Log;
  readonly #watch: LinkWatch;
  readonly #receivers: Receivers;
  readonly #asks: PendingAsks;
  readonly #window: SendWindow<Outgoing>;
  readonly #inbox: readonly string[];
  /** How many receivers need each filter. */
  readonly #filters = new Map<string, number>();
  readonly #counts = Object.fromEntries(COUNTERS.map((name) => [name, 0])) as Record<(typeof COUNTERS)[number], number>;
  #phase: Phase = { kind: "stopped" };
  #announced: { readonly key: string; readonly payload: () => Uint8Array } | undefined;
  #reannouncedAt = Number.NEGATIVE_INFINITY;
  /** When the broker last gave a value that stood before. */
  #presentAt = 0;
  #stopping = false;
  #epoch = 0;
  #failures = 0;

  constructor(options: MqttTransportOptions) {
    this.#options = options;
    this.#endpoint = endpointOf(options.url);
    this.#log = (options.log ?? silentLog).child({ link: options.channel ?? "mqtt", broker: `${this.#endpoint.host}:${String(this.#endpoint.port)}` });
    if (Buffer.byteLength(options.node) > MAX_INBOX_BYTES || options.node.length === 0) throw new DroverError("DROVER_CONFIG_INVALID", `the node's name has 1 to ${String(MAX_INBOX_BYTES)} bytes`);
    this.#watch = new LinkWatch(this.#log);
    this.#receivers = new Receivers({ clock: options.clock, log: this.#log });
    this.#asks = new PendingAsks(options.clock, options.maxAsks);
    this.#inbox = inboxPatterns(options);
    for (const pattern of this.#inbox) this.#filters.set(filterOf(pattern), 1);
    this.#window = new SendWindow<Outgoing>({
      ...options.window,
      clock: options.clock,
      send: ({ topic, payload, retain }, confirmed) => {
        this.#session?.publish(topic, payload, 1, retain, () => {
          confirmed({ kind: "accepted" });
        });
      },
      onStuck: () => this.#session?.destroy("the broker does not confirm what it is sent"),
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
      bufferedBytes: this.#session?.bufferedBytes ?? 0,
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
    if (this.#phase.kind === "stopped") this.#open();
    return Promise.resolve();
  }

  async stop(withinMs = 2_000): Promise<void> {
    const phase = this.#phase;
    if (phase.kind === "stopped" || this.#stopping) return;
    this.#stopping = true;
    if (phase.kind === "ready") {
      const withdrawn = this.#announced === undefined ? undefined : this.#offer(this.#announced.key, Buffer.alloc(0), true);
      await this.#atMost(withinMs, Promise.all([withdrawn, this.#window.whenIdle()]));
    }
    const left = this.#phase;
    this.#phase = { kind: "stopped" };
    if (left.kind === "waiting") this.#options.clock.clearTimeout(left.retry);
    if (left.kind === "ready") await this.#closed(left.session, withinMs);
    else if (left.kind === "opening") left.session.destroy("stopped");
    this.#stopping = false;
    this.#down("stopped");
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
    if (this.#asks.full) return this.#overloaded(`${String(this.#asks.size)} asks are open already`);
    const correlation = this.#options.random.id();
    const outcome = this.#asks.open(correlation, replyName(key, this.#options.node), options.withinMs);
    const notSent = this.#hand(askTopicOf(key), encodeAsk({ correlation, withinMs: options.withinMs, inbox: this.#options.node, payload }));
    if (notSent !== undefined) this.#asks.settle(correlation, replyName(key, this.#options.node), notSent);
    return outcome;
  }

  async subscribe(pattern: string, sink: (delivery: Delivery) => void, options?: SubscribeOptions): Promise<Subscription> {
    requirePattern(pattern);
    const filter = filterOf(pattern);
    const subscription = this.#receivers.subscribe(pattern, sink, options, () => this.#release(filter));
    return this.#granted(subscription, await this.#need(filter));
  }

  async serve(pattern: string, handler: AskHandler, options?: { readonly maxInFlight?: number }): Promise<Subscription> {
    requirePattern(pattern);
    const filter = askFilterOf(pattern);
    const subscription = this.#receivers.serve(pattern, handler, options?.maxInFlight, () => this.#release(filter));
    return this.#granted(subscription, await this.#need(filter));
  }

  async watchLast(pattern: string, sink: (delivery: Delivery) => void): Promise<Subscription> {
    requirePattern(pattern);
    const filter = filterOf(pattern);
    const first = !this.#receivers.isWatched(pattern);
    const subscription = this.#receivers.watch(pattern, sink, this.#epoch, () => this.#release(filter));
    return this.#granted(subscription, await this.#need(filter, first));
  }

  announce(key: string, payload: () => Uint8Array): void {
    requireKey(key);
    if (this.#announced === undefined) this.#filters.set(filterOf(key), (this.#filters.get(filterOf(key)) ?? 0) + 1);
    this.#announced = { key, payload };
  }

  // The life of a session.

  /** The session that has a broker behind it, ready or nearly so. */
  get #session(): MqttSession | undefined {
    const phase = this.#phase;
    return phase.kind === "ready" || (phase.kind === "opening" && phase.connected) ? phase.session : undefined;
  }

  #open(): void {
    this.#counts.attempts++;
    this.#watch.change({ kind: "connecting" });
    let session: MqttSession | undefined;
    const isPresent = (): boolean => session !== undefined && "session" in this.#phase && this.#phase.session === session;
    session = new MqttSession(this.#endpoint, this.#options, this.#announced?.key, {
      connected: () => {
        if (session !== undefined && isPresent()) void this.#establish(session);
      },
      message: (topic, payload, present) => {
        if (isPresent()) this.#arrive(topic, payload, present);
      },
      ended: (reason) => {
        if (session === undefined || isPresent()) this.#lost(reason);
      },
    });
    this.#phase = { kind: "opening", session, connected: false };
  }

  async #establish(session: MqttSession): Promise<void> {
    this.#phase = { kind: "opening", session, connected: true };
    const { clock } = this.#options;
    const deadline = clock.setTimeout(() => {
      session.destroy(`the broker did not confirm filters and presence within ${String(ESTABLISH_WITHIN_MS)} ms`);
    }, ESTABLISH_WITHIN_MS);
    this.#receivers.beginResync();
    const filters = [...this.#filters.keys()];
    for (let from = 0; from < filters.length; from += FILTERS_PER_SUBSCRIBE) {
      const refused = await session.subscribe(filters.slice(from, from + FILTERS_PER_SUBSCRIBE));
      for (const filter of refused ?? []) this.#refusedFilter(filter);
    }
    if (this.#announced !== undefined) await Promise.race([session.gone, this.#announceOver(session, this.#announced.key, this.#announced.payload())]);
    clock.clearTimeout(deadline);
    if (this.#phase.kind !== "opening" || this.#phase.session !== session) return;
    const epoch = ++this.#epoch;
    if (epoch > 1) this.#counts.reconnects++;
    this.#phase = { kind: "ready", session, since: clock.monotonic() };
    this.#log.info({ epoch }, "the link is ready");
    this.#watch.change({ kind: "ready", epoch });
    if (epoch > 1) this.#receivers.gap(epoch);
    this.#presentAt = clock.monotonic();
    this.#endResyncWhenQuiet(epoch);
  }

  /** MQTT does not say when the last of the values that stood has been given: quiet for a while must do. */
  #endResyncWhenQuiet(epoch: number): void {
    const { clock, resyncMs = 1_000 } = this.#options;
    const look = (): void => {
      if (this.#epoch !== epoch || this.#phase.kind !== "ready") return;
      if (clock.monotonic() - this.#presentAt < resyncMs) this.#endResyncWhenQuiet(epoch);
      else this.#receivers.endResync(epoch);
    };
    clock.setTimeout(look, resyncMs, { unref: true });
  }

  #announceOver(session: MqttSession, key: string, payload: Uint8Array): Promise<void> {
    return new Promise((resolve) => {
      session.publish(key, copy(payload), 1, true, () => {
        resolve();
      });
    });
  }

  #lost(reason: string): void {
    const { clock, random, reconnect = { firstMs: 250, longestMs: 8_000 } } = this.#options;
    const before = this.#phase;
    if (before.kind === "stopped") return;
    if (before.kind === "ready" && clock.monotonic() - before.since >= STABLE_MS) this.#failures = 0;
    const waitMs = random.next() * Math.min(reconnect.longestMs, reconnect.firstMs * 2 ** Math.min(this.#failures, 20));
    this.#failures++;
    if (before.kind === "ready" || this.#failures === 1) this.#log.warn({ reason }, "the link is down");
    const retry = clock.setTimeout(() => {
      this.#open();
    }, waitMs);
    this.#phase = { kind: "waiting", retry };
    this.#down(reason);
  }

  #down(reason: string): void {
    this.#watch.change({ kind: "down", reason });
    this.#window.lose(reason);
    this.#asks.loseAll(reason);
  }

  async #closed(session: MqttSession, withinMs: number): Promise<void> {
    session.close("stopped");
    await this.#atMost(Math.min(withinMs, 500), session.gone);
    session.destroy("stopped");
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
    if (!isReserved(topic)) this.#receivers.deliver({ key: topic, payload, epoch: this.#arrivalEpoch }, present);
  }

  /** Values that arrive while a session is being established belong to the epoch that it is about to have. */
  get #arrivalEpoch(): number {
    return this.#phase.kind === "opening" ? this.#epoch + 1 : this.#epoch;
  }

  #asked(key: string, payload: Buffer): void {
    const frame = decodeAsk(payload);
    if (frame === undefined) {
      this.#counts.badFrames++;
      return;
    }
    const session = this.#session;
    this.#receivers.deliverAsk({ key, payload: frame.payload, epoch: this.#arrivalEpoch }, frame.withinMs, (answer) => {
      if (session === undefined || session !== this.#session) return;
      const fits = answer === undefined || answer.length <= this.capabilities.maxMessageBytes;
      if (!fits) this.#counts.tooLarge++;
      this.#hand(replyName(key, frame.inbox), encodeAnswer({ correlation: frame.correlation, payload: fits ? answer : undefined }));
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
    if (this.#phase.kind !== "ready" || this.#stopping || this.#announced === undefined || now - this.#reannouncedAt < REANNOUNCE_MS) return;
    this.#reannouncedAt = now;
    this.#counts.reannounced++;
    void this.#offer(this.#announced.key, copy(this.#announced.payload()), true);
  }

  // What leaves.

  #refusal(payload: Uint8Array): { readonly kind: "unavailable"; readonly reason: string } | { readonly kind: "too-large"; readonly maxBytes: number } | undefined {
    const { maxMessageBytes } = this.capabilities;
    if (payload.length > maxMessageBytes) {
      this.#counts.tooLarge++;
      return { kind: "too-large", maxBytes: maxMessageBytes };
    }
    if (this.#phase.kind === "ready" && !this.#stopping) return undefined;
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

  /** To the socket, unconfirmed; why not, if not. */
  #hand(topic: string, payload: Buffer): { readonly kind: "unavailable" | "overloaded"; readonly reason: string } | undefined {
    const session = this.#session;
    if (session === undefined) return { kind: "unavailable", reason: "the link is down" };
    const limit = this.#options.maxBufferedBytes ?? 8_388_608;
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

  // Filters.

  /** True when the broker refuses the filter. @param again subscribe even if it stands, so that the broker gives its last values */
  async #need(filter: string, again = false): Promise<boolean> {
    const needed = this.#filters.get(filter) ?? 0;
    this.#filters.set(filter, needed + 1);
    const session = this.#session;
    if (session === undefined || (needed > 0 && !again)) return false;
    const refused = (await session.subscribe([filter]))?.has(filter) ?? false;
    if (refused) this.#refusedFilter(filter);
    return refused;
  }

  async #release(filter: string): Promise<void> {
    const needed = (this.#filters.get(filter) ?? 1) - 1;
    if (needed > 0) {
      this.#filters.set(filter, needed);
      return;
    }
    this.#filters.delete(filter);
    await this.#session?.unsubscribe(filter);
  }

  #refusedFilter(filter: string): void {
    this.#counts.refusedFilters++;
    this.#log.warn({ filter }, "the broker refuses a subscription");
  }

  #granted(subscription: Subscription, refused: boolean): Subscription {
    if (!refused) return subscription;
    return {
      denied: true,
      get dropped() {
        return subscription.dropped;
      },
      close: () => subscription.close(),
    };
  }

  async #atMost(withinMs: number, work: Promise<unknown>): Promise<void> {
    let timer: TimeoutHandle | undefined;
    const limit = new Promise<void>((resolve) => {
      timer = this.#options.clock.setTimeout(resolve, withinMs);
    });
    await Promise.race([work, limit]);
    this.#options.clock.clearTimeout(timer);
  }
}

/** A copy: the caller may write its buffer again, and mqtt.js keeps what it is given. */
function copy(payload: Uint8Array): Buffer {
  return Buffer.from(payload);
}

function inboxPatterns({ node, vehicle }: MqttTransportOptions): readonly string[] {
  if (vehicle !== undefined) return [vehicleNames(vehicle.tenant, vehicle.vehicle).down("@reply", encodeSegment(node))];
  return [nodeName(node, "@reply"), `${WIRE_ROOT}/v/*/*/up/@reply/${encodeSegment(node)}`];
}

function endpointOf(text: string): Endpoint {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new DroverError("DROVER_CONFIG_INVALID", `"${text}" is no URL; expected mqtt://host:port or mqtts://host:port`);
  }
  const secure = url.protocol === "mqtts:" || url.protocol === "tls:";
  if ((!secure && url.protocol !== "mqtt:" && url.protocol !== "tcp:") || url.hostname === "") throw new DroverError("DROVER_CONFIG_INVALID", `"${text}": expected mqtt://host:port or mqtts://host:port`);
  const part = (value: string): string | undefined => (value === "" ? undefined : decodeURIComponent(value));
  return { host: url.hostname.replace(/^\[|\]$/g, ""), port: url.port === "" ? (secure ? 8883 : 1883) : Number(url.port), secure, username: part(url.username), password: part(url.password) };
}
