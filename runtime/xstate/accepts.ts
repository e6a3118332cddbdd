// Which messages a state takes, by its transitions, before any guard is asked: for the "accepted events" of an answer (hosting A1, A4).

import type { AnyStateMachine, AnyStateNode } from "xstate";

interface Transition {
  readonly target: unknown;
  readonly actions: readonly unknown[];
  readonly reenter: boolean;
  readonly guard?: unknown;
}

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
  const active = new Set(nodes);
  const accepts = types.filter((type) => takenIn(machine.root, type, active).does);
  byConfiguration.set(key, accepts);
  return accepts;
}

/** What may come of an event in a state. */
interface Taken {
  /** Something may happen. */
  readonly does: boolean;
  /** A transition is taken, whatever its guards say: the states around are not asked. */
  readonly isSure: boolean;
}

/** As XState looks for it: the states within first, of all regions. */
function takenIn(node: AnyStateNode, type: string, active: ReadonlySet<AnyStateNode>): Taken {
  const within = Object.values(node.states as Readonly<Record<string, AnyStateNode>>)
    .filter((child) => active.has(child))
    .map((child) => takenIn(child, type, active));
  const does = within.some((each) => each.does);
  if (within.some(({ isSure }) => isSure)) return { does, isSure: true };
  const own = upToUnguarded(candidatesOf(node, type));
  return { does: does || own.some(doesSomething), isSure: own.at(-1)?.guard === undefined && own.length > 0 };
}

/** In the order in which they are asked: those for the type itself, then wildcards, the longest first. */
function candidatesOf({ transitions }: AnyStateNode, type: string): readonly Transition[] {
  const wildcards = [...transitions].filter(([descriptor]) => descriptor !== type && matchesDescriptor(type, descriptor));
  return [...(transitions.get(type) ?? []), ...wildcards.sort(([one], [other]) => other.length - one.length).flatMap(([, list]) => list)];
}

/** Those of a list that may be taken: nothing behind one without a guard is. */
export function upToUnguarded<T extends { readonly guard?: unknown }>(list: readonly T[]): readonly T[] {
  const end = list.findIndex(({ guard }) => guard === undefined);
  return end === -1 ? list : list.slice(0, end + 1);
}

function doesSomething(transition: Transition): boolean {
  return transition.target !== undefined || transition.actions.length > 0 || transition.reenter;
}
