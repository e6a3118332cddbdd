// What unwinds an input: the failure of a cell that only the entity's supervisor may handle (hosting H1, H12).

import { DroverError, type ErrorCode, errorCatalogue } from "../errors.ts";
import { isA } from "../is-a.ts";
import { messageOf } from "../message-of.ts";
import { NotCarried, type ThrownAt } from "../xstate/index.ts";
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

const MAX_REASON = 4_096;

/** A text of an author's, as far as it is kept beside what it tells of. */
export function shortened(text: string): string {
  return text.length > MAX_REASON ? `${text.slice(0, MAX_REASON)}... (${String(text.length)} characters)` : text;
}

/** The same failure, said with the actor that it is of. */
export function failedAt({ address }: Cell, cause: unknown): unknown {
  const message = messageOf(cause);
  if (message.startsWith(address)) return cause;
  if (isA(cause, DroverError)) return new DroverError(cause.code, `${address}: ${message}`, { cause });
  return new Error(`${address}: ${message}`, { cause });
}

/** What kind of fault it was, and where it began. */
export interface FaultPlace {
  readonly code: ErrorCode;
  readonly place: string;
}

const MAX_PLACE = 400;

/** @param thrown where author's code threw, if it did; XState's words for a guard hide what was thrown */
export function faultPlace(cell: Cell, eventType: string | undefined, error: unknown, thrown: ThrownAt | undefined): FaultPlace {
  const value = (cell.snapshot as { readonly value?: unknown }).value;
  const state = value === undefined ? "" : ` in ${JSON.stringify(value)}`;
  const event = eventType === undefined ? "" : ` on "${eventType}"`;
  return { code: codeOf(thrown?.error ?? error), place: `${cell.address}${state}${event}${thrown === undefined ? "" : `: ${thrown.where}`}`.slice(0, MAX_PLACE) };
}

export function codeOf(error: unknown): ErrorCode {
  try {
    return codeIn(error);
  } catch {
    // Something that throws when it is looked at was thrown.
    return "DROVER_ACTOR_FAILED";
  }
}

function codeIn(error: unknown): ErrorCode {
  if (error instanceof NotCarried) return "DROVER_DATA_NOT_KEPT";
  if (!(error instanceof Error) || typeof error.message !== "string") return "DROVER_ACTOR_FAILED";
  // XState's own errors have no code: its limit on microsteps (named difference N14), and a receiver that is not there.
  if (error.message.startsWith("Infinite loop detected")) return "DROVER_MACHINE_RUNAWAY";
  if (error.message.startsWith("Unable to send event to actor")) return "DROVER_SEND_INVALID";
  const { code } = error as { readonly code?: unknown };
  return typeof code === "string" && Object.hasOwn(errorCatalogue, code) ? (code as ErrorCode) : "DROVER_ACTOR_FAILED";
}

export function runaway(detail: string): DroverError {
  return new DroverError("DROVER_MACHINE_RUNAWAY", detail);
}
