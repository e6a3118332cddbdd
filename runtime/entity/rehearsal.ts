// Each step twice, while somebody looks closely: a simulation, a test (hosting H11). A node's own steps pay one comparison.
//
// Q1. The first one is a rehearsal. It is given a copy of the context, and all that it does is taken back; what it changed in place is found by comparing the copy.
// Q2. The one that counts is given a frozen context, and what it makes is frozen: writing in place throws there. What it comes to otherwise than the rehearsal is not pure.
// Q3. What throws when it is read is not looked at here: no record holds it, and that is its fault (rules R2).
// Q4. A step within a step is part of it. Replays that are watched step by step are not rehearsed: each step is told once.
//     What a child that it makes is made with, and what that one's first step comes to, is part of what it comes to.
// Q5. Whoever listens may hear of every step too, whether it took what it was offered and what it asked for: then what becomes of that is known without a word of the room that does it.

import { inspect } from "node:util";
import { cellOf, copyOfParts, ForeignRef, freezeParts, isParted, type LogicSnapshot, partAt, type StepAction, type StepEvent, stepWatcher } from "../xstate/index.ts";
import type { Cell } from "./cell.ts";
import { messageOf } from "../message-of.ts";
import type { Inside } from "./inside.ts";

/** A step that is no pure function of what it was given. */
export interface ImpureStep {
  readonly actor: string;
  readonly event: string;
  /** Where in the context, or in what the step comes to, e.g. `context/list/0`. */
  readonly path: string;
  readonly what: string;
}

/** What a step came to, as far as it is compared. */
interface Ended {
  readonly snapshot?: LogicSnapshot;
  readonly actions?: readonly unknown[];
  /** What it gave besides, e.g. a refusal. */
  readonly [key: string]: unknown;
}

/** A step that counts. */
export interface RehearsedStep {
  readonly actor: string;
  /** false: a state that does not take it, or a refusal of its reducer, a postponing one too. */
  readonly isTaken: boolean;
  /** The first one of its actor, whose event nobody sent. */
  readonly isBeginning: boolean;
  /** false: what a machine made by itself. */
  readonly isSupervised: boolean;
  readonly incarnation: number;
  /** What it asked for, in order; empty where it threw. */
  readonly actions: readonly StepAction[];
}

interface Listener {
  /** undefined: it asks for no rehearsals. */
  readonly hear: ((found: ImpureStep) => void) | undefined;
  readonly stepped: ((step: RehearsedStep) => void) | undefined;
}

const listeners = new Set<Listener>();
let isUnderWay = false;

/** From here on every step of this process is rehearsed. @param hear left undefined: steps are told (Q5), and not rehearsed for this listener @param stepped hears of each (Q5) @returns what ends that */
export function rehearseSteps(hear: Listener["hear"], stepped?: Listener["stepped"]): () => void {
  // Whoever listens twice is told twice.
  const own: Listener = { hear, stepped };
  listeners.add(own);
  return () => void listeners.delete(own);
}

export function stepsAreRehearsed(): boolean {
  return listeners.size > 0 && !isUnderWay && stepWatcher() === undefined;
}

/** Q1, Q2. @throws what the step throws */
export function rehearsed<R extends object>(
  interior: Inside,
  cell: Cell,
  event: StepEvent,
  before: LogicSnapshot | undefined,
  step: (snapshot: LogicSnapshot | undefined) => R,
): R {
  const say = (path: string, what: string): void => {
    for (const { hear } of listeners) hear?.({ actor: cell.address, event: event.type, path, what });
  };
  isUnderWay = true;
  try {
    const isWanted = [...listeners].some(({ hear }) => hear !== undefined);
    const context = isWanted ? readable(() => copyOfParts(before?.context)) : undefined;
    if (!isWanted || (context === undefined && before?.context !== undefined))
      return ended(
        cell,
        before,
        outcomeOf(() => step(before)),
      );
    const copy = before === undefined ? undefined : { ...before, context };
    const first = triedOut(interior, () => step(copy));
    const inPlace = readable(() => differenceOf(before?.context, copy?.context, "context"));
    if (inPlace !== undefined) say(inPlace.path, `was changed in place: from ${inPlace.one} to ${inPlace.other}`);
    readable(() => {
      freezeParts(before?.context);
    });
    const second = outcomeOf(() => step(before));
    const unlike = inPlace === undefined ? readable(() => differenceOf(first, comparable(second), "")) : undefined;
    if (unlike !== undefined) say(unlike.path, `came out twice from one input, and not the same: ${unlike.one} and ${unlike.other}`);
    const result = ended(cell, before, second);
    readable(() => {
      freezeParts((result as Ended).snapshot?.context);
    });
    return result;
  } finally {
    isUnderWay = false;
  }
}

/** Q3. */
function readable<V>(read: () => V): V | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

type Outcome<R> = { readonly result: R } | { readonly thrown: unknown };

function outcomeOf<R>(step: () => R): Outcome<R> {
  try {
    return { result: step() };
  } catch (thrown) {
    return { thrown };
  }
}

/** Q5. @throws what the step has thrown */
function ended<R extends object>(cell: Cell, before: LogicSnapshot | undefined, outcome: Outcome<R>): R {
  const isTaken = "thrown" in outcome || !("refused" in outcome.result || (outcome.result as Ended)["taken"] === false);
  const { address: actor, incarnation, supervision } = cell;
  const actions = "thrown" in outcome ? [] : (((outcome.result as Ended).actions as readonly StepAction[] | undefined) ?? []);
  for (const { stepped } of listeners) stepped?.({ actor, isTaken, isBeginning: before === undefined, isSupervised: supervision !== undefined, incarnation, actions });
  if ("thrown" in outcome) throw outcome.thrown;
  return outcome.result;
}

function triedOut(interior: Inside, step: () => object): Record<string, unknown> {
  const start = interior.savepoint();
  try {
    return comparable(outcomeOf(step));
  } finally {
    interior.takeBack(start);
  }
}

function comparable(outcome: Outcome<object>): Record<string, unknown> {
  if ("thrown" in outcome) return { thrown: messageOf(outcome.thrown) };
  const { snapshot, actions, ...more } = outcome.result as Ended;
  return { ...stateOf(snapshot), actions: actions?.map(comparableAction), ...more };
}

function stateOf(snapshot: LogicSnapshot | undefined): Record<string, unknown> {
  const { status, output, context, value } = (snapshot ?? {}) as LogicSnapshot & { readonly value?: unknown };
  return { status, value, context, output };
}

/** Q4. The child of one step is never that of the other: it is told by what it is made of, and by its address where it had been there. */
function comparableAction(action: unknown): unknown {
  const { kind } = action as StepAction;
  if (kind === "stop") return { kind, child: (action as { readonly child: Cell }).child.ref };
  if (kind !== "start") return action;
  const { child, spawned } = action as { readonly child: Cell; readonly spawned: boolean };
  const { id, ref, plan, systemId, syncSnapshot, input, first } = child;
  return { kind, spawned, child: { id, ref, source: plan.type, systemId, syncSnapshot, input, ...(first === undefined ? {} : comparable({ result: first })) } };
}

interface Difference {
  readonly path: string;
  readonly one: string;
  readonly other: string;
}

function differenceOf(one: unknown, other: unknown, path: string, seen = new Set<object>()): Difference | undefined {
  if (Object.is(one, other)) return undefined;
  if (!isParted(one) || !isParted(other)) {
    const [left, right] = [namedBy(one), namedBy(other)];
    if (left !== undefined && right !== undefined) return left === right ? undefined : { path, one: left, other: right };
    // Functions and what else is made anew by each step.
    if (one !== null && other !== null && isMade(one) && isMade(other) && Object.getPrototypeOf(one) === Object.getPrototypeOf(other)) return undefined;
    return { path, one: short(one), other: short(other) };
  }
  if (seen.has(one)) return undefined;
  seen.add(one);
  for (const key of Object.keys(one)) {
    const left = partAt(one, key);
    const right = partAt(other, key);
    const found = Object.is(left, right) ? undefined : differenceOf(left, right, path === "" ? key : `${path}/${key}`, seen);
    if (found !== undefined) return found;
  }
  const more = Object.keys(other).find((key) => !Object.hasOwn(one, key) && partAt(other, key) !== undefined);
  return more === undefined ? undefined : { path: path === "" ? more : `${path}/${more}`, one: "nothing", other: short(partAt(other, more)) };
}

/** Whom a ref means: refs of children are made anew by each step. */
function namedBy(value: unknown): string | undefined {
  if (value instanceof ForeignRef) return `a ref of ${value.sessionId}`;
  const cell = cellOf(value);
  return cell === undefined ? undefined : `a ref of ${cell.address}`;
}

function isMade(value: unknown): boolean {
  return typeof value === "function" || (typeof value === "object" && !isParted(value));
}

function short(value: unknown): string {
  if (Array.isArray(value)) return `a list of ${String(value.length)}`;
  if (typeof value === "object" && value !== null) return "an object";
  return typeof value === "string" ? JSON.stringify(value.slice(0, 60)) : inspect(value);
}
