// Whether what an entity holds in memory is what its recovery would bring (rules R2): asked again and again while it runs.
//
// W1. After every commit each value that it keeps is what the codec reads back.
// W2. After every eighth its store, read as a recovery reads it, gives the same state byte for byte. That costs more, and what one commit loses the next ones have not.

import type { EntityType, Registered } from "../actor/index.ts";
import { type Address, kindOf, parseAddress } from "../address.ts";
import { decodeState, encodeState, readStored, restoreEntity, typeAt, versionsOf } from "../entity/index.ts";
import type { StoredEntity } from "../ports/index.ts";
import type { System } from "../system/index.ts";
import type { Unlike } from "./history.ts";
import type { MemoryStore } from "./memory-store.ts";

const READ_EVERY = 8;

export interface RecoveryWatch {
  readonly system: System;
  /** What the system's store stands on, whatever lies between. */
  readonly base: MemoryStore;
  readonly types: readonly Registered[];
  readonly say: (found: Omit<Unlike, "kind" | "node" | "run" | "atMs">) => void;
}

export function watchRecoveries({ system, base, types: registered, say }: RecoveryWatch): void {
  const types = new Map(registered.flatMap((type) => (type.kind === "entity" ? [[type.name, type] as const] : [])));
  system.watch(({ entity, incarnation, revision, record }) => {
    if (record === undefined) return;
    const problem = system.readBackProblem(entity);
    if (problem !== undefined) say({ entity, incarnation, revision, what: problem });
    const type = types.get(kindOf(entity));
    const held = revision % READ_EVERY === 0 ? system.stateOf(entity) : undefined;
    if (type === undefined || held?.revision !== revision) return;
    void base.load(entity).then(
      (stored) => {
        // Another owner's history is not this one's to compare with.
        if (stored?.incarnation !== incarnation || stored.revision !== revision) return;
        const what = differenceOf(type, entity, stored, held.encoded);
        if (what !== undefined) say({ entity, incarnation, revision, what });
      },
      // Its power was cut meanwhile.
      () => undefined,
    );
  });
}

function differenceOf(type: EntityType, entity: Address, stored: StoredEntity, held: Uint8Array): string | undefined {
  try {
    // In the versions that are active there (rules T4).
    const now = typeAt(type, versionsOf(decodeState(held)) ?? {}) ?? type;
    const recovered = restoreEntity(now, parseAddress(entity), readStored(stored));
    const [divergence] = recovered.divergences;
    if (divergence !== undefined) return `its recovery differs at r${String(divergence.revision)}: ${divergence.reason}`;
    return Buffer.from(through(encodeState(recovered.entity.state()))).equals(through(held)) ? undefined : "its store recovers to another state than it holds";
  } catch (cause) {
    return `its recovery fails: ${cause instanceof Error ? cause.message : String(cause)}`;
  }
}

/** What the codec carries is what is compared (rules R2). */
function through(encoded: Uint8Array): Uint8Array {
  return encodeState(decodeState(encoded));
}
