// What a rollout remembers, and how it changes: pure functions (research/fleet-ota.md 2.2).
//
// S1. Slots are a ledger: what the parts of all groups hold and what is free is the plan's concurrency at any time, since grants and returns are messages that arrive once and in order (rules M1).
// S2. Who has reported a bad result begins nothing until the rollout has taken note of it: it is cleared up to a number of bad results. So the rule decides before the next begins.
// S3. Nothing is granted or cleared unless the rollout runs and its rule says go on.
// S4. What a person has looked over by resuming are results, not a number of them: one that is corrected later makes no room for another one. Which of them was corrected nobody tells; it is taken to be one
//     of those, so that the rule rather asks once more.

import type { Static } from "typebox";
import type { PlanFile } from "./plan.ts";
import type { badTarget } from "./messages.ts";
import {
  badIn,
  endedIn,
  type Forgiven,
  type GroupCount,
  hasSucceeded,
  isOutOfReach,
  type Limits,
  NONE_FORGIVEN,
  NOTHING,
  sum,
  type Tally,
  type Verdict,
  verdictOn,
} from "./tally.ts";

export type BadTarget = Static<typeof badTarget>;

/** Of an operator's word. */
export interface Noted {
  readonly at: number;
  readonly verb: "approve" | "pause" | "resume" | "abort";
  readonly who: string;
  readonly reason: string | null;
}

export interface Part {
  readonly size: number;
  readonly slots: number;
  readonly tally: Tally;
  readonly underWay: number;
  readonly wanting: number;
  readonly waits: Readonly<Record<string, number>>;
  /** S2: bad results that it ever noted, and how many of them have been taken note of here. */
  readonly noted: number;
  readonly cleared: number;
  /** Of its bad results, how many were corrected ever. */
  readonly corrected: number;
  /** The round of the hold that it has answered; 0: it does not hold. */
  readonly holds: number;
}

export interface RolloutGroup {
  readonly name: string;
  readonly size: number;
  readonly parts: readonly string[];
  readonly abortCount: number | null;
  readonly pauseCount: number | null;
  readonly badAtResume: number;
  /** Of a group that could not reach its share, when a person last resumed the rollout (tally.ts R5). */
  readonly forgiven: Forgiven;
  /** A person has resumed the rollout although nobody was left who could be committed. */
  readonly isAccepted: boolean;
  readonly openedAt: number | null;
}

/** Who made it. */
export interface Created {
  readonly at: number;
  readonly who: string;
  /** The id of the request, and a digest of the plan that it held. */
  readonly key: string;
  readonly plan: string;
}

export interface RolloutContext {
  readonly select: PlanFile["select"];
  readonly created: Created | null;
  readonly limits: Limits;
  readonly concurrency: number;
  readonly soakMs: number;
  readonly images: readonly { readonly module: string; readonly hardware: string; readonly address: number | null; readonly version: string; readonly sha256: string }[];
  readonly groups: readonly RolloutGroup[];
  /** By the addresses of their group entities. */
  readonly parts: Readonly<Record<string, Part>>;
  /** Index of the newest group that is open; -1: none. */
  readonly open: number;
  /** The newest; older ones are found at their targets. */
  readonly bad: readonly BadTarget[];
  /** Why it is paused or aborted, and by whom; `the rule`: by its own rule. */
  readonly why: { readonly reason: string; readonly who: string; readonly at: number } | null;
  readonly noted: readonly Noted[];
  /** Of holds and of the cancel: each has a number. */
  readonly round: number;
}

export interface RolloutInput {
  readonly select: PlanFile["select"];
  readonly created: Created | null;
  readonly limits: Limits;
  readonly concurrency: number;
  readonly soakMs: number;
  readonly images: RolloutContext["images"];
  readonly groups: readonly {
    readonly name: string;
    readonly abortCount: number | null;
    readonly pauseCount: number | null;
    readonly parts: readonly { readonly group: string; readonly size: number }[];
  }[];
}

export interface Report {
  readonly part: string;
  readonly tally: Tally;
  readonly underWay: number;
  readonly returned: number;
  readonly wanting: number;
  readonly waits: Readonly<Record<string, number>>;
  readonly bad: BadTarget[];
  readonly noted: number;
  readonly corrected: number;
  readonly holds: number;
}

const MAX_BAD = 100;
const MAX_NOTED = 200;
/** Author of what the rule decides. */
export const THE_RULE = "the rule";

export function begun(input: RolloutInput): RolloutContext {
  const parts: Record<string, Part> = {};
  const groups = input.groups.map(({ parts: own, ...group }): RolloutGroup => {
    for (const { group: address, size } of own)
      parts[address] = { size, slots: 0, tally: NOTHING, underWay: 0, wanting: 0, waits: {}, noted: 0, cleared: 0, corrected: 0, holds: 0 };
    return {
      ...group,
      size: own.reduce((all, { size }) => all + size, 0),
      parts: own.map(({ group: address }) => address),
      badAtResume: 0,
      forgiven: NONE_FORGIVEN,
      isAccepted: false,
      openedAt: null,
    };
  });
  const { select, created, limits, concurrency, soakMs, images } = input;
  return { select, created, limits, concurrency, soakMs, images, groups, parts, open: -1, bad: [], why: null, noted: [], round: 0 };
}

/** S1: what is not held. */
function freeSlots({ concurrency, parts }: Pick<RolloutContext, "concurrency" | "parts">): number {
  return concurrency - Object.values(parts).reduce((held, { slots }) => held + slots, 0);
}

/** undefined: from nobody that belongs to it, or more is given back than was held. */
export function reported(context: RolloutContext, report: Report): RolloutContext | undefined {
  const part = context.parts[report.part];
  if (part === undefined || report.returned > part.slots) return undefined;
  const { tally, underWay, wanting, waits, noted: ever, corrected, holds } = report;
  const next: Part = { ...part, slots: part.slots - report.returned, tally, underWay, wanting, waits, noted: ever, corrected, holds };
  const groups =
    corrected === part.corrected ? context.groups : context.groups.map((group) => (group.parts.includes(report.part) ? lessLookedOver(group, corrected - part.corrected) : group));
  return { ...context, groups, parts: { ...context.parts, [report.part]: next }, bad: [...context.bad, ...report.bad].slice(-MAX_BAD) };
}

/** S4. */
function lessLookedOver(group: RolloutGroup, corrected: number): RolloutGroup {
  const { badAtResume, forgiven } = group;
  return { ...group, badAtResume: Math.max(0, badAtResume - corrected), forgiven: { ...forgiven, bad: Math.max(0, forgiven.bad - corrected) } };
}

/** Of the groups that are or were open, in their order. */
function countsOf(context: RolloutContext): readonly GroupCount[] {
  return context.groups.slice(0, context.open + 1).map((group) => ({
    name: group.name,
    size: group.size,
    tally: tallyOf(context, group),
    abortCount: group.abortCount ?? undefined,
    pauseCount: group.pauseCount ?? undefined,
    badAtResume: group.badAtResume,
    forgiven: group.forgiven,
  }));
}

function tallyOf({ parts }: Pick<RolloutContext, "parts">, group: RolloutGroup): Tally {
  return sum(group.parts.map((id) => parts[id]?.tally ?? NOTHING));
}

function sharedBy(context: RolloutContext, group: RolloutGroup): Pick<GroupCount, "size" | "tally" | "forgiven"> {
  return { size: group.size, tally: tallyOf(context, group), forgiven: group.forgiven };
}

/** By counts alone; a group out of reach is a pause. */
export function ruling(context: RolloutContext): Verdict {
  const said = verdictOn(countsOf(context), context.limits);
  if (said.kind !== "go-on") return said;
  const newest = context.groups[context.open];
  if (newest === undefined || newest.isAccepted || !isOutOfReach(sharedBy(context, newest), context.limits)) return said;
  const { committed } = tallyOf(context, newest);
  return {
    kind: "pause",
    why: `${String(committed)} of ${String(newest.size)} committed in group ${newest.name}: ${String(context.limits.successPercent)} % cannot be reached any more`,
  };
}

export function newestHasSucceeded(context: RolloutContext): boolean {
  const newest = context.groups[context.open];
  return newest !== undefined && (newest.isAccepted || hasSucceeded(sharedBy(context, newest), context.limits));
}

export function isLastOpen({ open, groups }: Pick<RolloutContext, "open" | "groups">): boolean {
  return open === groups.length - 1;
}

/** All that were told have answered: nothing begins. */
export function allHold({ parts, round }: Pick<RolloutContext, "parts" | "round">, told: readonly string[]): boolean {
  return told.every((id) => parts[id]?.holds === round);
}

/** Parts of the groups that are or were open. */
export function openParts({ groups, open }: Pick<RolloutContext, "groups" | "open">): readonly string[] {
  return groups.slice(0, open + 1).flatMap(({ parts }) => parts);
}

export function allEnded(context: RolloutContext): boolean {
  return isLastOpen(context) && Object.values(context.parts).every(({ size, tally }) => endedIn(tally) >= size);
}

export function opened(context: RolloutContext, now: number): RolloutContext {
  const open = context.open + 1;
  const parts = { ...context.parts };
  for (const id of context.groups[open]?.parts ?? []) {
    const part = parts[id];
    if (part !== undefined) parts[id] = { ...part, wanting: part.size };
  }
  return { ...context, open, parts, groups: context.groups.map((group, index) => (index === open ? { ...group, openedAt: now } : group)) };
}

export interface Grant {
  readonly group: string;
  readonly slots: number;
  readonly cleared: number;
}

/** S2, S3: what each part is told now. Free slots go in equal shares to those that want some. */
export function granted(context: RolloutContext): { readonly context: RolloutContext; readonly grants: readonly Grant[] } {
  if (ruling(context).kind !== "go-on") return { context, grants: [] };
  const told = openParts(context);
  const parts: Record<string, Part> = { ...context.parts };
  const grants: Grant[] = [];
  const wanting = told.filter((id) => (parts[id]?.wanting ?? 0) > 0);
  let free = freeSlots(context);
  for (const id of told) {
    const part = parts[id];
    if (part === undefined) continue;
    const place = wanting.indexOf(id);
    const slots = place === -1 ? 0 : Math.min(part.wanting, Math.ceil(free / (wanting.length - place)));
    free -= slots;
    const cleared = part.noted;
    if (slots === 0 && cleared === part.cleared) continue;
    parts[id] = { ...part, slots: part.slots + slots, wanting: part.wanting - slots, cleared };
    grants.push({ group: id, slots, cleared });
  }
  return { context: { ...context, parts }, grants };
}

export function resumed(context: RolloutContext): RolloutContext {
  const groups = context.groups.map((group, index) => {
    const shared = sharedBy(context, group);
    const bad = badIn(shared.tally);
    const isStuck = index === context.open && isOutOfReach(shared, context.limits);
    const forgiven = isStuck ? { bad, excused: shared.tally.excused } : group.forgiven;
    return { ...group, badAtResume: bad, forgiven, isAccepted: group.isAccepted || (isStuck && isOutOfReach({ ...shared, forgiven }, context.limits)) };
  });
  return { ...context, groups, why: null };
}

export function noted(context: RolloutContext, note: Noted): RolloutContext {
  return { ...context, noted: [...context.noted, note].slice(-MAX_NOTED) };
}
