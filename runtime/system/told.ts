// A turn's result, and what is kept of an earlier one, as the sender learns it.

import type { TakenEntry } from "../entity/contract.ts";
import type { Told } from "../outcome.ts";
import type { RemoteMessage } from "./contract.ts";
import type { Settled } from "./mail.ts";

/** A turn's result as its sender learns it. */
export function toldOf(result: Settled, sender?: RemoteMessage["sender"]): Told {
  switch (result.kind) {
    case "accepted-at":
      return { kind: "accepted", durable: "local", revision: result.revision };
    case "accepted":
      return { kind: "accepted", durable: "memory" };
    case "duplicate":
      return result.entry === undefined ? { kind: "accepted", durable: "local" } : entryOutcome(result.entry);
    case "dropped":
      // Of an entity: out of its order or under an epoch that is over (rules M1, E1). Nothing was taken, and its row must not go for that.
      return sender?.kind === "entity" ? { kind: "not-stored", reason: result.reason } : { kind: "no-such-actor" };
    case "faulted":
      // Without an outcome it was not set aside yet: nothing of it was taken.
      return result.outcome ?? { kind: "full", retryAfterMs: 100 };
    default:
      return result;
  }
}

/** As it was told the first time; of a volatile type nothing is kept, so an entry is durable. */
export function entryOutcome(entry: TakenEntry): Told {
  return entry.outcome.kind === "accepted" ? { kind: "accepted", durable: "local", revision: entry.outcome.revision } : entry.outcome;
}
