// How often a message comes. In this order: the vehicle's file, GenMsgCycleTime, another attribute (TrailCurrent's CycleTime), the module type's firmware;
// what none of them says is learnt on the bus (vehicle.md, "A period comes from").

import { type CanMessage, messagePeriodMs, silentAfterMs } from "../../protocols/can/index.ts";
import type { CheckedBus } from "./resolve-buses.ts";
import type { ModelMessage } from "./vehicle-model.ts";

/** A value of a message whose period nobody knows is believed this long. */
const UNKNOWN_PERIOD_STALE_MS = 5_000;

export interface PeriodHints {
  /** `periods:` of a module in the file. */
  readonly fileMs: number | undefined;
  readonly moduleTypeMs: number | undefined;
}

export function messagePeriod(message: CanMessage, { model, periodAttribute }: CheckedBus, hints: PeriodHints): ModelMessage {
  const attributeMs = model === undefined ? undefined : messagePeriodMs(model.database, message, periodAttribute);
  if (hints.fileMs !== undefined) return { message: message.name, periodMs: hints.fileMs, periodSource: "file" };
  if (message.cycleTimeMs !== undefined) return { message: message.name, periodMs: message.cycleTimeMs, periodSource: "database" };
  if (attributeMs !== undefined) return { message: message.name, periodMs: attributeMs, periodSource: "attribute" };
  if (hints.moduleTypeMs !== undefined) return { message: message.name, periodMs: hints.moduleTypeMs, periodSource: "module-type" };
  return { message: message.name, periodMs: undefined, periodSource: "learnt" };
}

/** A value is as old as its module may be quiet: max(3 periods, 1 s). */
export function staleAfterMs(periodMs: number | undefined): number {
  return periodMs === undefined ? UNKNOWN_PERIOD_STALE_MS : silentAfterMs(periodMs);
}
