// A turn's result, and what is kept of an earlier one, as the sender learns it.

import type { TakenEntry } from "../entity/contract.ts";
import type { Told } from "../outcome.ts";
import type { Settled } from "./activation.ts";

/** A turn's result as its sender learns it. */
export function toldOf(result: Settled): Told {
  switch (result.kind) {
    case "accepted-at":
      return { kind: "accepted", durable: "local", revision: result.revision };
    case "accepted":
      return { kind: "accepted", durable: "memory" };
    case "duplicate":
      return result.entry === undefined ? { kind: "accepted", durable: "local" } : entryOutcome(result.entry);
    case "dropped":
      return { kind: "no-such-actor" };
    case "faulted":
      return result.outcome ?? { kind: "refused", accepts: [], reason: `the actor failed on it: ${result.error}` };
    default:
      return result;
  }
}

export function entryOutcome(entry: TakenEntry): Told {
  return entry.outcome.kind === "accepted" ? { kind: "accepted", durable: "local", revision: entry.outcome.revision } : entry.outcome;
}
