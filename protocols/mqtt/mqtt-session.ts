// One connection to a broker: one mqtt.js client, made for it and thrown away with it.
//
// Chosen instead of one client that reconnects by itself: its replay of unconfirmed messages loses some of them (research/transports.md 5.1), its wait between attempts is not ours to
// jitter, and only a session with one end can promise that nothing resolves as sent after it.
//
// Q1. `ended` is called exactly once, whatever happened; no callback of the session follows it.
// Q2. Nothing is thrown into mqtt.js, and each of its errors ends the session: after a parser error it would otherwise go on reading garbage.

import type { Clock, TimeoutHandle } from "../../runtime/ports/index.ts";
import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import mqtt, { type IClientOptions, type IPublishPacket } from "mqtt";
import type { Endpoint } from "./endpoint.ts";
import { MAX_PACKET_BYTES, type MqttTransportOptions } from "./mqtt-options.ts";
import { PacketMeter } from "./packet-meter.ts";

export interface SessionEvents {
  connected(): void;
  /** `present`: a value that stood at the broker before the subscription. */
  message(topic: string, payload: Buffer, present: boolean): void;
  ended(reason: string): void;
}

/** A filter that the broker neither grants nor refuses for so long ends the session. */
const SUBSCRIBE_WITHIN_MS = 10_000;

export class MqttSession {
  readonly #client: mqtt.MqttClient;
  readonly #events: SessionEvents;
  readonly #clock: Clock;
  /** Resolves when the session has ended. */
  readonly gone: Promise<void>;
  readonly #tellGone: () => void;
  #reason: string | undefined;
  #ended = false;

  constructor(endpoint: Endpoint, options: MqttTransportOptions, willKey: string | undefined, events: SessionEvents) {
    this.#events = events;
    this.#clock = options.clock;
    let tellGone = (): void => undefined;
    this.gone = new Promise((resolve) => {
      tellGone = resolve;
    });
    this.#tellGone = tellGone;
    const settings: IClientOptions = {
      protocolVersion: 4,
      clean: true,
      clientId: options.channel === undefined ? options.node : `${options.node}:${options.channel}`,
      username: options.username ?? endpoint.username ?? options.node,
      keepalive: options.keepaliveSeconds ?? 5,
      connectTimeout: options.connectTimeoutMs ?? 5_000,
      reconnectPeriod: 0,
      resubscribe: false,
      queueQoSZero: false,
      reschedulePings: false,
    };
    const password = options.password ?? endpoint.password;
    if (password !== undefined) settings.password = password;
    if (willKey !== undefined) settings.will = { topic: willKey, payload: Buffer.alloc(0), qos: 1, retain: true };
    this.#client = new mqtt.MqttClient(() => this.#dial(endpoint, options), settings);
    this.#client.handleMessage = (packet, done) => {
      this.#take(packet);
      done();
    };
    this.#client.on("connect", () => {
      if (!this.#ended) this.#events.connected();
    });
    this.#client.on("error", (error) => {
      this.destroy(error.message);
    });
    this.#client.on("close", () => {
      this.#end(this.#reason ?? "the broker closed the connection");
    });
  }

  /** Bytes handed over that the socket has not taken yet. */
  get bufferedBytes(): number {
    return this.#client.stream.writableLength;
  }

  /** `done` is called when the broker has confirmed (QoS 1); a session that ends first never calls it. */
  publish(topic: string, payload: Buffer, qos: 0 | 1, retain: boolean, done?: () => void): void {
    if (this.#ended) return;
    // Without a callback nothing listens for `drain`, of which there would be one for each message that a full socket delays.
    if (done === undefined) this.#client.publish(topic, payload, { qos, retain });
    else {
      this.#client.publish(topic, payload, { qos, retain }, (error) => {
        if (!this.#ended && !(error instanceof Error)) done();
      });
    }
  }

  /** Sets a last value; resolves when the broker has confirmed it, never if the session ends first. */
  confirmed(topic: string, payload: Uint8Array): Promise<void> {
    return new Promise((resolve) => {
      this.publish(topic, Buffer.from(payload), 1, true, resolve);
    });
  }

  /** Which filters were refused; undefined when the session ended first. */
  subscribe(filters: readonly string[]): Promise<ReadonlySet<string> | undefined> {
    if (this.#ended || filters.length === 0) return Promise.resolve(this.#ended ? undefined : new Set());
    return new Promise((resolve) => {
      const deadline = this.#deadline("the broker does not answer a subscription");
      this.#client.subscribe([...filters], { qos: 1 }, (error, _granted, packet) => {
        this.#clock.clearTimeout(deadline);
        if (this.#ended) resolve(undefined);
        else if (error === null) resolve(new Set());
        else if (packet?.granted === undefined) resolve(new Set(filters));
        else resolve(new Set(filters.filter((_, index) => Number(packet.granted[index] ?? 128) >= 128)));
      });
    });
  }

  unsubscribe(filter: string): Promise<void> {
    if (this.#ended) return Promise.resolve();
    return new Promise((resolve) => {
      const deadline = this.#deadline("the broker does not answer the end of a subscription");
      this.#client.unsubscribe(filter, () => {
        this.#clock.clearTimeout(deadline);
        resolve();
      });
    });
  }

  /** Says good-bye: the broker drops the will. */
  close(reason: string): void {
    this.#reason ??= reason;
    if (!this.#ended) this.#client.end(false);
  }

  /** Ends at once; the broker sends the will. */
  destroy(reason: string): void {
    this.#reason ??= reason;
    this.#client.stream.destroy();
    this.#client.end(true);
    this.#end(this.#reason);
  }

  #deadline(reason: string): TimeoutHandle {
    return this.#clock.setTimeout(
      () => {
        this.destroy(reason);
      },
      SUBSCRIBE_WITHIN_MS,
      { unref: true },
    );
  }

  #end(reason: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#tellGone();
    this.#events.ended(reason);
  }

  #take(packet: IPublishPacket): void {
    if (this.#ended) return;
    const payload = Buffer.isBuffer(packet.payload) ? packet.payload : Buffer.from(packet.payload);
    this.#events.message(packet.topic, payload, packet.retain);
  }

  #dial(endpoint: Endpoint, options: MqttTransportOptions): Socket {
    const { host, port } = endpoint;
    const socket = endpoint.secure ? connectTls({ host, port, servername: host, ...options.tls }) : connectTcp({ host, port });
    socket.setNoDelay(true);
    const meter = new PacketMeter({ maxPacketBytes: MAX_PACKET_BYTES });
    socket.on("data", (chunk: Buffer) => {
      const violation = meter.feed(chunk);
      if (violation !== undefined) this.destroy(`the broker sent what is not taken: ${violation.kind}`);
    });
    socket.on("error", (error: Error) => {
      this.#reason ??= error.message;
    });
    return socket;
  }
}
