// What becomes of the vehicle's buses, told to its actor: each change, and the alarm of one that is down (vehicle.md, States: a bus that is down is one alarm).
//
// B1. The alarm is raised once the bus was down for 3 s in all: a start, a restart of its source and a quick reopening take less, and a module has as long before it is called silent.
// B2. It is cleared once the bus was up for 3 s without a break: one that flaps has one alarm.
// B3. A bus that is down as it should be (a recording that has ended) is no alarm. Time in which this node could not hear does not count.

import type { VehicleContext } from "../actors/index.ts";
import type { System } from "../runtime/index.ts";
import type { CommandList } from "./commands.ts";
import type { BusDown, Pipeline } from "./pipeline.ts";
import type { Teller } from "./teller.ts";

const DOWN_MS = 3_000;
const UP_MS = 3_000;
const MAX_REASON_CHARACTERS = 500;

export interface BusFacts {
  beat(nowMs: number): void;
}

/** A time of being down, with what there was of being up in between. */
interface Outage {
  readonly since: number;
  downMs: number;
  upMs: number;
  /** Why, when its alarm was due. */
  reason: string | undefined;
}

export function createBusFacts({
  commands,
  pipeline,
  teller,
  system,
}: {
  readonly commands: CommandList;
  readonly pipeline: Pick<Pipeline, "model" | "condition" | "listening">;
  readonly teller: Teller;
  readonly system: Pick<System, "read">;
}): BusFacts {
  const { vehicle } = commands;
  const outages = new Map<string, Outage>();
  /** Steadily up, or down as it should be, in this run of the node. */
  const well = new Set<string>();
  let lastMs = Number.NEGATIVE_INFINITY;

  function watch(name: string, nowMs: number): void {
    const condition = pipeline.condition(name);
    const passedMs = pipeline.listening.listenedMs(Math.max(lastMs, condition.sinceMs), nowMs);
    if (condition.kind === "down" && !condition.isExpected) wentOn(name, condition, passedMs);
    else if (condition.kind === "down") recovered(name);
    else {
      const outage = outages.get(name);
      if (outage !== undefined) outage.upMs += passedMs;
      if ((outage?.upMs ?? pipeline.listening.listenedMs(condition.sinceMs, nowMs)) >= UP_MS) recovered(name);
    }
  }

  function wentOn(name: string, { since, reason }: BusDown, passedMs: number): void {
    const outage = outages.get(name) ?? { since, downMs: 0, upMs: 0, reason: undefined };
    outages.set(name, outage);
    well.delete(name);
    outage.upMs = 0;
    outage.downMs += passedMs;
    if (outage.downMs >= DOWN_MS) outage.reason ??= reason.slice(0, MAX_REASON_CHARACTERS);
  }

  function recovered(name: string): void {
    outages.delete(name);
    well.add(name);
  }

  return {
    beat: (nowMs) => {
      const context = system.read(vehicle)?.context as VehicleContext | undefined;
      for (const { name } of pipeline.model.buses) {
        watch(name, nowMs);
        if (context === undefined) continue;
        const state = pipeline.condition(name).kind;
        if (context.buses[name] !== state) teller.say(vehicle, `bus ${name}`, { type: "bus.changed", bus: name, state });
        const { since, reason } = outages.get(name) ?? {};
        const isRaised = Object.hasOwn(context.outages ?? {}, name);
        if (reason !== undefined && !isRaised) teller.say(vehicle, `outage of ${name}`, { type: "bus.failed", bus: name, since, reason });
        if (well.has(name) && isRaised) teller.say(vehicle, `outage of ${name}`, { type: "bus.recovered", bus: name });
      }
      lastMs = nowMs;
    },
  };
}
