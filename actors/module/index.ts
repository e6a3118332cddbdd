// The module: one machine for all products, a second for those that own a set point.

import { actorType } from "../../runtime/index.ts";
import { moduleMachine, ownerMachine } from "./machine.ts";
import { moduleMessages, ownerMessages } from "./messages.ts";

export const moduleType = actorType({ name: "module", version: 1, messages: moduleMessages, behaviour: moduleMachine });
export const ownerType = actorType({ name: "setpoint-owner", version: 1, messages: ownerMessages, behaviour: ownerMachine });

export { SETPOINT } from "./command-rules.ts";
export type { CommandReply, Desired, ModuleContext, ModuleInput, OutputState, Transmission } from "./module-context.ts";
