// What is the same for all cells of one actor type and source: which logic steps them, and how they are named in records.

import type { AnyStateMachine } from "xstate";

import { type AnyActorType, type AnyReducer, isReducer } from "../actor/index.ts";
import { Enterings } from "./entering.ts";
import { hostedMachine, isMachine, kindOfLogic, type LogicKind, resolveSource, type TaskMark, taskMarkOf } from "../xstate/index.ts";

interface PureLogic {
  transition(snapshot: unknown, event: unknown, scope: unknown): unknown;
  getInitialSnapshot(scope: unknown, input: unknown): unknown;
}

export type CellLogic =
  | { readonly kind: "machine"; readonly machine: AnyStateMachine; readonly original: AnyStateMachine }
  | { readonly kind: "reducer"; readonly reducer: AnyReducer }
  | { readonly kind: "transition"; readonly logic: PureLogic }
  /** Runs outside of the turn (hosting H9). */
  | {
      readonly kind: "source";
      readonly source: Exclude<LogicKind, "machine" | "transition" | "hand-written">;
      readonly logic: { readonly config: unknown };
      readonly mark: TaskMark | undefined;
    };

export interface Plan {
  /** `module`, and for an inner cell its parent's with its source: `module/upload`; a source's own `/` is `~1` there, its `~` is `~0`. */
  readonly type: string;
  readonly actor: AnyActorType;
  readonly logic: CellLogic;
  /** Name of the source in its machine; undefined for a root and for inline sources. */
  readonly src: string | undefined;
  /** How its actors came to their states. */
  readonly enterings: Enterings;
  /** The registered version has no such source: it never runs, and the upgrade stops it. */
  readonly isLost?: true;
}

const plans = new WeakMap<AnyActorType, Plan>();
const innerPlans = new WeakMap<Plan, Map<unknown, Plan>>();

export function planOf(actor: AnyActorType): Plan {
  const known = plans.get(actor);
  if (known !== undefined) return known;
  const { behaviour } = actor;
  const logic: CellLogic = isReducer(behaviour)
    ? { kind: "reducer", reducer: behaviour }
    : { kind: "machine", machine: hostedMachine(behaviour, actor.timers), original: behaviour };
  const plan: Plan = { type: actor.name, actor, logic, src: undefined, enterings: new Enterings() };
  plans.set(actor, plan);
  return plan;
}

/** @throws Error when the source is unknown or of a kind that cannot be hosted */
export function innerPlan(parent: Plan, src: unknown, logic: unknown): Plan {
  let inner = innerPlans.get(parent);
  if (inner === undefined) innerPlans.set(parent, (inner = new Map<unknown, Plan>()));
  const known = inner.get(src);
  if (known !== undefined) return known;
  const name = typeof src === "string" ? src : undefined;
  const plan: Plan = {
    type: `${parent.type}/${name === undefined ? "(inline)" : escaped(name)}`,
    actor: parent.actor,
    logic: logicOf(logic),
    src: name,
    enterings: new Enterings(),
  };
  inner.set(src, plan);
  return plan;
}

/** The plan that a record's type names; undefined when it is not registered (any more). */
export function planOfType(actor: AnyActorType, type: string): Plan | undefined {
  let plan = planOf(actor);
  let rest = type.slice(actor.name.length);
  while (rest.startsWith("/")) {
    const machine = plan.logic.kind === "machine" ? plan.logic.machine : undefined;
    if (machine === undefined) return undefined;
    const found = sourceIn(machine, rest.slice(1));
    if (found === undefined) return undefined;
    plan = innerPlan(plan, found.name, resolveSource(machine, found.name));
    rest = rest.slice(1 + found.length);
  }
  return plan;
}

/** The machine that made a record, while its version is registered. */
export function earlierMachine(actor: AnyActorType, record: { readonly version: number; readonly type: string }): AnyStateMachine | undefined {
  const then = actor.earlier.find(({ version }) => version === record.version);
  const plan = then === undefined ? undefined : planOfType(then, record.type);
  return plan?.logic.kind === "machine" ? plan.logic.machine : undefined;
}

/** Of what an older version has written and the registered one has no source for. */
export function lostPlan(actor: AnyActorType, type: string): Plan {
  return { type, actor, logic: { kind: "source", source: "callback", logic: { config: undefined }, mark: undefined }, src: undefined, enterings: new Enterings(), isLost: true };
}

/** The source that the path begins with, and how much of the path that is. */
function sourceIn(machine: AnyStateMachine, path: string): { readonly name: string; readonly length: number } | undefined {
  const slash = path.indexOf("/");
  const segment = slash === -1 ? path : path.slice(0, slash);
  const name = segment.replaceAll("~1", "/").replaceAll("~0", "~");
  if (resolveSource(machine, name) !== undefined) return { name, length: segment.length };
  // Earlier versions wrote names as they are: the longest that is known.
  for (let end = path.length; end > 0; end = path.lastIndexOf("/", end - 1)) {
    const written = path.slice(0, end);
    if (resolveSource(machine, written) !== undefined) return { name: written, length: end };
  }
  return undefined;
}

/** As in a JSON pointer, so that no name looks like a path. @see RFC 6901 section 3 */
function escaped(name: string): string {
  return name.replaceAll("~", "~0").replaceAll("/", "~1");
}

function logicOf(logic: unknown): CellLogic {
  if (isMachine(logic)) return { kind: "machine", machine: hostedMachine(logic), original: logic };
  const kind = kindOfLogic(logic);
  switch (kind) {
    case "transition":
      return { kind: "transition", logic: logic as PureLogic };
    case "promise":
    case "callback":
    case "observable":
    case "event-observable":
      return { kind: "source", source: kind, logic: logic as { readonly config: unknown }, mark: taskMarkOf(logic) };
    case "hand-written":
      throw new Error("hand-written logic with start() cannot be hosted");
    default:
      throw new Error("this is no actor logic");
  }
}
