// M2. The outcome of a message from outside is kept until it expires, and nothing unexpired is evicted.
//
// O1. By the wall clock of the turn that lets it go. One that was sent again as a dead letter, and came to nothing, is judged anew the next time.

import { isSentAgain } from "../../entity/index.ts";
import type { TakenEntry } from "../../entity/contract.ts";
import { rowsOf } from "../open-work.ts";
import type { Checker } from "./evidence.ts";
import { standingTurns } from "./standing-turns.ts";

export const outcomesKept: Checker = {
  name: "an outcome is kept until it expires",
  promise: "M2",
  check: (evidence) => {
    const found: { atMs: number; what: string }[] = [];
    const kept = new Map<string, number>();
    for (const { store, entity, incarnation, atMs, record } of standingTurns(evidence))
      for (const [id, row] of rowsOf(record, "taken")) {
        const name = `${store} ${entity} ${incarnation} ${id}`;
        const expiresAt = kept.get(name) ?? 0;
        if (row !== undefined) kept.set(name, (row as TakenEntry).expiresAt);
        else if (expiresAt > record.stamp.now && !isSentAgain(id))
          found.push({ atMs, what: `${entity} has forgotten ${id} ${String(Math.round(expiresAt - record.stamp.now))} ms before it expires` });
      }
    return found;
  },
};
