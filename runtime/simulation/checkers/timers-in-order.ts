// K1. Equal deadlines of an entity fire in arming order, kept across restarts.
//
// O1. Equal on one clock, both armed by turns before: what is looked up at one moment is handed over in this order. What was taken back or armed anew meanwhile is not owed.
// O2. One that made its actor fail, or ended a process, fires again after those that came meanwhile.

import type { TimerRow } from "../../entity/index.ts";
import { rowsOf } from "../open-work.ts";
import type { Checker } from "./evidence.ts";
import { standingTurns } from "./standing-turns.ts";

/** Armed timers of an entity by their key, together where they are due at the same time. */
class Deadlines {
  readonly incarnation: string;
  readonly #rows = new Map<string, TimerRow>();
  readonly #equal = new Map<string, Map<string, TimerRow>>();

  constructor(incarnation: string) {
    this.incarnation = incarnation;
  }

  get(key: string): TimerRow | undefined {
    return this.#rows.get(key);
  }

  set(key: string, row: TimerRow | undefined): void {
    const before = this.#rows.get(key);
    if (before !== undefined) {
      const equal = this.#equal.get(dueOf(before));
      equal?.delete(key);
      if (equal?.size === 0) this.#equal.delete(dueOf(before));
    }
    this.#rows.delete(key);
    if (row === undefined) return;
    this.#rows.set(key, row);
    const equal = this.#equal.get(dueOf(row));
    if (equal === undefined) this.#equal.set(dueOf(row), new Map([[key, row]]));
    else equal.set(key, row);
  }

  /** All that are due when this one is, itself too. */
  equalTo(row: TimerRow): ReadonlyMap<string, TimerRow> {
    return this.#equal.get(dueOf(row)) ?? new Map();
  }
}

export const timersInOrder: Checker = {
  name: "equal deadlines fire in arming order",
  promise: "K1",
  check: (evidence) => {
    const found: { atMs: number; what: string }[] = [];
    const entities = new Map<string, Deadlines>();
    /** O2. */
    const failed = new Set<string>();
    for (const { store, entity, incarnation, atMs, record } of standingTurns(evidence)) {
      const name = `${store} ${entity}`;
      let armed = entities.get(name);
      if (armed?.incarnation !== incarnation) entities.set(name, (armed = new Deadlines(incarnation)));
      const firing = (timer: string, generation: number): string => `${name} ${incarnation} ${timer}#${String(generation)}`;
      const rows = rowsOf(record, "timers");
      /** Whether it fired before its place in the turn, as far as the turn has come. */
      const fired = new Set<string>();
      const isStillArmed = (key: string, { generation }: TimerRow): boolean => {
        const row = rows.find(([changed]) => changed === key);
        return row === undefined || (row[1] as TimerRow | undefined)?.generation === generation;
      };
      const firesHere = new Set(record.inputs.flatMap((input) => (input.kind === "timer" ? [firing(input.timer, input.generation)] : [])));
      record.inputs.forEach((input, index) => {
        const meant = input.kind === "attempt" ? input.of : input;
        if (meant.kind !== "timer") return;
        const key = firing(meant.timer, meant.generation);
        if (input.kind === "attempt" || record.results[index]?.kind === "faulted") failed.add(key);
        fired.add(key);
        const row = armed.get(meant.timer);
        if (input.kind === "attempt" || record.results[index]?.kind !== "accepted" || row?.generation !== meant.generation) return;
        for (const [other, before] of armed.equalTo(row)) {
          const name = firing(other, before.generation);
          if (before.generation >= row.generation || fired.has(name) || failed.has(name)) continue;
          if (firesHere.has(name) || isStillArmed(other, before))
            found.push({ atMs, what: `the timer ${row.name} of ${row.owner} fired before ${before.name} of ${before.owner}, which was armed before it for the same time` });
        }
      });
      for (const [key, value] of rows) armed.set(key, value as TimerRow | undefined);
    }
    return found;
  },
};

function dueOf({ clock, due }: TimerRow): string {
  return `${clock} ${String(due)}`;
}
