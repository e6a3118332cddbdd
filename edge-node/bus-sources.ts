// Which source each bus of the vehicle has, by the node's configuration.

import type { VehicleModel } from "../actors/vehicle-file/index.ts";
import { DroverError } from "../runtime/index.ts";
import { type BusOpener, busOpener } from "./bus-opener.ts";
import type { EdgeConfig } from "./config.ts";
import type { VehicleFiles } from "./vehicle-files.ts";

/** Every bus of the vehicle has one, and no other has. @throws DROVER_CONFIG_INVALID naming each that is wrong */
export function busSources(config: EdgeConfig, model: VehicleModel, files: Pick<VehicleFiles, "names">): ReadonlyMap<string, BusOpener> {
  const wanted = model.buses.map(({ name }) => name);
  const missing = wanted.filter((name) => !Object.hasOwn(config.buses, name)).map((name) => `buses.${name}: the vehicle's file has this bus, and no source is given for it`);
  const surplus = Object.keys(config.buses)
    .filter((name) => !wanted.includes(name))
    .map((name) => `buses.${name}: the vehicle's file has no such bus (expected one of ${wanted.join(", ")})`);
  if (missing.length + surplus.length > 0) throw new DroverError("DROVER_CONFIG_INVALID", [...missing, ...surplus].join("\n"));
  return new Map(Object.entries(config.buses).map(([name, source]) => [name, typeof source === "string" ? busOpener(name, source, files) : source]));
}
