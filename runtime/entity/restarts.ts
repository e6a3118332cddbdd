// How a cell of the supervisor begins anew, and how rarely (hosting H13, H14).
//
// V1. The state that is replaced is kept as an artefact: of one that fails again and again the first three, which know something.
// V2. The first beginning after a stable time is immediate, each further one waits by backoff (../backoff.ts). Meanwhile one whose input is set aside anyway goes on from its last committed
//     state, so that bad messages take nobody away; one whose source fails goes on without that source until the wait is over, a timer of the entity, also across a restart of the node.
// V3. Failing for ten minutes without a stable time, a child is degraded and goes on so; the root escalates: whoever hosts the entity decides when it is tried again.
// V4. Siblings that begin anew with it are not counted: it was not their failure.
//     A child that cannot start is tried again in the same way (children.ts).
// V5. Siblings of a kind that restarts from its committed state keep it: they are restarted as by a recovery, with sources that are started again.
// V6. One that goes on from its committed state after a failure restarts those whom its strategy names, and itself, in the same way, by the same backoff; under one-for-one nothing of it is touched.
// V7. A volatile one whose state is beyond its limit before and after the input begins anew at once, however lately it did: there is nothing to go on from (context-limit.ts G5).
// V8. With a root that begins anew all children of the configuration do: they stop in the reverse of its order and start in it.
// V9. Siblings that are restarted together stop first, all of them, in the reverse of their order, and start in it when the last has stopped, as under OTP's supervisor. A stop runs nothing
//     of an author's; what a start tells a sibling that goes on may end it, and then it is restarted for that first.
// V10. While one of them waits for its restart, those whom its strategy names do not run (held-back.ts); one that cannot start is tried again alone.

import { isA } from "../is-a.ts";
import type { Cell } from "./cell.ts";
import { letGoAll, startRoot, startSpec, tryAgain } from "./children.ts";
import { degrade, isFailingTooLong, note, noteAttempt, ofLate } from "./failing.ts";
import { SupervisedFault } from "./fault.ts";
import { addressOf, failedInItsStart, heldBack, type IsHeldBack, isHeldBack, isNotHeld, isHeldFromStarting, rowOf, rowsInOrder } from "./held-back.ts";
import { awaitRestart, suspend } from "./holding.ts";
import type { Interior } from "./interior.ts";
import { awaitsRestart, forgetRestart, restartReason } from "./outward.ts";
import { park } from "./parking.ts";
import { countRestart, report } from "./report.ts";
import type { ChildRow } from "./rest-tables.ts";

const KEPT_ARTEFACTS = 3;

/** A supervised cell came to its end by itself. */
export function ended(interior: Interior, cell: Cell): void {
  if (cell.supervision?.kind !== "child") return;
  const row = interior.rest.get("children", cell.supervision.spec);
  const kind = row === undefined ? undefined : interior.type.children[row.kind];
  const wasHeld = awaitsRestart(interior, cell) ? heldBack(interior) : undefined;
  forgetRestart(interior, cell);
  report(interior, "child_terminated", cell.address, "normal");
  if (row === undefined || kind?.restart !== "permanent") {
    if (wasHeld !== undefined) letGoAll(interior, wasHeld);
    return;
  }
  countRestart(interior, cell.address, "normal");
  if (interior.isSettled(cell)) restartFromInitial(interior, cell, "normal", false);
  // It has ended in its start, which is still under way.
  else tryAgain(interior, cell, "normal");
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
  const before = ofLate(interior, present);
  if (isFailingTooLong(interior, before)) {
    if (present.supervision?.kind === "root" && !isSetAside) {
      giveUp(interior, present, reason);
      return;
    }
    degrade(interior, present, before, reason);
  }
  const now = interior.stamp.elapsed;
  const isHeld = isSetAside && isHeldBack(interior, rowOf(interior, present));
  if (isHeld) report(interior, "child_restarted", present.address, `${reason} (from its committed state: a sibling holds it back)`);
  if (isHeld) return;
  if (before !== undefined && now < before.notBefore) {
    if (isSetAside) report(interior, "child_restarted", present.address, `${reason} (from its committed state: it has begun anew a moment ago)`);
    else awaitRestart(interior, present, reason, before.notBefore - now);
    return;
  }
  beginAnew(interior, present, reason);
}

/** V7. */
export function restartAtOnce(interior: Interior, cell: Cell, reason: string): void {
  const present = interior.cells.get(cell.address);
  if (present === undefined) return;
  const before = ofLate(interior, present);
  if (isFailingTooLong(interior, before)) degrade(interior, present, before, reason);
  beginAnew(interior, present, reason);
}

/** V6. Its failure was an input's, which is set aside. */
export function restartFromCommitted(interior: Interior, cell: Cell, reason: string): void {
  const present = interior.cells.get(cell.address);
  if (present === undefined || present.life === "ended") return;
  const before = ofLate(interior, present);
  if (isFailingTooLong(interior, before)) degrade(interior, present, before, reason);
  const { strategy } = ruleOf(interior, present);
  const now = interior.stamp.elapsed;
  const isWaiting = (before !== undefined && now < before.notBefore) || isHeldBack(interior, rowOf(interior, present));
  if (strategy === "one-for-one" || isWaiting) {
    note(interior, present, reason, { attempts: 0, notBefore: now, ...ofLate(interior, present) });
    report(interior, "child_restarted", present.address, isWaiting ? `${reason} (its siblings were restarted a moment ago)` : reason);
    return;
  }
  noteAttempt(interior, present, reason);
  restartTogether(interior, present, reason, () => true);
}

/** The wait for it is over. False where the timer is another one. */
export function restartIsDue(interior: Interior, timer: string): boolean {
  const row = interior.rest.get("timers", timer);
  const reason = row === undefined ? undefined : restartReason(row);
  const cell = row === undefined ? undefined : interior.cells.get(row.owner);
  if (reason === undefined) return false;
  const wasHeld = heldBack(interior);
  interior.rest.delete("timers", timer);
  if (cell?.incarnation === row?.incarnation && cell !== undefined) beginAnew(interior, cell, reason, wasHeld);
  return true;
}

function beginAnew(interior: Interior, cell: Cell, reason: string, wasHeld = heldBack(interior)): void {
  noteAttempt(interior, cell, reason);
  if (cell.supervision?.kind === "root") replaceRoot(interior, cell, reason);
  else if (failedInItsStart(cell) || isHeldBack(interior, rowOf(interior, cell))) startAlone(interior, cell, reason, wasHeld);
  else restartTogether(interior, cell, reason, (other) => other !== cell && ruleOf(interior, other).restartFrom === "committed");
  // Also where another version of the type joins their fates otherwise.
  letGoAll(interior, isNotHeld);
}

/** None of those behind it runs: they start when it has started, or stay as they are (held-back.ts). */
function startAlone(interior: Interior, cell: Cell, reason: string, wasHeld: IsHeldBack): void {
  keepArtefact(interior, cell, reason);
  stopToBeginAnew(interior, cell, reason)();
  letGoAll(interior, wasHeld);
}

/** V9. @param keepsState of those that can: V5, V6 */
function restartTogether(interior: Interior, failed: Cell, reason: string, keepsState: (cell: Cell) => boolean): void {
  const group = togetherWith(interior, failed, ruleOf(interior, failed).strategy);
  const goesOn = (cell: Cell): boolean => cell.life === "running" && interior.isSettled(cell) && keepsState(cell);
  for (const cell of group) if (!goesOn(cell) && !isHeldFromStarting(cell)) keepArtefact(interior, cell, reason);
  const starts = group
    .toReversed()
    .map((cell) =>
      goesOn(cell) ? suspend(interior, cell, cell === failed ? reason : `${reason} (with a sibling, from its committed state)`) : stopToBeginAnew(interior, cell, reason),
    );
  for (const start of starts.toReversed()) start();
}

/** @returns starts a new incarnation of it, unless there is one by then */
function stopToBeginAnew(interior: Interior, cell: Cell, reason: string): () => void {
  const restarted = isHeldFromStarting(cell) ? undefined : reason;
  interior.stopChild(cell);
  interior.forget(cell);
  return () => {
    const row = rowOf(interior, cell);
    if (row !== undefined && !interior.cells.has(cell.address)) startSpec(interior, row, restarted);
  };
}

/** V1. Whatever is kept of one that fails for ever would push out what others left. */
export function isWorthKeeping(interior: Interior, cell: Cell): boolean {
  return (interior.rest.get("restarts", cell.address)?.anew?.attempts ?? 1) <= KEPT_ARTEFACTS;
}

/** In their order of starting. */
function togetherWith(interior: Interior, cell: Cell, strategy: string): readonly Cell[] {
  const own = strategy === "one-for-one" ? undefined : rowOf(interior, cell);
  if (own === undefined) return [cell];
  return inTheirOrder(interior, (row) => row.kind === own.kind && (strategy === "one-for-all" || row.order >= own.order));
}

/** Children of the configuration that are there. */
function inTheirOrder(interior: Interior, isMeant: (row: ChildRow) => boolean): readonly Cell[] {
  return rowsInOrder(interior, isMeant)
    .map((row) => interior.cells.get(addressOf(interior, row)))
    .filter((found): found is Cell => found !== undefined);
}

export function giveUp(interior: Interior, cell: Cell, reason: string): void {
  interior.stopCell(cell, "stopped");
  interior.setSnapshot(cell, { ...cell.snapshot, status: "error", error: interior.keep(new Error(reason)) });
  if (cell.supervision?.kind === "root") report(interior, "entity_failed", cell.address, reason);
}

/** V1. */
function keepArtefact(interior: Interior, cell: Cell, reason: string): void {
  if (interior.durable && cell.committed !== undefined && isWorthKeeping(interior, cell)) park(interior, undefined, cell.address, reason, cell);
}

/** A new incarnation from the beginning, and with it all children of the configuration: V8. */
function replaceRoot(interior: Interior, root: Cell, reason: string): void {
  keepArtefact(interior, root, reason);
  const { input } = root;
  interior.stopChild(root);
  interior.forget(root);
  try {
    startRoot(interior, input);
    report(interior, "child_restarted", root.address, reason);
  } catch (error) {
    if (!isA(error, SupervisedFault)) throw error;
    report(interior, "entity_failed", root.address, error.message);
    return;
  }
  // They speak to the new root from now on.
  const children = inTheirOrder(interior, () => true).filter((child) => child.parent === root);
  const starts = children.toReversed().map((child) => stopToBeginAnew(interior, child, reason));
  for (const start of starts.toReversed()) start();
}
