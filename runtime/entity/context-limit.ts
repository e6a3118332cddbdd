// How large the context of an actor may grow, and all actors of an entity together: beyond the first limit of a context its supervisor says so once, beyond the second, or beyond
// what its entity may hold, the input that made it so is a fault.
//
// G1. A durable cell is measured whenever it is encoded, which each turn that changed it does anyway.
// G2. A volatile one is not encoded: all are measured at every 64th turn, and after each turn those that it changed and that are large, or all that it changed where they together are
//     half way to their bound.
// G3. Where all actors together grow beyond their bound (table-limits.ts), the one that grew most has failed. An entity that is beyond it already (an earlier version knew none)
//     goes on, and may shrink.

import { DroverError } from "../errors.ts";
import { encodeData, encodedSize } from "../xstate/index.ts";
import type { Cell } from "./cell.ts";
import { SupervisedFault } from "./fault.ts";
import { type Interior, supervisedOf } from "./interior.ts";
import { report } from "./report.ts";
import { cellsLimit } from "./table-limits.ts";

const MEASURED_EVERY = 64;

/** @throws SupervisedFault when a volatile cell, or all of them, have become too large */
export function measureVolatile(interior: Interior): void {
  const isRound = (interior.revision + 1) % MEASURED_EVERY === 0;
  let growth: Growth | undefined;
  for (const cell of isRound ? [...interior.cells.values()] : interior.touched) {
    if (!isRound && !interior.isTight && !cell.isLarge) continue;
    encodeData(cell.snapshot.context, interior);
    const size = encodedSize();
    checkSize(interior, cell, size);
    (growth ??= new Growth(interior, interior.cells.bytes)).note(cell, size);
  }
  if (growth === undefined) return;
  // Noted for good: what is measured now may be taken back.
  if (isRound || !interior.isTight) interior.isTight = interior.cells.bytes > cellsLimit(interior) / 2;
  growth.check();
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
