// The vehicle came back from an older copy of its store, and the cloud holds turns that this copy does not have: its entity goes on as a new incarnation (rules T1).
//
// F1. What is told of it is kept before the incarnation is replaced: killed in between, the node tells it at its next start, and finds out again that the histories have parted.
// F2. It is told as a loss of the store is (store-loss.ts): the vehicle is degraded until `store.acknowledge`, and an alarm is raised in the cloud.

import type { FoundFork } from "../protocols/uplink/index.ts";
import type { Address, System } from "../runtime/index.ts";
import { DroverError, type Clock, type Log, type Store } from "../runtime/ports/index.ts";
import { keepLoss, tellVehicle } from "./store-loss.ts";

export interface ForkPorts {
  readonly vehicle: Address;
  readonly system: Pick<System, "fork" | "inform">;
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
}

/** @throws DROVER_STORE_FAILED: the entity is away, or its store took no new incarnation; what is told of it is kept */
export async function openNewHistory(found: FoundFork, { vehicle, system, store, clock, log }: ForkPorts): Promise<void> {
  const { incarnation, revision, known } = found;
  const reason = `the vehicle came back from an older copy of its store: the cloud has turns up to revision ${String(known)} of history ${incarnation} that are not in it, and it goes on from its own revision ${String(revision)}`;
  log.error({ entity: vehicle, ...found }, "the vehicle's history has forked; it goes on under a new name");
  // One alarm for each incarnation that is left.
  await keepLoss(store, { what: "history", id: incarnation, reason, at: clock.now() });
  const told = await system.fork(vehicle, incarnation, known);
  if (told.kind !== "accepted") throw new DroverError("DROVER_STORE_FAILED", `no new history of ${vehicle} could be opened: ${told.kind}`, { retryable: true });
  void tellVehicle({ vehicle, system, store }, () => false).catch((cause: unknown) => {
    log.warn({ err: cause, entity: vehicle }, "the vehicle could not be told that its history has forked; it is at its next start");
  });
}
