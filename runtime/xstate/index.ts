export { acceptsOf, acceptsOfValue, matchesDescriptor } from "./accepts.ts";
export { type CodecHost, carried, decodeData, type EncodedConfiguration, encodeConfiguration, encodeData, NotCarried, restoreConfiguration } from "./codec.ts";
export { hostedMachine, MAX_MICROSTEPS } from "./hosted-machine.ts";
export { isMachine, kindOfLogic, type LogicKind, resolveSource } from "./logic.ts";
export { effectClassOf, markEffect, markedPromise, type TaskLogic, type TaskMark, taskMarkOf } from "./marks.ts";
export { enterPureCode, isStepping, leavePureCode, takeReach } from "./purity.ts";
export { type CellFace, CellRef, cellOf, type Destination, ForeignRef, foreignRef, type TurnFacts, turnFactsOf } from "./ref.ts";
export { type RunnableSource, type SourceHearing, Sources } from "./sources.ts";
export {
  type ChildRequest,
  type LogicSnapshot,
  type StepAction,
  type StepCell,
  type StepEvent,
  type StepResult,
  StepSystem,
  type SystemIds,
  startLogic,
  startMachine,
  stepLogic,
  stepMachine,
} from "./step.ts";
export { declaredWork, type TypeProblem, walkMachine } from "./walk.ts";
