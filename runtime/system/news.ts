// Node-local news for entities that are on their way into memory: kept in order until they are there, and bounded as their mailboxes are.

import type { Address } from "../address.ts";
import { entityOf } from "../address.ts";
import type { DoorReads, EventData } from "../entity/contract.ts";
import type { DeadLetters } from "./dead-letters.ts";
import type { HostedEntity } from "./hosted-entity.ts";

const MAX_WAITING = 1_000;

interface Item {
  readonly to: Address;
  readonly event: EventData;
  readonly reads: DoorReads | undefined;
}

export class News {
  readonly #waiting = new Map<Address, Item[]>();
  readonly #deadLetters: DeadLetters;
  readonly #called: (entity: Address) => Promise<HostedEntity | "away" | "full" | undefined>;

  /** @param called brings the entity into memory */
  constructor(deadLetters: DeadLetters, called: (entity: Address) => Promise<HostedEntity | "away" | "full" | undefined>) {
    this.#deadLetters = deadLetters;
    this.#called = called;
  }

  /** Something waits for it: what comes now comes after that. */
  isWaitedFor(entity: Address): boolean {
    return this.#waiting.has(entity);
  }

  /** false: too much waits already. */
  wait(to: Address, event: EventData, reads: DoorReads | undefined): boolean {
    const entity = entityOf(to);
    const waiting = this.#waiting.get(entity);
    if (waiting !== undefined && waiting.length >= MAX_WAITING) return false;
    if (waiting === undefined) {
      this.#waiting.set(entity, [{ to, event, reads }]);
      void this.#bring(entity);
    } else waiting.push({ to, event, reads });
    return true;
  }

  async #bring(entity: Address): Promise<void> {
    const taker = await this.#called(entity);
    const items = this.#waiting.get(entity) ?? [];
    this.#waiting.delete(entity);
    for (const { to, event, reads } of items) {
      if (typeof taker === "object" && taker.notify(to, event, reads)) continue;
      this.#deadLetters.add({ to, type: event.type, from: "local", reason: taker === undefined ? "no-such-actor" : typeof taker === "string" ? taker : "mailbox full" });
    }
  }
}
