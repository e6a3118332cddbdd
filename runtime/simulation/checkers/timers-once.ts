// S7, K1. A timer fires once: never twice under one generation, and by the end every one that was due has fired or was taken back by its actor.

import type { TimerRow } from "../../entity/index.ts";
import { rowsOf } from "../open-work.ts";
import type { Checker } from "./evidence.ts";

/** A due timer has this long to be taken by a turn. */
const GRACE_MS = 5_000;

interface Armed {
  readonly row: TimerRow;
  readonly store: string;
  readonly entity: string;
}

export const timersOnce: Checker = {
  name: "a timer fires once",
  promise: "S7",
  check: ({ history, turns }) => {
    const found: { atMs: number; what: string }[] = [];
    const fired = new Set<string>();
    const armed = new Map<string, Armed>();
    const lastTurn = new Map<string, { readonly atMs: number; readonly elapsed: number }>();
    for (const { atMs, store, entity, incarnation, record } of turns) {
      record.inputs.forEach((input, index) => {
        if (input.kind !== "timer" || record.results[index]?.kind !== "accepted") return;
        const key = `${store} ${entity} ${incarnation} ${input.timer}#${String(input.generation)}`;
        if (fired.has(key)) found.push({ atMs, what: `the timer ${input.timer} of ${entity} fired twice` });
        fired.add(key);
      });
      for (const row of rowsOf(record, "timers")) {
        const key = `${store} ${entity} ${row[0]}`;
        if (row.length === 1) armed.delete(key);
        else armed.set(key, { row: row[1] as TimerRow, store, entity });
      }
      lastTurn.set(store, { atMs, elapsed: record.stamp.elapsed });
    }
    const ends = upAtTheEnd(history);
    for (const { row, store, entity } of armed.values()) {
      const up = ends.get(store);
      const last = lastTurn.get(store);
      if (row.clock !== "elapsed" || up === undefined || last === undefined) continue;
      // Hosted time grows at least from the last turn, or from the last start when that was later.
      const elapsed = last.elapsed + (up.untilMs - Math.max(last.atMs, up.sinceMs));
      if (row.due + GRACE_MS < elapsed)
        found.push({ atMs: up.untilMs, what: `the timer ${row.name} of ${entity} was due ${String(Math.round(elapsed - row.due))} ms ago and has not fired` });
    }
    return found;
  },
};

/** By store: since when its last run has been up, and when the judgement was passed. */
function upAtTheEnd(history: Parameters<Checker["check"]>[0]["history"]): ReadonlyMap<string, { readonly sinceMs: number; readonly untilMs: number }> {
  const up = new Map<string, { readonly sinceMs: number; readonly untilMs: number }>();
  const since = new Map<string, number>();
  for (const fact of history) {
    if (fact.kind !== "node") continue;
    if (fact.what === "started") since.set(fact.store, fact.atMs);
    else if (fact.what === "stopping") {
      const sinceMs = since.get(fact.store);
      if (sinceMs !== undefined) up.set(fact.store, { sinceMs, untilMs: fact.atMs });
    } else if (fact.what === "starting") {
      since.delete(fact.store);
      up.delete(fact.store);
    }
  }
  return up;
}
