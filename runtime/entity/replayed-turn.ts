// A recorded turn run again from the state before it, and an input tried on a state: both on a copy, with all that happens inside told (promise S9).

import type { Address } from "../address.ts";
import type { EntityType } from "../actor/index.ts";
import { decodeData } from "../xstate/index.ts";
import type { EntityState, Input, JournalRecord, TurnStamp } from "./contract.ts";
import type { HostedEntity } from "./entity.ts";
import { messageOf } from "../message-of.ts";
import { difference } from "./difference.ts";
import { placeState, restoreEntity } from "./restore.ts";
import { typeAt, versionsOf } from "./versions.ts";
import { type TracedTurn, type TraceEntry, traceTurn } from "./traced-turn.ts";

export interface ReplayedTurn {
  readonly trace: readonly TraceEntry[];
  /** Where the outcome differs from what was committed, or why the turn could not be run again; undefined: it is the same. */
  readonly differs: string | undefined;
}

/** @param before state of the revision before the record's; undefined for revision 1 */
export function replayTurn(type: EntityType, address: Address, before: EntityState | undefined, record: JournalRecord): ReplayedTurn {
  const then = typeAt(type, { ...(before === undefined ? {} : versionsOf(before)), ...record.versions });
  if (then === undefined) {
    const [name, version] = Object.entries(record.versions).find(([one, made]) => typeAt(type, { [one]: made }) === undefined) ?? ["an actor type", 0];
    return { trace: [], differs: `made by version ${String(version)} of ${name}, which is not registered; newest is ${String(type.types.get(name)?.version ?? "none")}` };
  }
  try {
    const entity = placeState(then, address, before, record.incarnation);
    const { entries, outcome } = traceTurn(entity, decodeData(record.inputs, entity.interior) as readonly Input[], record.stamp, record.outcome);
    return { trace: entries, differs: difference(record.outcome, outcome, "") };
  } catch (cause) {
    return { trace: [], differs: `running it again failed: ${messageOf(cause)}` };
  }
}

/** What an input would do. @throws Error when the state cannot be read by the registered types */
export function tryInput(type: EntityType, address: Address, state: EntityState, input: Input, stamp: TurnStamp): TracedTurn {
  const { entity } = restoreEntity(type, address, { snapshot: state, records: [] });
  return traceTurn(entity as HostedEntity, [input], stamp);
}
