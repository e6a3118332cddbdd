// One bus between nodes (memory, MQTT, later Zenoh). research/transports.md section 7 is the contract; design section 7 decides the names.
// Keys are `/`-separated segments of [A-Za-z0-9_.~@%-]+ that do not begin with `@`; patterns add `*` (one level) and a final `**` (the rest).
// Outcomes are values: nothing here throws for what a network does.

export interface TransportCapabilities {
  readonly protocol: "memory" | "mqtt3" | "mqtt5" | "zenoh";
  /** Largest payload that `publish` and `ask` accept, bytes. */
  readonly maxMessageBytes: number;
  /** The bus tells when a published message reached nobody. */
  readonly reasonNoRoute: boolean;
  /** Values set with `setLast` outlive their writer's process. */
  readonly durableLastValue: boolean;
}

/** `epoch` counts sessions of this process from 1; it grows with every successful reconnect. */
export type LinkState = { readonly kind: "down"; readonly reason: string } | { readonly kind: "connecting" } | { readonly kind: "ready"; readonly epoch: number };

export type PublishOutcome =
  /** Given to a live link in order; nobody confirmed it. */
  | { readonly kind: "handed" }
  /** The broker confirmed it (QoS 1). Never a claim of delivery. */
  | { readonly kind: "accepted" }
  | { readonly kind: "unavailable" | "overloaded"; readonly reason: string }
  | { readonly kind: "too-large"; readonly maxBytes: number }
  /** The link was lost while it was in flight. */
  | { readonly kind: "unknown"; readonly reason: string };

export type AskOutcome =
  | { readonly kind: "replied"; readonly payload: Uint8Array }
  /** Not sent: the link is down, the local bound is hit, or the bus says that nobody listens. */
  | { readonly kind: "unavailable" | "overloaded" | "no-route"; readonly reason: string }
  | { readonly kind: "too-large"; readonly maxBytes: number }
  /** Sent, and no answer by the deadline or before the link was lost: it may have been acted on. */
  | { readonly kind: "unknown"; readonly reason: string };

export interface Delivery {
  readonly key: string;
  readonly payload: Uint8Array;
  /** Session of this transport in which it arrived. */
  readonly epoch: number;
}

export interface Subscription {
  /** Messages that the bounded sink refused or that were dropped by policy. */
  readonly dropped: number;
  /** The bus does not let this node have the pattern: nothing will arrive. */
  readonly denied?: boolean;
  close(): Promise<void>;
}

export interface SubscribeOptions {
  /** Called after every re-subscribe, since messages may have been missed before it. */
  readonly onGap?: (epoch: number) => void;
}

export interface Transport {
  readonly capabilities: TransportCapabilities;
  readonly state: LinkState;
  /** Calls `listener` on every change of state, never synchronously from this call. Returns how to stop. */
  onState(listener: (state: LinkState) => void): () => void;
  /** Begins connecting; resolves at once. Connection losses are retried for ever with backoff and full jitter. */
  start(): Promise<void>;
  /** Withdraws presence, lets what is in flight end for at most `withinMs`, closes. */
  stop(withinMs?: number): Promise<void>;

  /** Order holds per key and `qos` while an epoch lasts. Nothing is sent again by itself. @throws DROVER_KEY_INVALID, as all methods that take a key or pattern */
  publish(key: string, payload: Uint8Array, options: { readonly qos: "drop" | "reliable" }): Promise<PublishOutcome>;
  /** `sink` is synchronous and must not block. The subscription survives reconnects. */
  subscribe(pattern: string, sink: (delivery: Delivery) => void, options?: SubscribeOptions): Promise<Subscription>;
  /** Sends to whoever serves `key`; settles by `withinMs` whatever the link does. At most 256 are open to one peer (all keys of one side of a vehicle, or of a node), 8,192 in all. */
  ask(key: string, payload: Uint8Array, options: { readonly withinMs: number }): Promise<AskOutcome>;
  /** The session of whoever serves `key` has ended: every ask that is open to this peer is `unknown` at once. */
  peerLost(key: string, reason: string): void;
  /**
   * Answers asks. More than `maxInFlight` (default 256) unanswered ones of one peer (as in `ask`), or four times as many in all, are answered with nothing (the asker sees
   * `unknown`) and counted.
   */
  serve(pattern: string, handler: (delivery: Delivery) => Promise<Uint8Array>, options?: { readonly maxInFlight?: number }): Promise<Subscription>;
  /** Keeps the newest value of `key` for late subscribers. An empty payload clears it. */
  setLast(key: string, payload: Uint8Array): Promise<PublishOutcome>;
  /** Present values first, then changes. */
  watchLast(pattern: string, sink: (delivery: Delivery) => void): Promise<Subscription>;
  /** Presence: `payload` stands at `key` while this session lives and is replaced by an empty one when it ends (by itself, by will). Call before `start`; one per transport. */
  announce(key: string, payload: () => Uint8Array): void;
  /** Plain counters for metrics: reconnects, drops, bytes, in-flight. */
  readonly counters: Readonly<Record<string, number>>;
}
