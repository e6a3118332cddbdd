// How often a message comes. In this order: the vehicle's file, GenMsgCycleTime, another attribute (TrailCurrent's CycleTime), the module type's firmware;
// what none of them says is learnt on the bus (vehicle.md, "A period comes from").

import type { CanMessage } from "../../protocols/can/index.ts";
import type { ModelMessage } from "./vehicle-model.ts";

/** Silent after this many periods, but never before MIN_SILENCE_MS. */
export const SILENT_PERIODS = 3;
export const MIN_SILENCE_MS = 1_000;
/** A value of a message whose period nobody knows is believed this long. */
export const UNKNOWN_PERIOD_STALE_MS = 5_000;

export interface PeriodHints {
  /** `periods:` of a module in the file. */
  readonly fileMs: number | undefined;
  /** Name of the attribute that stands in for GenMsgCycleTime. */
  readonly attribute: string;
  readonly moduleTypeMs: number | undefined;
}

export function messagePeriod(message: CanMessage, hints: PeriodHints): ModelMessage {
  const attribute = message.attributes.get(hints.attribute);
  const attributeMs = attribute === undefined ? undefined : positive(Number(attribute));
  if (hints.fileMs !== undefined) return { message: message.name, periodMs: hints.fileMs, periodSource: "file" };
  if (message.cycleTimeMs !== undefined) return { message: message.name, periodMs: message.cycleTimeMs, periodSource: "database" };
  if (attributeMs !== undefined) return { message: message.name, periodMs: attributeMs, periodSource: "attribute" };
  if (hints.moduleTypeMs !== undefined) return { message: message.name, periodMs: hints.moduleTypeMs, periodSource: "module-type" };
  return { message: message.name, periodMs: undefined, periodSource: "learnt" };
}

/** max(3 periods, 1 s); undefined where no period is known. */
export function silentAfterMs(periodMs: number | undefined): number | undefined {
  return periodMs === undefined ? undefined : Math.max(SILENT_PERIODS * periodMs, MIN_SILENCE_MS);
}

function positive(value: number): number | undefined {
  return Number.isFinite(value) && value > 0 ? value : undefined;
}
