// What a target remembers, and what a report of its vehicle says: pure functions.

import type { EventOf } from "../../runtime/index.ts";
import type { OfferedUpdate } from "../campaign/index.ts";
import type { Ending } from "../rollout/index.ts";
import type { targetMessages } from "./messages.ts";

export interface TargetInput {
  /** Its place in its group. */
  readonly index: number;
  /** Its own address, to which its vehicle reports. */
  readonly target: string;
  /** Address of its vehicle. */
  readonly vehicle: string;
  /** What its vehicle is offered. */
  readonly updates: readonly OfferedUpdate[];
  /** Name of its rollout. */
  readonly rollout: string;
  readonly attempts: number;
  readonly timeoutMs: number;
  readonly darkMs: number;
  readonly excusedMs: number;
}

export interface TargetContext extends TargetInput {
  /** Why it waits or how it ended. */
  readonly why: string | null;
  readonly module: string | null;
  readonly update: string | null;
  readonly progress: number | null;
  readonly attempt: number;
  /** G2: the newest ask of its vehicle, and the one that was answered last. */
  readonly ask: number;
  readonly told: number;
  readonly ending: Ending | null;
  readonly critical: boolean;
  /** Of the last word of its vehicle, wall ms. */
  readonly heardAt: number | null;
  readonly endedAt: number | null;
  /** G8: how often its vehicle has lost what it knew. */
  readonly losses: number;
}

export type TargetEvent = EventOf<typeof targetMessages>;
type Reported = Extract<TargetEvent, { type: "campaign.reported" }>;

/** How a report ends a target; undefined: it goes on. */
function endingBy({ state, update }: Reported): Ending | undefined {
  switch (state) {
    case "committed":
      return "committed";
    case "undone":
      return "rolledBack";
    case "refused":
    case "cancelled":
      return "excused";
    case "failed":
      return update === "dark" ? "dark" : update === "rolled back" ? "rolledBack" : update === "unprovable" ? "excused" : "failed";
    case "inconsistent":
      return "failed";
    default:
      return undefined;
  }
}

interface Guarded {
  readonly context: TargetContext;
  readonly event: TargetEvent;
}

/** Of its own vehicle alone (target.ts G5). */
export function heard({ context, event }: Guarded): Reported | undefined {
  return event.type === "campaign.reported" && event.sender === context.vehicle ? event : undefined;
}

export function isUnknown({ context, event }: Guarded): boolean {
  return event.type === "campaign.unknown" && event.sender === context.vehicle && event.rollout === context.rollout;
}

/** One that it has not had: an ending is told once. */
export const ends = (ending: Ending) => (args: Guarded) => {
  const report = heard(args);
  return report !== undefined && args.context.ending !== ending && endingBy(report) === ending;
};
export const says = (state: Reported["state"]) => (args: Guarded) => heard(args)?.state === state;
/** What is said of a newer ask than the last word was for (target.ts G2). */
export const voids = (state: Reported["state"]) => (args: Guarded) => {
  const report = heard(args);
  return report?.state === state && report.ask > args.context.told;
};
