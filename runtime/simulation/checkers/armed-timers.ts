// Timers of entities from arming to their end, as the turns tell that stores have taken.

import type { Input } from "../../entity/contract.ts";
import type { TimerRow } from "../../entity/index.ts";
import { rowsOf } from "../open-work.ts";
import type { CommittedTurn } from "./evidence.ts";

export interface ArmedTimer {
  readonly row: TimerRow;
  readonly store: string;
  readonly entity: string;
  /** Its key in the entity. */
  readonly key: string;
  readonly armed: CommittedTurn;
  /** undefined: it is armed in the end. `firing`: undefined where its actor took it back or armed it anew. */
  end: { readonly turn: CommittedTurn; readonly firing: Extract<Input, { kind: "timer" }> | undefined } | undefined;
}

/** All of them, in the order of arming. */
export function timersOf(turns: readonly CommittedTurn[]): readonly ArmedTimer[] {
  const timers: ArmedTimer[] = [];
  const armed = new Map<string, ArmedTimer>();
  for (const turn of turns) {
    const { store, entity, record } = turn;
    const firings = record.inputs.filter((input, index) => input.kind === "timer" && record.results[index]?.kind === "accepted");
    for (const [key, value] of rowsOf(record, "timers")) {
      const of = `${store} ${entity} ${key}`;
      const before = armed.get(of);
      const row = value as TimerRow | undefined;
      if (before !== undefined && before.row.generation === row?.generation) continue;
      if (before !== undefined) {
        const firing = firings.find((input) => input.kind === "timer" && input.timer === key && input.generation === before.row.generation);
        before.end = { turn, firing: firing?.kind === "timer" ? firing : undefined };
      }
      armed.delete(of);
      if (row === undefined) continue;
      const timer: ArmedTimer = { row, store, entity, key, armed: turn, end: undefined };
      armed.set(of, timer);
      timers.push(timer);
    }
  }
  return timers;
}
