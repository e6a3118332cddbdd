// The one rule that decides about a rollout, as pure functions of counts (research/fleet-ota.md 2.2).
//
// R1. evaluated = committed + failed + rolled back + timed out + dark; all of these but committed are bad. Excused is neither.
// R2. Abort: a critical reason, or a group's own count, or from the sample on the bad share or count. It is asked first.
// R3. Pause: as abort, with the plan's milder thresholds; counted anew since a person last resumed it.
// R4. The next group opens when committed / (group - excused) reaches the success share and the soak has passed. No more are excused than the plan allows: what is beyond counts as not committed.
// R5. A group whose share cannot be reached any more waits for a person: it never opens the next one by having ended. Who resumes it forgives what ended without being committed until then: the share is of the others.

export const BAD = ["failed", "rolledBack", "timedOut", "dark"] as const;
export type Bad = (typeof BAD)[number];
/** How a target ends. */
export type Ending = "committed" | Bad | "excused";

/** Targets by how they ended, and how many would be excused now without having ended. */
export interface Tally {
  readonly committed: number;
  readonly failed: number;
  readonly rolledBack: number;
  readonly timedOut: number;
  readonly dark: number;
  readonly excused: number;
  /** Not ended: postponed, out of their window, not online. They may still come. */
  readonly absent: number;
  /** Of the bad ones, those of which one alone aborts (R2): a vehicle that is left inconsistent. */
  readonly critical: number;
}

export const NOTHING: Tally = { committed: 0, failed: 0, rolledBack: 0, timedOut: 0, dark: 0, excused: 0, absent: 0, critical: 0 };

export interface Limits {
  readonly successPercent: number;
  readonly excusePercent: number;
  readonly pause: { readonly count: number | undefined; readonly percent: number | undefined };
  readonly abort: { readonly minSample: number; readonly percent: number; readonly count: number };
}

/** R5: how many of a group a person has forgiven. */
export interface Forgiven {
  readonly bad: number;
  readonly excused: number;
}

export const NONE_FORGIVEN: Forgiven = { bad: 0, excused: 0 };

export interface GroupCount {
  readonly name: string;
  readonly size: number;
  readonly tally: Tally;
  readonly abortCount: number | undefined;
  readonly pauseCount: number | undefined;
  /** Bad results in it when a person last resumed the rollout. */
  readonly badAtResume: number;
  readonly forgiven: Forgiven;
}

/** What the share of a group is judged by. */
type Shared = Pick<GroupCount, "size" | "tally" | "forgiven">;

export type Verdict = { readonly kind: "go-on" } | { readonly kind: "abort" | "pause"; readonly why: string };

export function sum(tallies: readonly Tally[]): Tally {
  const total = { ...NOTHING };
  for (const tally of tallies) for (const key of Object.keys(NOTHING) as (keyof Tally)[]) total[key] += tally[key];
  return total;
}

export function badIn(tally: Tally): number {
  return tally.failed + tally.rolledBack + tally.timedOut + tally.dark;
}

/** R1. */
function evaluatedIn(tally: Tally): number {
  return tally.committed + badIn(tally);
}

/** How many have their end. */
export function endedIn(tally: Tally): number {
  return evaluatedIn(tally) + tally.excused;
}

/** R2, R3. */
export function verdictOn(groups: readonly GroupCount[], limits: Limits): Verdict {
  const total = sum(groups.map(({ tally }) => tally));
  const bad = badIn(total);
  const evaluated = evaluatedIn(total);
  const { minSample, percent, count } = limits.abort;
  if (total.critical > 0) return { kind: "abort", why: `${times(total.critical)} left inconsistent: one aborts it` };
  for (const group of groups) {
    const inGroup = badIn(group.tally);
    if (group.abortCount !== undefined && inGroup >= group.abortCount)
      return { kind: "abort", why: `${times(inGroup)} bad in group ${group.name}, ${String(group.abortCount)} abort it` };
  }
  if (evaluated >= minSample) {
    if (bad >= count) return { kind: "abort", why: `${times(bad)} bad, ${String(count)} abort it` };
    if (bad > 0 && bad * 100 >= percent * evaluated) return { kind: "abort", why: `${share(bad, evaluated)} bad, ${String(percent)} % abort it` };
  }
  for (const group of groups) {
    const fresh = badIn(group.tally) - group.badAtResume;
    if (group.pauseCount !== undefined && fresh >= group.pauseCount)
      return { kind: "pause", why: `${times(fresh)} bad in group ${group.name}, ${String(group.pauseCount)} pause it` };
  }
  const fresh = bad - groups.reduce((before, group) => before + group.badAtResume, 0);
  if (fresh <= 0) return { kind: "go-on" };
  const { pause } = limits;
  if (pause.count !== undefined && fresh >= pause.count) return { kind: "pause", why: `${times(fresh)} bad since it was started or resumed, ${String(pause.count)} pause it` };
  if (pause.percent !== undefined && evaluated >= minSample && bad * 100 >= pause.percent * evaluated)
    return { kind: "pause", why: `${share(bad, evaluated)} bad, ${String(pause.percent)} % pause it` };
  return { kind: "go-on" };
}

/** R4, without the soak. A group of which nobody was committed has shown nothing. */
export function hasSucceeded({ size, tally, forgiven }: Shared, limits: Limits): boolean {
  // What was corrected since is forgiven no more.
  const forgivenExcused = Math.min(forgiven.excused, tally.excused);
  const excusable = Math.min(tally.excused - forgivenExcused + tally.absent, Math.floor((size * limits.excusePercent) / 100));
  const counted = size - excusable - forgivenExcused - Math.min(forgiven.bad, badIn(tally));
  return tally.committed > 0 && tally.committed * 100 >= limits.successPercent * counted;
}

/** R5: were all that have not ended committed, it would not be enough. */
export function isOutOfReach({ size, tally, forgiven }: Shared, limits: Limits): boolean {
  const stillMay = size - endedIn(tally);
  return !hasSucceeded({ size, forgiven, tally: { ...tally, committed: tally.committed + stillMay, absent: 0 } }, limits);
}

function times(bad: number): string {
  return String(bad);
}

function share(bad: number, evaluated: number): string {
  return `${String(bad)} of ${String(evaluated)}`;
}
