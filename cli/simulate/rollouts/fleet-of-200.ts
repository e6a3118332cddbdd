// Two hundred vehicles and a plan for them, as a seed decides: who is in which group, how the modules behave, how fast, and when it stops.

import { grouped, type FleetVehicle, partAddress, type PartBeginning, partBeginning, type PlanFile, rolloutInput, termsOf } from "../../../actors/index.ts";
import type { EntityOptions } from "../../../runtime/index.ts";
import type { SeededRandom } from "../../../runtime/simulation/index.ts";
import { Board, type Manner, MANNERS, NEW, OLD } from "./board.ts";
import { MODULE } from "./node-eyes.ts";

const VEHICLES = 200;
const TENANT = "sim";
const PLAN = "torrent-2";
export const ROLLOUT = `${TENANT}/rollout/${PLAN}`;
/** Several vehicles in one process, as the demo has them: what strikes one strikes some that are at work. */
export const EDGES = ["edge-1", "edge-2", "edge-3", "edge-4", "edge-5"] as const;

const fleet = Array.from(
  { length: VEHICLES },
  (_, place): FleetVehicle => ({
    vehicle: `${TENANT}/vehicle/v${String(place).padStart(3, "0")}`,
    model: "trailer@1",
    labels: {},
    modules: [{ name: MODULE, moduleType: "trailcurrent/torrent", hardware: "esp32-s3", address: 0, firmware: OLD, part: "0A1E00" }],
    taken: {},
  }),
);

export interface FleetOf200 {
  readonly concurrency: number;
  /** By vehicle. */
  readonly boards: ReadonlyMap<string, Board>;
  /** Addresses of the parts of its groups, with the vehicles of their targets in order. */
  readonly parts: ReadonlyMap<string, readonly string[]>;
  /** The entities of the cloud, by address. */
  readonly cloud: Readonly<Record<string, EntityOptions>>;
}

export function fleetOf200(random: SeededRandom): FleetOf200 {
  const plan = planOf(random);
  const grouping = grouped(plan, fleet, (vehicle) => vehicle);
  if (grouping.kind === "refused") throw new Error(JSON.stringify(grouping.problems));
  const beginnings = grouping.groups.flatMap(({ parts }, group) =>
    parts.map(
      (targets, part): PartBeginning => ({
        rollout: ROLLOUT,
        name: plan.rollout,
        group: partAddress(TENANT, plan.rollout, group, part, parts.length),
        targets,
        images: plan.images.map(({ version, sha256 }) => ({ version, sha256, bytes: 1_000_000 })),
        terms: termsOf(plan),
      }),
    ),
  );
  const parts = new Map(beginnings.map(({ group, targets }) => [group, targets.map(({ vehicle }) => vehicle)]));
  const boards = new Map([...parts.values()].flat().map((vehicle, place) => [vehicle, boardOf(vehicle, place, random)]));
  return {
    concurrency: plan.concurrency ?? 0,
    boards,
    parts,
    cloud: {
      [ROLLOUT]: { input: rolloutInput(TENANT, plan, grouping.groups) },
      ...Object.fromEntries(beginnings.map((beginning) => [beginning.group, partBeginning(beginning)])),
    },
  };
}

function planOf(random: SeededRandom): PlanFile {
  const below = (most: number): number => Math.floor(random.next() * most);
  const canaries = 2 + below(6);
  return {
    rollout: PLAN,
    images: [{ module: "trailcurrent/torrent", hardware: "esp32-s3", address: 0, version: NEW, sha256: "a".repeat(64) }],
    select: {},
    groups: [{ name: "canary", count: canaries, ...(random.next() < 0.2 ? { pause_count: 1 } : {}) }, { name: "early", count: 5 + below(15) }, { name: "rest" }],
    concurrency: 2 + below(4),
    soak: "10s",
    success_percent: 1 + below(95),
    excuse_percent: below(100),
    pause: random.next() < 0.5 ? { count: 1 + below(4) } : { percent: 100 },
    abort: { min_sample: 5, percent: 100, count: 3 + below(10) },
    dark_after: "3m",
    target_timeout: "15m",
    excused_after: "10m",
    attempts: 1 + below(3),
  };
}

function boardOf(vehicle: string, place: number, random: SeededRandom): Board {
  const one = (): Manner => (random.next() < 0.6 ? "good" : (MANNERS[Math.floor(random.next() * MANNERS.length)] ?? "good"));
  return new Board({
    vehicle,
    node: EDGES[place % EDGES.length] ?? EDGES[0],
    part: `mac:${place.toString(16).toUpperCase().padStart(6, "0")}`,
    manners: [one(), one(), "good"],
    opensAfterMs: 3_000 + random.next() * 17_000,
  });
}
