// The fleet without a terminal: a line for each thing that happens, as text or as JSON.

import type { Call } from "../terminal/index.ts";
import { printJsonLine } from "../terminal/index.ts";
import { UNKNOWN, type VehicleRow } from "./fleet-view.ts";

export interface FleetNews {
  /** Tells what has changed since the last look. @param blind why the cloud tells nothing, where it is to be said */
  look(rows: readonly VehicleRow[], blind?: string): void;
}

/** @param sinceStartMs ms since the start, for people */
export function fleetNews(call: Pick<Call, "json" | "out">, sinceStartMs: () => number): FleetNews {
  const before = new Map<string, { readonly restarts: number; readonly presence: string | undefined }>();
  const say = (event: string, row: VehicleRow, text: string, more: object = {}): void => {
    if (call.json) printJsonLine(call.out, { event, vehicle: row.vehicle, ...more });
    else call.out.write(`${text}\n`);
  };
  let toldBlind: string | undefined;
  return {
    look: (rows, blind) => {
      if (blind !== undefined && blind !== toldBlind) {
        if (call.json) printJsonLine(call.out, { event: "blind", reason: blind });
        else call.out.write(`${blind}\n`);
      }
      toldBlind = blind;
      for (const row of rows) {
        const last = before.get(row.vehicle);
        // While the cloud does not answer nothing is known, and nothing has changed.
        const presence = row.presence === UNKNOWN ? last?.presence : row.presence;
        before.set(row.vehicle, { restarts: row.restarts, presence });
        if (row.restarts > (last?.restarts ?? 0)) {
          const cause = row.lastExit ?? null;
          say("restarted", row, `${row.vehicle} was started again (${cause ?? "no cause is known"})`, { restarts: row.restarts, cause });
        }
        if (presence === undefined || presence === last?.presence) continue;
        say("presence", row, presence === "online" ? `${row.vehicle} is online after ${(sinceStartMs() / 1000).toFixed(1)} s` : `${row.vehicle} is ${presence}`, { presence });
      }
    },
  };
}
