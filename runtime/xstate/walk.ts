// Walk of a machine at registration: what would fail or be lost at run time is refused before the first event (hosting H7, H9, H11; difference N9).

import type { AnyStateMachine, AnyStateNode } from "xstate";

import { isMachine, kindOfLogic, nodesById, resolveSource } from "./logic.ts";
import { effectClassOf, type EffectMark, effectMarkOf, taskMarkOf } from "./marks.ts";

export interface TypeProblem {
  /** State and place, e.g. `#torrent.setting entry`. */
  readonly where: string;
  readonly what: string;
  readonly advice: string;
  /** A volatile actor may have it. */
  readonly durableOnly: boolean;
}

/** XState keeps states and histories as properties of plain objects (named difference N17). */
const UNNAMEABLE = "__proto__";

interface Walk {
  readonly machine: AnyStateMachine;
  readonly path: string;
  readonly problems: TypeProblem[];
  readonly seen: Set<AnyStateMachine>;
}

type Builtin = ((...args: never[]) => unknown) & { readonly type: string; readonly resolve: unknown; readonly src?: unknown; readonly id?: unknown; readonly delay?: unknown };

/** Problems of a machine and of the machines that it invokes. */
export function walkMachine(machine: AnyStateMachine): readonly TypeProblem[] {
  const problems: TypeProblem[] = [];
  visit({ machine, path: "", problems, seen: new Set() });
  return problems;
}

export interface DeclaredWork {
  /** By name; of one name in several machines the outermost. */
  readonly effects: ReadonlyMap<string, EffectMark>;
  readonly tasks: readonly string[];
}

/** The declared effects and the tasks of a machine and of the machines that it invokes. */
export function declaredWork(machine: AnyStateMachine, seen = new Set<AnyStateMachine>()): DeclaredWork {
  if (seen.has(machine)) return { effects: new Map(), tasks: [] };
  seen.add(machine);
  const effects = new Map<string, EffectMark>();
  const tasks = new Set<string>();
  for (const [name, run] of Object.entries(machine.implementations.actions)) {
    const mark = effectMarkOf(run);
    if (mark !== undefined) effects.set(name, mark);
  }
  for (const [name, logic] of Object.entries(machine.implementations.actors)) {
    if (taskMarkOf(logic)?.kind === "task") tasks.add(name);
    else if (isMachine(logic)) {
      const inner = declaredWork(logic, seen);
      for (const [effect, mark] of inner.effects) if (!effects.has(effect)) effects.set(effect, mark);
      for (const task of inner.tasks) tasks.add(task);
    }
  }
  return { effects, tasks: [...tasks] };
}

function visit(walk: Walk): void {
  const { machine } = walk;
  if (walk.seen.has(machine)) return;
  walk.seen.add(machine);
  const { actions, guards, actors } = machine.implementations as unknown as Readonly<Record<"actions" | "guards" | "actors", Readonly<Record<string, unknown>>>>;
  for (const [name, run] of Object.entries(actions)) {
    if (isBuiltin(run)) checkAction(walk, run, `action "${name}"`);
    else if (effectClassOf(run) === undefined) {
      report(
        walk,
        `action "${name}"`,
        "is a function without a class",
        "declare it with effect({ class }) and supply it with type.with(), or use assign and the other actions of XState",
        true,
      );
    }
  }
  for (const [name, guard] of Object.entries(guards)) checkGuard(walk, guard, `guard "${name}"`);
  for (const [name, logic] of Object.entries(actors)) checkLogic(walk, logic, `source "${name}"`, name);
  for (const [id, node] of nodesById(machine)) {
    if (id === UNNAMEABLE || node.key === UNNAMEABLE)
      report(walk, `#${id}`, `has the ${id === UNNAMEABLE ? "id" : "name"} "${UNNAMEABLE}", under which XState loses a state`, "give it another name", false);
    else if (!node.path.includes(UNNAMEABLE)) checkNode(walk, node);
  }
}

function checkNode(walk: Walk, node: AnyStateNode): void {
  const at = `#${node.id}`;
  for (const action of node.entry) checkAction(walk, action, `${at} entry`);
  for (const action of node.exit) checkAction(walk, action, `${at} exit`);
  if (node.type === "compound") for (const action of node.initial.actions) checkAction(walk, action, `${at} initial`);
  const transitions = [...node.transitions].flatMap(([descriptor, list]) => list.map((transition) => [descriptor, transition] as const));
  for (const transition of node.always ?? []) transitions.push(["always", transition]);
  for (const [descriptor, transition] of transitions) {
    const where = `${at} on "${descriptor}"`;
    if (transition.guard !== undefined) checkGuard(walk, transition.guard, where);
    for (const action of transition.actions as readonly unknown[]) checkAction(walk, action, where);
  }
  for (const [index, invoke] of node.invoke.entries()) {
    const configured = node.config.invoke as unknown;
    const src = (Array.isArray(configured) ? (configured as readonly { readonly src: unknown }[])[index] : (configured as { readonly src: unknown } | undefined))?.src;
    checkSource(walk, src, `${at} invoke "${invoke.id}"`);
  }
}

function isBuiltin(action: unknown): action is Builtin {
  return typeof action === "function" && "resolve" in action;
}

function checkAction(walk: Walk, action: unknown, where: string): void {
  if (isBuiltin(action)) {
    if (typeof action.delay === "string") checkName(walk, "delay", action.delay, where);
    if (action.type === "xstate.spawnChild") {
      checkSource(walk, action.src, where);
      if (action.id === undefined) report(walk, where, "spawnChild without an id", "give it an id: it is the child's name in its address and after a restart", false);
    }
    return;
  }
  if (typeof action === "function") {
    report(
      walk,
      where,
      `has the inline action ${action.name === "" ? "(anonymous)" : `"${action.name}"`}`,
      "name it in setup({ actions }) with effect({ class }), or move what it computes into assign",
      true,
    );
    return;
  }
  checkName(walk, "action", typeof action === "string" ? action : (action as { readonly type: string }).type, where);
}

function checkGuard(walk: Walk, guard: unknown, where: string): void {
  if (typeof guard === "function") {
    for (const inner of (guard as { readonly guards?: readonly unknown[] }).guards ?? []) checkGuard(walk, inner, where);
    return;
  }
  checkName(walk, "guard", typeof guard === "string" ? guard : (guard as { readonly type: string }).type, where);
}

function checkSource(walk: Walk, src: unknown, where: string): void {
  if (typeof src === "string") {
    if (resolveSource(walk.machine, src) === undefined) checkName(walk, "actor", src, where);
    return;
  }
  report(walk, where, "has an inline source", "name it in setup({ actors })", true);
  checkLogic(walk, src, where, "(inline)");
}

function checkLogic(walk: Walk, logic: unknown, where: string, name: string): void {
  const kind = kindOfLogic(logic);
  if (kind === undefined)
    report(walk, where, "is no actor logic", "use a machine, fromPromise, fromCallback, fromObservable, fromEventObservable, fromTransition, task or ask", false);
  else if (kind === "hand-written") {
    report(
      walk,
      where,
      "is hand-written logic with start(), which changes its own state outside the journal",
      "use fromPromise, fromCallback or fromObservable, or leave start() out",
      false,
    );
  } else if (isMachine(logic)) visit({ ...walk, machine: logic, path: `${walk.path}${name} > ` });
}

const PLURAL = { action: "actions", guard: "guards", delay: "delays", actor: "actors" } as const;

function checkName(walk: Walk, kind: keyof typeof PLURAL, name: string, where: string): void {
  const unknown = unknownName(walk.machine, kind, name);
  if (unknown !== undefined) report(walk, where, unknown.what, unknown.advice, false);
}

/** What is wrong with a name; undefined for one that the machine has. */
export function unknownName(machine: AnyStateMachine, kind: keyof typeof PLURAL, name: string): Pick<TypeProblem, "what" | "advice"> | undefined {
  const given = machine.implementations[PLURAL[kind]] as Record<string, unknown>;
  if (Object.hasOwn(given, name)) return undefined;
  const others = Object.keys(given);
  return {
    what: `names the ${kind} "${name}", which the machine does not have`,
    advice: others.length === 0 ? `add it to setup({ ${PLURAL[kind]} })` : `it has ${others.map((other) => `"${other}"`).join(", ")}`,
  };
}

function report(walk: Walk, where: string, what: string, advice: string, durableOnly: boolean): void {
  walk.problems.push({ where: `${walk.path}${where}`, what, advice, durableOnly });
}
