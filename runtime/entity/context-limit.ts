// How large the context of an actor may grow, and all actors of an entity together: beyond the first limit of a context its supervisor says so once, beyond the second, or beyond
// what its entity may hold, the input that made it so is a fault.
//
// G1. A durable cell is measured whenever it is encoded, which each turn that changed it does anyway.
// G2. A volatile one is not encoded, and counts all that it holds (../xstate/held.ts). After each input what it may have gained is added up (context-gain.ts), and it is measured before
//     it could pass the next of its limits unseen. All are measured at every 64th turn, and before all together could be half way to their bound unseen; where they are at a quarter
//     of it, each turn measures all that it changed.
// G3. Where all actors together grow beyond their bound (table-limits.ts), the one that grew most has failed. An entity that is beyond it already (an earlier version knew none)
//     goes on, and may shrink.
// G4. What is known of a volatile one is of a context, not of a turn: it holds whatever becomes of the turn.
// G5. What a step of a volatile one changes in place is not seen as a gain, and stays where the step is taken back. So its context is measured after as many steps as it has parts, and
//     64 at least; where parts are changed in place as a rule (a Map, an instance of a class), after a sixteenth of that: a step pays for 16 parts. Once it was too large it is measured
//     with each step. One that is too large after its step was taken back cannot go on from there: it begins anew, at once.

import { DroverError } from "../errors.ts";
import { heldBy, MAX_HELD } from "../xstate/index.ts";
import type { Cell } from "./cell.ts";
import { contextGain } from "./context-gain.ts";
import { SupervisedFault } from "./fault.ts";
import { type Interior, supervisedOf } from "./interior.ts";
import { report } from "./report.ts";
import { cellsLimit } from "./table-limits.ts";

/** Turns, and steps. */
const MEASURED_EVERY = 64;
/** Steps: what is looked for more rarely than with each. */
const LOOKED_FOR_EVERY = 8;
/** Parts of an open context that a step pays for. */
const OPEN_PARTS_A_STEP = 16;

/** @throws SupervisedFault when a volatile cell, or all of them, have become too large */
export function measureVolatile(interior: Interior): void {
  const { cells, undo } = interior;
  const measured = cellsToMeasure(interior);
  const isRound = measured === "all";
  if (measured === undefined) return;
  const growth = new Growth(interior, cells.bytes);
  for (const cell of isRound ? [...cells.values()] : measured) growth.note(cell, measure(interior, cell));
  if (isRound) {
    const { gained } = interior;
    undo.push(() => {
      interior.gained = gained;
    });
    interior.gained = 0;
  }
  // Noted for good: what is measured now may be taken back.
  if (isRound || !interior.isTight) interior.isTight = cells.bytes > cellsLimit(interior) / 4;
  growth.check();
}

/** G2, G5. */
function cellsToMeasure(interior: Interior): readonly Cell[] | "all" | undefined {
  const { cells, isTight } = interior;
  let due: Cell[] | undefined;
  for (const cell of takeOverdue(interior)) if (cells.get(cell.address) === cell) (due ??= []).push(cell);
  for (const cell of interior.touched) if (due?.includes(cell) !== true && (isTight || mayBeLarge(interior, cell))) (due ??= []).push(cell);
  if ((interior.revision + 1) % MEASURED_EVERY === 0) return "all";
  return !isTight && cells.bytes + interior.gained > cellsLimit(interior) / 2 ? "all" : due;
}

const NO_CELLS: readonly Cell[] = [];

/** They are overdue again with their next step, unless they are measured. */
function takeOverdue(interior: Interior): readonly Cell[] {
  const { overdue } = interior;
  if (overdue === undefined) return NO_CELLS;
  interior.overdue = undefined;
  for (const cell of overdue) cell.stepsLeft = 0;
  return overdue;
}

/** @returns bytes @throws SupervisedFault */
function measure(interior: Interior, cell: Cell): number {
  const { context } = cell.snapshot;
  const { bytes, asTree, parts, isOpen } = heldBy(context);
  cell.stepsLeft = 0;
  checkSize(interior, cell, bytes);
  cell.weighed = context;
  cell.weighs = asTree;
  cell.isOpen = isOpen;
  cell.stepsLeft = isOpen ? Math.floor(parts / OPEN_PARTS_A_STEP) : Math.max(MEASURED_EVERY, parts);
  return bytes;
}

/** Whether its context may have passed the next of its limits; otherwise it is not measured, and what it may have gained is noted. */
function mayBeLarge(interior: Interior, cell: Cell): boolean {
  const { context } = cell.snapshot;
  if (context === cell.weighed) return false;
  const { warnBytes, maxBytes } = cell.plan.actor.contextLimits;
  const gain = contextGain(cell.weighed, context, cell.isOpen, cell.stepsLeft % LOOKED_FOR_EVERY === 0);
  if (cell.weighs + gain > (cell.isLarge ? maxBytes : warnBytes)) return true;
  cell.weighed = context;
  cell.weighs += gain;
  interior.gained += gain;
  return false;
}

/** G5. Whether a cell that its supervisor keeps, or one below it, is too large as it was before the input that was taken back. */
export function hasOutgrown(interior: Interior, supervised: Cell): boolean {
  if (interior.durable) return false;
  takeOverdue(interior);
  for (const cell of interior.cells.values()) {
    if (cell.stepsLeft > 0 || supervisedOf(cell) !== supervised) continue;
    if (heldBy(cell.snapshot.context).bytes > cell.plan.actor.contextLimits.maxBytes) return true;
  }
  return false;
}

/** What the cells of an entity have come to hold since some point. */
export class Growth {
  readonly #interior: Interior;
  readonly #before: number;
  #most: Cell | undefined = undefined;
  #by = 0;

  /** @param before what they held together at that point */
  constructor(interior: Interior, before: number) {
    this.#interior = interior;
    this.#before = before;
  }

  note(cell: Cell, bytes: number): void {
    const had = cell.bytes;
    if (bytes === had) return;
    const { cells, undo } = this.#interior;
    // Of one that this turn has not changed it holds whatever becomes of the turn.
    if (cell.isTouched) {
      undo.push(() => {
        cells.weigh(cell, had);
      });
    }
    cells.weigh(cell, bytes);
    if (bytes - had <= this.#by) return;
    this.#by = bytes - had;
    this.#most = cell;
  }

  /** @throws SupervisedFault G3 */
  check(): void {
    const interior = this.#interior;
    const { bytes, size } = interior.cells;
    if (this.#most === undefined || bytes <= this.#before) return;
    const limit = cellsLimit(interior);
    if (bytes <= limit) return;
    const error = new DroverError(
      "DROVER_ENTITY_TOO_LARGE",
      `the ${String(size)} actors of ${interior.address} would hold about ${String(bytes)} bytes together, the limit is ${String(limit)}; this one grew by ${String(this.#by)}`,
    );
    interior.noteFailure(this.#most, undefined, error);
    throw new SupervisedFault(supervisedOf(this.#most), interior.keep(error));
  }
}

/** @throws SupervisedFault when the cell's context is too large */
export function checkSize(interior: Interior, cell: Cell, size: number): void {
  const { warnBytes, maxBytes } = cell.plan.actor.contextLimits;
  if (size <= warnBytes) return;
  if (size > maxBytes) {
    const error = new DroverError("DROVER_CONTEXT_TOO_LARGE", `its context would have ${sizeInWords(size)}, the limit of "${cell.plan.actor.name}" is ${String(maxBytes)}`);
    interior.noteFailure(cell, undefined, error);
    throw new SupervisedFault(supervisedOf(cell), interior.keep(error));
  }
  if (cell.isLarge) return;
  interior.undo.push(() => {
    cell.isLarge = false;
  });
  cell.isLarge = true;
  report(interior, "context_large", cell.address, `its context has about ${String(size)} bytes; beyond ${String(maxBytes)} it is a fault`);
}

function sizeInWords(size: number): string {
  return Number.isFinite(size) ? `about ${String(size)} bytes` : `more than ${String(MAX_HELD)} objects`;
}
