// Who the parts in a vehicle's places say they are, and when. TrailCurrent modules report MAC and firmware at boot (0x04; research/trailcurrent.md 2.1); the vehicle's file says
// which part is in which place.
//
// I1. A report is dated with the time at which its frame was on the bus: what waited in a source while this process stood still is older than what was done meanwhile.

import { builtInModuleTypes, type ModuleUpdate } from "../actors/module-types/index.ts";
import type { VehicleModel } from "../actors/vehicle-file/index.ts";
import { findMessage, FrameFlag } from "../protocols/can/index.ts";
import type { Clock } from "../runtime/ports/index.ts";
import { fieldReader, frameIdOf } from "./frame-fields.ts";
import type { Pipeline } from "./pipeline.ts";

export interface Identity {
  /** As the vehicle's file writes it: `mac:0A1E05`. */
  readonly part: string;
  readonly firmware: string;
  /** I1: wall ms. */
  readonly at: number;
}

export interface Identities {
  /** undefined: its part has not reported since the start. */
  of(module: string): Identity | undefined;
  /** The wall clock was corrected: they are dated by it as it is now. */
  shift(byMs: number): void;
}

export function watchIdentities(model: VehicleModel, pipeline: Pick<Pipeline, "tap">, clock: Clock): Identities {
  const places = new Map(Object.entries(model.parts).map(([module, part]) => [part.toLowerCase(), module]));
  const identities = new Map<string, Identity>();
  for (const bus of model.buses)
    for (const { message: name, part: partBytes, version } of reports()) {
      const message = findMessage(bus.database, name);
      if (message === undefined) continue;
      const readers = [...partBytes, ...version].map((field) => fieldReader(message, field));
      pipeline.tap(bus.name, frameIdOf(message), (batch, slot) => {
        if (((batch.flags[slot] ?? 0) & FrameFlag.sentByUs) !== 0) return;
        const values = readers.map((read) => read?.(batch, slot));
        if (values.includes(undefined)) return;
        const part = `mac:${values
          .slice(0, partBytes.length)
          .map((value) => (value ?? 0).toString(16).toUpperCase().padStart(2, "0"))
          .join("")}`;
        const module = places.get(part.toLowerCase());
        const agoMs = Math.max(0, clock.monotonic() - (batch.timesS[slot] ?? 0) * 1_000);
        if (module !== undefined) identities.set(module, { part, firmware: values.slice(partBytes.length).join("."), at: Math.round(clock.now() - agoMs) });
      });
    }
  return {
    of: (module) => identities.get(module),
    shift: (byMs) => {
      for (const [module, identity] of identities) identities.set(module, { ...identity, at: identity.at + byMs });
    },
  };
}

/** Of all module types: a part is known by what it says, also where the file names no type. */
function reports(): readonly ModuleUpdate["report"][] {
  const found = new Map<string, ModuleUpdate["report"]>();
  for (const { update } of builtInModuleTypes.values()) if (update !== undefined) found.set(JSON.stringify(update.report), update.report);
  return [...found.values()];
}
