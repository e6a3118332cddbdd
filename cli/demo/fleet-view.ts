// What the demo shows: its processes as it knows them, its vehicles as the cloud tells them. One row a vehicle.

import { readFileSync } from "node:fs";
import type { TreeNode } from "../../runtime/index.ts";
import type { EdgeStats } from "../../edge-node/index.ts";
import type { VehicleItem } from "./cloud-view.ts";
import { TENANT } from "./demo-fleet.ts";

export interface VehicleRow {
  readonly vehicle: string;
  /** As the cloud sees its link; `–` while the cloud does not answer. */
  readonly presence: string;
  readonly motion: string;
  readonly framesPerSecond: number | undefined;
  readonly freshSignals: number | undefined;
  readonly allSignals: number | undefined;
  readonly actors: number | undefined;
  /** Of its process. */
  readonly restarts: number;
  readonly process: string;
  readonly pid: number | undefined;
  readonly rssBytes: number | undefined;
  /** Why its process ended last. */
  readonly lastExit: string | undefined;
}

/** Shown where nothing is known. */
export const UNKNOWN = "–";

/** @param vehicles by the names of their processes @param items as the cloud tells them, by address */
export function fleetRows(vehicles: readonly string[], items: ReadonlyMap<string, VehicleItem>, tree: TreeNode, stats: ReadonlyMap<string, EdgeStats>): readonly VehicleRow[] {
  return vehicles.map((name) => {
    const address = `${TENANT}/vehicle/${name}`;
    const item = items.get(address);
    const child = tree.children.find(({ id }) => id === name);
    const told = child?.state === "running" ? stats.get(name) : undefined;
    const { lastExit, pid } = child ?? {};
    return {
      vehicle: address,
      presence: typeof item?.presence === "string" ? item.presence : UNKNOWN,
      motion: motionOf(item?.state),
      framesPerSecond: told?.framesPerSecond,
      freshSignals: told?.signals.fresh,
      allSignals: told?.signals.all,
      actors: told?.actors,
      restarts: child?.restarts ?? 0,
      process: child?.state ?? "stopped",
      pid,
      rssBytes: pid === undefined ? undefined : rssOf(pid),
      lastExit: lastExit === undefined ? undefined : (lastExit.error ?? lastExit.reason),
    };
  });
}

function motionOf(state: unknown): string {
  const motion = typeof state === "object" && state !== null ? (state as { readonly motion?: unknown }).motion : undefined;
  return typeof motion === "string" ? motion : UNKNOWN;
}

/** Linux only; elsewhere the column stays empty. */
function rssOf(pid: number): number | undefined {
  try {
    const kib = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${String(pid)}/status`, "utf8"))?.[1];
    return kib === undefined ? undefined : Number(kib) * 1024;
  } catch {
    return undefined;
  }
}
