// What an actor has under way: mail, subscriptions, timers, effects without confirmation, messages that wait for their receivers, failures.

import type { Address } from "../address.ts";
import type { Entity, UnheardCounts } from "../entity/index.ts";
import type { SubscriptionView } from "./listening.ts";

export interface Interest {
  /**
   * Of the entity, which has one mailbox for all its actors. `oldestMs`: how long its oldest message has waited; undefined when none waits. `shelved`: messages that found it full and
   * are kept in the journal until their turn is committed; those of them that are back in the mailbox count in `depth` too. `postponed`: messages that wait for another state of their actor.
   */
  readonly mailbox: { readonly depth: number; readonly bytes: number; readonly oldestMs: number | undefined; readonly shelved: number; readonly postponed: number };
  /** Topics that it listens to. */
  readonly subscriptions: readonly SubscriptionView[];
  /** Event types that the present state takes, before guards. */
  readonly accepts: readonly string[];
  /** By due time. `dueInMs` counts on the timer's own clock and is negative when it is late. */
  readonly timers: readonly { readonly name: string; readonly event: string; readonly clock: "elapsed" | "wall"; readonly dueInMs: number }[];
  /** Declared effects that are not confirmed, oldest first. */
  readonly effects: readonly { readonly key: string; readonly name: string; readonly class: string; readonly since: number }[];
  /** Messages of the entity that its receivers have not taken, by receiver. */
  readonly outbox: readonly { readonly receiver: Address; readonly waiting: number; readonly oldestSeq: number }[];
  /** Restarts of this actor in this history, and the last failure. */
  readonly restarts: { readonly count: number; readonly last: { readonly reason: string; readonly at: number } | undefined };
  /** What reached nobody inside the entity since it came into memory, by what it was (`drover_unheard_total`). */
  readonly unheard: UnheardCounts;
  /** Inputs of the entity that were set aside for good. `timer`: one that can ring again, as the dead letter that it has too. */
  readonly parked: readonly { readonly at: number; readonly offender: Address; readonly reason: string; readonly timer?: { readonly name: string; readonly event: string } }[];
}

interface InterestSurroundings extends Pick<Interest, "mailbox" | "subscriptions"> {
  /** On both clocks, ms. */
  readonly now: { readonly wall: number; readonly elapsed: number };
}

/** undefined when there is no such actor. */
export function interestOf(entity: Entity, address: Address, { mailbox, subscriptions, now }: InterestSurroundings): Interest | undefined {
  const view = entity.view(address);
  if (view === undefined) return undefined;
  const timers = entity
    .timers()
    .filter(({ owner }) => owner === address)
    .map(({ name, event, clock, due }) => ({ name, event: (event as { readonly type: string }).type, clock, dueInMs: due - (clock === "wall" ? now.wall : now.elapsed) }))
    .sort((a, b) => a.dueInMs - b.dueInMs);
  return {
    mailbox,
    subscriptions,
    accepts: view.accepts,
    timers,
    effects: entity
      .pending()
      .filter(({ cell }) => cell === address)
      .map(({ key, name, class: effectClass, since }) => ({ key, name, class: effectClass, since })),
    outbox: [...entity.outbox()].map(([receiver, rows]) => ({ receiver, waiting: rows.length, oldestSeq: rows[0]?.seq ?? 0 })),
    restarts: { count: view.restarts, last: view.lastFault },
    unheard: entity.counters.unheard,
    parked: entity.parked().map(({ at, offender, reason, timer }) => ({
      at,
      offender,
      reason,
      ...(timer === undefined ? {} : { timer: { name: timer.row.name, event: (timer.row.event as { readonly type: string }).type } }),
    })),
  };
}
