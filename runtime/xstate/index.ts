export { asItIsNow, copyOfParts, freezeParts, isParted, partAt } from "./context-parts.ts";
export { acceptsOf } from "./accepts.ts";
export { type ActiveState, activeStatesAt, afterTimerOf, declaredInvokes, invokeIdOf, isAfterTimer, matchStates, nodesAt, statesNamedBy } from "./active-states.ts";
export { declaredSource } from "./asked-work.ts";
export { afterTimers, type BareSnapshot, bareProblem, restoreBare } from "./bare-snapshot.ts";
export { beginInvokes, carriedOver, hasEventless, statesOf } from "./carry-over.ts";
export {
  type CodecHost,
  carried,
  decodeData,
  type EncodedConfiguration,
  encodeConfiguration,
  encodeData,
  encodedSize,
  encodeTold,
  isWellFormed,
  NotCarried,
  restoreConfiguration,
} from "./codec.ts";
export { textBytes } from "./data-weight.ts";
export { isMeantBy } from "./delayed.ts";
export { isEvent } from "./event.ts";
export { type Held, heldBy, isSnapshot, MAX_HELD } from "./held.ts";
export { hostedMachine } from "./hosted-machine.ts";
export { COPY_NAMED, eachItem, NAMED, nameOnList } from "./list-items.ts";
export { isMachine, isMachineOfAnotherCopy, kindOfLogic, type LogicKind, resolveSource } from "./logic.ts";
export { type EffectMark, effectMarkOf, markEffect, markedCallback, markedPromise, type TaskLogic, type TaskMark, taskMarkOf } from "./marks.ts";
export { enterPureCode, leavePureCode, purely, takeReach } from "./purity.ts";
export { CellRef, cellOf, type Destination, ForeignRef, foreignRef, type Observer, shownSnapshot, type Subscription, type TurnFacts, turnFactsOf } from "./ref.ts";
export { type SourcePart, Sources } from "./sources.ts";
export { shownData } from "./shown.ts";
export { startLogic, startMachine, stepLogic, stepMachine } from "./step.ts";
export type { ChildRequest, LogicSnapshot, StepAction, StepCell, StepEvent, StepResult } from "./step-cell.ts";
export { StepSystem } from "./step-system.ts";
export { isPromise, refusePromises } from "./promises.ts";
export { checkState, noteThrownAt, type ThrownAt, takeThrownAt } from "./watched-code.ts";
export { type StepWatcher, stepWatcher, type TakenTransition, watchSteps } from "./step-watch.ts";
export { type LeafWays, type WaysOut, waysOut } from "./ways-out.ts";
export { declaredWork, type TypeProblem, walkMachine } from "./walk.ts";
