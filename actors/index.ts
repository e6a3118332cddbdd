// The domain's actors. They speak signal names, never bytes, and do no I/O.

export { cutTo } from "./cut-to.ts";
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
export { type CampaignShown, hasEnded, isAtWork, isCampaignOver, type UpdateShown } from "./campaign/index.ts";
export {
  endingOf,
  groupEntity,
  holdsSlot,
  isBad,
  type PartBeginning,
  partBeginning,
  type PartContext,
  type Phase,
  PHASE_NAMES,
  phasesIn,
  type TargetContext,
  targetId,
} from "./group/index.ts";
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
export {
  type FleetModule,
  type FleetVehicle,
  BAD,
  grouped,
  type Grouping,
  impossibleIn,
  isSelected,
  partAddress,
  type PlanFile,
  type PlannedGroup,
  type PlanProblem,
  planSchema,
  reasonSchema,
  type RolloutContext,
  rolloutEntity,
  type RolloutGroup,
  rolloutInput,
  type Tally,
  termsOf,
} from "./rollout/index.ts";
export { madeForWords } from "./update/index.ts";
export type {
  ImageKept,
  ImageUpload,
  ImageUploaded,
  ImageWanted,
  ModuleCheck,
  ModuleChecked,
  ModuleTrigger,
  ModuleTriggered,
  PortAwaited,
  PortSeen,
  UpdateTasks,
} from "./update/index.ts";
export { type Penalty, vehicleEntity, type VehicleContext, type VehicleInput, vehicleMessages, vehicleRoot, type VehicleUpdates } from "./vehicle/index.ts";
