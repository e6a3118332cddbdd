// What unwinds an input: the failure of a cell that only the entity's supervisor may handle (hosting H1, H12).

import { DroverError } from "../errors.ts";
import type { Cell } from "./cell.ts";

export class SupervisedFault extends Error {
  readonly cell: Cell;
  readonly reason: unknown;

  constructor(cell: Cell, reason: unknown) {
    super(messageOf(reason));
    this.name = "SupervisedFault";
    this.cell = cell;
    this.reason = reason;
  }
}

export function messageOf(error: unknown): string {
  if (error instanceof Error) return error.message;
  if (typeof error === "string") return error;
  try {
    return error === undefined ? "undefined" : JSON.stringify(error);
  } catch {
    return "an error that cannot be shown";
  }
}

export function runaway(detail: string): DroverError {
  return new DroverError("DROVER_MACHINE_RUNAWAY", detail);
}
