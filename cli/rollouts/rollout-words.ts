// A rollout as the API shows it, and as people read it: one line for all of it, a bar for each group, and below it why the group waits.

import { oneLine, type Paint } from "../terminal/index.ts";

export interface RolloutItem {
  readonly id: string;
  readonly address: string;
  readonly tenant: string;
  readonly state: string;
  readonly phase: string | null;
  readonly group: string | null;
  readonly targets: number;
  readonly counts: Readonly<Record<string, number>>;
  readonly why: { readonly reason: string; readonly who: string; readonly at: number } | null;
  readonly created: { readonly at: number; readonly by: string } | null;
}

export interface ShownGroup {
  readonly name: string;
  readonly size: number;
  readonly state: string;
  readonly counts: Readonly<Record<string, number>>;
  readonly waits: readonly { readonly text: string }[];
  readonly causes: readonly { readonly ending: string; readonly reason: string; readonly targets: number }[];
}

export interface ShownRollout extends RolloutItem {
  readonly groups: readonly ShownGroup[];
  readonly noted?: readonly { readonly verb: string; readonly who: string; readonly reason: string | null; readonly at: number }[];
  readonly newcomers?: { readonly count: number; readonly first: readonly string[] };
}

const BAD = ["failed", "rolledBack", "overdue", "timedOut", "dark"];
const BAR = 24;
/** Of reasons below a group. */
const MOST_REASONS = 5;

export function rolloutPath(id: string, rest = ""): string {
  return `/v1/rollouts/${encodeURIComponent(id)}${rest}`;
}

export function vehicles(count: number): string {
  return count === 1 ? "1 vehicle" : `${String(count)} vehicles`;
}

/** How large a rollout is. */
export function extentOf(targets: number, groups: number): string {
  return `${vehicles(targets)} in ${groups === 1 ? "1 group" : `${String(groups)} groups`}`;
}

export function badIn(counts: Readonly<Record<string, number>>): number {
  return BAD.reduce((sum, ending) => sum + (counts[ending] ?? 0), 0);
}

/** Nothing of it begins any more. */
export function isOver({ state, phase }: RolloutItem): boolean {
  return state === "completed" || (state === "aborted" && phase !== "settling");
}

export function headLine({ address, state, phase, why, targets, groups }: ShownRollout, { bold, good, bad, notice }: Paint): string {
  const colour = state === "completed" ? good : state === "aborted" ? bad : state === "paused" ? notice : bold;
  const committed = groups.reduce((sum, { counts }) => sum + (counts["committed"] ?? 0), 0);
  const because = why === null || state === "completed" ? "" : ` by ${oneLine(why.who)}: ${oneLine(why.reason)}`;
  return `${oneLine(address)}  ${colour(state)}${phase === null ? "" : ` (${phase})`}${because}  ${String(committed)} of ${String(targets)} committed`;
}

export interface GroupLines {
  /** Which group it is, with its bar. */
  readonly line: string;
  /** Why it waits, and how its bad ones ended. */
  readonly reasons: readonly string[];
}

/** @param width of the longest name */
export function groupLines({ name, size, state, counts, waits, causes }: ShownGroup, width: number): GroupLines {
  const committed = counts["committed"] ?? 0;
  const bad = badIn(counts);
  const excused = counts["excused"] ?? 0;
  const told = [
    `${String(committed)} of ${String(size)}`,
    ...(bad === 0 ? [] : [`${String(bad)} bad`]),
    ...(excused === 0 ? [] : [`${String(excused)} excused`]),
    ...(state === "open" ? [] : [state]),
  ];
  const reasons = [
    ...causes.map(({ ending, reason, targets }) => `${String(targets)} of ${String(size)} ${ending}${reason === "" ? "" : `: ${reason}`}`),
    ...waits.map(({ text }) => text),
  ];
  const shown = reasons.slice(0, MOST_REASONS).map(oneLine);
  return {
    line: `${oneLine(name).padEnd(width)}  [${bar({ committed, bad, excused, going: counts["under way"] ?? 0 }, size)}]  ${told.join(", ")}`,
    reasons: reasons.length > MOST_REASONS ? [...shown, `and ${String(reasons.length - MOST_REASONS)} more`] : shown,
  };
}

/** `=` committed, `x` bad, `~` excused, `>` under way: sums are rounded, so that the bar is full when all have ended, and a part that is there is seen. */
function bar({ committed, bad, excused, going }: Readonly<Record<"committed" | "bad" | "excused" | "going", number>>, size: number): string {
  let text = "";
  let sum = 0;
  for (const [mark, count] of [
    ["=", committed],
    ["x", bad],
    ["~", excused],
    [">", going],
  ] as const) {
    sum += count;
    const until = Math.round((sum * BAR) / Math.max(1, size));
    if (count > 0) text += mark.repeat(Math.max(0, Math.max(1, until - text.length)));
  }
  return text.slice(0, BAR).padEnd(BAR, ".");
}
