// What a look into actors shows.

import type { Address } from "../address.ts";
import type { EventData, ReplayedTurn, TraceEntry } from "../entity/index.ts";
import type { Refusal } from "../outcome.ts";
import type { Interest } from "./interest.ts";
import type { HistoryEntry } from "./views.ts";

export interface ActorInspection extends Interest {
  readonly address: Address;
  readonly revision: number;
  /** The present state value and the turn that led to it; undefined where the journal does not reach so far back, or there is none. */
  readonly lastTransition: { readonly revision: number; readonly at: number; readonly from: unknown; readonly causes: HistoryEntry["inputs"] } | undefined;
  /** How long the state value has been as it is, ms. */
  readonly inStateMs: number | undefined;
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

/** The journal, or the newest full state, does not reach back to this revision, or not so far forward. */
export interface NotKept {
  readonly kind: "not-kept";
  /** Kept revisions. */
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
