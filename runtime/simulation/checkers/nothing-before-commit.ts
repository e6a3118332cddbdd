// S2. Nothing leaves before its commit: what a sender was told, what watchers saw, what effects did and what other entities took had been written before.

import { rowsOf } from "../open-work.ts";
import type { Checker } from "./evidence.ts";

export const nothingBeforeCommit: Checker = {
  name: "nothing leaves before its commit",
  promise: "S2",
  check: ({ history, turns }) => {
    const found: { atMs: number; what: string }[] = [];
    const byPlace = new Map(turns.map((turn) => [turn.at, turn]));
    /** Highest written revision by entity and incarnation; effects and rows that are in a written turn. */
    const heads = new Map<string, number>();
    const newest = new Map<string, number>();
    const effects = new Set<string>();
    const rows = new Set<string>();
    history.forEach((fact, at) => {
      const turn = byPlace.get(at);
      if (turn !== undefined) {
        const { record, entity, incarnation, revision } = turn;
        heads.set(`${entity} ${incarnation}`, Math.max(revision, heads.get(`${entity} ${incarnation}`) ?? 0));
        newest.set(entity, Math.max(revision, newest.get(entity) ?? 0));
        for (const row of rowsOf(record, "pending")) if (row.length > 1) effects.add(row[0]);
        for (const row of rowsOf(record, "outbox")) if (row.length > 1) rows.add(`${entity} ${incarnation} ${row[0]}`);
        record.inputs.forEach((input, index) => {
          if (input.kind !== "message" || input.sender.kind !== "entity" || record.results[index]?.kind !== "accepted") return;
          const { sender } = input;
          if (!rows.has(`${sender.entity} ${sender.incarnation} ${entity} ${String(sender.seq)}`))
            found.push({ atMs: fact.atMs, what: `${entity} took message ${String(sender.seq)} of ${sender.entity}, which that had never committed` });
        });
        return;
      }
      if (fact.kind === "shown" && fact.revision > (heads.get(`${fact.entity} ${fact.incarnation}`) ?? 0))
        found.push({ atMs: fact.atMs, what: `${fact.entity} r${String(fact.revision)} was shown before it was written` });
      if (fact.kind === "effect" && fact.what === "attempt" && !effects.has(fact.key))
        found.push({ atMs: fact.atMs, what: `the effect ${fact.name} (${fact.key}) was performed before its turn was written` });
      if (fact.kind === "told" && fact.outcome.kind === "accepted" && "revision" in fact.outcome) {
        const revision = fact.outcome.revision ?? 0;
        const entity = fact.to.split("/").slice(0, 3).join("/");
        if (revision > (newest.get(entity) ?? 0)) found.push({ atMs: fact.atMs, what: `${fact.id} was accepted with r${String(revision)} of ${entity} before that was written` });
      }
    });
    return found;
  },
};
