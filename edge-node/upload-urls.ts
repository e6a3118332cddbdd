// Where the upload port of each module opens, by the node's configuration: a URL for its place, else the name under which its part announces itself (vehicle D3).

import type { VehicleModel } from "../actors/vehicle-file/index.ts";
import { DroverError, nearestName } from "../runtime/index.ts";
import type { EdgeConfig } from "./config.ts";

/** @returns undefined: nothing says where */
export type UploadUrls = (module: string) => string | undefined;

const PART = "{part}";
/** Stands in for a part while the pattern is looked at. */
const ANY_PART = "0A1E05";

/** @throws DROVER_CONFIG_INVALID naming each place that is none of the vehicle's, and each URL that is none */
export function uploadUrls(config: Pick<EdgeConfig, "updates">, model: Pick<VehicleModel, "modules" | "parts">): UploadUrls {
  const { upload_urls: byPlace = {}, advertised_url: advertised } = config.updates ?? {};
  const places = model.modules.map(({ name }) => name);
  const problems: string[] = [];
  for (const [place, url] of Object.entries(byPlace)) {
    if (!places.includes(place)) {
      const meant = nearestName(
        place,
        places.filter((name) => !Object.hasOwn(byPlace, name)),
      );
      const known = places.length === 0 ? "no module, it has none" : `one of ${places.join(", ")}`;
      problems.push(
        `updates.upload_urls.${place}: the key "${place}" is not a module of the vehicle's file (expected ${known}${meant === undefined ? "" : `; did you mean "${meant}"?`})`,
      );
    } else if (!URL.canParse(url)) problems.push(`updates.upload_urls.${place}: "${url}" is no address (expected http://host:port/path)`);
  }
  if (advertised !== undefined && !URL.canParse(advertised.replaceAll(PART, ANY_PART)))
    problems.push(`updates.advertised_url: "${advertised}" is no address (expected http://esp32-{part}.local/ota)`);
  if (problems.length > 0) throw new DroverError("DROVER_CONFIG_INVALID", problems.join("\n"));
  return (module) => {
    if (Object.hasOwn(byPlace, module)) return byPlace[module];
    const part = Object.hasOwn(model.parts, module) ? model.parts[module] : undefined;
    const name = part?.slice(part.indexOf(":") + 1);
    const url = name === undefined ? undefined : advertised?.replaceAll(PART, name);
    return url !== undefined && URL.canParse(url) ? url : undefined;
  };
}
