// From a listed command's target and a value to the frame that leaves; a value out of its range, or between two steps of what its signal can say, becomes a refusal, never
// another value (vehicle X1).

import { type CanFrame, type CanMessage, encodeFrame, findMessage, findSignal, isFloat } from "../../protocols/can/index.ts";
import type { CommandValue } from "../module-types/index.ts";
import type { ModelTarget, VehicleModel } from "./vehicle-model.ts";

export type CommandFrameOutcome = { readonly kind: "frame"; readonly bus: string; readonly frame: CanFrame } | { readonly kind: "refused"; readonly reason: string };

/** @param value a level, a number in the command's unit, 1 or 0 for a switch; for a toggle what the output shall become (the frame is the same) */
export function commandFrame(model: VehicleModel, target: ModelTarget, value: number): CommandFrameOutcome {
  const bus = model.buses.find((candidate) => candidate.name === target.bus);
  if (bus?.mode !== "normal") return { kind: "refused", reason: `the bus ${target.bus} is listen-only` };
  // While an output is shown (blink) its levels are the type's, not the caller's.
  const reason = target.method.kind === "blink" ? undefined : targetProblem(model, target, value);
  if (reason !== undefined) return { kind: "refused", reason };
  const message = findMessage(bus.database, target.frame.message);
  if (message === undefined) return { kind: "refused", reason: `the database of ${bus.name} has no message ${target.frame.message}` };
  const outcome = encodeFrame(message, fieldValues(target, value));
  if (outcome.kind === "encoded") return { kind: "frame", bus: bus.name, frame: outcome.frame };
  return { kind: "refused", reason: outcome.problems.map((problem) => `${String(problem.signal)}: ${problem.message}`).join("; ") };
}

/** Part of a step by which a value may miss it: what arithmetic leaves. */
const STEP_TOLERANCE = 1e-6;

/** Why `value` may not be sent to `target`, or undefined. */
export function targetProblem(model: VehicleModel, target: ModelTarget, value: number): string | undefined {
  const database = model.buses.find(({ name }) => name === target.bus)?.database;
  const message = database === undefined ? undefined : findMessage(database, target.frame.message);
  return valueProblem(target.value, value) ?? (message === undefined ? undefined : stepProblem(message, target, value));
}

/** The frame would say another value than was wanted, and the module would keep that one: whoever asked is told before anything is sent. */
function stepProblem(message: CanMessage, target: ModelTarget, value: number): string | undefined {
  for (const [name, field] of Object.entries(target.frame.fields)) {
    const signal = field.kind === "value" ? findSignal(message, name) : undefined;
    if (signal === undefined || isFloat(signal) || signal.factor === 0) continue;
    const steps = (value - signal.offset) / signal.factor;
    if (Math.abs(steps - Math.round(steps)) <= STEP_TOLERANCE) continue;
    const [below, above] = [Math.floor(steps), Math.ceil(steps)].map((whole) => Number((whole * signal.factor + signal.offset).toPrecision(12)));
    return `${String(value)} lies between two steps of ${String(signal.factor)}: ${String(below)} or ${String(above)} can be set`;
  }
  return undefined;
}

function valueProblem(allowed: CommandValue, value: number): string | undefined {
  switch (allowed.kind) {
    case "none":
      return undefined;
    case "switch":
      return value === 0 || value === 1 ? undefined : `${String(value)} is neither 0 nor 1`;
    case "level":
      return Number.isInteger(value) && value >= allowed.from && value <= allowed.to
        ? undefined
        : `${String(value)} is not a whole number from ${String(allowed.from)} to ${String(allowed.to)}`;
    case "number":
      return value >= allowed.from && value <= allowed.to ? undefined : `${String(value)} is not from ${String(allowed.from)} to ${String(allowed.to)} ${allowed.unit}`;
  }
}

function fieldValues(target: ModelTarget, value: number): Map<string, number> {
  const channel = (target.output?.channel ?? target.firstChannel) - target.firstChannel;
  const values = new Map<string, number>();
  for (const [signal, field] of Object.entries(target.frame.fields))
    values.set(signal, field.kind === "channel" ? field.first + channel : field.kind === "value" ? value : field.value);
  return values;
}
