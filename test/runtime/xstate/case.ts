// One differential case: a machine, and what is done with it.

import type { AnyStateMachine } from "xstate";

import type { EventData } from "../../../runtime/entity/contract.ts";

/** An event, time that passes, or promises that settle. */
export type Doing = string | EventData | { readonly adv: number } | { readonly tick: number };

/** Makes an action that leaves its name in the trace; called, it also leaves it at once. */
export type Trace = (name: string) => () => void;

export interface DifferentialCase {
  readonly name: string;
  readonly make: (trace: Trace) => AnyStateMachine;
  readonly script: readonly Doing[];
  /** The named difference that shows (N1, N2, N4, N8, N19 of runtime/README.md); each has a test of its own. */
  readonly difference?: "N1" | "N2" | "N4" | "N8" | "N19";
  /** Ids of children are made by bare XState's process-wide counter (N5). */
  readonly automaticIds?: true;
}
