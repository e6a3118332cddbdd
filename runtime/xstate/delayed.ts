// Whether a delayed event means anything to the machine that it fires into: another machine may have armed it.

import type { AnyStateMachine, AnyStateNode } from "xstate";

import { matchesDescriptor } from "./accepts.ts";
import { isAfterTimer } from "./active-states.ts";
import { nodesById } from "./logic.ts";

/** Of a state's own delay whether a state that is active has it, of any other event whether the machine names it in some state, if only to take it without effect (`EVENT: {}`). */
export function isMeantBy(machine: AnyStateMachine, snapshot: object, type: string): boolean {
  if (!isAfterTimer(type)) return namedBy(machine).some((descriptor) => matchesDescriptor(type, descriptor));
  const { _nodes: nodes } = snapshot as { readonly _nodes?: readonly AnyStateNode[] };
  return nodes === undefined || nodes.some(({ after }) => (after as readonly { readonly eventType: string }[]).some(({ eventType }) => eventType === type));
}

const known = new WeakMap<AnyStateMachine, readonly string[]>();

/** `machine.events` leaves out what has no effect. */
function namedBy(machine: AnyStateMachine): readonly string[] {
  let named = known.get(machine);
  if (named === undefined) known.set(machine, (named = [...new Set([...nodesById(machine).values()].flatMap((node: AnyStateNode) => [...node.transitions.keys()]))]));
  return named;
}
