// A rollout as the cloud decides it: its plan, its groups, its one rule.

export { groupMessages } from "./group-messages.ts";
export { type FleetModule, type FleetVehicle, grouped, type Grouping, isSelected, type PlannedGroup, type PlannedTarget, type PlanProblem } from "./grouping.ts";
import { actorType, entityType } from "../../runtime/index.ts";
import { rolloutMachine } from "./machine.ts";
import { reasonSchema, rolloutMessages } from "./messages.ts";

export { reasonSchema, rolloutMessages };
export { type PlanFile, planSchema, impossibleIn } from "./plan.ts";
export { partAddress, rolloutInput, type TargetTerms, termsOf } from "./planned.ts";
export type { BadTarget, Report, RolloutContext, RolloutGroup } from "./state.ts";
export { BAD, type Ending, type Tally } from "./tally.ts";

const rolloutType = actorType({ name: "rollout", version: 1, messages: rolloutMessages, behaviour: rolloutMachine });

export const rolloutEntity = entityType({ root: rolloutType, durability: "events", placement: "cloud" });
