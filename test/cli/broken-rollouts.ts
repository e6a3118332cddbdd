// Rollouts whose actors break what must hold, one each, on purpose: the simulator must find it. Put in the place of ours by name, the rest of the types unchanged.

import { enqueueActions } from "xstate";

import { groupEntity, rolloutEntity, type UpdateTasks, vehicleEntity, vehicleRoot } from "../../actors/index.ts";
import { campaignMachine } from "../../actors/campaign/index.ts";
import { campaignMessages } from "../../actors/campaign/messages.ts";
import { groupOwnMessages, targetMessages } from "../../actors/group/messages.ts";
import { targetTimers } from "../../actors/group/index.ts";
import { groupMessages, rolloutMessages } from "../../actors/rollout/index.ts";
import { rolloutMachine } from "../../actors/rollout/machine.ts";
import { granted, openParts } from "../../actors/rollout/state.ts";
import type { Phase } from "../../actors/group/phases.ts";
import { targetMachine } from "../../actors/group/target.ts";
import { type ModuleTrigger, type ModuleTriggered, updateMachine } from "../../actors/update/index.ts";
import { vehicleMachine } from "../../actors/vehicle/machine.ts";
import { actorType, type Registered, task } from "../../runtime/index.ts";

interface Types {
  readonly cloud?: readonly Registered[];
  readonly vehicle?: (tasks: UpdateTasks) => readonly Registered[];
}

function withUpdate(update: typeof updateMachine): Types {
  const campaign = campaignMachine.provide({ actors: { update } });
  const root = actorType({ name: "vehicle", version: 2, messages: vehicleRoot.messages, behaviour: vehicleMachine.provide({ actors: { campaign } }) });
  return { vehicle: (tasks) => [vehicleEntity.using(root), root.with({ inner: { tasks: { ...tasks } } })] };
}

function withRollout(behaviour: typeof rolloutMachine): Types {
  return { cloud: [rolloutEntity.using(actorType({ name: "rollout", version: 1, messages: rolloutMessages, behaviour })), groupEntity] };
}

function withTarget(behaviour: typeof targetMachine): Types {
  return { cloud: [rolloutEntity, groupEntity.using(actorType({ name: "target", version: 1, messages: targetMessages, behaviour, timers: targetTimers }))] };
}

/** F1: whatever becomes of it, its frame may be sent again. */
export const triggersAgain = withUpdate(updateMachine.provide({ actors: { "module.trigger": task<ModuleTrigger, ModuleTriggered>({ class: "idempotent" }) } }));

/** S8: a module that says that it has taken all of it is believed. */
export const believesClaims = withUpdate(
  updateMachine.provide({ guards: { disprovesIt: () => false, takesItBack: () => false, provesIt: ({ event }) => event.type === "version.reported" } }),
);

/** S5: grants a slot more than it has, whenever it grants some. */
export const grantsTooMany = withRollout(
  rolloutMachine.provide({
    actions: {
      grant: enqueueActions(({ context, enqueue }) => {
        const { context: next, grants } = granted(context);
        enqueue.assign(next);
        for (const { group, slots, cleared } of grants) enqueue.sendTo(() => groupMessages.at(group), { type: "group.granted", slots: slots === 0 ? 0 : slots + 1, cleared });
      }),
    },
  }),
);

/** C1: takes its hold back at once. */
export const doesNotHold = withRollout(
  rolloutMachine.provide({
    actions: {
      hold: enqueueActions(({ context, enqueue }) => {
        const round = context.round + 1;
        enqueue.assign({ round });
        for (const id of openParts(context)) {
          enqueue.sendTo(() => groupMessages.at(id), { type: "group.hold", round });
          enqueue.sendTo(() => groupMessages.at(id), { type: "group.go-on" });
        }
      }),
    },
  }),
);

/** M1: an offer goes with the word to begin as well. */
export const offersAgain = withTarget(
  targetMachine.provide({
    actions: {
      go: enqueueActions(({ context, enqueue }) => {
        enqueue.assign({ told: context.ask });
        const { rollout, target, vehicle, updates, attempts, darkMs, ask } = context;
        enqueue.sendTo(() => campaignMessages.at(vehicle), { type: "campaign.offer", rollout, target, attempts, darkMs, updates: [...updates] });
        enqueue.sendTo(() => campaignMessages.at(vehicle), { type: "campaign.go", rollout, ask });
      }),
    },
  }),
);

/** What a target tells its group of itself. */
function telling(shown: (phase: Phase) => Phase): Types {
  return withTarget(
    targetMachine.provide({
      actions: {
        tell: enqueueActions(({ context, enqueue }, { phase }) => {
          const { index, vehicle, target, why, module, critical } = context;
          const group = target.split("/").slice(0, 3).join("/");
          enqueue.sendTo(() => groupOwnMessages.at(group), { type: "target.changed", index, vehicle, phase: shown(phase), why, module, critical });
        }),
      },
    }),
  );
}

/** S5: whoever begins is told to be away, and gives its slot back. */
export const hidesWhoIsAtWork = telling((phase) => (phase === "under way" ? "away" : phase));

/** S3: what has ended badly is told to be committed. */
export const hidesWhatIsBad = telling((phase) => (phase === "failed" || phase === "dark" || phase === "rolledBack" ? "committed" : phase));
