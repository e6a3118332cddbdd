// What becomes of a firing whose time has passed while nobody watched the clock (rules K1): a node without power, an entity that was not hosted, a wall clock that jumped.
//
// P1. `skip` and `each` are timers at a fixed rhythm: arming the same timer again while its firing is handled counts from when that was due, not from when it was handled.
// P2. After the last missed firing that counts, the rhythm goes on with the first time that lies ahead.

import type { TimerPolicy } from "./contract.ts";
import type { TimerRow } from "./rest-tables.ts";

/** A firing so much after its time was missed, whatever kept it, ms: no node is that late. */
const MISSED_AFTER_MS = 60_000;

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
  return row.rhythm !== undefined && (row.due < watchedSince || now - row.due > MISSED_AFTER_MS);
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

/** The first time of the rhythm after `now`; `now` itself where its period is too short to be added to a time. */
export function ahead(due: number, every: number, now: number): number {
  if (every === 0 || due > now) return due;
  const next = due + (Math.floor((now - due) / every) + 1) * every;
  return next > now && Number.isFinite(next) ? next : now;
}
