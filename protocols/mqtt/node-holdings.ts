// What one node may hold at the broker: its connections, and the filters of each. What aedes keeps for a client has no bound of its own.

import type { Client } from "aedes";
import { HeardTopics } from "./heard-topics.ts";

/** Of a node at the same time: its own are one or two, and one more while a new one takes over. */
export const MAX_CONNECTIONS_A_NODE = 16;

export class NodeHoldings {
  /** By the filters of all connections. */
  readonly heard = new HeardTopics();
  readonly #connections = new Map<string, number>();
  readonly #filters = new WeakMap<Client, Set<string>>();

  /** False: its node has too many already. */
  admits(node: string, { conn }: Client): boolean {
    const held = this.#connections.get(node) ?? 0;
    if (held >= MAX_CONNECTIONS_A_NODE) return false;
    this.#connections.set(node, held + 1);
    conn.once("close", () => {
      const left = (this.#connections.get(node) ?? 1) - 1;
      if (left > 0) this.#connections.set(node, left);
      else this.#connections.delete(node);
    });
    return true;
  }

  /** True when the connection may have the filter, or has it. */
  grants(client: Client, filter: string, maxFilters: number): boolean {
    const granted = this.#filtersOf(client);
    if (granted.has(filter)) return true;
    if (granted.size >= maxFilters) return false;
    granted.add(filter);
    this.heard.add(filter);
    return true;
  }

  released(client: Client, filters: readonly string[]): void {
    for (const filter of filters) if (this.#filters.get(client)?.delete(filter) === true) this.heard.remove(filter);
  }

  #filtersOf(client: Client): Set<string> {
    const known = this.#filters.get(client);
    if (known !== undefined) return known;
    const made = new Set<string>();
    this.#filters.set(client, made);
    client.conn.once("close", () => {
      this.released(client, [...made]);
    });
    return made;
  }
}
