// Which topic may who publish and which filter may who subscribe at the embedded broker.
//
//   vehicle     publish   drover/v1/v/{tenant}/{vehicle}/up/...  and .../live
//               subscribe drover/v1/v/{tenant}/{vehicle}/down/... and .../live
//   cloud node  everything but topics that begin with $

import { parseName, vehicleNames } from "../../runtime/wire/index.ts";
import type { Reach } from "./credentials.ts";

/** Nobody can subscribe to it by a wildcard, and nobody does. */
export const SINK_TOPIC = "$drover/sunk";

/** Ours have some dozens. */
const MAX_FILTER_CHARACTERS = 1_024;

export function mayPublish(reach: Reach, topic: string): boolean {
  if (topic.startsWith("$")) return false;
  if (reach.kind === "everything") return true;
  const name = parseName(topic);
  return name?.kind === "vehicle" && name.tenant === reach.tenant && name.vehicle === reach.vehicle && name.side !== "down";
}

export function maySubscribe(reach: Reach, filter: string): boolean {
  // A shared subscription is granted by aedes 1.x and delivers nothing: refuse what does not work.
  if (filter.startsWith("$") || filter.length > MAX_FILTER_CHARACTERS) return false;
  if (reach.kind === "everything") return true;
  const { down, live } = vehicleNames(reach.tenant, reach.vehicle);
  return filter === live || filter === down() || filter.startsWith(`${down()}/`);
}
