// What becomes of the timers in an entity's parked rows when their actors go on without them (parked-timers.ts T1).

import type { TurnOutcome } from "./contract.ts";
import type { Rest } from "./rest.ts";
import type { ParkedRow, TimerRow } from "./rest-tables.ts";

export function withoutTimer({ timer: _, ...row }: ParkedRow): ParkedRow {
  return row;
}

/** @param isMeant by the timer's key and row */
export function forgetTimers(rest: Rest, isMeant: (key: string, row: TimerRow) => boolean): void {
  if (rest.size("parked") === 0) return;
  for (const [number, row] of [...rest.entries("parked")]) if (row.timer !== undefined && isMeant(row.timer.key, row.timer.row)) rest.put("parked", number, withoutTimer(row));
}

/** It goes on as that of another name, as an armed one does. */
export function renameParked(rest: Rest, key: string, next: string, renamed: (row: TimerRow) => TimerRow): void {
  if (rest.size("parked") === 0) return;
  for (const [number, row] of [...rest.entries("parked")]) if (row.timer?.key === key) rest.put("parked", number, { ...row, timer: { key: next, row: renamed(row.timer.row) } });
}

/** A turn that an earlier version has recorded comes to no more than its record says: it set a timer aside without its row. */
export function forgetUnrecordedTimers({ rest: recorded }: TurnOutcome, rest: Rest): void {
  const rows = (recorded as { readonly parked?: readonly (readonly [string, Partial<ParkedRow>?])[] }).parked ?? [];
  for (const [number, row] of rows) {
    const own = rest.get("parked", number);
    if (row !== undefined && row.timer === undefined && own?.timer !== undefined) rest.put("parked", number, withoutTimer(own));
  }
}
