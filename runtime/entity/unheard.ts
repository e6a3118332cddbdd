// What reached nobody inside an entity, or nobody there listens to: dropped, counted, and told to whoever hosts it (hosting H5; promise S5).
//
// U1. What a turn drops counts when the turn is committed: what was taken back was never said.

import type { Input } from "./contract.ts";

/** By what was dropped; each with what it means, for who reads the numbers. */
export const UNHEARD = {
  event: "an event to an actor that has gone",
  source: "a word of a source that was stopped, or that was no event",
  timer: "a timer whose actor has gone",
  reply: "a second or late reply to whoever asked",
  answer: "an answer to an ask that waits no longer",
  "effect-outcome": "an outcome that its actor's protocol does not list",
  confirmation: "a word on an effect that waits for none",
  fault: "a failure of an actor that has gone",
} as const;

export type UnheardKind = keyof typeof UNHEARD;

export type UnheardCounts = Readonly<Partial<Record<UnheardKind, number>>>;

const DROPPED_INPUTS: Readonly<Partial<Record<Input["kind"], UnheardKind>>> = { timer: "timer", source: "source", performed: "confirmation", answered: "answer", fault: "fault" };

/** undefined: it is told elsewhere what became of such an input, or it was one that had its effect before. */
export function unheardOf({ kind }: Input): UnheardKind | undefined {
  return DROPPED_INPUTS[kind];
}

export function withUnheard(counts: UnheardCounts, more: readonly UnheardKind[]): UnheardCounts {
  const sum: Partial<Record<UnheardKind, number>> = { ...counts };
  for (const kind of more) sum[kind] = (sum[kind] ?? 0) + 1;
  return sum;
}
