// What every implementation of a port throws, and how it waits.
export { DroverError, type ErrorCode, errorCatalogue, type TextPosition } from "../errors.ts";
export { settledWithin } from "../settled-within.ts";
export type { AppendLog, AppendLogOpened, LogClass, LogEntry, LogGapReason, LogItem, LogTotals } from "./append-log.ts";
export type { Clock, TimeoutHandle } from "./clock.ts";
export { byCodePoint, pageSize } from "./reading-rule.ts";
export { commitProblem, commitShapeProblem, type HistoryHead, MAX_BATCH_COMMITS, MAX_RECORD_BYTES, MAX_VALUE_CHANGES, valuesProblem } from "./commit-rule.ts";
export type { KeptChild, KeptChildren } from "./kept-children.ts";
export { type Log, silentLog } from "./log.ts";
export type { MetricSample, MetricsSource } from "./metrics.ts";
export type { Random } from "./random.ts";
export type { Beginning, CodeOf, HungStep, StepWatch } from "./step-watch.ts";
export type {
  CommitOutcome,
  EntityCommit,
  EntityHead,
  JournalQuery,
  NamedValue,
  Store,
  StoredEntity,
  StoredRecord,
  StoreOpened,
  ValueChange,
  ValuesPage,
} from "./store.ts";
export type {
  AskOutcome,
  Delivery,
  LinkState,
  PublishOutcome,
  SubscribeOptions,
  Subscription,
  Transport,
  TransportCapabilities,
} from "./transport.ts";
