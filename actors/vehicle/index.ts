// The vehicle: an entity whose root is the vehicle itself and whose children are its modules. It lives in the vehicle and never leaves it (rules O1).

import { actorType, entityType } from "../../runtime/index.ts";
import { moduleType, ownerType } from "../module/index.ts";
import { vehicleMachine } from "./machine.ts";
import { vehicleMessages } from "./messages.ts";

export const vehicleRoot = actorType({ name: "vehicle", version: 1, messages: vehicleMessages, behaviour: vehicleMachine });

export const vehicleEntity = entityType({
  root: vehicleRoot,
  durability: "events",
  placement: "vehicle",
  children: { module: { types: [moduleType, ownerType], strategy: "one-for-one", restart: "permanent" } },
});

export type { VehicleContext, VehicleInput } from "./machine.ts";
export { vehicleMessages } from "./messages.ts";
