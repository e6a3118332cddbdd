// When a child may be restarted: one of two rules for each supervisor (hosting H14).
//
// I1. Intensity: this restart and those of the last `periodMs` (the borders included, as OTP counts) are more than `intensity`: give up.
// B2. Backoff (B1 in ../backoff.ts): a run of `resetAfterMs` starts the count anew. Failing for `giveUpAfterMs` without one is enough.

import { BACKOFF_DEFAULTS, backoffMs } from "../backoff.ts";
import type { Clock, Random } from "../ports/index.ts";
import type { BackoffOptions, SupervisorFlags } from "./spec.ts";

export type Verdict =
  | { readonly kind: "restart"; readonly delayMs: number }
  /** Goes on, but whoever looks should know. */
  | { readonly kind: "degraded"; readonly delayMs: number; readonly detail: string }
  | { readonly kind: "give-up"; readonly detail: string };

export interface RestartRule {
  /** Asked once for each failure. `ranMs`: how long the child ran since it was ready, 0 when it did not start. */
  failed(childId: string, ranMs: number): Verdict;
  /** Forgets a child, or everything. */
  forget(childId?: string): void;
}

/** Of whatever a supervisor leaves out. */
export const RULE_DEFAULTS = { intensity: 3, periodMs: 30_000, ...BACKOFF_DEFAULTS } as const;

export function restartRule(flags: SupervisorFlags, clock: Clock, random: Random): RestartRule {
  return flags.backoff === undefined
    ? byIntensity(flags.intensity ?? RULE_DEFAULTS.intensity, flags.periodMs ?? RULE_DEFAULTS.periodMs, clock)
    : byBackoff(flags.backoff, clock, random);
}

function byIntensity(intensity: number, periodMs: number, clock: Clock): RestartRule {
  let restarts: readonly number[] = [];
  return {
    failed() {
      const now = clock.monotonic();
      restarts = [...restarts.filter((at) => at >= now - periodMs), now];
      if (restarts.length <= intensity) return { kind: "restart", delayMs: 0 };
      return { kind: "give-up", detail: `${String(restarts.length)} restarts within ${String(periodMs)} ms, allowed are ${String(intensity)}` };
    },
    forget(childId) {
      if (childId === undefined) restarts = [];
    },
  };
}

interface Failing {
  attempts: number;
  sinceMs: number;
}

function byBackoff(options: BackoffOptions, clock: Clock, random: Random): RestartRule {
  const { initialMs, maxMs, resetAfterMs, giveUpAfterMs, onGiveUp } = { ...RULE_DEFAULTS, giveUpAfterMs: Number.POSITIVE_INFINITY, onGiveUp: "escalate", ...options };
  const children = new Map<string, Failing>();
  return {
    failed(childId, ranMs) {
      const now = clock.monotonic();
      let failing = children.get(childId);
      if (failing === undefined || ranMs >= resetAfterMs) {
        failing = { attempts: 0, sinceMs: now };
        children.set(childId, failing);
      }
      const delayMs = backoffMs(failing.attempts++, () => random.next(), { initialMs, maxMs });
      const failingMs = now - failing.sinceMs;
      if (failingMs < giveUpAfterMs) return { kind: "restart", delayMs };
      const detail = `"${childId}" has been failing for ${String(Math.round(failingMs))} ms, allowed are ${String(giveUpAfterMs)} ms`;
      return onGiveUp === "degrade" ? { kind: "degraded", delayMs, detail } : { kind: "give-up", detail };
    },
    forget(childId) {
      if (childId === undefined) children.clear();
      else children.delete(childId);
    },
  };
}
