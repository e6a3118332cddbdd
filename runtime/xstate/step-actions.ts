// What a step asked for, in its order, as data (hosting H6, H7).

import type { AnyStateMachine } from "xstate";

import type { TimerPolicy } from "../entity/contract.ts";
import { DroverError } from "../errors.ts";
import { isEvent } from "./event.ts";
import { effectClassOf } from "./marks.ts";
import { swapped } from "./made-actor.ts";
import type { StepAction, StepEvent } from "./step-cell.ts";
import type { RawAction, Step } from "./step-under-way.ts";

/** @throws DROVER_SEND_INVALID, DROVER_DELAY_INVALID for what the step asked for and nobody could do */
export function actionsOf(step: Step, machine: AnyStateMachine | undefined): readonly StepAction[] {
  const swap: <V>(value: V) => V = step.made === undefined ? (value) => value : swapped;
  const actions: StepAction[] = [];
  for (const entry of step.collected) {
    if (entry.kind === "made") {
      if (step.stopping?.has(entry.child) !== true) actions.push({ kind: "start", child: entry.child, spawned: entry.spawned });
    } else if (entry.kind === "stopped") {
      if (step.made?.includes(entry.child) !== true) actions.push({ kind: "stop", child: entry.child });
    } else {
      const action = actionOf(entry.action, entry.policy, machine, swap);
      if (action !== undefined) actions.push(action);
    }
  }
  return actions;
}

function actionOf(action: RawAction, policy: TimerPolicy, machine: AnyStateMachine | undefined, swap: <V>(value: V) => V): StepAction | undefined {
  switch (action.type) {
    case "xstate.raise": {
      const params = action.params as { readonly event: StepEvent; readonly id?: string; readonly delay?: unknown };
      checkSend(params.event, params.delay);
      return typeof params.delay === "number" ? { kind: "send", to: action.info.self, event: swap(params.event), delay: params.delay, timer: params.id, policy } : undefined;
    }
    case "xstate.sendTo": {
      const params = action.params as { readonly to: unknown; readonly event: StepEvent; readonly id?: string; readonly delay?: unknown };
      checkSend(params.event, params.delay);
      return { kind: "send", to: swap(params.to), event: swap(params.event), delay: typeof params.delay === "number" ? params.delay : undefined, timer: params.id, policy };
    }
    case "xstate.cancel":
      return { kind: "cancel", timer: (action.params as { readonly sendId: string }).sendId };
    case "xstate.emit":
      checkSend((action.params as { readonly event: unknown }).event, undefined);
      return { kind: "emit", event: swap((action.params as { readonly event: StepEvent }).event) };
    case "xstate.log": {
      const params = action.params as { readonly label?: string; readonly value: unknown };
      return { kind: "log", label: params.label, value: swap(params.value) };
    }
    default:
      return action.exec === undefined ? undefined : custom(action, action.exec, machine, swap);
  }
}

/** A delay that is left undefined means at once, as in bare XState; anything else than a number would be taken for that too. */
function checkSend(event: unknown, delay: unknown): void {
  if (!isEvent(event)) throw new DroverError("DROVER_SEND_INVALID", "an event is an object with a type");
  if (delay !== undefined && typeof delay !== "number")
    throw new DroverError("DROVER_DELAY_INVALID", `the delay of '${event.type}' is ${delay === null ? "null" : `a ${typeof delay}`}, not a number of milliseconds`);
}

function custom(action: RawAction, exec: (info: unknown, params: unknown) => unknown, machine: AnyStateMachine | undefined, swap: <V>(value: V) => V): StepAction {
  const params = swap(action.params);
  const named = (machine?.implementations.actions as Record<string, unknown> | undefined)?.[action.type] === exec;
  const effectClass = named ? effectClassOf(exec) : undefined;
  if (effectClass !== undefined) return { kind: "act", name: action.type, params, effectClass, run: undefined };
  const info = { context: swap(action.info.context), event: swap(action.info.event), self: action.info.self, system: action.info.system };
  return { kind: "act", name: action.type, params, effectClass: undefined, run: () => exec(info, params) };
}
