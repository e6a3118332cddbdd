// An author's code as it is called while a machine is stepped: a machine's copy in which each guard, assign, delay and first context is watched.
//
// W1. What returns a promise where a value is needed is a fault: bare XState takes the promise for true, for no change, or for no delay.
// W2. What throws leaves its place, innermost first: XState's own words name a guard at most.
// W3. Only functions are exchanged, in the copy's own lists; the author's configuration is never changed.

import type { AnyStateMachine } from "xstate";

import { DroverError } from "../errors.ts";
import { nodesById } from "./logic.ts";

type Code = (...args: readonly unknown[]) => unknown;
type Marked = Code & { readonly type?: string };

/** Where author's code threw, e.g. `#pump.on on "FAULT" assign`, and what. */
export interface ThrownAt {
  readonly where: string;
  readonly error: unknown;
}

let thrownAt: ThrownAt | undefined;

/** Of the step under way, or of the last one. */
export function takeThrownAt(): ThrownAt | undefined {
  const found = thrownAt;
  thrownAt = undefined;
  return found;
}

/** Exchanges the functions of a machine's own copy. */
export function watchMachine(machine: AnyStateMachine): void {
  const { guards, actions, delays } = machine.implementations as unknown as Record<"guards" | "actions" | "delays", Record<string, unknown>>;
  const own = machine as unknown as { implementations: object; config: { context?: unknown } };
  own.implementations = {
    ...machine.implementations,
    guards: mapped(guards, (guard, name) => watchedGuard(guard, `guard "${name}"`)),
    actions: mapped(actions, (action, name) => watchedAction(action, `action "${name}"`)),
    delays: mapped(delays, (delay, name) => watchedCode(delay, `delay "${name}"`)),
  };
  own.config = { ...own.config, ...(own.config.context === undefined ? {} : { context: watchedCode(own.config.context, "the first context") }) };
  for (const node of nodesById(machine).values()) watchNode(node as unknown as Writable);
}

interface Writable {
  readonly id: string;
  readonly type: string;
  entry: readonly unknown[];
  exit: readonly unknown[];
  readonly initial: { actions: readonly unknown[] };
  readonly always: readonly Transition[] | undefined;
  readonly transitions: ReadonlyMap<string, readonly Transition[]>;
  output?: unknown;
}

interface Transition {
  guard?: unknown;
  actions: readonly unknown[];
}

function watchNode(node: Writable): void {
  const at = `#${node.id}`;
  node.entry = watchedActions(node.entry, `${at} entry`);
  node.exit = watchedActions(node.exit, `${at} exit`);
  if (node.type === "compound") node.initial.actions = watchedActions(node.initial.actions, `${at} initial`);
  if (node.output !== undefined) node.output = watchedCode(node.output, `${at} output`);
  const lists: (readonly [string, readonly Transition[]])[] = [...node.transitions, ["always", node.always ?? []]];
  for (const [descriptor, transitions] of lists) {
    const where = `${at} on "${descriptor}"`;
    for (const transition of transitions) {
      if (transition.guard !== undefined) transition.guard = watchedGuard(transition.guard, `${where} guard`);
      transition.actions = watchedActions(transition.actions, where);
    }
  }
}

function mapped(record: Readonly<Record<string, unknown>>, change: (value: unknown, name: string) => unknown): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value, name)]));
}

function watchedActions(actions: readonly unknown[], where: string): readonly unknown[] {
  return actions.map((action) => watchedAction(action, where));
}

/** Custom actions stay as they are: they run after the commit, and by their identity a declared effect is known (hosting H7). */
function watchedAction(action: unknown, where: string): unknown {
  if (typeof action !== "function" || !("resolve" in action)) return action;
  const built = action as unknown as Code & { readonly type: string; readonly assignment?: unknown; readonly collect?: Code; readonly delay?: unknown; readonly event?: unknown };
  switch (built.type) {
    case "xstate.assign":
      return variant(built, { assignment: watchedAssignment(built.assignment, `${where} assign`) });
    case "xstate.enqueueActions":
      return variant(built, { collect: watchedCollect(built.collect as Code, `${where} enqueueActions`) });
    case "xstate.raise":
    case "xstate.sendTo":
      return variant(built, { delay: watchedCode(built.delay, `${where} delay`), event: watchedCode(built.event, `${where} ${built.type.slice(7)}`) });
    case "xstate.emit":
      return variant(built, { event: watchedCode(built.event, `${where} emit`) });
    default:
      return action;
  }
}

/** The same function with other properties. XState calls what stands in them, and the function itself never. */
function variant(original: Code, changes: Readonly<Record<string, unknown>>): Code {
  const copy: Code = (...args) => original(...args);
  Object.defineProperty(copy, "name", { value: original.name, configurable: true });
  return Object.assign(copy, original, changes);
}

function watchedAssignment(assignment: unknown, where: string): unknown {
  if (typeof assignment === "function") return watchedCode(assignment, where);
  return mapped(assignment as Readonly<Record<string, unknown>>, (value, key) => watchedCode(value, `${where} of "${key}"`));
}

function watchedCollect(collect: Code, where: string): Code {
  return watchedCode((given: unknown, params: unknown) => {
    const { enqueue, check } = given as { readonly enqueue: Code & { assign: Code }; readonly check: Code };
    const watched: Code = (action) => enqueue(watchedAction(action, where));
    Object.assign(watched, enqueue, { assign: (assignment: unknown) => enqueue.assign(watchedAssignment(assignment, `${where} assign`)) });
    return collect({ ...(given as object), enqueue: watched, check: (guard: unknown) => check(watchedGuard(guard, `${where} check`)) }, params);
  }, where) as Code;
}

function watchedGuard(guard: unknown, where: string): unknown {
  if (typeof guard !== "function") return guard;
  if (!("check" in guard)) return watchedCode(guard, where);
  const inner = (guard as { readonly guards?: readonly unknown[] }).guards;
  return inner === undefined ? guard : variant(guard as unknown as Code, { guards: inner.map((one) => watchedGuard(one, where)) });
}

/** What is no function stays. */
function watchedCode(code: unknown, where: string): unknown {
  if (typeof code !== "function") return code;
  const watched = (...args: readonly unknown[]): unknown => {
    let result: unknown;
    try {
      result = (code as Marked)(...args);
    } catch (error) {
      thrownAt ??= { where, error };
      throw error;
    }
    if (isPromise(result)) {
      const error = promised(where);
      thrownAt ??= { where, error };
      throw error;
    }
    return result;
  };
  Object.defineProperty(watched, "name", { value: code.name, configurable: true });
  return watched;
}

function promised(where: string): DroverError {
  return new DroverError("DROVER_STEP_PROMISE", `${where} returned a promise while an actor was stepped; it must return its value at once: move the work into a task or a source`);
}

/**
 * What a plain function gave as the next state; its first one has nothing before it.
 * @throws DROVER_STEP_PROMISE, DROVER_STEP_WITHOUT_STATE
 */
export function checkState(state: unknown, before: unknown, where: string): void {
  if (isPromise(state)) throw promised(where);
  if (state === undefined && before !== undefined)
    throw new DroverError("DROVER_STEP_WITHOUT_STATE", `${where} returned nothing; it must return the next state, or the given one where nothing changes`);
}

/** Where code that is not a machine's threw. */
export function noteThrownAt(where: string, error: unknown): void {
  thrownAt = { where, error };
}

/** A promise that nobody waits for must not end the process when it is rejected. */
export function isPromise(value: unknown): boolean {
  if (typeof value !== "object" || value === null || typeof (value as { readonly then?: unknown }).then !== "function") return false;
  if (value instanceof Promise) value.catch(() => undefined);
  return true;
}
