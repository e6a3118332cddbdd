// How large the context of an actor may grow, and all actors of an entity together: beyond the first limit of a context its supervisor says so once, beyond the second, or beyond
// what its entity may hold, the input that made it so is a fault.
//
// G1. A durable cell is measured whenever it is encoded, which each turn that changed it does anyway.
// G2. A volatile one is not encoded. After each turn what it may have gained is added up (context-gain.ts), and it is measured before it could pass its first limit unseen, and once
//     it has, after each turn that changes it. All are measured at every 64th turn, and before all together could be half way to their bound unseen; where they are at a quarter of
//     it, each turn measures all that it changed.
// G3. Where all actors together grow beyond their bound (table-limits.ts), the one that grew most has failed. An entity that is beyond it already (an earlier version knew none)
//     goes on, and may shrink.
// G4. What is known of a volatile one is of a context, not of a turn: it holds whatever becomes of the turn.

import { DroverError } from "../errors.ts";
import { encodeData, encodedSize } from "../xstate/index.ts";
import type { Cell } from "./cell.ts";
import { contextGain } from "./context-gain.ts";
import { SupervisedFault } from "./fault.ts";
import { type Interior, supervisedOf } from "./interior.ts";
import { report } from "./report.ts";
import { cellsLimit } from "./table-limits.ts";

const MEASURED_EVERY = 64;

/** @throws SupervisedFault when a volatile cell, or all of them, have become too large */
export function measureVolatile(interior: Interior): void {
  const { cells, undo } = interior;
  let due: Cell[] | undefined;
  for (const cell of interior.touched) if (interior.isTight || cell.isLarge || mayBeLarge(interior, cell)) (due ??= []).push(cell);
  const isRound = (interior.revision + 1) % MEASURED_EVERY === 0 || (!interior.isTight && cells.bytes + interior.gained > cellsLimit(interior) / 2);
  const measured = isRound ? [...cells.values()] : due;
  if (measured === undefined) return;
  const growth = new Growth(interior, cells.bytes);
  for (const cell of measured) {
    const { context } = cell.snapshot;
    encodeData(context, interior);
    const size = encodedSize();
    checkSize(interior, cell, size);
    cell.weighed = context;
    cell.weighs = size;
    growth.note(cell, size);
  }
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

/** Whether its context may have passed its first limit; otherwise it is not measured, and what it may have gained is noted. */
function mayBeLarge(interior: Interior, cell: Cell): boolean {
  const { context } = cell.snapshot;
  if (context === cell.weighed) return false;
  const gain = contextGain(cell.weighed, context, interior);
  if (cell.weighs + gain > cell.plan.actor.contextLimits.warnBytes) return true;
  cell.weighed = context;
  cell.weighs += gain;
  interior.gained += gain;
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
    const error = new DroverError("DROVER_CONTEXT_TOO_LARGE", `its context would have about ${String(size)} bytes, the limit of "${cell.plan.actor.name}" is ${String(maxBytes)}`);
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
