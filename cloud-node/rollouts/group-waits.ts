// Why a group waits, as a person reads it: who of its vehicles is not online since when, what they wait for, and what comes before it.

import type { Phase } from "../../actors/index.ts";
import type { KnownRollout } from "./rollout-book.ts";
import type { Rollouts } from "./rollouts.ts";

export interface Wait {
  readonly why: string;
  readonly targets: number;
  readonly of: number;
  /** Wall ms; of vehicles that are away: when the one that is away longest was last heard. */
  readonly since?: number;
  readonly text: string;
}

/** Vehicles that something is awaited of. */
export type Asked = Readonly<Record<"away" | "offered" | "under way", string[]>>;

export function isAsked(phase: Phase): phase is keyof Asked {
  return phase === "away" || phase === "offered" || phase === "under way";
}

interface Waiting {
  readonly size: number;
  readonly unbegun: number;
  readonly asked: Asked;
  readonly postponed: ReadonlyMap<string, number>;
  readonly isHeld: boolean;
}

/** Why a group that is open has not ended, first what a person can do something about. Whether a vehicle is online is its link's word, now. */
export function waitsOf({ size, unbegun, asked, postponed, isHeld }: Waiting, { linkOf }: Pick<Rollouts, "linkOf">): readonly Wait[] {
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

/** Why a group has not opened. Of a rollout that is over none will. */
export function waitsBefore({ state, phase, context }: Pick<KnownRollout, "state" | "phase" | "context">, index: number): readonly Wait[] {
  const { groups, open, limits } = context;
  const size = groups[index]?.size ?? 0;
  const before = groups[index - 1]?.name ?? "";
  const wait = (why: string): readonly Wait[] => [{ why, targets: size, of: size, text: `${String(size)} of ${String(size)} ${why}` }];
  if (state === "aborted") return [];
  if (state === "draft") return wait("not begun: the rollout is not approved");
  if (index > open + 1) return wait(`wait for group ${before}`);
  if (state === "paused") return wait("not begun: the rollout is paused");
  return wait(phase === "soaking" ? `wait until group ${before} has soaked` : `wait until ${String(limits.successPercent)} % of group ${before} are committed`);
}
