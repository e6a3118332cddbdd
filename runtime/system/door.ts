// The door of a node: what its composition may add to a message, or refuse, before it is journaled (vehicle V3, X1).

import type { AnyActorType } from "../actor/index.ts";
import type { Address } from "../address.ts";
import type { DoorReads, EventData } from "../entity/contract.ts";
import type { Refusal } from "../outcome.ts";
import type { RemoteMessage } from "./contract.ts";

export type DoorVerdict =
  /** Taken as it is, or with these fields in place of it; `to`: another actor of the same entity is meant; `reads` are copied values and the outcome of the guard. */
  { readonly kind: "pass"; readonly to?: Address; readonly event?: EventData; readonly reads?: DoorReads } | { readonly kind: "refuse"; readonly refusal: Refusal };

/** Called for messages from outside and from other entities, before the protocol is checked. `type` is that of the actor meant. Synchronous and total. */
export type Door = (message: RemoteMessage, type: AnyActorType) => DoorVerdict;
