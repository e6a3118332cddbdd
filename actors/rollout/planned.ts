// A plan and its groups as what its actors begin with.

import { durationMs } from "../vehicle-file/index.ts";
import type { PlannedGroup } from "./grouping.ts";
import type { PlanFile } from "./plan.ts";
import type { RolloutInput } from "./state.ts";
import type { Limits } from "./tally.ts";

const DEFAULT = { concurrency: 50, soak: "30m", targetTimeout: "24h", darkAfter: "15m", excusedAfter: "7d", attempts: 3 };
const DEFAULT_LIMITS = { successPercent: 95, excusePercent: 20, pausePercent: 2.5, abort: { minSample: 5, percent: 5, count: 20 } };

/** What a target needs to know of its plan. */
export interface TargetTerms {
  readonly attempts: number;
  readonly timeoutMs: number;
  readonly darkMs: number;
  readonly excusedMs: number;
}

export function termsOf(plan: PlanFile): TargetTerms {
  return {
    attempts: plan.attempts ?? DEFAULT.attempts,
    timeoutMs: written(plan.target_timeout ?? DEFAULT.targetTimeout),
    darkMs: written(plan.dark_after ?? DEFAULT.darkAfter),
    excusedMs: written(plan.excused_after ?? DEFAULT.excusedAfter),
  };
}

/** Address of the entity of a part: `tenant/group/rollout.1` or, where its group has several, `tenant/group/rollout.1.2`. */
export function partAddress(tenant: string, rollout: string, group: number, part: number, parts: number): string {
  return `${tenant}/group/${rollout}.${String(group + 1)}${parts === 1 ? "" : `.${String(part + 1)}`}`;
}

/** @param groups of this plan, as `grouped` cut them @param created by whom, and under which id */
export function rolloutInput(tenant: string, plan: PlanFile, groups: readonly PlannedGroup[], created: RolloutInput["created"] = null): RolloutInput {
  return {
    select: plan.select,
    created,
    limits: limitsOf(plan),
    concurrency: plan.concurrency ?? DEFAULT.concurrency,
    soakMs: written(plan.soak ?? DEFAULT.soak),
    images: plan.images.map(({ module, hardware, address, version, sha256 }) => ({ module, hardware, address: address ?? null, version, sha256 })),
    groups: groups.map(({ name, abortCount, pauseCount, parts }, group) => ({
      name,
      abortCount: abortCount ?? null,
      // Without a word on pauses the first bad result of the first group is one.
      pauseCount: pauseCount ?? (group === 0 && plan.pause === undefined ? 1 : null),
      parts: parts.map((targets, part) => ({ group: partAddress(tenant, plan.rollout, group, part, parts.length), size: targets.length })),
    })),
  };
}

function limitsOf({ success_percent, excuse_percent, pause, abort }: PlanFile): Limits {
  return {
    successPercent: success_percent ?? DEFAULT_LIMITS.successPercent,
    excusePercent: excuse_percent ?? DEFAULT_LIMITS.excusePercent,
    pause: pause === undefined ? { count: undefined, percent: DEFAULT_LIMITS.pausePercent } : { count: pause.count, percent: pause.percent },
    abort: {
      minSample: abort?.min_sample ?? DEFAULT_LIMITS.abort.minSample,
      percent: abort?.percent ?? DEFAULT_LIMITS.abort.percent,
      count: abort?.count ?? DEFAULT_LIMITS.abort.count,
    },
  };
}

/** @returns ms, at least 1 @throws RangeError for what the plan's own check refuses (plan.ts P3) */
function written(duration: string): number {
  const ms = durationMs(duration);
  if (ms === undefined) throw new RangeError(`${duration} is no duration of a plan`);
  return Math.max(1, ms);
}
