// How long an actor has been failing, and how rarely it is therefore restarted (hosting H14): without a stable time in between it is one row of failures.

import { BACKOFF_DEFAULTS, backoffMs } from "../backoff.ts";
import type { Cell } from "./cell.ts";
import type { Interior } from "./interior.ts";
import { report } from "./report.ts";
import type { AnewRow } from "./rest-tables.ts";

const GIVE_UP_AFTER_MS = 600_000;

/** undefined: it has been stable, or never failed. */
export function ofLate(interior: Interior, cell: Cell): AnewRow | undefined {
  const anew = interior.rest.get("restarts", cell.address)?.anew;
  return anew !== undefined && interior.stamp.elapsed - anew.last < BACKOFF_DEFAULTS.resetAfterMs ? anew : undefined;
}

export function isFailingTooLong(interior: Interior, before: AnewRow | undefined): before is AnewRow {
  return before !== undefined && interior.stamp.elapsed - before.since >= GIVE_UP_AFTER_MS;
}

/** It goes on so; told once. */
export function degrade(interior: Interior, cell: Cell, before: AnewRow, reason: string): void {
  if (before.isDegraded) return;
  const row = interior.rest.get("restarts", cell.address);
  interior.rest.put("restarts", cell.address, { count: 1, reason, at: interior.stamp.now, ...row, anew: { ...before, isDegraded: true } });
  report(interior, "degraded", cell.address, `${reason} (failing for ${String(Math.round((interior.stamp.elapsed - before.since) / 1_000))} s)`);
}

/** A further restart, after which the next one waits. */
export function noteAttempt(interior: Interior, cell: Cell, reason: string): void {
  const attempts = (ofLate(interior, cell)?.attempts ?? 0) + 1;
  note(interior, cell, reason, { attempts, notBefore: interior.stamp.elapsed + backoffMs(attempts, () => interior.random()) });
}

export function note(interior: Interior, cell: Cell, reason: string, { attempts, notBefore }: Pick<AnewRow, "attempts" | "notBefore">): void {
  const now = interior.stamp.elapsed;
  const before = ofLate(interior, cell);
  const anew = { attempts, since: before?.since ?? now, last: now, notBefore, isDegraded: before?.isDegraded ?? false };
  interior.rest.put("restarts", cell.address, { count: 1, ...interior.rest.get("restarts", cell.address), reason, at: interior.stamp.now, anew });
}
