// Which messages a state takes, by its transitions, before any guard is asked: for the "accepted events" of an answer (hosting A1, A4).

import type { AnyStateMachine, AnyStateNode } from "xstate";

const known = new WeakMap<AnyStateMachine, Map<string, readonly string[]>>();

/** Whether a transition's descriptor (`a.b`, `a.*`, `*`) matches an event type. */
export function matchesDescriptor(type: string, descriptor: string): boolean {
  if (descriptor === type || descriptor === "*") return true;
  if (!descriptor.endsWith(".*")) return false;
  const wanted = descriptor.split(".");
  const given = type.split(".");
  for (let at = 0; at < wanted.length; at++) {
    if (wanted[at] === "*") return at === wanted.length - 1;
    if (wanted[at] !== given[at]) return false;
  }
  return true;
}

/** @param types the protocol's, in its order; the answer keeps that order. Cached by configuration. */
export function acceptsOf(machine: AnyStateMachine, nodes: readonly AnyStateNode[], types: readonly string[]): readonly string[] {
  let byConfiguration = known.get(machine);
  if (byConfiguration === undefined) known.set(machine, (byConfiguration = new Map<string, readonly string[]>()));
  const key = nodes.map((node) => node.order).join(" ");
  const cached = byConfiguration.get(key);
  if (cached !== undefined) return cached;
  const accepts = types.filter((type) =>
    nodes.some((node) => [...node.transitions].some(([descriptor, transitions]) => matchesDescriptor(type, descriptor) && transitions.some(doesSomething))),
  );
  byConfiguration.set(key, accepts);
  return accepts;
}

function doesSomething(transition: { readonly target: unknown; readonly actions: readonly unknown[]; readonly reenter: boolean }): boolean {
  return transition.target !== undefined || transition.actions.length > 0 || transition.reenter;
}
