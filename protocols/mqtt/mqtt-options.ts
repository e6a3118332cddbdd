// What an MQTT transport is told, and what it assumes.

import type { Clock, Log, Random } from "../../runtime/ports/index.ts";
import type { AskBounds } from "../../runtime/wire/index.ts";

/** Largest MQTT packet that either side takes, bytes, fixed header included. */
export const MAX_PACKET_BYTES = 1_048_576;
/** Largest payload: a packet less room for the topic and the frame of an ask. */
export const MAX_PAYLOAD_BYTES = MAX_PACKET_BYTES - 4_096;

export interface MqttTransportOptions {
  /** `mqtt://host:port` (default port 1883) or `mqtts://host:port` (8883). User and password in it count when the two below are absent. */
  readonly url: string;
  /** The key of a configuration that says the URL, for what is wrong with it. */
  readonly setting?: string;
  /** Name of this node: its client id and its inbox. At most 128 bytes. */
  readonly node: string;
  /** The vehicle whose subtree is all that this node may use; absent for a node that may use all keys. */
  readonly vehicle?: { readonly tenant: string; readonly vehicle: string };
  /** Default: the node's name. */
  readonly username?: string;
  readonly password?: string;
  /** A second connection of the same node, e.g. `bulk`, has the client id `node:channel`. */
  readonly channel?: string;
  /** PEM texts for mqtts. */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string };
  readonly clock: Clock;
  readonly random: Random;
  readonly log?: Log;
  /** A silent link counts as lost after 1.5 times this. Default 5. */
  readonly keepaliveSeconds?: number;
  /** TCP, TLS and CONNACK together. Default 5,000. */
  readonly connectTimeoutMs?: number;
  /** Waits between attempts: random in [0, first x 2^n), at most [0, longest). Defaults 250 and 8,000. */
  readonly reconnect?: { readonly firstMs: number; readonly longestMs: number };
  /** Bytes that may stand before the socket; more unconfirmed ones are `overloaded`, asks and answers from four times as many on. What stands there delays the ping of the keepalive. Default 512 KiB. */
  readonly maxBufferedBytes?: number;
  /** Confirmed messages: in flight 20 and 256 KiB, waiting 1,024 and 8 MiB, confirmed within 10,000 ms. */
  readonly window?: {
    readonly maxInFlight?: number;
    readonly maxInFlightBytes?: number;
    readonly maxWaiting?: number;
    readonly maxWaitingBytes?: number;
    readonly confirmWithinMs?: number;
  };
  /** How many asks may be open at a time. */
  readonly asks?: AskBounds;
  /** After a reconnect, values that the broker does not give again within this time have ended. Default 1,000. */
  readonly resyncMs?: number;
}
