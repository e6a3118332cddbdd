// The only door of this room.

export { decodeEnvelope, encodeEnvelope, type Envelope, MAX_ENVELOPE_BYTES } from "./envelope.ts";
export { EpochFence } from "./epoch-fence.ts";
export {
  decodeSegment,
  encodeSegment,
  everyVehicle,
  isReserved,
  keyProblem,
  nodeName,
  parseName,
  patternMatches,
  patternProblem,
  replyName,
  requireKey,
  requirePattern,
  vehicleNames,
  WIRE_ROOT,
} from "./names.ts";
export { TransitEstimator } from "./transit.ts";
export { describeWire, type WireKind, wireKinds } from "./wire-kinds.ts";
export { type AskHandler, AskServer } from "./ask-server.ts";
export { LastValues } from "./last-values.ts";
export { LinkWatch } from "./link-watch.ts";
export { type AskBounds, MOST_TO_ONE_PEER, PendingAsks } from "./pending-asks.ts";
export { SendWindow } from "./send-window.ts";
export { Receivers } from "./receivers.ts";
export { type BusRemote, busRemote } from "./bus-remote.ts";
export { type MessageDoor, openMessageDoor } from "./message-door.ts";
export type { Sending } from "./message-envelope.ts";
export { messagePackProblem } from "./message-pack-check.ts";
export { type DataLimits, isRecord, isText, isWallTime, plainDataProblem } from "./plain-data.ts";
