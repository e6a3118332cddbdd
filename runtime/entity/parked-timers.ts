// Timers whose firing made their actor fail three times: set aside with their rows, so that they can ring once more when the code is mended (rules M4).
//
// T1. It rings again only as long as it would still be armed had it not failed: it is forgotten when its actor cancels it, arms another of its name, begins anew or ends. What was set aside, and why, stays listed.
// T2. It is armed once, for now, and gone from what is set aside with the same commit; if it fails again it has three attempts, and is set aside anew.

import { CellRef, type StepEvent } from "../xstate/index.ts";
import type { Address } from "../address.ts";
import type { Cell } from "./cell.ts";
import type { Input, InputResult } from "./contract.ts";
import type { Interior } from "./interior.ts";
import { isHeardBy } from "./outward.ts";
import { withoutTimer } from "./parked-rows.ts";
import type { TimerRow } from "./rest-tables.ts";
import { hasRowRoom } from "./table-limits.ts";

/** As whoever hosts the entity tells of it. */
export interface ParkedTimer {
  /** Its number in the entity's history. */
  readonly parked: string;
  readonly at: number;
  readonly owner: Address;
  /** Its key in the entity. */
  readonly timer: string;
  readonly name: string;
  readonly event: string;
  readonly reason: string;
}

const RETRY_AFTER_MS = 1_000;

/** Those that can ring again, oldest first; committed ones. */
export function parkedTimers({ rest }: Interior): readonly ParkedTimer[] {
  return [...rest.committedEntries("parked")]
    .flatMap(([parked, { at, reason, timer }]) =>
      timer === undefined ? [] : [{ parked, at, reason, owner: timer.row.owner, timer: timer.key, name: timer.row.name, event: (timer.row.event as StepEvent).type }],
    )
    .sort((a, b) => Number(a.parked) - Number(b.parked));
}

/** T1, T2. */
export function ringAgain(interior: Interior, { parked, timer: key }: Extract<Input, { kind: "ring" }>): InputResult {
  const { rest, stamp } = interior;
  const aside = rest.get("parked", parked);
  const timer = aside?.timer;
  if (aside === undefined || timer?.key !== key)
    return refused("the timer is not set aside any more: it rang, or its actor has cancelled it, armed it anew, left its state or ended");
  const { row } = timer;
  const problem = whyNobody(interior, row);
  if (problem !== undefined) return refused(problem);
  if (!hasRowRoom(interior, "timers")) return { kind: "full", retryAfterMs: RETRY_AFTER_MS };
  rest.put("parked", parked, withoutTimer(aside));
  rest.put("timers", key, { ...row, due: row.clock === "wall" ? stamp.now : stamp.elapsed, generation: rest.next("timer") });
  return { kind: "accepted" };
}

function whyNobody({ cells }: Interior, { owner, incarnation, to, event }: TimerRow): string | undefined {
  if (cells.get(owner)?.incarnation !== incarnation) return "the timer's actor has gone";
  if (typeof to !== "object" || to === null || !CellRef.is(to)) return undefined;
  const target = CellRef.cellOf(to) as Cell;
  if (target.life === "ended") return "the timer's actor has gone";
  return isHeardBy(target, event as StepEvent) ? undefined : `${target.address} waits for nothing like ${(event as StepEvent).type} any more`;
}

function refused(reason: string): InputResult {
  return { kind: "refused", accepts: [], reason };
}
