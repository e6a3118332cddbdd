// The declared shape of a context, at every turn that changed it and at every restore.

import { contextProblem } from "../actor/index.ts";
import { DroverError } from "../errors.ts";
import type { Cell } from "./cell.ts";
import { SupervisedFault } from "./fault.ts";
import { type Interior, supervisedOf } from "./interior.ts";

/** @throws SupervisedFault when the cell's context has not the shape that its type declares */
export function checkShape(interior: Interior, cell: Cell): void {
  const problem = shapeProblem(cell);
  if (problem === undefined) return;
  const error = new DroverError("DROVER_CONTEXT_INVALID", `its context does not have the shape that "${cell.plan.actor.name}" declares: ${problem}`);
  interior.noteFailure(cell, undefined, error);
  throw new SupervisedFault(supervisedOf(cell), interior.keep(error));
}

/** Whether its type declares one: of an actor itself; what its machine makes has a context of its own. */
export function hasShape({ plan, snapshot }: Cell): boolean {
  return plan.actor.contextSchema !== undefined && plan.src === undefined && plan.type === plan.actor.name && snapshot.status !== "error";
}

export function shapeProblem(cell: Cell): string | undefined {
  return hasShape(cell) ? contextProblem(cell.plan.actor, cell.snapshot.context) : undefined;
}
