// The runtime's only door. What stands here is what other rooms and users build on; test/golden/runtime-exports.txt holds its names.

export * from "./actor/index.ts";
export { type Address, addressProblem, childAddress, entityOf, idOf, kindOf, NODE_NAME, parseAddress } from "./address.ts";
export { type Applied, createReplicas, type ReplicaOptions, type Replicas } from "./cluster/replica.ts";
export { batchProblem, isPastHistories, isSameHead, OPENING_EVERY, type StreamBatch, type StreamPosition } from "./cluster/stream.ts";
export type {
  CellRecord,
  ChildSpec as EntityChild,
  DoorReads,
  EffectClass,
  EffectOutcome,
  EntityState,
  EventData,
  JournalRecord,
  TakenEntry,
  TimerPolicy,
} from "./entity/contract.ts";
export { type ActorUpgrade, decodeRecord, decodeState, type EntityStart, type EntityUpgrade, fingerprintOf, isSentAgain, linkOf, linkProblem, upgradeOf } from "./entity/index.ts";
export { type CatalogueEntry, DroverError, type ErrorCode, errorCatalogue, type TextPosition } from "./errors.ts";
export { silentLog } from "./ports/index.ts";
export {
  droverVersion,
  endProcess,
  keptFile,
  lowestNode,
  makeFolder,
  type NodeStepWatch,
  openNamedStream,
  readNamedFile,
  readNamedStream,
  readPlainFile,
  readPlainFileIfAny,
  readPlainText,
  requirePlainFile,
  startStepWatch,
  systemClock,
  systemRandom,
} from "./host/index.ts";
export type { Accepted, Answer, GuardReport, Refusal, SignalRead, Told } from "./outcome.ts";
export { Retry, type RetryLimits } from "./retry.ts";
export {
  type Complain,
  type Complaint,
  checkShape,
  demandPorts,
  demandShape,
  formatComplaint,
  formatProblem,
  type Located,
  type LocatedEntry,
  type LocatedMap,
  type LocatedScalar,
  nearestName,
  type Problem,
  type Shape,
} from "./shape/index.ts";
export { LimitedLog } from "./limited-log.ts";
export { settledWithin } from "./settled-within.ts";
export { type WatchedStore, watchStore } from "./store-watch.ts";
export * from "./supervision/index.ts";
export * from "./system/index.ts";
export {
  decodeEnvelope,
  decodeSegment,
  encodeEnvelope,
  encodeSegment,
  type Envelope,
  everyVehicle,
  nodeName,
  parseName,
  replyName,
  TransitEstimator,
  vehicleNames,
  type WireKind,
  wireKinds,
} from "./wire/index.ts";
export * from "./workers/index.ts";
