// A rollout that advances as fast as its node can: vehicles as functions (vehicles.ts), everything of the cloud node but the broker as it is shipped.
//
// P1. `last words`: all targets are under way, then all of their vehicles say that they are done, 512 on their way at once. `whole course`: from the approval on, each target's offer, its vehicle's
//     word that it is ready, the word to begin, a report of progress and the last word; half of these are the cloud's own.
// P2. Counted is what the rollout's own actor counts as committed, and the API must say the same. A group reports to it four times a second, so that up to 250 ms at the end are rhythm and no work.
// P3. `watched`: who watches is another program's worth of HTTP in this process. Timed until all last words are committed, without that rhythm.

import type { Address } from "../../runtime/index.ts";
import { systemClock, systemRandom } from "../../runtime/index.ts";
import { memoryNetwork } from "../../runtime/simulation/memory-transport.ts";
import { type Budget, mustMatch, type Prepared } from "../_helpers.ts";
import { type Cloud, type MadeRollout, startCloud } from "./cloud.ts";
import { prepareRows } from "./rows.ts";
import { vehicleAt } from "./trailers.ts";
import { startVehicles, type Vehicles } from "./vehicles.ts";

/** Four parts of a group. */
export const UNDER_WAY = 2_000;
const QUICK_UNDER_WAY = 20;
const LOOK_MS = 5;
const GIVE_UP_MS = 60_000;

/** Who watches a rollout: nobody, somebody who has left before it is timed, or somebody. */
export type Watching = "nobody" | "somebody who has left" | "somebody";

interface Fleet {
  readonly cloud: Cloud;
  readonly vehicles: Vehicles;
  readonly targets: number;
}

async function startFleet({ isQuick }: Budget): Promise<Fleet> {
  const targets = isQuick ? QUICK_UNDER_WAY : UNDER_WAY;
  const network = memoryNetwork({ clock: systemClock, random: systemRandom });
  const addresses = Array.from({ length: targets }, (_, at) => vehicleAt(at));
  const vehicles = await startVehicles(network.transport("vehicles"), addresses);
  const cloud = await startCloud(targets, { transport: (_login, node) => network.transport(node) });
  return { cloud, vehicles, targets };
}

async function approve({ cloud, targets }: Fleet): Promise<MadeRollout> {
  const made = await cloud.plan({ groups: [{ name: "all" }], concurrency: targets, soak: "1ms" });
  mustMatch("targets of a rollout", made.targets, targets);
  await cloud.post(`/v1/rollouts/${encodeURIComponent(made.address)}/approve`, {});
  return made;
}

/** P2. */
async function end({ cloud, targets }: Fleet, made: MadeRollout): Promise<void> {
  await until("the rollout is completed", () => cloud.node.system.read(made.address)?.state === "completed");
  const { counts } = (await cloud.get(`/v1/rollouts/${encodeURIComponent(made.address)}`)) as { readonly counts: Readonly<Record<string, number>> };
  mustMatch("committed targets at the API", counts["committed"] ?? 0, targets);
  await cloud.leave(made);
}

/** P1. */
export async function prepareLastWords(budget: Budget): Promise<Prepared> {
  const fleet = await startFleet(budget);
  const { cloud, vehicles, targets } = fleet;
  return {
    sample: async () => {
      const made = await approve(fleet);
      await until("all targets are under way", () => vehicles.begun === targets);
      const start = performance.now();
      const latenciesMs = await vehicles.finish();
      await until("all are counted", () => cloud.committed(made.address) === targets);
      const elapsedMs = performance.now() - start;
      await end(fleet, made);
      return { work: targets, elapsedMs, latenciesMs };
    },
    finish: () => cloud.stop(),
  };
}

/** P1. Its time is that of a target, from the approval until it is counted. */
export async function prepareWholeCourse(budget: Budget): Promise<Prepared> {
  const fleet = await startFleet(budget);
  const { cloud, vehicles, targets } = fleet;
  vehicles.isPrompt = true;
  return {
    sample: async () => {
      const start = performance.now();
      const made = await approve(fleet);
      const approved = performance.now();
      const latenciesMs: number[] = [];
      await until("all are counted", () => {
        const counted = cloud.committed(made.address);
        mustMatch("vehicles that wait to be let finish", vehicles.begun, 0);
        while (latenciesMs.length < counted) latenciesMs.push(performance.now() - start);
        return counted === targets;
      });
      const elapsedMs = performance.now() - approved;
      await end(fleet, made);
      return { work: targets, elapsedMs, latenciesMs };
    },
    finish: () => cloud.stop(),
  };
}

/** The rows that last words have written, in their groups. */
export async function prepareLastWordRows(budget: Budget): Promise<Prepared> {
  const fleet = await startFleet(budget);
  const { cloud, vehicles, targets } = fleet;
  const made = await approve(fleet);
  await until("all targets are under way", () => vehicles.begun === targets);
  const groups = await cloud.recorded(async () => {
    await vehicles.finish();
    await until("all are counted", () => cloud.committed(made.address) === targets);
  });
  await cloud.stop();
  return prepareRows(groups, { work: targets, timed: "each group" });
}

/** P3. */
export async function prepareWatched(budget: Budget, watching: Watching): Promise<Prepared> {
  const fleet = await startFleet(budget);
  const { cloud, vehicles, targets } = fleet;
  let told = 0;
  return {
    sample: async () => {
      const made = await approve(fleet);
      await until("all targets are under way", () => vehicles.begun === targets);
      const watcher = watching === "nobody" ? undefined : await watch(cloud, made.address);
      if (watching === "somebody who has left") await watcher?.leave();
      const start = performance.now();
      const latenciesMs = await vehicles.finish();
      const elapsedMs = performance.now() - start;
      await end(fleet, made);
      if (watching === "somebody") await watcher?.leave();
      told += watcher?.told() ?? 0;
      return { work: targets, elapsedMs, latenciesMs };
    },
    finish: async () => {
      if (watching === "somebody" && told < 2) throw new Error(`a watcher was told of ${String(told)} states of a rollout`);
      await cloud.stop();
    },
  };
}

/** Resolves when it has had the snapshot. */
async function watch({ url, headers }: Cloud, rollout: Address): Promise<{ told(): number; leave(): Promise<void> }> {
  const ending = new AbortController();
  const response = await fetch(`${url}/v1/rollouts/${encodeURIComponent(rollout)}/events`, { headers, signal: ending.signal });
  let told = 0;
  const ended = (async () => {
    for await (const chunk of response.body ?? [])
      told +=
        Buffer.from(chunk as Uint8Array)
          .toString("utf8")
          .split("\ndata:").length - 1;
  })().catch((error: unknown) => {
    if (!ending.signal.aborted) throw error;
  });
  await until("the watcher has its snapshot", () => told > 0);
  return {
    told: () => told,
    leave: async () => {
      ending.abort();
      await ended;
    },
  };
}

async function until(what: string, isSo: () => boolean): Promise<void> {
  const giveUpAt = performance.now() + GIVE_UP_MS;
  while (!isSo()) {
    if (performance.now() > giveUpAt) throw new Error(`after ${String(GIVE_UP_MS)} ms it is not so that ${what}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}
