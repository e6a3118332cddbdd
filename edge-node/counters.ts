// What a vehicle's node has counted since its start.

import type { Clock } from "../runtime/ports/index.ts";
import type { EdgeCounters } from "./contract.ts";
import type { VehicleWorks } from "./vehicle-works.ts";

export function countersOf({ pipeline, transmit, sender }: Pick<VehicleWorks, "pipeline" | "transmit" | "sender">, clock: Clock): EdgeCounters {
  const readings = pipeline.table.readAll(clock.monotonic());
  return {
    frames: [...pipeline.frames.values()].reduce((sum, count) => sum + count, 0),
    signals: { fresh: readings.filter(({ quality }) => quality === "good").length, all: readings.length },
    sentFrames: sender.counters.sent,
    refusedFrames: transmit.counters.refused,
  };
}
