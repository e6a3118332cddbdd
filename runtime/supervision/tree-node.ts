// What a tree shows of itself: plain JSON, for `/v1/tree` and `drover tree`.

import type { EndCause } from "../workers/index.ts";

export type NodeState = "starting" | "running" | "restarting" | "stopping" | "stopped" | "degraded" | "failed";

export interface TreeNode {
  readonly id: string;
  /** `supervisor`, `worker`, `entity`, or what a hosted child calls itself. */
  readonly kind: string;
  readonly strategy?: string;
  /** `restarting`: down and wanted, now or after its delay. `failed`: ended abnormally and not restarted. `degraded`: a supervisor that goes on trying past its patience. */
  readonly state: NodeState;
  /** Times it was started again, with siblings or alone, since the tree began. */
  readonly restarts: number;
  /** Since when it is in this state, wall ms. */
  readonly since: number;
  readonly lastExit?: LastExit;
  /** What is to be known of it although it runs, in words. */
  readonly note?: string;
  readonly pid?: number;
  readonly isolation?: "inline" | "thread" | "process";
  readonly children: readonly TreeNode[];
}

export interface LastExit {
  /** normal, shutdown, failed, killed; `start-failed` when it was never ready. */
  readonly reason: string;
  /** Message of the error and of its causes, outermost first. */
  readonly error?: string;
  /** The cause as data, where it is known: code, signal, out of memory, probe failed, deadline. */
  readonly cause?: EndCause;
  /** Stack of the innermost cause. */
  readonly stack?: string;
  /** Wall ms. */
  readonly at: number;
}
