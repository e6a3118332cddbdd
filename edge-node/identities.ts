// Who the parts in a vehicle's places say they are. TrailCurrent modules report MAC and firmware at boot (0x04; research/trailcurrent.md 2.1); the vehicle's file says
// which part is in which place.

import type { VehicleModel } from "../actors/vehicle-file/index.ts";
import { findMessage, FrameFlag } from "../protocols/can/index.ts";
import { fieldReader, frameIdOf } from "./frame-fields.ts";
import type { Pipeline } from "./pipeline.ts";

const REPORT = "FirmwareVersionReport";
const PART_BYTES = ["MacAddressByte4", "MacAddressByte5", "MacAddressByte6"];
const VERSION_NUMBERS = ["VersionMajor", "VersionMinor", "VersionPatch"];

export interface Identity {
  /** As the vehicle's file writes it: `mac:0A1E05`. */
  readonly part: string;
  readonly firmware: string;
}

export interface Identities {
  /** undefined: its part has not reported since the start. */
  of(module: string): Identity | undefined;
}

export function watchIdentities(model: VehicleModel, pipeline: Pick<Pipeline, "tap">): Identities {
  const places = new Map(Object.entries(model.parts).map(([module, part]) => [part.toLowerCase(), module]));
  const identities = new Map<string, Identity>();
  for (const bus of model.buses) {
    const message = findMessage(bus.database, REPORT);
    if (message === undefined) continue;
    const readers = [...PART_BYTES, ...VERSION_NUMBERS].map((name) => fieldReader(message, name));
    pipeline.tap(bus.name, frameIdOf(message), (batch, slot) => {
      if (((batch.flags[slot] ?? 0) & FrameFlag.sentByUs) !== 0) return;
      const values = readers.map((read) => read?.(batch, slot));
      if (values.includes(undefined)) return;
      const part = `mac:${values
        .slice(0, 3)
        .map((value) => (value ?? 0).toString(16).toUpperCase().padStart(2, "0"))
        .join("")}`;
      const module = places.get(part.toLowerCase());
      if (module !== undefined) identities.set(module, { part, firmware: values.slice(3).join(".") });
    });
  }
  return { of: (module) => identities.get(module) };
}
