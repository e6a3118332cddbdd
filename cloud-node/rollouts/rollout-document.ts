// A rollout as it is shown: where it is, its groups with counts and causes, and why one waits.
//
// D1. Counts are read from the parts' own phases, so that they are whole at any time; the rule itself counts what the parts have reported, at most 250 ms behind.
// D2. What takes a look at each target (why it is postponed, how it went wrong) is bounded.

import { isBad, phasesIn, type Phase, type RolloutGroup } from "../../actors/index.ts";
import { idOf } from "../../runtime/index.ts";
import type { KnownRollout } from "./rollout-book.ts";
import { tenantOf } from "./fleet-facts.ts";
import { type Asked, isAsked, type Wait, waitsBefore, waitsOf } from "./group-waits.ts";
import type { Rollouts } from "./rollouts.ts";

export type GroupState = "waiting" | "open" | "soaking" | "succeeded";

export interface ShownGroup {
  readonly name: string;
  readonly size: number;
  readonly state: GroupState;
  readonly openedAt: number | null;
  readonly parts: readonly string[];
  readonly counts: Readonly<Record<string, number>>;
  readonly waits: readonly Wait[];
  readonly causes: readonly { readonly ending: string; readonly reason: string; readonly targets: number }[];
}

/** Targets that are looked at for one document. */
const MOST_LOOKED_AT = 1_000;
const MOST_CAUSES = 20;

export function rolloutItem({ address, state, phase, context }: KnownRollout): Readonly<Record<string, unknown>> {
  const { groups, open, parts, why, created } = context;
  const counts: Record<string, number> = {};
  for (const { tally } of Object.values(parts)) for (const [name, count] of Object.entries<number>({ ...tally })) counts[name] = (counts[name] ?? 0) + count;
  return {
    id: idOf(address),
    address,
    tenant: tenantOf(address),
    state,
    phase: phase ?? null,
    group: groups[open]?.name ?? null,
    groups: groups.length,
    targets: groups.reduce((sum, { size }) => sum + size, 0),
    counts,
    why,
    created: created === null ? null : { at: created.at, by: created.who },
  };
}

export function rolloutDocument(rollout: KnownRollout, rollouts: Pick<Rollouts, "book" | "linkOf">): Readonly<Record<string, unknown>> {
  const { context, revision, incarnation, asOf } = rollout;
  const { limits, concurrency, soakMs, images, bad, noted, select } = context;
  const look = { left: MOST_LOOKED_AT };
  return {
    ...rolloutItem(rollout),
    asOf,
    revision,
    incarnation,
    select,
    images,
    limits,
    concurrency,
    soakMs,
    groups: context.groups.map((group, index) => groupShown(rollout, group, index, { rollouts, look })),
    bad,
    noted,
  };
}

interface Looking {
  readonly rollouts: Pick<Rollouts, "book" | "linkOf">;
  readonly look: { left: number };
}

function groupShown(rollout: KnownRollout, { name, size, parts, openedAt }: RolloutGroup, index: number, { rollouts, look }: Looking): ShownGroup {
  const counts: Record<string, number> = {};
  const asked: Asked = { away: [], offered: [], "under way": [] };
  let back = 0;
  const postponed = new Map<string, number>();
  const causes = new Map<string, { readonly ending: string; readonly reason: string; targets: number }>();
  for (const address of parts) {
    const part = rollouts.book.part(address);
    const areBack = new Set(part?.back);
    const vehicles = rollouts.book.vehiclesOf(address, rollout);
    for (const [place, phase] of (part === undefined ? [] : phasesIn(part.phases)).entries()) {
      counts[phase] = (counts[phase] ?? 0) + 1;
      // Ready again: what it shows of before is over.
      if (areBack.has(place)) {
        back++;
        continue;
      }
      if (isAsked(phase)) asked[phase].push(vehicles[place] ?? "");
      if (!isLookedAt(phase) || look.left === 0) continue;
      look.left--;
      const { why = null } = rollouts.book.target(address, place) ?? {};
      if (phase === "postponed") postponed.set(why ?? "it cannot begin now", (postponed.get(why ?? "it cannot begin now") ?? 0) + 1);
      else {
        const reason = why ?? "";
        const known = causes.get(`${phase} ${reason}`) ?? { ending: phase, reason, targets: 0 };
        known.targets++;
        if (causes.size < MOST_CAUSES) causes.set(`${phase} ${reason}`, known);
      }
    }
  }
  const state = stateOf(rollout, index);
  const unbegun = (counts["waiting"] ?? 0) + back;
  const waits = state === "waiting" ? waitsBefore(rollout, index) : waitsOf({ size, unbegun, asked, postponed, isHeld: rollout.state === "paused" }, rollouts);
  return { name, size, state, openedAt, parts, counts, waits, causes: [...causes.values()] };
}

function isLookedAt(phase: Phase): boolean {
  return phase === "postponed" || isBad(phase);
}

function stateOf({ state, phase, context }: KnownRollout, index: number): GroupState {
  if (index > context.open) return "waiting";
  if (index < context.open || state === "completed" || phase === "ending") return "succeeded";
  return phase === "soaking" ? "soaking" : "open";
}
