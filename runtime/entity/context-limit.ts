// How large the context of an actor may grow: beyond the first limit its supervisor says so once, beyond the second the input that made it so is a fault.
//
// G1. A durable cell is measured whenever it is encoded, which each turn that changed it does anyway.
// G2. A volatile one is not encoded: all are measured at every 64th turn, and those that are large after each turn that changed them.

import { DroverError } from "../errors.ts";
import { encodeData, encodedSize } from "../xstate/index.ts";
import type { Cell } from "./cell.ts";
import { SupervisedFault } from "./fault.ts";
import { type Interior, supervisedOf } from "./interior.ts";
import { report } from "./report.ts";

const MEASURED_EVERY = 64;

/** @throws SupervisedFault when a volatile cell has become too large */
export function measureVolatile(interior: Interior): void {
  const isRound = (interior.revision + 1) % MEASURED_EVERY === 0;
  for (const cell of isRound ? [...interior.cells.values()] : interior.touched) {
    if (!isRound && !cell.isLarge) continue;
    encodeData(cell.snapshot.context, interior);
    checkSize(interior, cell, encodedSize());
  }
}

/** @throws SupervisedFault when the cell's context is too large */
export function checkSize(interior: Interior, cell: Cell, size: number): void {
  const { warnBytes, maxBytes } = cell.plan.actor.contextLimits;
  if (size <= warnBytes) return;
  if (size > maxBytes) {
    const error = new DroverError(
      "DROVER_CONTEXT_TOO_LARGE",
      `its context would have about ${String(size)} characters, the limit of "${cell.plan.actor.name}" is ${String(maxBytes)}`,
    );
    interior.noteFailure(cell, undefined, error);
    throw new SupervisedFault(supervisedOf(cell), interior.keep(error));
  }
  if (cell.isLarge) return;
  interior.undo.push(() => {
    cell.isLarge = false;
  });
  cell.isLarge = true;
  report(interior, "context_large", cell.address, `its context has about ${String(size)} characters; beyond ${String(maxBytes)} it is a fault`);
}
