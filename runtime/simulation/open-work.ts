// What entities have committed to do and have not yet seen done: messages to others, declared effects, and shelved messages. By their journals, so it holds for every node.

import type { Asked, Fact } from "./history.ts";

const TABLES = ["outbox", "pending", "shelf"];

/** Changed rows of one table of a record: its key and value, or the key alone where the row is gone. */
export function rowsOf(record: Asked["record"], table: string): readonly (readonly [key: string, value?: unknown])[] {
  return ((record?.outcome.rest ?? {}) as Readonly<Record<string, readonly (readonly [string, unknown?])[]>>)[table] ?? [];
}

export class OpenWork {
  readonly #asked = new Map<string, Asked>();
  readonly #open = new Set<string>();

  get size(): number {
    return this.#open.size;
  }

  note(fact: Fact): void {
    if (fact.kind === "asked" && fact.epoch > 0) this.#asked.set(`${fact.node} ${String(fact.run)} ${fact.entity}`, fact);
    if (fact.kind !== "written") return;
    const asked = this.#asked.get(`${fact.node} ${String(fact.run)} ${fact.entity}`);
    if (asked?.revision !== fact.revision) return;
    for (const table of TABLES) {
      for (const row of rowsOf(asked.record, table)) {
        const key = `${fact.store} ${fact.entity} ${table} ${row[0]}`;
        if (row.length === 1) this.#open.delete(key);
        else this.#open.add(key);
      }
    }
  }
}
