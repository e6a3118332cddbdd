// The module: one machine for all products, a second for those that own a set point.

import { actorType } from "../../runtime/index.ts";
import { moduleMachine, ownerMachine } from "./machine.ts";
import { moduleMessages, ownerMessages } from "./messages.ts";
import type { ModuleContext } from "./module-context.ts";

/** D4: a sender may use what the vehicle's file lists, under its name there. */
const offers = (words: readonly string[], context: ModuleContext): readonly string[] =>
  Object.entries(context.offers)
    .filter(([, word]) => words.includes(word))
    .map(([name]) => name);

export const moduleType = actorType({ name: "module", version: 1, messages: moduleMessages, behaviour: moduleMachine, offers });
export const ownerType = actorType({ name: "setpoint-owner", version: 1, messages: ownerMessages, behaviour: ownerMachine, offers });

export { meantWord, type MeantWord, SAME_VALUE, SETPOINT, timeToLiveOf } from "./command-rules.ts";
export type { CommandReply, Desired, ModuleContext, ModuleInput, OutputState, Transmission, WhenAway } from "./module-context.ts";
