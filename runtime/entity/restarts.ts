// How a cell of the supervisor begins anew, and when it is given up (hosting H13).
//
// V1. The state that is replaced is kept as an artefact.
// V2. A cell begins anew at most three times within ten minutes. Then one whose input is set aside anyway goes on from its last committed state, so that bad messages take nobody away;
//     one whose source fails again and again stays ended, so that nothing restarts for ever.
// V3. Siblings that begin anew with it are not counted: it was not their failure.

import type { Cell } from "./cell.ts";
import { addressOf, startRoot, startSpec } from "./children.ts";
import { SupervisedFault } from "./fault.ts";
import type { Interior } from "./interior.ts";
import { park } from "./parking.ts";
import { countRestart, report } from "./report.ts";

const MAX_ESCALATIONS = 3;
const ESCALATION_WINDOW_MS = 600_000;

/** A supervised cell came to its end by itself. */
export function ended(interior: Interior, cell: Cell): void {
  if (cell.supervision?.kind !== "child") return;
  const row = interior.rest.get("children", cell.supervision.spec);
  const kind = row === undefined ? undefined : interior.type.children[row.kind];
  report(interior, "child_terminated", cell.address, "normal");
  // One that ends while it starts would do so for ever.
  if (row !== undefined && kind?.restart === "permanent" && interior.isSettled(cell)) {
    countRestart(interior, cell.address, "normal");
    replace(interior, cell, "normal");
  }
}

export function ruleOf(
  interior: Interior,
  cell: Cell,
): { readonly restart: "permanent" | "transient" | "temporary"; readonly restartFrom: "committed" | "initial"; readonly strategy: string } {
  if (cell.supervision?.kind !== "child") return { restart: "permanent", restartFrom: interior.type.restartFrom, strategy: "one-for-one" };
  const kind = interior.type.children[interior.rest.get("children", cell.supervision.spec)?.kind ?? ""];
  return kind ?? { restart: "transient", restartFrom: "committed", strategy: "one-for-one" };
}

/** @param isSetAside the input that made it fail will not be offered for ever: V2 */
export function restartFromInitial(interior: Interior, cell: Cell, reason: string, isSetAside: boolean): void {
  const present = interior.cells.get(cell.address);
  if (present === undefined) return;
  const row = interior.rest.get("restarts", present.address);
  const recent = (row?.escalations ?? []).filter((at) => at > interior.stamp.now - ESCALATION_WINDOW_MS);
  if (recent.length >= MAX_ESCALATIONS) {
    if (isSetAside) report(interior, "child_restarted", present.address, `${reason} (from its committed state: it has begun anew ${String(MAX_ESCALATIONS)} times within 10 min)`);
    else giveUp(interior, present, reason);
    return;
  }
  interior.rest.put("restarts", present.address, { count: 1, ...row, reason, at: interior.stamp.now, escalations: [...recent, interior.stamp.now] });
  const { strategy } = ruleOf(interior, present);
  for (const other of togetherWith(interior, present, strategy)) replace(interior, other, reason);
}

/** In their order of starting. */
function togetherWith(interior: Interior, cell: Cell, strategy: string): readonly Cell[] {
  if (cell.supervision?.kind !== "child" || strategy === "one-for-one") return [cell];
  const own = interior.rest.get("children", cell.supervision.spec);
  if (own === undefined) return [cell];
  return [...interior.rest.entries("children")]
    .map(([, row]) => row)
    .filter((row) => row.kind === own.kind && (strategy === "one-for-all" || row.order >= own.order))
    .sort((a, b) => a.order - b.order)
    .map((row) => interior.cells.get(addressOf(interior, row)))
    .filter((found): found is Cell => found !== undefined);
}

export function giveUp(interior: Interior, cell: Cell, reason: string): void {
  interior.stopCell(cell, "stopped");
  interior.setSnapshot(cell, { ...cell.snapshot, status: "error", error: interior.keep(new Error(reason)) });
  if (cell.supervision?.kind === "root") report(interior, "entity_failed", cell.address, reason);
}

/** A new incarnation from the beginning; the old state is kept as an artefact. */
function replace(interior: Interior, cell: Cell, reason: string): void {
  const { supervision } = cell;
  if (supervision === undefined) return;
  if (interior.durable && cell.committed !== undefined) park(interior, undefined, cell.address, reason, cell);
  const { input } = cell;
  interior.stopChild(cell);
  if (supervision.kind === "root") {
    const children = [...interior.cells.values()].filter((other) => other.supervision?.kind === "child" && other.parent === cell);
    interior.forget(cell);
    try {
      startRoot(interior, input);
      report(interior, "child_restarted", cell.address, reason);
    } catch (error) {
      if (!(error instanceof SupervisedFault)) throw error;
      report(interior, "entity_failed", cell.address, error.message);
      return;
    }
    // The children speak to the new root from now on.
    for (const child of children) {
      const row = interior.rest.get("children", (child.supervision as { readonly spec: string }).spec);
      if (row === undefined) continue;
      interior.stopChild(child);
      interior.forget(child);
      startSpec(interior, row, reason);
    }
    return;
  }
  const row = interior.rest.get("children", supervision.spec);
  interior.forget(cell);
  if (row !== undefined) startSpec(interior, row, reason);
}
