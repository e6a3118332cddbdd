// A rollout over cloud and edge processes that are killed at moments which a seed decides, and what must be true of it at its end.
//
// K1. A third of the kills are of edge nodes between a trigger frame and the commit of its result: in the very moment in which the frame's last bit is on the bus, before its echo leaves the rig. Only where a rollout has too few
//     triggers are there fewer of them. The others meet any process at any moment, the cloud or an edge node, half of them one that is
//     at work on its module: between trigger and upload, and in mid upload.
// K2. Whatever was killed, the counts at the end are the same: every target committed, nothing bad. Every module runs the new image.
// K3. Frames are counted at the simulated bus: one trigger in each window of a module, none outside of one.

import { setTimeout as pause } from "node:timers/promises";
import { SeededRandom } from "../../runtime/simulation/index.ts";
import type { Ending } from "../end-to-end/fleet.ts";
import { until } from "../end-to-end/until.ts";
import { begun, stateIs, strayTriggers, type UpdateFleet, updateFleet } from "../end-to-end/update-fleet.ts";

export interface KilledRolloutOptions {
  readonly seed: number;
  /** Each a process, with a rig in this one. */
  readonly trailers: number;
  readonly kills: number;
  readonly progress?: (line: string) => void;
}

export interface KilledRolloutReport {
  readonly seed: number;
  /** K1. */
  readonly killed: Readonly<Record<"cloud" | "edge" | "edge at its trigger", number>>;
  /** Of the rollout's targets by how they ended. */
  readonly counts: Readonly<Record<string, number>>;
  /** Frames on the wire. */
  readonly triggers: number;
  /** Attempts at modules: windows that a trigger has begun. */
  readonly attempts: number;
  readonly seconds: number;
  readonly wrong: readonly string[];
}

/** Mean time between kills, ms. */
const BETWEEN_MS = 1_250;
/** Of the kills. */
const AT_TRIGGERS = 0.35;
const RUNS_WITHIN_MS = 60_000;
const COMPLETED_WITHIN_MS = 600_000;
/** An image takes seconds, so that kills meet uploads too. */
const BYTES_PER_SECOND = 4_000;

export async function killedRollout(ending: Ending, options: KilledRolloutOptions): Promise<KilledRolloutReport> {
  const { seed, trailers, kills, progress = () => undefined } = options;
  const began = performance.now();
  const random = new SeededRandom(seed);
  const fleet = await updateFleet(ending, trailers);
  for (const vehicle of fleet.vehicles) fleet.rig(vehicle).setUpdateFault("torrent-0", { bytesPerSecond: BYTES_PER_SECOND });
  progress(`seed ${String(seed)}: ${String(trailers)} trailers run after ${seconds(began)} s`);
  const killed = { cloud: 0, edge: 0, "edge at its trigger": 0 };
  const total = (): number => killed.cloud + killed.edge + killed["edge at its trigger"];
  const aimed = Math.ceil(kills * AT_TRIGGERS);
  fleet.onTrigger((vehicle) => {
    // One whose process ended with its frame already on the way was met by another kill.
    if (killed["edge at its trigger"] >= aimed || total() >= kills || fleet.child(vehicle).state !== "running") return;
    fleet.kill(vehicle);
    killed["edge at its trigger"]++;
  });
  await begun(fleet, { groups: [{ name: "first", count: Math.ceil(trailers / 5) }, { name: "rest" }], concurrency: Math.max(2, Math.ceil(trailers / 4)), attempts: 10 });
  let isOver = false;
  while (total() < kills) {
    const left = aimed - killed["edge at its trigger"];
    isOver ||= (await fleet.rollout())?.state === "completed";
    // Those that are left are for triggers, as long as there may be one.
    if (kills - total() > left || isOver) killed[await anyOne(fleet, random)]++;
    else await pause(BETWEEN_MS);
    if (total() % 5 === 0) progress(`seed ${String(seed)}: ${String(total())} kills after ${seconds(began)} s`);
  }
  await stateIs(fleet, "completed", COMPLETED_WITHIN_MS);
  const { counts, bad } = await until("the cloud tells the end", RUNS_WITHIN_MS, () => fleet.rollout());
  const windows = fleet.vehicles.flatMap((vehicle) => fleet.windows(vehicle));
  const told = Object.fromEntries(Object.entries(counts as Record<string, number>).filter(([, count]) => count > 0));
  const wrong = [
    ...(JSON.stringify(told) === JSON.stringify({ committed: trailers })
      ? []
      : [`counts are ${JSON.stringify(told)} instead of ${String(trailers)} committed; ${JSON.stringify(bad)}`]),
    ...fleet.vehicles.flatMap((vehicle) => (fleet.firmware(vehicle) === "2.4.0" ? [] : [`${vehicle} runs ${fleet.firmware(vehicle)}`])),
    ...strayTriggers(fleet),
  ];
  const triggers = fleet.vehicles.reduce((sum, vehicle) => sum + fleet.triggers(vehicle), 0);
  return { seed, killed, counts: told, triggers, attempts: windows.length, seconds: seconds(began), wrong };
}

/** A process that runs, after a while; half of the time one whose module is being updated. */
async function anyOne(fleet: UpdateFleet, random: SeededRandom): Promise<"cloud" | "edge"> {
  await pause(random.next() * 2 * BETWEEN_MS);
  const of = random.next() < 0.5 ? fleet.vehicles.filter((vehicle) => isAtWork(fleet, vehicle)) : fleet.vehicles;
  const id = random.next() < 0.25 ? "cloud" : (of[Math.floor(random.next() * of.length)] ?? "cloud");
  await until(`${id} runs`, RUNS_WITHIN_MS, () => fleet.child(id).state === "running" && fleet.child(id).pid !== undefined);
  fleet.kill(id);
  return id === "cloud" ? "cloud" : "edge";
}

/** Its module has been triggered, and has not restarted since. */
function isAtWork(fleet: UpdateFleet, vehicle: string): boolean {
  const window = fleet.windows(vehicle).at(-1);
  return window !== undefined && window.ended === undefined;
}

function seconds(since: number): number {
  return Math.round((performance.now() - since) / 1_000);
}
