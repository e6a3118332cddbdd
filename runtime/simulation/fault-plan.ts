// Which faults a seed brings, when, where and for how long. Every seed takes a part of the kinds only ("swarm"): what is always there hides what it keeps from happening.

import type { Random } from "../ports/index.ts";

/**
 * `kill`: the process ends in the middle of anything and is started again. `power-cut`: so does the machine, and what its disk had not flushed is lost.
 * `restart`: it is stopped in order. `pause`: nothing reaches it for a while. `takeover`: while it is paused and parted another run takes over its store under the next epoch;
 * then the former one goes on as if nothing had been. `cut`: its link is down. `part`: two nodes do not reach each other and nobody is told.
 * `store-outage`: every call of its store fails. `full-store`: it answers what is read and takes nothing more. `slow-store`: all its reads and flushes are slow, sixty times. `clock-jump`: its wall clock is corrected, by up to a minute or, one in four, by up to six hours, forward or back.
 * `old-copy`: its store is copied while it is down; it runs on, is killed, and comes back with that copy in the place of its store (rules T1). What was acknowledged in between is lost, as it is with a
 * database that does not keep its commits: after one, judged is what holds all the same. No seed draws it unless it is among the `kinds`.
 */
export type FaultKind = "kill" | "power-cut" | "restart" | "pause" | "takeover" | "cut" | "part" | "store-outage" | "full-store" | "slow-store" | "clock-jump" | "old-copy";

export const FAULT_KINDS: readonly FaultKind[] = ["kill", "power-cut", "restart", "pause", "takeover", "cut", "part", "store-outage", "full-store", "slow-store", "clock-jump"];
/** Those that a seed draws from where nothing else is said, and those that must be asked for. */
export const ALL_FAULT_KINDS: readonly FaultKind[] = [...FAULT_KINDS, "old-copy"];

export interface PlannedFault {
  readonly atMs: number;
  readonly kind: FaultKind;
  readonly node: string;
  /** The other side of a `part`. */
  readonly other: string | undefined;
  readonly forMs: number;
}

const LONGEST_MS: Readonly<Record<FaultKind, number>> = {
  kill: 3_000,
  "power-cut": 5_000,
  restart: 1_000,
  pause: 4_000,
  takeover: 6_000,
  cut: 8_000,
  part: 8_000,
  "store-outage": 4_000,
  "full-store": 6_000,
  "slow-store": 5_000,
  "clock-jump": 0,
  "old-copy": 6_000,
};

/** @param everyMs mean time between two faults */
export function planFaults(
  random: Random,
  { nodes, kinds, everyMs, untilMs }: { readonly nodes: readonly string[]; readonly kinds: readonly FaultKind[]; readonly everyMs: number; readonly untilMs: number },
): readonly PlannedFault[] {
  const chosen = kinds.filter(() => random.next() < 0.6);
  const taken = chosen.length > 0 ? chosen : kinds;
  const pace = everyMs * (0.5 + random.next() * 1.5);
  const plan: PlannedFault[] = [];
  for (let atMs = gap(random, pace); taken.length > 0 && atMs < untilMs; atMs += gap(random, pace)) {
    const kind = pick(random, taken);
    const node = pick(random, nodes);
    const others = nodes.filter((name) => name !== node);
    const other = kind === "part" ? (others.length === 0 ? undefined : pick(random, others)) : undefined;
    const forMs = random.next() ** 2 * LONGEST_MS[kind];
    if (kind !== "part" || other !== undefined) plan.push({ atMs, kind, node, other, forMs });
  }
  return plan;
}

/** Times between two of a Poisson process; the logarithm is taken of few digits, so that no engine can differ in the last one. */
function gap(random: Random, meanMs: number): number {
  return Math.round(-Math.log(1 - Math.round(random.next() * 4_095) / 4_096) * meanMs * 1_000) / 1_000;
}

function pick<T>(random: Random, from: readonly T[]): T {
  return from[Math.floor(random.next() * from.length)] as T;
}
