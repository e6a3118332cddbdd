// What steps do inside, told to whoever looks while one synchronous run lasts: a replay or a trial (design section 5, "inspection"). A node's own steps pay one comparison.
//
// W1. Guards are wrapped in place, on the copies of machines that are hosted, and put back when the run ends: no step of a node runs between the two.

import type { AnyStateMachine } from "xstate";

import { nodesById } from "./logic.ts";
import type { LogicSnapshot, StepCell, StepEvent } from "./step-cell.ts";

/** A transition that was taken, by the names that the machine has. */
export interface TakenTransition {
  /** Id of the state node that has it. */
  readonly source: string;
  /** Ids of the state nodes it leads to; none for one that stays. */
  readonly targets: readonly string[];
  readonly guard: string | undefined;
  readonly actions: readonly string[];
}

export interface StepWatcher {
  /** A microstep with at least one transition has been taken. */
  transitions(cell: StepCell, event: StepEvent, transitions: readonly TakenTransition[], after: LogicSnapshot): void;
  /** `passed` is undefined where the guard threw. */
  guard(cell: StepCell, name: string, params: unknown, passed: boolean | undefined): void;
  /** A reducer or transition function has returned. */
  stepped(cell: StepCell, event: StepEvent, after: LogicSnapshot): void;
}

interface Watch {
  readonly watcher: StepWatcher;
  readonly wrapped: Set<AnyStateMachine>;
  readonly putBack: (() => void)[];
}

let watch: Watch | undefined;

export function watchSteps<T>(watcher: StepWatcher, run: () => T): T {
  const outer = watch;
  const own: Watch = { watcher, wrapped: new Set(), putBack: [] };
  watch = own;
  try {
    return run();
  } finally {
    watch = outer;
    for (const putBack of own.putBack.reverse()) putBack();
  }
}

export function stepWatcher(): StepWatcher | undefined {
  return watch?.watcher;
}

/** Called before a machine is stepped. @param cellUnderWay whose guards are asked */
export function watchGuards(machine: AnyStateMachine, cellUnderWay: () => StepCell | undefined): void {
  if (watch === undefined || watch.wrapped.has(machine)) return;
  const { watcher, putBack, wrapped } = watch;
  wrapped.add(machine);
  const told =
    (name: string) =>
    (params: unknown, passed: boolean | undefined): void => {
      const cell = cellUnderWay();
      if (cell !== undefined) watcher.guard(cell, name, params, passed);
    };
  const guards = machine.implementations.guards as Record<string, unknown>;
  for (const [name, guard] of Object.entries(guards)) {
    if (typeof guard !== "function") continue;
    guards[name] = wrap(guard as Guard, told(name));
    putBack.push(() => {
      guards[name] = guard;
    });
  }
  for (const node of nodesById(machine).values()) {
    for (const transition of [...[...node.transitions.values()].flat(), ...(node.always ?? [])] as { guard?: unknown }[]) {
      const { guard } = transition;
      // A named one is wrapped above; what `and`, `or` and `not` hold is asked for by name too, or is part of their answer.
      if (typeof guard !== "function") continue;
      transition.guard = wrap(guard as Guard, told(guardName(guard) ?? "(inline)"));
      putBack.push(() => {
        transition.guard = guard;
      });
    }
  }
}

/** A function, or one of XState's own (`and`, `or`, `not`, `stateIn`), which carries its answer in `check`. */
type Guard = ((args: unknown, params: unknown) => unknown) & { readonly check?: (snapshot: unknown, args: unknown, own: unknown) => unknown };

function wrap(guard: Guard, told: (params: unknown, passed: boolean | undefined) => void): Guard {
  const asked = (params: unknown, ask: () => unknown) => (): unknown => {
    let passed: boolean | undefined;
    try {
      const answer = ask();
      passed = Boolean(answer);
      return answer;
    } finally {
      told(params, passed);
    }
  };
  const { check } = guard;
  const plain = (args: unknown, params: unknown): unknown => asked(params, () => guard(args, params))();
  return check === undefined ? plain : Object.assign(plain, guard, { check: (snapshot: unknown, args: unknown) => asked(undefined, () => check(snapshot, args, guard))() });
}

function guardName(guard: unknown): string | undefined {
  if (guard === undefined) return undefined;
  if (typeof guard === "string") return guard;
  const type = (guard as { readonly type?: unknown }).type;
  if (typeof type === "string") return type;
  // An arrow function in a transition is named after its property.
  return typeof guard === "function" && guard.name !== "" && guard.name !== "guard" ? guard.name : "(inline)";
}

export function namedTransition(transition: {
  readonly source: { readonly id: string };
  readonly target: readonly { readonly id: string }[] | undefined;
  readonly guard?: unknown;
  readonly actions: readonly unknown[];
}): TakenTransition {
  return {
    source: transition.source.id,
    targets: (transition.target ?? []).map(({ id }) => id),
    guard: guardName(transition.guard),
    actions: transition.actions.map((action) => guardName(action) as string),
  };
}
