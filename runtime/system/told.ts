// A turn's result, and what is kept of an earlier one, as the sender learns it.

import type { TakenEntry } from "../entity/contract.ts";
import type { Told } from "../outcome.ts";
import type { RemoteMessage } from "./contract.ts";
import type { Settled } from "./mail.ts";

/** One for all who hear it. */
const MEMORY = Object.freeze({ kind: "accepted", durable: "memory" } as const);

/** A turn's result as its sender learns it. @param isVolatile whether the entity that took it keeps nothing (rules M3) */
export function toldOf(result: Settled, isVolatile: boolean, sender?: RemoteMessage["sender"]): Told {
  switch (result.kind) {
    case "accepted-at":
      return { kind: "accepted", durable: "local", revision: result.revision };
    case "accepted":
      return MEMORY;
    case "duplicate":
      return result.entry === undefined ? (isVolatile ? MEMORY : { kind: "accepted", durable: "local" }) : entryOutcome(result.entry, isVolatile);
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

/** As it was told the first time. */
export function entryOutcome({ outcome }: TakenEntry, isVolatile: boolean): Told {
  if (outcome.kind !== "accepted") return outcome;
  return isVolatile ? MEMORY : { kind: "accepted", durable: "local", revision: outcome.revision };
}
