// The broker that a cloud node starts when it is given none: aedes in this process, on loopback, with a credential for each node.
//
// B1. Anonymous connections are refused, a client id is its user's own (`node` or `node:channel`), so that nobody throws somebody else out by taking his id.
// B2. A vehicle reaches its own subtree only (rules S10). What it publishes where nobody listens is counted, what it publishes elsewhere goes to a sink and is counted: an error from the hook would close the connection, and a client
//     that sends again until it is confirmed would do so for ever.
// B3. Nothing is buffered on a header's word: packets over 1 MiB, more than 64 KiB before CONNECT is accepted, and first packets that are no CONNECT close their connection.
// B4. A client that does not read holds up nobody: what it cannot take is dropped (unconfirmed) or ends its connection (confirmed), and counted.
//     A session ends with its connection: what would wait here for an absent client has no bound in aedes, so that a wish for a lasting one is counted and not granted.
//     What one node may hold here is bounded: its connections, each one's filters, what it keeps.
// B5. aedes drops, as a duplicate, every message that was numbered before one that its subscriber already has; but confirmed and kept messages take longer through it than others, so that a
//     later unconfirmed one made it lose earlier confirmed ones. That memory is blinded, and the one duplicate there is (two filters of one client that both match, called in one turn) is
//     recognised by the number of the message before.

import type { EventEmitter } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { Aedes, type AedesPublishPacket, type AuthenticateError, type Client, type ConnackPacket, type PublishPacket } from "aedes";
import { LimitedLog, DroverError } from "../../runtime/index.ts";
import type { Clock, Log } from "../../runtime/ports/index.ts";
import { mayPublish, maySubscribe, SINK_TOPIC } from "./broker-doors.ts";
import type { CredentialBook, Reach } from "./credentials.ts";
import { GuardedStream } from "./guarded-stream.ts";
import { MAX_PACKET_BYTES } from "./mqtt-options.ts";
import { MAX_CONNECTIONS_A_NODE, NodeHoldings } from "./node-holdings.ts";
import type { MeterViolation } from "./packet-meter.ts";
import { RetainedBudget, type RetainedLimits } from "./retained-budget.ts";

const MAX_EARLY_BYTES = 65_536;
/** Bytes that may wait for one client before what is meant for it is dropped. */
const MAX_WAITING_BYTES = 4_194_304;
/** Inbound messages of quality 2 that a connection may leave unfinished: none of ours has any. */
const MAX_UNFINISHED = 8;
/** CONNACK codes of MQTT 3.1.1 that refuse. */
const IDENTIFIER_REFUSED = 2;
const UNAVAILABLE = 3;
const CREDENTIALS_REFUSED = 4;

export interface BrokerOptions {
  /** Default 127.0.0.1: other hosts only when said so (rules S10). */
  readonly host?: string;
  /** 0: any free port. */
  readonly port: number;
  readonly credentials: CredentialBook;
  readonly clock: Clock;
  readonly log: Log;
  /** A connection that has not sent its CONNECT by then is closed. Default 5,000. */
  readonly connectTimeoutMs?: number;
  /** Default 2,000. */
  readonly maxConnections?: number;
}

export interface EmbeddedBroker {
  readonly port: number;
  /** For clients on this host, e.g. `mqtt://127.0.0.1:1883`. */
  readonly url: string;
  readonly counters: Readonly<Record<string, number>>;
  /** Closes every connection; resolves when the port is free again. */
  close(): Promise<void>;
}

const COUNTERS = [
  "connected",
  "refusedLogins",
  "sunkPublishes",
  "unheardPublishes",
  "refusedSubscriptions",
  "oversizePackets",
  "earlyBytes",
  "badPackets",
  "droppedForSlow",
  "slowClosed",
  "retainRefused",
  "badConnections",
  "sessionsNotKept",
  "tooManyConnections",
] as const;
type Counts = Record<(typeof COUNTERS)[number], number>;

/** @throws DROVER_PORT_IN_USE naming port and key, DROVER_CONFIG_INVALID when this host or port cannot be had at all */
export async function embeddedBroker(options: BrokerOptions): Promise<EmbeddedBroker> {
  const { host = "127.0.0.1", port, maxConnections = 2_000 } = options;
  const counts = Object.fromEntries(COUNTERS.map((name) => [name, 0])) as Counts;
  const log = new LimitedLog(options.log.child({ part: "broker" }), options.clock);
  const aedes = await brokerBehindDoors(options, counts, log);
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 }, (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    const guarded = new GuardedStream(socket, { maxPacketBytes: MAX_PACKET_BYTES, maxEarlyBytes: MAX_EARLY_BYTES }, (violation) => {
      counts[counterOf(violation)]++;
      log.warn({ from: socket.remoteAddress, ...violation }, "a connection was closed for what it sent");
    });
    aedes.handle(guarded);
  });
  server.maxConnections = maxConnections;
  try {
    await listening(server, host, port);
  } catch (error) {
    await closed(aedes);
    throw portError(error, host, port);
  }
  server.on("error", (error) => {
    log.warn({ err: error }, "the broker's port failed");
  });
  const bound = (server.address() as AddressInfo).port;
  return {
    port: bound,
    url: `mqtt://${host.includes(":") ? `[${host}]` : host}:${String(bound)}`,
    get counters() {
      return { ...counts, connections: sockets.size };
    },
    close: async () => {
      const free = new Promise<void>((resolve) =>
        server.close(() => {
          resolve();
        }),
      );
      for (const socket of sockets) socket.destroy();
      await closed(aedes);
      await free;
    },
  };
}

async function brokerBehindDoors(options: BrokerOptions, counts: Counts, log: LimitedLog): Promise<Aedes> {
  const reaches = new WeakMap<Client, { readonly node: string; readonly reach: Reach }>();
  const retained = new RetainedBudget();
  const lastForwarded = new WeakMap<Client, number>();
  const holdings = new NodeHoldings();

  const aedes: Aedes = await Aedes.createBroker({
    concurrency: 1_000,
    drainTimeout: 10_000,
    connectTimeout: options.connectTimeoutMs ?? 5_000,
    keepaliveLimit: 600,
    maxClientsIdLength: 256,
    maxTopicLevels: 32,
    maxInflightInbound: MAX_UNFINISHED,

    preConnect(client, packet, done) {
      // B4.
      if (!packet.clean) counts.sessionsNotKept++;
      packet.clean = true;
      const { duplicates } = client as Client & { readonly duplicates?: object };
      if (duplicates !== undefined) Object.defineProperty(duplicates, aedes.id, { get: () => 0, set: () => undefined });
      done(duplicates === undefined ? new Error("this aedes keeps its duplicates elsewhere (B5)") : null, duplicates !== undefined);
    },

    authenticate(client, username, password, done) {
      const reach = username === undefined || password === undefined ? undefined : options.credentials.check(username, password);
      const own = username !== undefined && (client.id === username || client.id.startsWith(`${username}:`));
      if (reach !== undefined && username !== undefined && own) {
        if (holdings.admits(username, client)) {
          reaches.set(client, { node: username, reach });
          done(null, true);
          return;
        }
        counts.tooManyConnections++;
        log.warn({ node: username, from: addressOf(client), atMost: MAX_CONNECTIONS_A_NODE }, "a login was refused: its node has too many connections");
        done(refusal(UNAVAILABLE), false);
        return;
      }
      counts.refusedLogins++;
      log.warn(
        { user: username?.slice(0, 80), client: client.id.slice(0, 80), from: addressOf(client) },
        reach === undefined ? "a login was refused" : "a login under a foreign client id was refused",
      );
      done(refusal(reach === undefined ? CREDENTIALS_REFUSED : IDENTIFIER_REFUSED), false);
    },

    authorizePublish(client, packet, done) {
      const known = client === null ? undefined : reaches.get(client);
      if (client === null) {
        done(null);
        return;
      }
      if (known === undefined || !mayPublish(known.reach, packet.topic)) {
        counts.sunkPublishes++;
        log.warn({ node: known?.node, topic: packet.topic.slice(0, 200) }, "a message to a foreign topic was dropped");
        sink(packet);
      } else if (packet.retain && !retained.admits(known.node, packet.topic, packet.payload.length, limitsOf(known.reach))) {
        counts.retainRefused++;
        log.warn({ node: known.node, topic: packet.topic.slice(0, 200) }, "a value was passed on but not kept: its node keeps too many");
        packet.retain = false;
      } else if (known.reach.kind === "vehicle" && !packet.retain && !holdings.heard.has(packet.topic)) {
        counts.unheardPublishes++;
        log.warn({ node: known.node, topic: packet.topic.slice(0, 200) }, "a message was dropped: nobody has subscribed to its topic");
      }
      done(null);
    },

    authorizeSubscribe(client, subscription, done) {
      const known = reaches.get(client);
      if (known !== undefined && maySubscribe(known.reach, subscription.topic) && holdings.grants(client, subscription.topic, limitsOf(known.reach).maxFilters)) {
        done(null, subscription);
        return;
      }
      counts.refusedSubscriptions++;
      log.warn({ node: known?.node, filter: subscription.topic.slice(0, 200) }, "a subscription was refused");
      done(null, null);
    },

    authorizeForward(client, packet) {
      if (client.conn.destroyed || lastForwarded.get(client) === packet.brokerCounter) return null;
      lastForwarded.set(client, packet.brokerCounter);
      if (client.conn.writableLength <= MAX_WAITING_BYTES) return packet;
      if (packet.qos === 0) counts.droppedForSlow++;
      else {
        counts.slowClosed++;
        log.warn({ client: client.id }, "a client that does not read was disconnected");
        client.conn.destroy();
      }
      return null;
    },
  });

  aedes.on("unsubscribe", (unsubscribed: readonly string[], client: Client) => {
    holdings.released(client, unsubscribed);
  });
  aedes.on("connackSent", (connack: ConnackPacket, client: Client) => {
    if (connack.returnCode !== 0) return;
    counts.connected++;
    if (client.conn instanceof GuardedStream) client.conn.accepted();
  });
  for (const event of ["clientError", "connectionError"] as const) {
    aedes.on(event, (client: Client, error: Error) => {
      counts.badConnections++;
      log.warn({ client: client.id, from: addressOf(client), reason: error.message }, "a connection failed");
    });
  }
  (aedes as EventEmitter).on("error", (error: Error) => {
    log.warn({ err: error }, "the broker reports an error");
  });
  return aedes;
}

function refusal(returnCode: number): AuthenticateError {
  // eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment -- aedes declares these codes as a const enum, which has no value at run time
  return Object.assign(new Error("refused"), { returnCode });
}

function sink(packet: PublishPacket | AedesPublishPacket): void {
  packet.topic = SINK_TOPIC;
  packet.payload = Buffer.alloc(0);
  packet.retain = false;
}

/** What a node may keep here, and the filters of one of its connections. */
function limitsOf(reach: Reach): RetainedLimits & { readonly maxFilters: number } {
  return reach.kind === "everything" ? { maxKeys: 65_536, maxBytes: 67_108_864, maxFilters: 1_024 } : { maxKeys: 256, maxBytes: 4_194_304, maxFilters: 64 };
}

function counterOf(violation: MeterViolation): "oversizePackets" | "earlyBytes" | "badPackets" {
  if (violation.kind === "packet-too-large") return "oversizePackets";
  return violation.kind === "too-much-before-connect" ? "earlyBytes" : "badPackets";
}

function addressOf(client: Client): string | undefined {
  return client.conn instanceof GuardedStream ? client.conn.remoteAddress : undefined;
}

function listening(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port }, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

function closed(aedes: Aedes): Promise<void> {
  return new Promise((resolve) => {
    aedes.close(() => {
      resolve();
    });
  });
}

function portError(error: unknown, host: string, port: number): DroverError {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  if (code === "ENOTFOUND" || code === "EADDRNOTAVAIL") return new DroverError("DROVER_CONFIG_INVALID", `broker.host: this machine has no address ${host}`, { cause: error });
  if (code === "EACCES")
    return new DroverError("DROVER_CONFIG_INVALID", `broker.port: port ${String(port)} may not be opened by this user; ports from 1024 are open to all`, { cause: error });
  const why = code === "EADDRINUSE" ? "is already in use" : `cannot be opened (${code ?? "unknown reason"})`;
  return new DroverError("DROVER_PORT_IN_USE", `port ${String(port)} on ${host} ${why}; the key broker.port (DROVER_BROKER_PORT) changes it`, { cause: error });
}
