// Which source each bus of the vehicle has, by the node's configuration.

import type { VehicleModel } from "../actors/vehicle-file/index.ts";
import { DroverError, nearestName } from "../runtime/index.ts";
import { BUS_URLS, type BusOpener, busOpener } from "./bus-opener.ts";
import type { EdgeConfig } from "./config.ts";
import type { VehicleFiles } from "./vehicle-files.ts";

/** Every bus of the vehicle has one, and no other has. @throws DROVER_CONFIG_INVALID naming each that is wrong */
export function busSources(config: EdgeConfig, model: VehicleModel, files: Pick<VehicleFiles, "names">): ReadonlyMap<string, BusOpener> {
  const wanted = model.buses.map(({ name }) => name);
  const unserved = wanted.filter((name) => !Object.hasOwn(config.buses, name));
  const missing = unserved.map((name) => `buses.${name}: the vehicle's file has this bus, and no source is given for it (expected ${BUS_URLS})`);
  const surplus = Object.keys(config.buses)
    .filter((name) => !wanted.includes(name))
    .map((name) => {
      // A bus that has its source already was not meant.
      const meant = nearestName(name, unserved);
      return `buses.${name}: the key "${name}" is not a bus of the vehicle's file (expected ${oneOf(wanted)}${meant === undefined ? "" : `; did you mean "${meant}"?`})`;
    });
  const openers = new Map<string, BusOpener>();
  const unusable: string[] = [];
  for (const [name, source] of Object.entries(config.buses)) {
    try {
      const others = Object.entries(config.buses).flatMap(([other, url]) => (other === name || typeof url !== "string" ? [] : [url]));
      openers.set(name, typeof source === "string" ? busOpener(name, source, files, others) : source);
    } catch (error) {
      if (!(error instanceof DroverError)) throw error;
      unusable.push(error.message);
    }
  }
  const problems = [...missing, ...surplus, ...unusable];
  if (problems.length > 0) throw new DroverError("DROVER_CONFIG_INVALID", problems.join("\n"));
  return openers;
}

function oneOf(names: readonly string[]): string {
  return names.length === 0 ? "no bus, it has none" : names.length === 1 ? `"${String(names[0])}"` : `one of ${names.join(", ")}`;
}
