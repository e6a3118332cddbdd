// Where targets stand, one letter each: 500 of them are 500 bytes of their group's state.

import { BAD, type Ending } from "../rollout/index.ts";

/**
 * `offered`, `under way` and `overdue` hold a slot. `away`: not heard of since it was offered. `postponed`: it cannot begin now.
 * `overdue`: counts as timed out, and is still at work.
 */
export type Phase = "waiting" | "offered" | "away" | "postponed" | "under way" | "overdue" | Ending;

const LETTERS = {
  waiting: "w",
  offered: "o",
  away: "a",
  postponed: "p",
  "under way": "u",
  overdue: "O",
  committed: "c",
  failed: "f",
  rolledBack: "r",
  timedOut: "t",
  dark: "d",
  excused: "x",
} as const satisfies Readonly<Record<Phase, string>>;

/** In the order in which a target goes through them. */
export const PHASE_NAMES: readonly Phase[] = Object.keys(LETTERS) as Phase[];

const PHASES = Object.fromEntries(Object.entries(LETTERS).map(([phase, letter]) => [letter, phase])) as Readonly<Record<string, Phase>>;

const ENDINGS: readonly string[] = ["committed", ...BAD, "excused"] satisfies readonly Ending[];

/** As what its rule counts it; undefined: it has no end yet. */
export function endingOf(phase: Phase): Ending | undefined {
  if (phase === "overdue") return "timedOut";
  return isEnding(phase) ? (phase as Ending) : undefined;
}

export function isBad(phase: Phase): boolean {
  return (BAD as readonly (Ending | undefined)[]).includes(endingOf(phase));
}

export function holdsSlot(phase: Phase): boolean {
  return phase === "offered" || phase === "under way" || phase === "overdue";
}

/** How many hold a slot. */
export function holding(counts: Readonly<Record<Phase, number>>): number {
  return PHASE_NAMES.reduce((sum, phase) => sum + (holdsSlot(phase) ? counts[phase] : 0), 0);
}

/** Of a target that has its end: committed, bad or excused. */
export function isEnding(phase: string): boolean {
  return ENDINGS.includes(phase);
}

/** Nobody has said that it is over: it waits, is at work, or was given up by a timer alone. */
export function mayBeAtWork(phase: Phase): boolean {
  return !isEnding(phase) || phase === "dark" || phase === "timedOut";
}

export function allWaiting(count: number): string {
  return LETTERS.waiting.repeat(count);
}

export function phaseAt(phases: string, index: number): Phase | undefined {
  return PHASES[phases[index] ?? ""];
}

export function withPhase(phases: string, index: number, phase: Phase): string {
  return phases.slice(0, index) + LETTERS[phase] + phases.slice(index + 1);
}

/** How many are in each phase. */
export function inPhase(phases: string): Readonly<Record<Phase, number>> {
  const counts = Object.fromEntries(PHASE_NAMES.map((phase) => [phase, 0])) as Record<Phase, number>;
  for (const letter of phases) {
    const phase = PHASES[letter];
    if (phase !== undefined) counts[phase]++;
  }
  return counts;
}

/** Places of the first so many that wait, in their order. */
export function firstWaiting(phases: string, most: number): readonly number[] {
  const places: number[] = [];
  for (let index = phases.indexOf(LETTERS.waiting); index !== -1 && places.length < most; index = phases.indexOf(LETTERS.waiting, index + 1)) places.push(index);
  return places;
}

/** Of each target, in their order. */
export function phasesIn(phases: string): readonly Phase[] {
  return Array.from(phases, (letter) => PHASES[letter] ?? "waiting");
}
