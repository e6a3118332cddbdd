// What the versions of an actor type have of a node: an older one that is active runs as the newest does, with effects and tasks (rules T4).

import { type AnyActorType, isReducer, type Reducer } from "./actor/index.ts";
import { ownOf } from "./own-of.ts";
import { declaredWork } from "./xstate/index.ts";

/** An earlier version with what it declares: its own where it was supplied, else what the newest is supplied with under the same name. */
export function suppliedAs(type: AnyActorType, newest: AnyActorType): AnyActorType {
  const { effects, tasks } = declaredBy(type);
  return {
    ...type,
    effects: given([...effects.keys()], type.effects, newest.effects),
    effectWithinMs: Object.fromEntries([...effects].map(([name, { withinMs }]) => [name, withinMs])),
    tasks: given(tasks, type.tasks, newest.tasks),
  };
}

/** What it declares and nobody supplies, e.g. `effect "heat"`. */
export function unsupplied(type: AnyActorType): readonly string[] {
  const { effects, tasks } = declaredBy(type);
  return [
    ...[...effects.keys()].filter((name) => ownOf(type.effects, name) === undefined).map((name) => `effect "${name}"`),
    ...tasks.filter((name) => ownOf(type.tasks, name) === undefined).map((name) => `task "${name}"`),
  ];
}

function given<V>(names: readonly string[], own: Readonly<Record<string, V>>, other: Readonly<Record<string, V>>): Readonly<Record<string, V>> {
  const found: Record<string, V> = {};
  for (const name of names) {
    const supplied = ownOf(own, name) ?? ownOf(other, name);
    if (supplied !== undefined) found[name] = supplied;
  }
  return found;
}

function declaredBy({ behaviour }: AnyActorType): Pick<ReturnType<typeof declaredWork>, "effects" | "tasks"> {
  return isReducer(behaviour) ? { effects: new Map(Object.entries((behaviour as Reducer).effects)), tasks: [] } : declaredWork(behaviour);
}
