// Workers: actors that own a resource. One file each, a promise as their life, inline, in a thread or in a process.

export {
  asError,
  errorOf,
  isAbnormal,
  reasonOf,
  stopWithin,
  type Exit,
  type Isolation,
  type Running,
  type Startable,
  type StartContext,
  type StopLimits,
} from "./running.ts";
export { endCauseOf, type EndCause, isByOthers, lateStart } from "./end-cause.ts";
export type { LineLimits } from "./line-log.ts";
export { program } from "./program.ts";
export type { LivenessProbe, Probe, ProgramSpec, ReadinessProbe } from "./program-spec.ts";
export { lifeOf, type LifeContext } from "./life-of.ts";
export { startWorker, WORKER_DEFAULTS, type RunningWorker, type WorkerLink, type WorkerOptions, type WorkerPorts } from "./start-worker.ts";
export { untilAborted } from "./until-aborted.ts";
export { worker, type WorkerContext, type WorkerType } from "./worker.ts";
export type { ChannelWindow, Transfer } from "./wire.ts";
