// What waits in an entity's mailbox, and how its sender learns what became of it.

import type { Address } from "../address.ts";
import type { EventData, Input, InputResult, Sender } from "../entity/contract.ts";

export interface Mail {
  readonly input: Input;
  /** What it counts against the mailbox's limit; default 256. */
  readonly bytes?: number;
  /** Monotonic time of its arrival, where it is known. */
  readonly at?: number;
  /** A waiting message with the same key gives way to it (mailbox B4). */
  key?: string;
  /** A message of the control lane. */
  isUrgent?: true;
  /** On its way to the shelf. */
  isOverflow?: true;
  /** Monotonic time after which it is not taken any more. */
  readonly deadline?: number;
  /** Told when its deadline passes while a turn that has taken it is being committed; `settle` says afterwards what became of it. */
  overdue?(): void;
  /** Told after the commit that contains it, or when it is clear that none will; only the first word counts. */
  settle?(result: Settled): void;
}

/** `accepted-at`: committed with this revision; of a volatile entity it is `accepted` alone (rules M3). */
export type Settled = InputResult | { readonly kind: "accepted-at"; readonly revision: number };

/** A message that was accepted and came to nothing. */
export interface LostMessage {
  readonly to: Address;
  readonly event: EventData;
  readonly sender: Sender;
}

/** Whose messages are taken in their order. */
export function isSameSender(a: Sender, b: Sender): boolean {
  if (a.kind === "outside") return b.kind === "outside" && a.author === b.author;
  if (a.kind === "entity") return b.kind === "entity" && a.entity === b.entity;
  return b.kind === "local";
}

/** For what was accepted before it came to its step: what becomes of it is told when it is nothing. */
export function lossOf(message: LostMessage | undefined, lost: (message: LostMessage, reason: string) => void): (result: Settled) => void {
  return (result) => {
    if (message !== undefined && result.kind === "dropped") lost(message, result.reason);
  };
}
