// What becomes of a firing whose time has passed while nobody watched the clock (rules K1): a node without power, an entity that was not hosted, a wall clock that jumped.
//
// P1. `skip` and `each` are timers at a fixed rhythm: arming the same timer again while its firing is handled counts from when that was due, not from when it was handled.
// P2. After the last missed firing that counts, the rhythm goes on with the first time that lies ahead.
// P3. When it is armed, a timer at a rhythm lies a period ahead at most. One that lies farther ahead shows that the wall clock was set back: its rhythm goes on with the first time that lies ahead, as it would have
//     been armed now, and nothing fires for that. By no more than `STEPS_MS` it is a correction in small steps: with the time of the last firing, which such a clock shows again, it would fire twice.

import type { TimerPolicy } from "./contract.ts";
import type { TimerRow } from "./rest-tables.ts";

/** A firing so much after its time was missed, whatever kept it, ms: no node is that late. */
const MISSED_AFTER_MS = 60_000;

/** P3. What a clock that is corrected in small steps goes back in a period. */
const STEPS_MS = 2_000;
/** P3. Of later times, which nobody lives to see, numbers do not tell when they were armed. */
const LATEST_MS = Number.MAX_SAFE_INTEGER;

/** A timer while its firing is handled. */
export interface Firing {
  readonly incarnation: number;
  readonly name: string;
  readonly due: number;
  /** How many firings in a row came after their time, this one included. */
  readonly late: number;
}

export function clockOf(policy: TimerPolicy): TimerRow["clock"] {
  return policy === "remaining" ? "elapsed" : "wall";
}

/** @param watchedSince wall time from which on the clock was watched */
export function isMissed(row: TimerRow, now: number, watchedSince: number): boolean {
  return row.rhythm !== undefined && (row.due < watchedSince || now - row.due > MISSED_AFTER_MS || isSetBack(row, now));
}

/** P3. A wall clock that shows less was set back; undefined: this timer does not tell. */
export function setBackBefore({ rhythm, due }: TimerRow): number | undefined {
  return rhythm === undefined || due > LATEST_MS ? undefined : due - rhythm.every - STEPS_MS;
}

/** P3. @param now of a trusted wall clock */
export function isSetBack(row: TimerRow, now: number): boolean {
  return now < (setBackBefore(row) ?? Number.NEGATIVE_INFINITY);
}

/** What a row needs to keep the rhythm; undefined for a timer that has none. */
export function rhythmOf(policy: TimerPolicy, delay: number): TimerRow["rhythm"] {
  if (typeof policy === "string" && policy !== "skip") return undefined;
  return { every: Math.max(0, delay), atMost: policy === "skip" ? 0 : policy.each, late: 0 };
}

/** When a timer at a rhythm is due that is armed now. @param firing the same timer's firing, where it is armed while that is handled */
export function nextDue(rhythm: NonNullable<TimerRow["rhythm"]>, now: number, firing: Firing | undefined): { readonly due: number; readonly late: number } {
  if (firing === undefined || rhythm.every === 0) return { due: now + rhythm.every, late: 0 };
  const due = firing.due + rhythm.every;
  if (due > now) return { due, late: 0 };
  return firing.late >= rhythm.atMost ? { due: ahead(due, rhythm.every, now), late: 0 } : { due, late: firing.late + 1 };
}

/** Where a rhythm goes on of which no firing counts: P2, P3. */
export function goneOn(row: TimerRow, { every, atMost }: NonNullable<TimerRow["rhythm"]>, now: number): Pick<TimerRow, "due" | "rhythm"> {
  if (!isSetBack(row, now)) return { due: ahead(row.due, every, now), rhythm: row.rhythm };
  const next = row.due - (Math.ceil((row.due - now) / every) - 1) * every;
  return { due: next > now ? next : now, rhythm: { every, atMost, late: 0 } };
}

/** The first time of the rhythm after `now`; `now` itself where its period is too short to be added to a time. */
function ahead(due: number, every: number, now: number): number {
  if (every === 0 || due > now) return due;
  const next = due + (Math.floor((now - due) / every) + 1) * every;
  return next > now && Number.isFinite(next) ? next : now;
}
