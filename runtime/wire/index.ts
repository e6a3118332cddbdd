// The only door of this room.

export { type BadEnvelope, type DecodedEnvelope, decodeEnvelope, encodeEnvelope, type Envelope, MAX_ENVELOPE_BYTES, type WireSender } from "./envelope.ts";
export { EpochFence } from "./epoch-fence.ts";
export {
  decodeSegment,
  encodeSegment,
  everyVehicle,
  isReserved,
  keyProblem,
  nodeName,
  type ParsedName,
  parseName,
  patternMatches,
  patternProblem,
  replyName,
  requireKey,
  requirePattern,
  type VehicleNames,
  vehicleNames,
  WIRE_ROOT,
} from "./names.ts";
export { TransitEstimator, type TransitOptions } from "./transit.ts";
export { describeWire, type WireKind, wireKinds } from "./wire-kinds.ts";
export { type AskHandler, AskServer, type Respond } from "./ask-server.ts";
export { LastValues } from "./last-values.ts";
export { LinkWatch } from "./link-watch.ts";
export { PendingAsks } from "./pending-asks.ts";
export { SendWindow, type SendWindowOptions } from "./send-window.ts";
export { Receivers } from "./receivers.ts";
export { LimitedLog } from "./limited-log.ts";
