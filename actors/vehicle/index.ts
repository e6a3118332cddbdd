// The vehicle: an entity whose root is the vehicle itself and whose children are its modules. It lives in the vehicle and never leaves it (rules O1).

import { actorType, entityType } from "../../runtime/index.ts";
import { moduleType, ownerType } from "../module/index.ts";
import { machineOf1, vehicleMachine } from "./machine.ts";
import { messagesOf1, vehicleMessages } from "./messages.ts";

const rootOf1 = actorType({ name: "vehicle", version: 1, messages: messagesOf1, behaviour: machineOf1 });

export const vehicleRoot = actorType({ name: "vehicle", version: 2, messages: vehicleMessages, behaviour: vehicleMachine, earlier: [rootOf1] });

export const vehicleEntity = entityType({
  root: vehicleRoot,
  durability: "events",
  placement: "vehicle",
  children: { module: { types: [moduleType, ownerType], strategy: "one-for-one", restart: "permanent" } },
});

export type { VehicleContext, VehicleInput } from "./machine.ts";
export { vehicleMessages } from "./messages.ts";
export type { Penalty, VehicleUpdates } from "./vehicle-updates.ts";
