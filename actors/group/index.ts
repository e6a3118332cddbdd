// A part of a group of a rollout: an entity with its targets as children (rules C1).

import { actorType, type EntityChild, entityType, messages } from "../../runtime/index.ts";
import type { OfferedUpdate } from "../campaign/index.ts";
import { groupMessages, type PlannedTarget, type TargetTerms } from "../rollout/index.ts";
import { groupMachine, targetId } from "./machine.ts";
import { groupOwnMessages, targetMessages } from "./messages.ts";
import type { PartInput } from "./part.ts";
import { targetMachine } from "./target.ts";
import type { TargetInput } from "./target-context.ts";

export { targetId };
export type { PartContext } from "./part.ts";
export { endingOf, holdsSlot, isBad, type Phase, PHASE_NAMES, phasesIn } from "./phases.ts";
export type { TargetContext } from "./target-context.ts";

const groupType = actorType({ name: "group", version: 1, messages: messages({ ...groupMessages.specs, ...groupOwnMessages.specs }), behaviour: groupMachine });
/**
 * Silence counts only while somebody listens: verdicts of time stand still while the node is stopped, since what vehicles have said meanwhile is heard after its start. Whether a vehicle is still where it was
 * heard of last is of the time that passes for people.
 */
export const targetTimers = { FRESH: "absolute" } as const;
const targetType = actorType({ name: "target", version: 1, messages: targetMessages, behaviour: targetMachine, timers: targetTimers });

export const groupEntity = entityType({
  root: groupType,
  durability: "events",
  placement: "cloud",
  children: { target: { types: [targetType], strategy: "one-for-one", restart: "permanent" } },
});

export interface PartBeginning {
  /** Address of its rollout, and its name. */
  readonly rollout: string;
  readonly name: string;
  /** Its own address. */
  readonly group: string;
  readonly targets: readonly PlannedTarget[];
  /** Those of the plan, in its order. */
  readonly images: readonly Omit<OfferedUpdate, "module">[];
  readonly terms: TargetTerms;
}

/** What the entity of a part begins with. */
export function partBeginning({ rollout, name, group, targets, images, terms }: PartBeginning): { readonly input: PartInput; readonly children: readonly EntityChild[] } {
  return {
    input: { self: group, rollout, part: group, size: targets.length },
    children: targets.map(({ vehicle, updates }, index): EntityChild => {
      const id = targetId(index);
      const offered = updates.flatMap(({ module, image }) => {
        const found = images[image];
        return found === undefined ? [] : [{ module, ...found }];
      });
      const input: TargetInput = { index, target: `${group}/target/${id}`, vehicle, updates: offered, rollout: name, ...terms };
      return { kind: "target", id, type: "target", input: { ...input } };
    }),
  };
}
