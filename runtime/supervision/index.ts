// Supervision: trees of workers, entities and supervisors that restart what fails, by OTP's rules and by backoff.

export {
  child,
  hosted,
  supervisor,
  type AutoShutdown,
  type BackoffOptions,
  type ChildOptions,
  type ChildSpec,
  type HostedOptions,
  type Keeping,
  type RestartType,
  type Strategy,
  type SupervisorFlags,
  type SupervisorSpec,
} from "./spec.ts";
export { lintTree, type LintLimits, type StartBudget, type StartFactor, type TreeFinding, type TreeReport } from "./lint-tree.ts";
export type { DownNotice, Monitor } from "./monitor.ts";
export type { ReportContext, ReportListener, SupervisorReport } from "./report.ts";
export type { AddOutcome, KeepOutcome, RemoveOutcome, RestartOutcome } from "./child-outcomes.ts";
export { service, type ServiceConfig, services, type ServicesConfig, servicesSchema } from "./service.ts";
export { createTree, startTree, type SupervisorHandle, type Tree, type TreeOptions } from "./tree.ts";
export type { LastExit, NodeState, TreeNode } from "./tree-node.ts";
