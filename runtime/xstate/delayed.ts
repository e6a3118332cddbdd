// Whether a delayed event means anything to the machine that it fires into: another machine may have armed it.

import type { AnyStateMachine, AnyStateNode } from "xstate";

import { matchesDescriptor } from "./accepts.ts";
import { isAfterTimer } from "./active-states.ts";
import type { LogicSnapshot } from "./step-cell.ts";

/** Of a state's own delay whether a state that is active has it, of any other event whether the machine takes it in some state. */
export function isMeantBy(machine: AnyStateMachine, snapshot: LogicSnapshot, type: string): boolean {
  if (!isAfterTimer(type)) return (machine.events as readonly string[]).some((descriptor) => matchesDescriptor(type, descriptor));
  const { _nodes: nodes } = snapshot as LogicSnapshot & { readonly _nodes?: readonly AnyStateNode[] };
  return nodes === undefined || nodes.some(({ after }) => (after as readonly { readonly eventType: string }[]).some(({ eventType }) => eventType === type));
}
