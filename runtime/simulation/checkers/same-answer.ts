// M2. The same id gets the same answer, however often it is asked and whatever happened between: what the history of its entity first recorded under that id.
//
// A1. A history that was begun anew has forgotten its ids, and so has one whose outcomes expired. What a volatile entity has answered nobody wrote down (rules M3).

import { isDeepStrictEqual } from "node:util";
import { entityOf, parseAddress } from "../../address.ts";
import type { TakenEntry } from "../../entity/contract.ts";
import type { ToldFact } from "../history.ts";
import { rowsOf } from "../open-work.ts";
import type { Checker, Evidence } from "./evidence.ts";
import { standingTurns } from "./standing-turns.ts";

export const sameAnswer: Checker = {
  name: "the same id gets the same answer",
  promise: "M2",
  check: (evidence) => {
    const told = repliesIn(evidence);
    if (told.size === 0) return [];
    const recorded = recordedFor(evidence, told);
    const found: { atMs: number; what: string }[] = [];
    for (const [message, facts] of told) {
      const first = recorded.get(message);
      if (first === undefined) continue;
      for (const { atMs, id, to, outcome } of facts)
        if (outcome.kind === "replied" && !(first.kind === "replied" && isSame(first.value, outcome.value)))
          found.push({
            atMs,
            what: `${id} to ${to} was answered with ${textOf(outcome.value)}; its entity has recorded ${first.kind === "replied" ? textOf(first.value) : first.kind}`,
          });
    }
    return found;
  },
};

/** By entity and id. */
function repliesIn({ history }: Evidence): ReadonlyMap<string, readonly ToldFact[]> {
  const told = new Map<string, ToldFact[]>();
  for (const fact of history) {
    if (fact.kind !== "told" || fact.outcome.kind !== "replied") continue;
    const message = `${entityOf(parseAddress(fact.to))} ${fact.id}`;
    const facts = told.get(message);
    if (facts === undefined) told.set(message, [fact]);
    else facts.push(fact);
  }
  return told;
}

/** A1. */
function recordedFor(evidence: Evidence, asked: ReadonlyMap<string, unknown>): ReadonlyMap<string, NonNullable<TakenEntry["answer"]> | undefined> {
  const histories = new Map<string, string>();
  const begunAnew = new Set<string>();
  for (const { entity, incarnation } of evidence.turns) {
    if ((histories.get(entity) ?? incarnation) !== incarnation) begunAnew.add(entity);
    histories.set(entity, incarnation);
  }
  const recorded = new Map<string, NonNullable<TakenEntry["answer"]> | undefined>();
  for (const { entity, record } of standingTurns(evidence)) {
    if (begunAnew.has(entity)) continue;
    for (const [id, row] of rowsOf(record, "taken")) {
      const message = `${entity} ${id}`;
      if (!asked.has(message)) continue;
      const answer = (row as TakenEntry | undefined)?.answer;
      if (row === undefined) recorded.set(message, undefined);
      else if (answer !== undefined && !recorded.has(message)) recorded.set(message, answer);
    }
  }
  return recorded;
}

/** What a wire carries lacks what is undefined. */
function isSame(one: unknown, other: unknown): boolean {
  return isDeepStrictEqual(one, other) || textOf(one) === textOf(other);
}

function textOf(value: unknown): string {
  return JSON.stringify([value]).slice(1, -1);
}
