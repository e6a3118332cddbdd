// The rows of an entity's tables, as they are kept in its state (rest.ts).

import type { Address } from "../address.ts";
import type { ChildSpec, EffectClass, Input, OutboxRow, TakenEntry } from "./contract.ts";
import type { Refusal } from "../outcome.ts";
import type { FaultPlace } from "./fault.ts";

export interface TimerRow {
  /** Address and incarnation of the cell that armed it. */
  readonly owner: Address;
  readonly incarnation: number;
  readonly name: string;
  /** A ref: who gets the event. */
  readonly to: unknown;
  readonly event: unknown;
  readonly clock: "elapsed" | "wall";
  /** On its clock, ms. */
  readonly due: number;
  /** W3C traceparent of the input that armed it. */
  readonly trace?: string;
  /** Of a timer that keeps a rhythm, ms: its period, how many late firings in a row it may have, and the how manieth its next one is. */
  readonly rhythm?: { readonly every: number; readonly atMost: number; readonly late: number } | undefined;
  /** Grows with every arming in the entity: equal deadlines fire in this order (rules K1). */
  readonly generation: number;
  /** In no state does the machine that it is for take its event, as it was when this was armed: XState drops it, and nobody changed a machine (K1). */
  readonly isForNobody?: true;
}

/** Faults and restarts of an actor: how often, the last one, and how it has been failing of late. */
export interface RestartRow extends Partial<FaultPlace> {
  readonly count: number;
  readonly reason: string;
  readonly at: number;
  readonly anew?: AnewRow | undefined;
}

/** A step that has come to no end yet (parking.ts). */
export interface OpenAttempt {
  /** The how manieth it is. */
  readonly attempt: number;
  /** How many of those before it were not of this node. */
  readonly others: number;
  /** The node that steps it. */
  readonly by: string;
}

/** Failures without a stable time between them; all on the hosted clock, ms. */
export interface AnewRow {
  /** Beginnings anew and restarts with siblings: what waits by backoff. */
  readonly attempts: number;
  /** Of the first failure. */
  readonly since: number;
  readonly last: number;
  /** Not again before this. */
  readonly notBefore: number;
  readonly isDegraded: boolean;
}

/** What is known of an entity that sends to this one (rules M1, E1). */
export interface SenderRow {
  readonly incarnation: string;
  readonly seq: number;
  readonly epoch: number;
  /** Histories that were replaced: nothing of them is taken any more. */
  readonly past: readonly string[];
  /** Final refusals of late, so that a repetition hears the same; at most 16. */
  readonly refusals: readonly (readonly [number, Refusal])[];
}

/** A declared effect that is not confirmed. */
export interface PendingEffect {
  readonly cell: Address;
  readonly incarnation: number;
  readonly name: string;
  readonly params: unknown;
  readonly class: EffectClass;
  /** Wall time of its turn. */
  readonly since: number;
  readonly author: string | undefined;
  readonly messageId: string | undefined;
  readonly trace?: string;
}

/** An input that made its cell fail three times, or a state that was given up (hosting H13). */
export interface ParkedRow {
  readonly at: number;
  readonly offender: Address;
  readonly reason: string;
  readonly input: unknown;
  /** The state that was replaced by a start from the beginning. */
  readonly state?: unknown;
  /** A timer that can ring once more (parked-timers.ts). Earlier versions kept none. */
  readonly timer?: { readonly key: string; readonly row: TimerRow };
}

/** A message that waits for another state of its actor. */
export interface StashRow {
  readonly input: Extract<Input, { kind: "message" }>;
  /** The state has changed since: it is on its way. */
  readonly isReleased: boolean;
}

/** A message that found the mailbox full. */
export interface ShelfRow {
  readonly input: Extract<Input, { kind: "message" }>;
  /** Wall time of its shelving. */
  readonly at: number;
  /** What it counts against the shelf's limit. */
  readonly bytes: number;
}

export interface ChildRow extends ChildSpec {
  /** Order of starting. */
  readonly order: number;
}

export interface RestTables {
  timers: TimerRow;
  outbox: OutboxRow;
  /** Next seq by receiver. */
  lines: number;
  taken: TakenEntry;
  senders: SenderRow;
  /** System id to the ref of its cell. */
  systemIds: unknown;
  pending: PendingEffect;
  /** Key of an ask that waits for its answer, to the cell that asked. */
  asks: { readonly cell: Address; readonly incarnation: number; readonly deadline: number };
  attempts: number | OpenAttempt;
  parked: ParkedRow;
  children: ChildRow;
  /** Postponed messages in the order of their keys. */
  stash: StashRow;
  /** Shelved messages in the order of their keys, which are numbers. */
  shelf: ShelfRow;
  restarts: RestartRow;
}

export type TableName = keyof RestTables;
