export { acceptsOf } from "./accepts.ts";
export { type CodecHost, carried, decodeData, type EncodedConfiguration, encodeConfiguration, encodeData, NotCarried, restoreConfiguration } from "./codec.ts";
export { hostedMachine } from "./hosted-machine.ts";
export { isMachine, kindOfLogic, type LogicKind, resolveSource } from "./logic.ts";
export { effectClassOf, markEffect, markedPromise, type TaskLogic, type TaskMark, taskMarkOf } from "./marks.ts";
export { enterPureCode, leavePureCode, takeReach } from "./purity.ts";
export { CellRef, cellOf, type Destination, ForeignRef, foreignRef, type TurnFacts, turnFactsOf } from "./ref.ts";
export { Sources } from "./sources.ts";
export {
  type ChildRequest,
  type LogicSnapshot,
  type StepAction,
  type StepCell,
  type StepEvent,
  type StepResult,
  StepSystem,
  startLogic,
  startMachine,
  stepLogic,
  stepMachine,
} from "./step.ts";
export { declaredWork, type TypeProblem, walkMachine } from "./walk.ts";
