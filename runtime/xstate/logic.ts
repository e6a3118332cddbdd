// Which kind of XState logic something is, and which logic a source name means.
//
// A source with `start` runs outside the turn, so it must be one whose manner is known: promise, callback, observable, event observable. They carry no
// mark, so they are told by their code, which is the same for every logic made by one creator. Hand-written logic with `start` is refused (hosting H9).
// Logic without `start` (fromTransition) is a pure function and is stepped within the turn: its state is journaled and survives.

import { type AnyActorLogic, type AnyStateMachine, type AnyStateNode, fromCallback, fromEventObservable, fromObservable, fromPromise, StateMachine } from "xstate";

export type LogicKind = "machine" | "promise" | "callback" | "observable" | "event-observable" | "transition" | "hand-written";

const nothing = { subscribe: () => ({ unsubscribe: () => undefined }) };
const models: readonly { readonly kind: LogicKind; readonly print: string }[] = [
  { kind: "promise", print: printOf(fromPromise(() => Promise.resolve())) },
  { kind: "callback", print: printOf(fromCallback(() => undefined)) },
  { kind: "observable", print: printOf(fromObservable(() => nothing)) },
  { kind: "event-observable", print: printOf(fromEventObservable(() => nothing as never)) },
];
const kinds = new WeakMap<object, LogicKind>();

function printOf(logic: AnyActorLogic): string {
  return `${String(logic.start)}\n${String(logic.transition)}`;
}

export function isMachine(logic: unknown): logic is AnyStateMachine {
  return logic instanceof StateMachine;
}

/** Made by another installation of XState: its parts cannot be told from hand-written ones. */
export function isMachineOfAnotherCopy(logic: unknown): boolean {
  return (
    typeof logic === "object" &&
    logic !== null &&
    !isMachine(logic) &&
    (logic as { readonly constructor?: unknown }).constructor?.toString().startsWith("class StateMachine") === true
  );
}

export function kindOfLogic(logic: unknown): LogicKind | undefined {
  if (typeof logic !== "object" || logic === null) return undefined;
  const known = kinds.get(logic);
  if (known !== undefined) return known;
  const found = classify(logic as Partial<AnyActorLogic>);
  if (found !== undefined) kinds.set(logic, found);
  return found;
}

function classify(logic: Partial<AnyActorLogic>): LogicKind | undefined {
  if (isMachine(logic)) return "machine";
  if (typeof logic.transition !== "function" || typeof logic.getInitialSnapshot !== "function") return undefined;
  if (logic.start === undefined) return "transition";
  const print = printOf(logic as AnyActorLogic);
  return models.find((model) => model.print === print)?.kind ?? "hand-written";
}

/** All state nodes by id. Not in XState's types; looked up here since the lookup by path breaks on ids with dots (hosting H8). */
export function nodesById(machine: AnyStateMachine): ReadonlyMap<string, AnyStateNode> {
  return (machine as unknown as { readonly idMap: ReadonlyMap<string, AnyStateNode> }).idMap;
}

const INLINE_SOURCE = /^xstate\.invoke\.(\d+)\.(.*)$/s;

/** The logic that a machine means by a source: a name, XState's name of an inline invoke, or the logic itself. */
export function resolveSource(machine: AnyStateMachine, src: unknown): AnyActorLogic | undefined {
  if (typeof src !== "string") return src as AnyActorLogic;
  const inline = INLINE_SOURCE.exec(src);
  if (inline === null) return Object.hasOwn(machine.implementations.actors, src) ? (machine.implementations.actors as Record<string, AnyActorLogic>)[src] : undefined;
  const node = nodesById(machine).get(inline[2] as string);
  const invoke = node?.config.invoke as unknown;
  const one = Array.isArray(invoke) ? (invoke as unknown[])[Number(inline[1])] : invoke;
  return (one as { readonly src?: AnyActorLogic } | undefined)?.src;
}
