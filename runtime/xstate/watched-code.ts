// An author's code as it is called while a machine is stepped: a machine's copy in which each function that XState calls in a step is watched.
//
// W1. What returns a promise where a value is needed is a fault: bare XState takes the promise for true, for no change, for no delay, or hands it on as data.
// W2. What throws leaves its place, innermost first: XState's own words name a guard at most.
// W3. Only functions are exchanged, in the copy's own lists; the author's configuration is never changed.
// W4. What a step asks for by enqueueActions nobody saw at registration: it is checked as it is asked for (asked-work.ts).
// W5. What XState itself does with an action is told from what its author gave by name (MECHANICS): whatever else of it is a function is the author's.
// W6. XState takes off the list whoever has the id of what is stopped: the ref of a child that was replaced before this step is nobody, so that its successor is still found by their id (N20).

import { type AnyStateMachine, assign, cancel, emit, raise, sendParent, sendTo, spawnChild, stopChild } from "xstate";

import { DroverError } from "../errors.ts";
import { checkAsked } from "./asked-work.ts";
import { isParted } from "./context-parts.ts";
import { nodesById } from "./logic.ts";
import { stepCellOf } from "./made-actor.ts";
import { isPromise, promiseAmong, promiseAmongChanged, promised, quietChanged, refusePromises } from "./promises.ts";

type Code = (...args: readonly unknown[]) => unknown;
type Parts = Readonly<Record<string, unknown>>;
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
    actions: mapped(actions, (action, name) => watchedAction(action, `action "${name}"`, machine)),
    delays: mapped(delays, (delay, name) => watchedCode(delay, `delay "${name}"`)),
  };
  own.config = { ...own.config, ...(own.config.context === undefined ? {} : { context: watchedCode(own.config.context, "the first context", partOf) }) };
  for (const node of nodesById(machine).values()) watchNode(node as unknown as Writable, machine);
}

interface Writable {
  readonly id: string;
  readonly type: string;
  entry: readonly unknown[];
  exit: readonly unknown[];
  readonly initial: { actions: readonly unknown[] };
  readonly invoke: readonly { id: unknown; input?: unknown }[];
  readonly always: readonly Transition[] | undefined;
  readonly transitions: ReadonlyMap<string, readonly Transition[]>;
  output?: unknown;
}

interface Transition {
  guard?: unknown;
  actions: readonly unknown[];
}

function watchNode(node: Writable, machine: AnyStateMachine): void {
  const at = `#${node.id}`;
  node.entry = watchedActions(node.entry, `${at} entry`, machine);
  node.exit = watchedActions(node.exit, `${at} exit`, machine);
  if (node.type === "compound" || node.type === "parallel") node.initial.actions = watchedActions(node.initial.actions, `${at} initial`, machine);
  if (node.output !== undefined) node.output = watchedCode(node.output, `${at} output`, partOf);
  for (const invoke of node.invoke) {
    const where = `${at} invoke${typeof invoke.id === "string" ? ` "${invoke.id}"` : ""}`;
    invoke.id = watchedCode(invoke.id, `${where} id`);
    if (invoke.input !== undefined) invoke.input = watchedCode(invoke.input, `${where} input`, partOf);
  }
  const lists: (readonly [string, readonly Transition[]])[] = [...node.transitions, ["always", node.always ?? []]];
  for (const [descriptor, transitions] of lists) {
    const where = `${at} on "${descriptor}"`;
    for (const transition of transitions) {
      if (transition.guard !== undefined) transition.guard = watchedGuard(transition.guard, `${where} guard`);
      transition.actions = watchedActions(transition.actions, where, machine);
    }
  }
}

function mapped(record: Readonly<Record<string, unknown>>, change: (value: unknown, name: string) => unknown): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value, name)]));
}

function watchedActions(actions: readonly unknown[], where: string, machine: AnyStateMachine): readonly unknown[] {
  return actions.map((action) => watchedAction(action, where, machine));
}

/** W5. XState's own work with what an author gave. */
const MECHANICS: ReadonlySet<string> = new Set(["resolve", "retryResolve", "execute"]);
/** What an action is about needs no name beside the action's. */
const ABOUT: ReadonlySet<string> = new Set(["event", "sendId", "value", "actorRef"]);
const DATA: ReadonlySet<string> = new Set(["event", "input"]);

/** Custom actions stay as they are: they run after the commit, and by their identity a declared effect is known (hosting H7). */
function watchedAction(action: unknown, where: string, machine: AnyStateMachine): unknown {
  if (typeof action !== "function") return withWatchedParams(action, where);
  if (!("resolve" in action)) return action;
  const changes = watchedParts(action as unknown as Parts, where, machine);
  return changes === undefined ? action : variant(action as unknown as Code, changes);
}

/** Of one of XState's actions; undefined where it holds no code. */
function watchedParts(action: Parts, where: string, machine: AnyStateMachine): Parts | undefined {
  const kind = String(action["type"]).slice("xstate.".length);
  let changes: Record<string, unknown> | undefined;
  for (const part of Object.keys(action)) {
    if (MECHANICS.has(part)) continue;
    const value = action[part];
    let watched: unknown = value;
    if (part === "assignment") watched = watchedAssignment(value, `${where} assign`);
    else if (part === "collect") watched = watchedCollect(value as Code, `${where} enqueueActions`, machine);
    else if (typeof value === "function")
      watched = watchedCode(value, `${where} ${part === "delay" ? part : ABOUT.has(part) ? kind : `${kind} ${part}`}`, DATA.has(part) ? partOf : undefined);
    if (kind === "stopChild" && part === "actorRef" && typeof value !== "string") watched = unlessReplaced(watched);
    if (watched !== value) (changes ??= {})[part] = watched;
  }
  return changes;
}

/** W6. */
function unlessReplaced(actorRef: unknown): Code {
  return (...args) => {
    const meant = typeof actorRef === "function" ? (actorRef as Code)(...args) : actorRef;
    const child = stepCellOf(meant);
    const holder = child?.parent?.child(child.id);
    const isOwn = child?.parent === stepCellOf((args[0] as { readonly self: unknown }).self);
    return isOwn && holder !== undefined && holder !== child ? undefined : meant;
  };
}

/** An action or a guard by its name, with params that are worked out when it is asked for. */
function withWatchedParams(named: unknown, where: string): unknown {
  if (typeof named !== "object" || named === null || typeof (named as Parts)["params"] !== "function") return named;
  const { type, params } = named as { readonly type: string; readonly params: unknown };
  return { ...named, params: watchedCode(params, `${where} params of "${type}"`, partOf) };
}

/** The same function with other properties. XState calls what stands in them, and the function itself never. */
function variant(original: Code, changes: Parts): Code {
  const copy: Code = (...args) => original(...args);
  Object.defineProperty(copy, "name", { value: original.name, configurable: true });
  return Object.assign(copy, original, changes);
}

function watchedAssignment(assignment: unknown, where: string): unknown {
  if (typeof assignment === "function") return watchedCode(assignment, where, partOfUpdate);
  return mapped(assignment as Parts, (value, key) => watchedCode(value, `${where} of "${key}"`, noPartOf(key)));
}

/** What `enqueue` has beside being called. */
const makers = Object.entries({ assign, cancel, raise, sendTo, sendParent, spawnChild, stopChild, emit }) as unknown as readonly (readonly [string, Code])[];

function watchedCollect(collect: Code, where: string, machine: AnyStateMachine): Code {
  return watchedCode((given: unknown, params: unknown) => {
    const { enqueue, check } = given as { readonly enqueue: Code; readonly check: Code };
    const watched: Code = (action) => {
      refuseGiven(action, where);
      checkAsked(action, machine);
      return enqueue(watchedAction(action, where, machine));
    };
    for (const [name, make] of makers) {
      (watched as unknown as Record<string, Code>)[name] = (...args) => {
        for (const arg of args) refuseGiven(arg, where);
        const made = make(...args) as Code;
        checkAsked(made, machine);
        enqueue(Object.assign(made, watchedParts(made as unknown as Parts, where, machine)));
      };
    }
    const asked: Code = (guard) => {
      refuseGiven(guard, where);
      return check(watchedGuard(guard, `${where} check`));
    };
    return collect({ ...(given as object), enqueue: watched, check: asked }, params);
  }, where) as Code;
}

/** What is made within a step may be a promise without any function that returned it. */
function refuseGiven(value: unknown, where: string): void {
  refusePromises(value, where);
  if (typeof value !== "function" && !isParted(value)) return;
  for (const key in value) {
    const part = (value as unknown as Parts)[key];
    if (typeof part === "object") refusePromises(part, where);
  }
}

function watchedGuard(guard: unknown, where: string): unknown {
  if (typeof guard !== "function") return withWatchedParams(guard, where);
  if (!("check" in guard)) return watchedCode(guard, where);
  const inner = (guard as { readonly guards?: readonly unknown[] }).guards;
  return inner === undefined ? guard : variant(guard as unknown as Code, { guards: inner.map((one) => watchedGuard(one, where)) });
}

/** The part of an object, which is no promise itself, that must not be one. Whatever it answers, promises further down are quiet. */
type PartOf = (result: unknown, args: readonly unknown[]) => string | undefined;

const partOf: PartOf = (result) => promiseAmong(result);
const contextOf = (args: readonly unknown[]): Parts | undefined => (args[0] as { readonly context?: Parts } | undefined)?.context;
const partOfUpdate: PartOf = (result, args) => promiseAmongChanged(result as object, contextOf(args));
const noPart: PartOf = (result) => {
  promiseAmong(result);
  return undefined;
};

/** The value of a key of the context: what it holds is the context's own. */
function noPartOf(key: string): PartOf {
  return (result, args) => {
    quietChanged(result as object, contextOf(args)?.[key]);
    return undefined;
  };
}

/** What is no function stays. */
function watchedCode(code: unknown, where: string, part: PartOf = noPart): unknown {
  if (typeof code !== "function") return code;
  const watched = (...args: readonly unknown[]): unknown => {
    let result: unknown;
    try {
      result = (code as Marked)(...args);
    } catch (error) {
      throw noted(where, isPromise(error) ? promised(where, "threw") : error);
    }
    if (typeof result !== "object" && typeof result !== "function") return result;
    if (isPromise(result)) throw noted(where, promised(where));
    const found = part(result, args);
    if (found !== undefined) throw noted(where, promised(`${where} of "${found}"`));
    return result;
  };
  Object.defineProperty(watched, "name", { value: code.name, configurable: true });
  return watched;
}

function noted(where: string, error: unknown): unknown {
  thrownAt ??= { where, error };
  return error;
}

/**
 * What a plain function gave as the next state; its first one has nothing before it.
 * @throws DROVER_STEP_PROMISE, DROVER_STEP_WITHOUT_STATE
 */
export function checkState(state: unknown, before: unknown, where: string): void {
  if (isPromise(state)) throw promised(where);
  const part = typeof state === "object" && state !== null ? promiseAmongChanged(state, before) : undefined;
  if (part !== undefined) throw promised(`${where} of "${part}"`);
  if (state === undefined && before !== undefined)
    throw new DroverError("DROVER_STEP_WITHOUT_STATE", `${where} returned nothing; it must return the next state, or the given one where nothing changes`);
}

/** Where code that is not a machine's threw. */
export function noteThrownAt(where: string, error: unknown): void {
  thrownAt = { where, error };
}
