// One plan for a whole fleet, as `drover rollout start` sends it: from the request until the answer says that all of it is committed.
//
// P1. After each one its actors leave memory, so that the next one finds the node as the first did. What SQLite keeps of them stays.
// P2. Memory is that of the whole node, before the request and after it, both after a collection; and the most that the process was resident in between, by the kernel's own mark.

import { readFileSync, writeFileSync } from "node:fs";

import type { PlannedTarget } from "../../actors/rollout/index.ts";
import { type Budget, mustMatch, type Prepared, type Sample } from "../_helpers.ts";
import { heldHeapBytes } from "../held-heap.ts";
import { type Cloud, type MadeRollout, startCloud } from "./cloud.ts";
import { prepareRows } from "./rows.ts";
import { MODULE, vehicleAt } from "./trailers.ts";

export const PLANNED = 10_000;
const QUICK_PLANNED = 20;
const KIB = 1_024;

const plannedOf = ({ isQuick }: Budget): number => (isQuick ? QUICK_PLANNED : PLANNED);

async function preparePlans(budget: Budget, take: (cloud: Cloud, targets: number) => Promise<Sample & { readonly made: MadeRollout }>): Promise<Prepared> {
  const targets = plannedOf(budget);
  const cloud = await startCloud(targets);
  return {
    sample: async () => {
      const { made, ...sample } = await take(cloud, targets);
      mustMatch("targets of a rollout", made.targets, targets);
      mustMatch(
        "targets in the committed parts",
        made.parts.reduce((sum, part) => sum + ((cloud.node.system.read(part)?.context as { readonly size: number } | undefined)?.size ?? 0), 0),
        targets,
      );
      await cloud.leave(made);
      return sample;
    },
    finish: () => cloud.stop(),
  };
}

export function preparePlanning(budget: Budget): Promise<Prepared> {
  return preparePlans(budget, async (cloud) => {
    const start = performance.now();
    const made = await cloud.plan();
    const elapsedMs = performance.now() - start;
    return { made, work: 1, elapsedMs, latenciesMs: [elapsedMs] };
  });
}

/** P2. @param what `held`: by what was made, in the heap; `peak`: how much the process grew at most while it was made */
export function preparePlanMemory(budget: Budget, what: "held" | "peak"): Promise<Prepared> {
  return preparePlans(budget, async (cloud, targets) => {
    const before = heldHeapBytes();
    const resident = residentMark("VmRSS");
    writeFileSync("/proc/self/clear_refs", "5");
    const start = performance.now();
    const made = await cloud.plan();
    const elapsedMs = performance.now() - start;
    return { made, work: targets, elapsedMs, heapBytes: what === "peak" ? residentMark("VmHWM") - resident : heldHeapBytes() - before };
  });
}

/** The least that a node could know of them. */
export function prepareBareTargets(budget: Budget): Prepared {
  const targets = plannedOf(budget);
  const kept: PlannedTarget[] = [];
  return {
    sample: () => {
      kept.length = 0;
      const before = heldHeapBytes();
      const start = performance.now();
      for (let at = 0; at < targets; at++) kept.push({ vehicle: vehicleAt(at), updates: [{ module: MODULE, image: 0 }] });
      return { work: kept.length, elapsedMs: performance.now() - start, heapBytes: heldHeapBytes() - before };
    },
    finish: () => {
      mustMatch("targets in the list", new Set(kept.map(({ vehicle }) => vehicle)).size, targets);
    },
  };
}

/** The same rows, bytes and groups as one plan has written. */
export async function preparePlanRows(budget: Budget): Promise<Prepared> {
  const cloud = await startCloud(plannedOf(budget));
  const groups = await cloud.recorded(() => cloud.plan());
  await cloud.stop();
  return prepareRows(groups, { work: 1, timed: "all groups" });
}

/** Of this process, in bytes. @throws Error where there is no Linux */
function residentMark(name: "VmRSS" | "VmHWM"): number {
  const found = new RegExp(`^${name}:\\s*(\\d+) kB$`, "m").exec(readFileSync("/proc/self/status", "utf8"));
  if (found === null) throw new Error(`/proc/self/status has no ${name}`);
  return Number(found[1]) * KIB;
}
