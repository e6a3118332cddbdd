// A bus in memory that behaves as MQTT over TCP does: links to it go down and come back, what was in flight then is unknown, order holds per key while a session lasts.
// Latency, loss, doubling and overtaking come from one seed and one clock, so that a run can be repeated.
//
// J1. cut(a) breaks a's link to the bus: a sees `down`, its presence ends, what it had in flight may or may not have arrived. heal(a) lets it connect again.
// J2. cut(a, b) parts two nodes that both still reach the bus: nothing passes between them and nobody is told. What changed of last values meanwhile is seen after heal(a, b): the port's
//     last values are never behind for good.
// J3. Confirmed messages are doubled but never dropped on a link that stands; unconfirmed ones, asks and answers are dropped. Overtaking never changes the order within one key.

import { type Clock, type Log, type Random, silentLog, type Transport } from "../ports/index.ts";
import { patternMatches } from "../wire/index.ts";
import { type BusMessage, MemoryLink } from "./memory-link.ts";

export interface Faults {
  /** Chance that an unconfirmed message is lost between bus and receiver. Default 0. */
  readonly drop?: number;
  /** Chance that a confirmed message arrives twice. Default 0. */
  readonly duplicate?: number;
  /** Chance that a message is held back for up to 10 latencies (or 10 ms), so that other keys overtake it. Default 0. */
  readonly reorder?: number;
}

export interface MemoryNetworkOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log?: Log;
  /** One way, node to bus or bus to node, ms; a pair is a range. Default 0: as soon as the caller's turn is over. */
  readonly latencyMs?: number | readonly [least: number, most: number];
  /** Whether the bus tells an asker that nobody serves the key. Default false, as MQTT 3.1.1. */
  readonly reasonNoRoute?: boolean;
  /** Largest payload, bytes. Default 1 MiB less 4 KiB, as over MQTT. */
  readonly maxMessageBytes?: number;
}

export interface MemoryNetwork {
  /** The same name gives the same transport. A name is a node: its presence and its inbox. */
  transport(name: string): Transport;
  cut(node: string, other?: string): void;
  heal(node: string, other?: string): void;
  setFaults(faults: Faults): void;
  /** The node's process has ended without a word: its presence ends, and the next `transport` of this name is a new one. */
  crash(node: string): void;
  /** The present last values. */
  readonly lastValues: ReadonlyMap<string, Uint8Array>;
}

export function memoryNetwork(options: MemoryNetworkOptions): MemoryNetwork {
  return new Bus(options);
}

class Bus implements MemoryNetwork {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #latency: readonly [number, number];
  readonly #options: MemoryNetworkOptions;
  readonly #links = new Map<string, MemoryLink>();
  readonly #cuts = new Set<string>();
  /** Keys of last values that changed for a node while it was parted from who sets them, by pair. */
  readonly #unseen = new Map<string, Map<string, MemoryLink>>();
  readonly #values = new Map<string, { readonly payload: Uint8Array; readonly by: string }>();
  #faults: Required<Faults> = { drop: 0, duplicate: 0, reorder: 0 };

  constructor(options: MemoryNetworkOptions) {
    const latency = options.latencyMs ?? 0;
    this.#options = options;
    this.#clock = options.clock;
    this.#random = options.random;
    this.#latency = typeof latency === "number" ? [latency, latency] : latency;
  }

  get lastValues(): ReadonlyMap<string, Uint8Array> {
    return new Map([...this.#values].map(([key, { payload }]) => [key, payload]));
  }

  transport(name: string): Transport {
    const known = this.#links.get(name);
    if (known !== undefined) return known;
    const { clock, random, log = silentLog, reasonNoRoute = false, maxMessageBytes = 1_044_480 } = this.#options;
    const link = new MemoryLink({
      name,
      clock,
      random,
      log,
      capabilities: { protocol: "memory", maxMessageBytes, reasonNoRoute, durableLastValue: true },
      carry: (message, arrived) => {
        this.#carry(link, message, arrived);
      },
      present: (pattern, give) => {
        this.#later(link, "", false, () => {
          give([...this.#values].filter(([key]) => patternMatches(pattern, key)).map(([key, { payload }]) => ({ key, payload })));
        });
      },
      isCut: () => this.#cuts.has(name),
      ended: (key) => {
        if (this.#values.get(key)?.by === name) this.#publish(link, { kind: "publish", key, payload: new Uint8Array(0), last: true, confirmed: true });
      },
    });
    this.#links.set(name, link);
    return link;
  }

  cut(node: string, other?: string): void {
    this.#cuts.add(pair(node, other));
    if (other === undefined) this.#links.get(node)?.lose("the link was cut");
  }

  heal(node: string, other?: string): void {
    this.#cuts.delete(pair(node, other));
    if (other === undefined) this.#links.get(node)?.connect();
    const unseen = this.#unseen.get(pair(node, other)) ?? [];
    this.#unseen.delete(pair(node, other));
    for (const [key, to] of unseen) {
      const message = { kind: "publish", key, payload: this.#values.get(key)?.payload ?? new Uint8Array(0), last: true, confirmed: true } as const;
      if (to.wants(message)) this.#arriveAt(to, message);
    }
  }

  setFaults(faults: Faults): void {
    this.#faults = { drop: 0, duplicate: 0, reorder: 0, ...faults };
  }

  crash(node: string): void {
    this.#links.get(node)?.lose("its process ended");
    this.#links.delete(node);
  }

  /** From a node to the bus. */
  #carry(from: MemoryLink, message: BusMessage, arrived: () => void): void {
    const { generation } = from;
    this.#later(from, "", false, () => {
      if (from.generation !== generation && this.#random.next() < 0.5) return;
      if (message.kind === "publish") this.#publish(from, message);
      else if (message.kind !== "connect") this.#pass(from, message);
      this.#later(from, "", false, () => {
        if (from.generation === generation) arrived();
      });
    });
  }

  #publish(from: MemoryLink, message: Extract<BusMessage, { kind: "publish" }>): void {
    if (message.last) {
      if (message.payload.length === 0) this.#values.delete(message.key);
      else this.#values.set(message.key, { payload: message.payload, by: from.name });
    }
    for (const to of this.#links.values()) if (to.wants(message)) this.#deliver(from, to, message);
  }

  #pass(from: MemoryLink, message: Extract<BusMessage, { kind: "ask" | "answer" }>): void {
    const to = [...this.#links.values()].find((link) => link.wants(message));
    if (to !== undefined) this.#deliver(from, to, message);
    else if (message.kind === "ask" && this.#options.reasonNoRoute === true) {
      this.#deliver(from, from, { kind: "answer", to: message.inbox, replyKey: message.replyKey, correlation: message.correlation, answer: "no-route" });
    }
  }

  /** From the bus to a node. */
  #deliver(from: MemoryLink, to: MemoryLink, message: Exclude<BusMessage, { kind: "connect" }>): void {
    const parted = pair(from.name, to.name);
    if (!this.#cuts.has(parted)) this.#arriveAt(to, message);
    else if (message.kind === "publish" && message.last) {
      const unseen = this.#unseen.get(parted) ?? new Map<string, MemoryLink>();
      this.#unseen.set(parted, unseen.set(message.key, to));
    }
  }

  #arriveAt(to: MemoryLink, message: Exclude<BusMessage, { kind: "connect" }>): void {
    const confirmed = message.kind === "publish" && message.confirmed;
    if (!confirmed && this.#chance(this.#faults.drop)) return;
    const copies = confirmed && this.#chance(this.#faults.duplicate) ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      const { generation } = to;
      this.#later(to, message.kind === "answer" ? message.correlation : message.key, this.#chance(this.#faults.reorder), () => {
        if (to.generation === generation) to.arrive(message);
      });
    }
  }

  /** Runs after one latency, never before what was sent earlier to the same link (under the same key, while overtaking is on). */
  #later(link: MemoryLink, key: string, heldBack: boolean, run: () => void): void {
    const [least, most] = this.#latency;
    const hold = heldBack ? this.#random.next() * 10 * Math.max(1, most) : 0;
    const now = this.#clock.monotonic();
    const due = link.after(this.#faults.reorder > 0 ? key : "", now, now + least + (most > least ? this.#random.next() * (most - least) : 0) + hold);
    if (due <= now) queueMicrotask(run);
    else this.#clock.setTimeout(run, due - now, { unref: true });
  }

  #chance(probability: number): boolean {
    return probability > 0 && this.#random.next() < probability;
  }
}

function pair(a: string, b: string | undefined): string {
  if (b === undefined) return a;
  return a < b ? `${a}\n${b}` : `${b}\n${a}`;
}
