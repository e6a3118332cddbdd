// What a group entity remembers of its targets, and who of them may begin: pure functions. It is written with every turn of the group, so it holds a letter for each target: what never changes of one stands at the target.
//
// P1. Who holds a slot is read from the phases: offered, under way and overdue hold one each. What was granted and is not held is free, so no sum can drift.
// P2. While bad results wait for the rollout to take note of them, nobody begins. They are counted as they come: one that is corrected later does not make room for another one.
// P3. First those that have a slot and are ready, then those that were away and are back, then the others in their order.
// P4. Slots that nobody wants now go back with the next report: who is away holds none.
// P5. While its node has no link to the bus nobody is given up for silence: whose time is over then is listened to anew.

import type { BadTarget, Report, Tally } from "../rollout/index.ts";
import { allWaiting, endingOf, firstWaiting, holding, inPhase, isBad, phaseAt, type Phase, withPhase } from "./phases.ts";

export interface PartInput {
  /** Its own address. */
  readonly self: string;
  /** Address of its rollout. */
  readonly rollout: string;
  /** Its id in its rollout. */
  readonly part: string;
  /** How many targets it has. */
  readonly size: number;
}

export interface PartContext extends PartInput {
  readonly phases: string;
  readonly slots: number;
  /** P2. */
  readonly noted: number;
  readonly cleared: number;
  /** Bad results that turned out to be none. */
  readonly corrected: number;
  /** Of the targets that are bad now. */
  readonly critical: readonly number[];
  /** Places of targets that have a slot and are ready. */
  readonly ready: readonly number[];
  /** Places of those that were away or postponed and are ready. */
  readonly back: readonly number[];
  /** Not reported yet. */
  readonly newBad: readonly BadTarget[];
  readonly reportDue: boolean;
  /** P5, and the places of those who were silent too long meanwhile. */
  readonly isDeaf: boolean;
  readonly silent: readonly number[];
  /** The round of the hold or the cancel that it obeys; 0: none. */
  readonly round: number;
}

const MAX_NEW_BAD = 64;

export function begunPart(input: PartInput): PartContext {
  return {
    ...input,
    phases: allWaiting(input.size),
    slots: 0,
    noted: 0,
    cleared: 0,
    corrected: 0,
    critical: [],
    ready: [],
    back: [],
    newBad: [],
    reportDue: false,
    isDeaf: false,
    silent: [],
    round: 0,
  };
}

const without = (list: readonly number[], index: number): readonly number[] => list.filter((each) => each !== index);

export interface TargetChange {
  readonly index: number;
  /** Address of its vehicle. */
  readonly vehicle: string;
  readonly phase: Phase;
  readonly why: string | null;
  readonly module: string | null;
  readonly critical: boolean;
}

export function changed(context: PartContext, { index, vehicle, phase, why, module, critical }: TargetChange, now: number): PartContext {
  const before = phaseAt(context.phases, index);
  const wasBad = before !== undefined && isBad(before);
  const bad: BadTarget = { vehicle, ...(module === null ? {} : { module }), ending: endingOf(phase) ?? phase, reason: why ?? "", at: now };
  const others = without(context.critical, index);
  return {
    ...context,
    phases: withPhase(context.phases, index, phase),
    ready: without(context.ready, index),
    back: without(context.back, index),
    critical: critical ? [...others, index] : others,
    corrected: context.corrected + (wasBad && !isBad(phase) ? 1 : 0),
    ...(isBad(phase) && !(wasBad && endingOf(before) === endingOf(phase)) ? { noted: context.noted + 1, newBad: [...context.newBad, bad].slice(-MAX_NEW_BAD) } : {}),
  };
}

export function wanted(context: PartContext, index: number): PartContext {
  const list = phaseAt(context.phases, index) === "offered" ? "ready" : "back";
  return context[list].includes(index) ? context : { ...context, [list]: [...context[list], index] };
}

/** P1. */
function freeIn({ slots, phases }: Pick<PartContext, "slots" | "phases">): number {
  return slots - holding(inPhase(phases));
}

/** Places of those that have a slot from now on or are told to begin, and the context after that. */
export function begins(context: PartContext): { readonly places: readonly number[]; readonly context: PartContext } {
  const { ready, back, noted, cleared } = context;
  // P2.
  if (noted > cleared) return { places: [], context };
  const free = Math.max(0, freeIn(context));
  const again = back.slice(0, free);
  const first = firstWaiting(context.phases, free - again.length);
  const begun = [...ready, ...again].reduce((phases, index) => withPhase(phases, index, "under way"), context.phases);
  const phases = first.reduce((all, index) => withPhase(all, index, "offered"), begun);
  return { places: [...ready, ...again, ...first], context: { ...context, phases, ready: [], back: back.slice(again.length) } };
}

/** What is reported now, and the context without it. */
export function report(context: PartContext): { readonly report: Report; readonly context: PartContext } {
  const counts = inPhase(context.phases);
  const free = Math.max(0, freeIn(context));
  const wanting = counts.waiting + context.back.length;
  // P4.
  const returned = Math.max(0, free - wanting);
  const { committed, failed, rolledBack, timedOut, overdue, dark, excused, waiting, away, postponed } = counts;
  const tally: Tally = { committed, failed, rolledBack, timedOut: timedOut + overdue, dark, excused, absent: away + postponed, critical: context.critical.length };
  return {
    report: {
      part: context.part,
      tally,
      underWay: holding(counts),
      returned,
      wanting: Math.max(0, wanting - free),
      waits: { ...(waiting > 0 ? { waiting } : {}), ...(away > 0 ? { away } : {}), ...(postponed > 0 ? { postponed } : {}) },
      bad: [...context.newBad],
      noted: context.noted,
      corrected: context.corrected,
      holds: context.round,
    },
    context: { ...context, slots: context.slots - returned, newBad: [], reportDue: false },
  };
}
