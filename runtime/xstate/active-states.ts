// The active states of a machine over its versions: what each of them waits for, and which state of one version stands in the place of which state of another.
//
// A1. A state is matched with the one of its id, else of its path, else with the only one left of its name (it was put into another state, or taken out of one), else with the only
//     one left under the same parent (it was renamed).
// A2. Of a version that is not registered only the paths are known: ids are those that XState gives where the author gives none, and what such a state waited for is not known.

import type { AnyStateMachine, AnyStateNode } from "xstate";

import { nodesById } from "./logic.ts";

/** As XState names the event, and with it the timer, of a delayed transition. */
const AFTER = "xstate.after.";

export interface ActiveState {
  readonly id: string;
  readonly path: readonly string[];
  /** Names or numbers of its delays, as the machine writes them; undefined: not known (A2). */
  readonly delays: readonly string[] | undefined;
  readonly invokes: readonly InvokedChild[] | undefined;
}

export interface InvokedChild {
  readonly id: string;
  readonly src: string;
  /** Its place among the invokes of its state, where that is its name too. */
  readonly place: number | undefined;
}

export function isAfterTimer(name: string): boolean {
  return name.startsWith(AFTER);
}

export function afterTimerOf(state: { readonly id: string }, delay: string): string {
  return `${AFTER}${delay}.${state.id}`;
}

/** The id that XState gives an invoke without one. */
export function invokeIdOf(state: { readonly id: string }, place: number): string {
  return `${String(place)}.${state.id}`;
}

/** Of all its states. */
export function declaredInvokes(machine: AnyStateMachine): ReadonlySet<string> {
  const ids = new Set<string>();
  for (const { invoke } of nodesById(machine).values()) for (const { id } of invoke) ids.add(id);
  return ids;
}

/** In the order of the machine. */
export function activeStates(nodes: readonly AnyStateNode[]): readonly ActiveState[] {
  return nodes.map((node) => ({
    id: node.id,
    path: node.path,
    delays: [...new Set((node.after as readonly { readonly eventType: string }[]).map(({ eventType }) => eventType.slice(AFTER.length, -node.id.length - 1)))],
    invokes: node.invoke.map(({ id, src }, place) => ({ id, src: src as string, place: id === invokeIdOf(node, place) ? place : undefined })),
  }));
}

/** Of a state value; undefined where the machine has no such states. */
export function activeStatesAt(machine: AnyStateMachine, value: unknown): readonly ActiveState[] | undefined {
  const nodes = nodesAt(machine, value);
  return nodes === undefined ? undefined : activeStates(nodes);
}

/** Of a state value; undefined where the machine has no such states. */
export function nodesAt(machine: AnyStateMachine, value: unknown): readonly AnyStateNode[] | undefined {
  try {
    return (machine.resolveState({ value: value as never, context: {} }) as unknown as { readonly _nodes: readonly AnyStateNode[] })._nodes;
  } catch {
    return undefined;
  }
}

/** A2. @param rootId of the machine */
export function statesNamedBy(value: unknown, rootId: string): readonly ActiveState[] {
  const states: ActiveState[] = [];
  const visit = (path: readonly string[], below: unknown): void => {
    states.push({ id: [rootId, ...path].join("."), path, delays: undefined, invokes: undefined });
    if (typeof below === "string") visit([...path, below], undefined);
    else if (typeof below === "object" && below !== null) for (const [key, deeper] of Object.entries(below)) visit([...path, key], deeper);
  };
  visit([], value);
  return states;
}

/** A1. By the id of the later state. */
export function matchStates(before: readonly ActiveState[], after: readonly ActiveState[]): ReadonlyMap<string, ActiveState> {
  const matched = new Map<string, ActiveState>();
  const left = new Set(before);
  const pair = (state: ActiveState, found: ActiveState | undefined): void => {
    if (found === undefined || matched.has(state.id)) return;
    matched.set(state.id, found);
    left.delete(found);
  };
  const only = (states: readonly ActiveState[]): ActiveState | undefined => (states.length === 1 ? states[0] : undefined);
  const open = (): readonly ActiveState[] => after.filter(({ id }) => !matched.has(id));
  const byId = new Map(before.map((state) => [state.id, state]));
  for (const state of after) pair(state, byId.get(state.id));
  for (const state of open()) pair(state, only([...left].filter(({ path }) => isSame(path, state.path))));
  for (const state of open()) {
    const name = state.path.at(-1);
    if (only(open().filter(({ path }) => path.at(-1) === name)) === state) pair(state, only([...left].filter(({ path }) => path.at(-1) === name)));
  }
  for (const state of [...open()].sort((a, b) => a.path.length - b.path.length)) {
    const above = after.find(({ path }) => isSame(path, state.path.slice(0, -1)));
    const parent = above === undefined ? undefined : matched.get(above.id);
    if (parent === undefined || state.path.length === 0) continue;
    const siblings = open().filter(({ path }) => isSame(path.slice(0, -1), state.path.slice(0, -1)));
    if (siblings.length === 1) pair(state, only([...left].filter(({ path }) => path.length > 0 && isSame(path.slice(0, -1), parent.path))));
  }
  return matched;
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((key, at) => key === b[at]);
}
