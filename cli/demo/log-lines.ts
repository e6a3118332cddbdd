// The fleet without a terminal: a line for each thing that happens, as text or as JSON.

import type { Call } from "../terminal/index.ts";
import { printJsonLine } from "../terminal/index.ts";
import type { VehicleRow } from "./fleet-view.ts";

export interface FleetNews {
  /** Tells what has changed since the last look. */
  look(rows: readonly VehicleRow[]): void;
}

/** @param sinceStartMs ms since the start, for people */
export function fleetNews(call: Pick<Call, "json" | "out">, sinceStartMs: () => number): FleetNews {
  const before = new Map<string, VehicleRow>();
  const say = (event: string, row: VehicleRow, text: string, more: object = {}): void => {
    if (call.json) printJsonLine(call.out, { event, vehicle: row.vehicle, ...more });
    else call.out.write(`${text}\n`);
  };
  return {
    look: (rows) => {
      for (const row of rows) {
        const last = before.get(row.vehicle);
        before.set(row.vehicle, row);
        if (row.restarts > (last?.restarts ?? 0))
          say("restarted", row, `${row.vehicle} was started again (${row.lastExit ?? "no cause is known"})`, { restarts: row.restarts, cause: row.lastExit ?? null });
        if (row.presence === last?.presence || row.presence === "–") continue;
        say("presence", row, row.presence === "online" ? `${row.vehicle} is online after ${(sinceStartMs() / 1000).toFixed(1)} s` : `${row.vehicle} is ${row.presence}`, {
          presence: row.presence,
        });
      }
    },
  };
}
