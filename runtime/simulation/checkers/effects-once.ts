// S3, F1. A `once` effect is attempted at most once, over all restarts, and so is a `state` one, which is computed again instead; an `idempotent` one that was committed is confirmed in the end.
// Which class one of a volatile entity has nobody wrote down; once it was confirmed it is not attempted again, whatever its class.

import type { PendingEffect } from "../../entity/index.ts";
import { rowsOf } from "../open-work.ts";
import { turnOf } from "./effect-turn.ts";
import type { Checker, CommittedTurn } from "./evidence.ts";

/** Declared effects by their keys, as the turns that committed them say. */
function declared(turns: readonly CommittedTurn[]): ReadonlyMap<string, { readonly row: PendingEffect; readonly atMs: number }> {
  const effects = new Map<string, { readonly row: PendingEffect; readonly atMs: number }>();
  for (const { atMs, record } of turns) for (const row of rowsOf(record, "pending")) if (row.length > 1) effects.set(row[0], { row: row[1] as PendingEffect, atMs });
  return effects;
}

export const stateNeverReplayed: Checker = {
  name: "a state effect is never replayed",
  promise: "F1",
  check: ({ history, turns }) => {
    const effects = declared(turns);
    const found: { atMs: number; what: string }[] = [];
    const attempted = new Set<string>();
    for (const fact of history) {
      if (fact.kind !== "effect" || fact.what !== "attempt" || effects.get(fact.key)?.row.class !== "state") continue;
      if (attempted.has(fact.key))
        found.push({ atMs: fact.atMs, what: `the state effect ${fact.name} (${fact.key}) was attempted again, under the key of the turn that it was computed in` });
      attempted.add(fact.key);
    }
    return found;
  },
};

export const onceAtMostOnce: Checker = {
  name: "a once effect happens at most once",
  promise: "F1",
  check: ({ history, turns, isVolatile }) => {
    const effects = declared(turns);
    const found: { atMs: number; what: string }[] = [];
    const attempted = new Set<string>();
    const confirmed = new Set<string>();
    for (const fact of history) {
      if (fact.kind !== "effect") continue;
      if (fact.what === "confirmed") confirmed.add(fact.key);
      if (fact.what !== "attempt") continue;
      const { entity, incarnation } = turnOf(fact);
      if (confirmed.has(fact.key) && isVolatile(entity, incarnation))
        found.push({ atMs: fact.atMs, what: `the effect ${fact.name} (${fact.key}) of a volatile actor was attempted again after it was confirmed` });
      if (effects.get(fact.key)?.row.class !== "once") continue;
      if (attempted.has(fact.key)) found.push({ atMs: fact.atMs, what: `the once effect ${fact.name} (${fact.key}) was attempted again` });
      attempted.add(fact.key);
    }
    return found;
  },
};

export const idempotentConfirmed: Checker = {
  name: "an idempotent effect is confirmed in the end",
  promise: "F1",
  check: ({ history, turns }) => {
    const noted = history.some(({ kind }) => kind === "effect");
    if (!noted) return [];
    const confirmed = new Set<string>();
    for (const fact of history) if (fact.kind === "effect" && fact.what === "confirmed") confirmed.add(fact.key);
    return [...declared(turns)]
      .filter(([key, { row }]) => row.class === "idempotent" && !confirmed.has(key))
      .map(([key, { row, atMs }]) => ({ atMs, what: `the idempotent effect ${row.name} (${key}) of ${row.cell} was committed and never confirmed` }));
  },
};
