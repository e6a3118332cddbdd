// A rollout as it is shown: where it is, its groups with counts and causes, and why one waits.
//
// D1. Counts are read from the parts' own phases, so that they are whole at any time; the rule itself counts what the parts have reported, at most 250 ms behind.
// D2. What takes a look at each target (why it is postponed, how it went wrong) is bounded.

import { BAD, phasesIn, type Phase, type RolloutGroup, type TargetContext, targetId } from "../../actors/index.ts";
import { type Address, idOf, type System } from "../../runtime/index.ts";
import type { KnownRollout } from "./rollout-book.ts";
import { tenantOf } from "./fleet-facts.ts";
import type { Rollouts } from "./rollouts.ts";

export interface Wait {
  readonly why: string;
  readonly targets: number;
  readonly of: number;
  /** Wall ms; of vehicles that are away: when the one that is away longest was last heard. */
  readonly since?: number;
  readonly text: string;
}

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

export function rolloutDocument(rollout: KnownRollout, rollouts: Pick<Rollouts, "book" | "linkOf">, system: Pick<System, "read">): Readonly<Record<string, unknown>> {
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
    groups: context.groups.map((group, index) => groupShown(rollout, group, index, { rollouts, system, look })),
    bad,
    noted,
  };
}

interface Looking {
  readonly rollouts: Pick<Rollouts, "book" | "linkOf">;
  readonly system: Pick<System, "read">;
  readonly look: { left: number };
}

function groupShown(rollout: KnownRollout, { name, size, parts, openedAt }: RolloutGroup, index: number, { rollouts, system, look }: Looking): ShownGroup {
  const counts: Record<string, number> = {};
  const asked: Asked = { away: [], offered: [], "under way": [] };
  let back = 0;
  const postponed = new Map<string, number>();
  const causes = new Map<string, { readonly ending: string; readonly reason: string; targets: number }>();
  for (const address of parts) {
    const part = rollouts.book.part(address);
    const areBack = new Set(part?.back);
    for (const [place, phase] of (part === undefined ? [] : phasesIn(part.phases)).entries()) {
      counts[phase] = (counts[phase] ?? 0) + 1;
      // Ready again: what it shows of before is over.
      if (areBack.has(place)) {
        back++;
        continue;
      }
      if (isAsked(phase)) asked[phase].push(part?.targets[place]?.vehicle ?? "");
      if (!isLookedAt(phase) || look.left === 0) continue;
      look.left--;
      const { why } = (system.read(`${address}/target/${targetId(place)}` as Address)?.context ?? { why: null }) as Pick<TargetContext, "why">;
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
  const waits = state === "waiting" ? [] : waitsOf({ size, unbegun: (counts["waiting"] ?? 0) + back, asked, postponed, isHeld: rollout.state === "paused" }, rollouts);
  return { name, size, state, openedAt, parts, counts, waits, causes: [...causes.values()] };
}

/** Vehicles that something is awaited of. */
type Asked = Readonly<Record<"away" | "offered" | "under way", string[]>>;

function isAsked(phase: Phase): phase is keyof Asked {
  return phase === "away" || phase === "offered" || phase === "under way";
}

function isLookedAt(phase: Phase): boolean {
  return phase === "postponed" || (BAD as readonly Phase[]).includes(phase);
}

function stateOf({ state, phase, context }: KnownRollout, index: number): GroupState {
  if (index > context.open) return "waiting";
  if (index < context.open || state === "completed" || phase === "ending") return "succeeded";
  return phase === "soaking" ? "soaking" : "open";
}

interface Waiting {
  readonly size: number;
  readonly unbegun: number;
  readonly asked: Asked;
  readonly postponed: ReadonlyMap<string, number>;
  readonly isHeld: boolean;
}

/** Why a group that is open has not ended, first what a person can do something about. Whether a vehicle is online is its link's word, now. */
function waitsOf({ size, unbegun, asked, postponed, isHeld }: Waiting, { linkOf }: Pick<Rollouts, "linkOf">): readonly Wait[] {
  const waits: Wait[] = [];
  const wait = (why: string, targets: number, more: { readonly since?: number; readonly text?: string } = {}): void => {
    const { text = why, since } = more;
    if (targets > 0) waits.push({ why, targets, of: size, ...(since === undefined ? {} : { since }), text: `${String(targets)} of ${String(size)} ${text}` });
  };
  const isUp = (vehicle: string): boolean => linkOf(vehicle).isUp;
  const isDown = (vehicle: string): boolean => !isUp(vehicle);
  const notOnline = (vehicles: readonly string[]): { readonly since?: number; readonly text: string } => {
    const since = vehicles
      .map((vehicle) => linkOf(vehicle).heardAt)
      .reduce<number | undefined>((oldest, at) => (at === undefined ? oldest : Math.min(oldest ?? at, at)), undefined);
    return since === undefined ? { text: "not online" } : { since, text: `not online since ${new Date(since).toISOString()}` };
  };

  const gone = [...asked.away, ...asked.offered].filter(isDown);
  wait("not online", gone.length, notOnline(gone));
  wait("have not answered their offer", asked.away.filter(isUp).length);
  for (const [why, targets] of postponed) wait(why, targets, { text: `postponed: ${why}` });
  const cut = asked["under way"].filter(isDown);
  wait("under way", asked["under way"].length, cut.length === 0 ? {} : { text: `under way, ${String(cut.length)} of them ${notOnline(cut).text}` });
  wait("fetch their images, or wait for the word to begin", asked.offered.filter(isUp).length);
  wait(isHeld ? "not begun: the rollout is paused" : "wait for their turn", unbegun);
  return waits;
}
