// The cloud node's bus: its own broker unless an external one is configured, the transport over it, and the way to the vehicles.

import { brokerMetrics, type EmbeddedBroker, linkMetrics } from "../protocols/mqtt/index.ts";
import { type Address, lifeOf, untilAborted } from "../runtime/index.ts";
import type { MetricsSource, Transport } from "../runtime/ports/index.ts";
import { type BusRemote, busRemote, type Sending } from "../runtime/wire/index.ts";
import type { CloudConfig } from "./config.ts";
import type { BrokerLogin, CloudPorts } from "./ports.ts";

const BROKER_PORT = 1883;

interface Place {
  readonly key: string;
  readonly node: string;
  readonly reachable: boolean;
  readonly asOf?: number;
}

export interface BusLinkOptions {
  readonly config: CloudConfig;
  readonly node: string;
  readonly credentials: string;
  readonly ports: CloudPorts;
  readonly sending: Sending;
  readonly find: (entity: Address) => Place | undefined;
}

export interface BusLink {
  /** undefined where an external broker is used. */
  readonly brokerLife: ReturnType<typeof lifeOf> | undefined;
  readonly transportLife: ReturnType<typeof lifeOf>;
  readonly transport: Transport | undefined;
  readonly isReady: boolean;
  /** Calls when `isReady` may have changed. @returns how to end it */
  onChange(listener: () => void): () => void;
  readonly brokerUrl: string | undefined;
  readonly metrics: MetricsSource;
  /** To the vehicles, whatever transport stands now. */
  readonly remote: BusRemote;
}

export function busLink({ config, node, credentials, ports, sending, find }: BusLinkOptions): BusLink {
  const external = config.broker !== undefined && "url" in config.broker ? loginOf(config.broker) : undefined;
  let login = external;
  let transport: Transport | undefined;
  let remote: BusRemote | undefined;
  let embedded: EmbeddedBroker | undefined;
  const listeners = new Set<() => void>();
  const changed = (): void => {
    for (const listener of listeners) listener();
  };

  const brokerLife = lifeOf(async ({ ready }, signal) => {
    const { host = "127.0.0.1", port = BROKER_PORT } = config.broker !== undefined && !("url" in config.broker) ? config.broker : {};
    const own = ports.ownCredential(credentials, node);
    const broker = await ports.broker({ host, port, credentials }, ports);
    embedded = broker;
    login = { url: broker.url, ...own };
    ready();
    await untilAborted(signal);
    await broker.close();
  });

  const transportLife = lifeOf(async ({ ready }, signal) => {
    if (login === undefined) throw new Error("the broker is not there");
    const made = ports.transport(login, node, ports);
    transport = made;
    remote = busRemote({ transport: made, sending, newId: () => ports.random.id(), find });
    const stopListening = made.onState(changed);
    await made.start();
    ready();
    await untilAborted(signal);
    await made.stop(1_000);
    stopListening();
    changed();
  });

  return {
    brokerLife: external === undefined ? brokerLife : undefined,
    transportLife,
    get transport() {
      return transport;
    },
    get isReady() {
      return transport?.state.kind === "ready";
    },
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    get brokerUrl() {
      return login === undefined ? undefined : withoutSecrets(login.url);
    },
    metrics: () => [...brokerMetrics(embedded?.counters ?? {}), ...linkMetrics(transport?.counters ?? {})],
    remote: {
      route: (entity) => remote?.route(entity),
      send: (message) => remote?.send(message) ?? Promise.resolve({ kind: "owner-away" }),
      sessionEnded: (vehicle) => remote?.sessionEnded(vehicle),
    },
  };
}

/** It is printed, written down and told to those who set up vehicles. */
function withoutSecrets(text: string): string {
  if (!text.includes("@") || !URL.canParse(text)) return text;
  const url = new URL(text);
  url.username = "";
  url.password = "";
  return url.href;
}

function loginOf(broker: { readonly url: string; readonly username?: string | undefined; readonly password?: string | undefined }): BrokerLogin {
  const { url, username, password } = broker;
  return { url, ...(username === undefined ? {} : { username }), ...(password === undefined ? {} : { password }) };
}
