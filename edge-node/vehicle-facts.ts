// What the vehicle as a whole does, told to its actor: its description, motion, watched signals.
//
// V1. Parked is the file's condition `parked`. Moving is a speed at or beyond the one that this condition compares with (3 km/h where it names none). Between the two the
//     last word stands while the vehicle came from moving: a car at a traffic light has not parked. What the vehicle did before the node started, or before its speed was
//     not known for a while, says nothing of that: it may have been parked since (vehicle V1).

import type { VehicleContext } from "../actors/index.ts";
import type { Condition, ModelCondition } from "../actors/vehicle-file/index.ts";
import type { System } from "../runtime/index.ts";
import type { CommandList } from "./commands.ts";
import type { Pipeline } from "./pipeline.ts";
import type { Teller } from "./teller.ts";

const SPEED = "Vehicle.Speed";
const PARKED = "parked";
const MOVING_FROM_KMH = 3;

export interface VehicleFacts {
  beat(nowMs: number): void;
}

export function createVehicleFacts({
  commands,
  pipeline,
  teller,
  system,
}: {
  readonly commands: CommandList;
  readonly pipeline: Pipeline;
  readonly teller: Teller;
  readonly system: Pick<System, "read" | "notify">;
}): VehicleFacts {
  const { vehicle } = commands;
  const { model, table, conditions, watches } = pipeline;
  const hasParked = model.conditions.some(({ name }) => name === PARKED);
  const movingFrom = speedLimit(model.conditions) ?? MOVING_FROM_KMH;

  let cameFromMoving = false;

  function motion(nowMs: number): "parked" | "moving" | "unknown" {
    const parked = hasParked ? conditions.evaluate(PARKED, nowMs).open : undefined;
    const reading = table.read(SPEED, nowMs);
    const speed = reading?.quality === "good" ? reading.value : undefined;
    cameFromMoving = parked !== true && speed !== undefined && (cameFromMoving || Math.abs(speed) >= movingFrom);
    return parked === true ? "parked" : cameFromMoving ? "moving" : "unknown";
  }

  return {
    beat: (nowMs) => {
      const view = system.read(vehicle);
      if (view === undefined) return;
      const context = view.context as VehicleContext;
      const simulated = context.simulated || pipeline.simulated;
      if (
        context.model !== model.model ||
        context.simulated !== simulated ||
        Object.keys(context.buses).length !== model.buses.length ||
        !model.buses.every(({ name }) => Object.hasOwn(context.buses, name))
      )
        teller.say(vehicle, "description", { type: "vehicle.described", model: model.model, buses: model.buses.map(({ name }) => name), simulated });
      const committed = (view.state as { readonly motion?: string } | undefined)?.motion;
      const observed = motion(nowMs);
      if (observed !== committed) teller.say(vehicle, "motion", { type: "motion.observed", motion: observed });
      for (const event of watches.collect(nowMs)) system.notify(vehicle, { type: "signal.changed", signal: event.signal, why: event.kind === "crossed" ? event.zone : "changed" });
    },
  };
}

/** The speed that `parked` stays below. */
function speedLimit(conditions: readonly ModelCondition[]): number | undefined {
  const byName = new Map(conditions.map(({ name, condition }) => [name, condition]));
  const search = (condition: Condition | undefined): number | undefined => {
    switch (condition?.kind) {
      case "compare":
        return condition.signal === SPEED && (condition.comparison === "<" || condition.comparison === "<=") ? condition.value : undefined;
      case "held":
      case "not":
        return search(condition.condition);
      case "all":
      case "any":
        return condition.conditions.map(search).find((found) => found !== undefined);
      case "named":
        return search(byName.get(condition.name));
      default:
        return undefined;
    }
  };
  return search(byName.get(PARKED));
}
