// Nodes over real sockets: each transport reaches the broker through a proxy of its own that can be cut or stalled.

import { systemClock, systemRandom } from "../../../runtime/host/index.ts";
import { type Log, silentLog, type TimeoutHandle, type Transport } from "../../../runtime/ports/index.ts";
import { CredentialBook, type EmbeddedBroker, embeddedBroker, type MqttTransportOptions, mqttTransport, type Reach } from "../../../protocols/mqtt/index.ts";
import type { TransportHarness } from "../../contracts/transport.ts";
import { type TcpProxy, tcpProxy } from "./tcp-proxy.ts";

export const everything: Reach = { kind: "everything" };
export const secretOf = (node: string): string => `secret-of-${node}-long-enough`;

export function bookOf(...nodes: readonly (readonly [node: string, reach: Reach])[]): CredentialBook {
  return new CredentialBook(nodes.map(([node, reach]) => ({ node, secret: secretOf(node), reach })));
}

export function startBroker(credentials: CredentialBook, log: Log = silentLog, port = 0): Promise<EmbeddedBroker> {
  return embeddedBroker({ port, credentials, clock: systemClock, log, connectTimeoutMs: 300 });
}

export function quickTransport(port: number, node: string, more: Partial<MqttTransportOptions> = {}): Transport {
  return mqttTransport({
    url: `mqtt://127.0.0.1:${String(port)}`,
    node,
    password: secretOf(node),
    clock: systemClock,
    random: systemRandom,
    reconnect: { firstMs: 10, longestMs: 100 },
    resyncMs: 200,
    ...more,
  });
}

/** Rejects instead of hanging; the message names the wait. */
export async function within<T>(promise: Promise<T>, ms: number, what: string): Promise<T> {
  let timer: TimeoutHandle | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = systemClock.setTimeout(() => {
      reject(new Error(`${what}: not within ${String(ms)} ms`));
    }, ms);
  });
  try {
    return await Promise.race([promise, limit]);
  } finally {
    systemClock.clearTimeout(timer);
  }
}

export const pass = (ms: number): Promise<void> => new Promise((resolve) => void systemClock.setTimeout(resolve, ms));

/** Calls `run` again and again until the returned function is called. */
export function every(ms: number, run: () => void): () => void {
  const stopped = new AbortController();
  void (async () => {
    while (!stopped.signal.aborted) {
      run();
      await pass(ms);
    }
  })();
  return () => {
    stopped.abort();
  };
}

export interface MqttHarness extends TransportHarness {
  stall(name: string): void;
  proxy(name: string): TcpProxy;
}

/** @param port of a broker that takes every node of the contract with `secretOf` */
export async function mqttHarness(port: number, closeBroker: () => Promise<void>, options: Partial<MqttTransportOptions> = {}): Promise<MqttHarness> {
  const proxies = new Map<string, TcpProxy>();
  const transports = new Map<string, Transport>();
  for (const name of ["a", "b", "c"]) proxies.set(name, await tcpProxy(port));
  const proxy = (name: string): TcpProxy => {
    const found = proxies.get(name);
    if (found === undefined) throw new Error(`no node ${name}`);
    return found;
  };
  return {
    proxy,
    node: (name) => {
      const transport = transports.get(name) ?? quickTransport(proxy(name).port, name, options);
      transports.set(name, transport);
      return transport;
    },
    cut: (name) => {
      proxy(name).cut();
    },
    stall: (name) => {
      proxy(name).stall();
    },
    heal: (name) => {
      proxy(name).heal();
    },
    settled: (promise, ms = 10_000) => within(promise, ms, "the awaited promise"),
    pass,
    elapsed: () => systemClock.monotonic(),
    close: async () => {
      for (const transport of transports.values()) await transport.stop(200);
      for (const one of proxies.values()) await one.close();
      await closeBroker();
    },
  };
}
