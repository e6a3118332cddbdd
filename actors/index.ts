// The domain's actors. They speak signal names, never bytes, and do no I/O.

export { alarmEntity } from "./alarm/index.ts";
export {
  moduleType,
  ownerType,
  SETPOINT,
  timeToLiveOf,
  type CommandReply,
  meantWord,
  type MeantWord,
  type Desired,
  type ModuleContext,
  type ModuleInput,
  type OutputState,
  type Transmission,
  type WhenAway,
} from "./module/index.ts";
export { presenceEntity, presenceOf, type PresenceState } from "./presence/index.ts";
export {
  type Forwarding,
  type LeftRequest,
  leftRequestIn,
  requestIn,
  type RequestsContext,
  requestsEntity,
  requestsType,
  type SettledRequest,
  waitedMsOf,
  type WaitingRequest,
} from "./requests/index.ts";
export { vehicleEntity, type VehicleContext, type VehicleInput, vehicleMessages, vehicleRoot } from "./vehicle/index.ts";
