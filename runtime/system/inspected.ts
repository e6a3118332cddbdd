// What a look into actors shows.

import type { Address } from "../address.ts";
import type { EventData, ReplayedTurn, TraceEntry } from "../entity/index.ts";
import type { Refusal } from "../outcome.ts";
import type { Interest } from "./interest.ts";
import type { HistoryInput } from "./views.ts";

export interface ActorInspection extends Interest {
  readonly address: Address;
  readonly revision: number;
  /**
   * The turn in which its present state was entered, however long ago: with every step that leaves or enters a state node, also the same one again (`reenter`) or one of many regions.
   * `from` is the state value before, null when the actor began with it; a reducer, which has no states, tells its beginning, as a volatile actor does that began anew. `at` is wall time, ms.
   * undefined where it is not known: entered under an earlier version of Drover that did not note it, or in bare XState.
   */
  readonly lastTransition: { readonly revision: number; readonly at: number; readonly from: unknown; readonly causes: readonly [TransitionCause] } | undefined;
  /** Since then, ms by the wall clock; undefined where it is not known. */
  readonly inStateMs: number | undefined;
}

/** What made an actor enter its state. `id` and `trace` of a message are known as long as the journal keeps the turn, and tells which of its messages it was. */
export interface TransitionCause extends HistoryInput {
  /** Name of the timer that fired. */
  readonly timer?: string;
  /** Type of the message of `author`, where it is another than `type`: it went to another actor of the entity, or the event followed from it. */
  readonly via?: string;
}

export interface PastActor {
  readonly address: Address;
  readonly revision: number;
  /** Wall time of that turn, ms. */
  readonly at: number;
  readonly status: string;
  readonly version: number;
  readonly state: unknown;
  readonly context: unknown;
}

/** The journal, or the newest full state, does not reach back to this revision, or not so far forward; or what it keeps before says nothing of this actor. */
export interface NotKept {
  readonly kind: "not-kept";
  /** From here on each revision is told of what was asked for, up to `last`: those before were trimmed, or one of them is damaged. */
  readonly first: number;
  readonly last: number;
}

export interface ReplayedRevision extends ReplayedTurn {
  readonly kind: "replayed";
  readonly revision: number;
  readonly at: number;
  /** Rows and actors of which the journal says no more how they were before this turn. 0: the replay began from a whole state. */
  readonly unknown: number;
}

/** What a message would do. */
export type Trial =
  | { readonly kind: "tried"; readonly result: string; readonly trace: readonly TraceEntry[]; readonly state: unknown; readonly context: unknown }
  /** Refused before the actor was asked: by the message itself, the node's door, or the protocol. */
  | { readonly kind: "turned-away"; readonly refusal: Refusal };

/** A `revision` is a whole number from 0: another one is thrown as DROVER_CONFIG_INVALID. */
export interface Inspection {
  /** undefined: not hosted here. */
  inspect(address: Address): Promise<ActorInspection | undefined>;
  /** The actor after the turn of this revision of its entity, of a replica too; `absent`: it was not there. undefined: the entity is not known here. */
  stateAt(address: Address, revision: number): Promise<PastActor | NotKept | "absent" | undefined>;
  /** Runs the entity's turn of this revision again, on a copy. undefined: not hosted here. */
  replay(address: Address, revision: number): Promise<ReplayedRevision | NotKept | undefined>;
  /** Which guards a message would meet and where it would lead. Nothing is committed, nothing leaves. undefined: not hosted here. */
  tryOut(address: Address, event: EventData, from: { readonly author: string }): Promise<Trial | undefined>;
}
