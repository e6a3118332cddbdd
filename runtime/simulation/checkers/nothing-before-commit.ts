// S2. Nothing leaves before its commit: what a sender was told, what watchers saw, what effects did and what other entities took had been written before.
//
// N1. A volatile entity skips the commit: what it says is written nowhere. Its turn is over when it is shown, and what it performs is of such a turn, in the same moment or before:
//     never of one that was taken back. What it did before its node had started nobody watched.

import type { EffectFact, History, NodeFact } from "../history.ts";
import { rowsOf } from "../open-work.ts";
import { turnOf } from "./effect-turn.ts";
import type { Checker, Evidence } from "./evidence.ts";

interface Found {
  readonly atMs: number;
  readonly what: string;
}

export const nothingBeforeCommit: Checker = {
  name: "nothing leaves before its commit",
  promise: "S2",
  check: (evidence) => [...tooEarly(evidence), ...neverTaken(evidence)],
};

function tooEarly(evidence: Evidence): readonly Found[] {
  const { history, turns, isVolatile } = evidence;
  const isOfVolatile = volatileEffects(evidence);
  const found: Found[] = [];
  const byPlace = new Map(turns.map((turn) => [turn.at, turn]));
  /** Highest written revision by entity and incarnation; effects and rows that are in a written turn. */
  const heads = new Map<string, number>();
  const newest = new Map<string, number>();
  const effects = new Set<string>();
  const rows = new Set<string>();
  history.forEach((fact, at) => {
    const turn = byPlace.get(at);
    if (turn !== undefined) {
      const { record, entity, incarnation, revision } = turn;
      heads.set(`${entity} ${incarnation}`, Math.max(revision, heads.get(`${entity} ${incarnation}`) ?? 0));
      newest.set(entity, Math.max(revision, newest.get(entity) ?? 0));
      for (const row of rowsOf(record, "pending")) if (row.length > 1) effects.add(row[0]);
      for (const row of rowsOf(record, "outbox")) if (row.length > 1) rows.add(`${entity} ${incarnation} ${row[0]}`);
      record.inputs.forEach((input, index) => {
        if (input.kind !== "message" || input.sender.kind !== "entity" || record.results[index]?.kind !== "accepted") return;
        const { sender } = input;
        if (!isVolatile(sender.entity, sender.incarnation) && !rows.has(`${sender.entity} ${sender.incarnation} ${entity} ${String(sender.seq)}`))
          found.push({ atMs: fact.atMs, what: `${entity} took message ${String(sender.seq)} of ${sender.entity}, which that had never committed` });
      });
      return;
    }
    if (fact.kind === "shown" && fact.isVolatile !== true && fact.revision > (heads.get(`${fact.entity} ${fact.incarnation}`) ?? 0))
      found.push({ atMs: fact.atMs, what: `${fact.entity} r${String(fact.revision)} was shown before it was written` });
    if (fact.kind === "effect" && fact.what === "attempt" && !effects.has(fact.key) && !isOfVolatile(fact))
      found.push({ atMs: fact.atMs, what: `the effect ${fact.name} (${fact.key}) was performed before its turn was written` });
    if (fact.kind === "told" && fact.outcome.kind === "accepted" && "revision" in fact.outcome) {
      const revision = fact.outcome.revision ?? 0;
      const entity = fact.to.split("/").slice(0, 3).join("/");
      if (revision > (newest.get(entity) ?? 0)) found.push({ atMs: fact.atMs, what: `${fact.id} was accepted with r${String(revision)} of ${entity} before that was written` });
    }
  });
  return found;
}

/** N1. */
function neverTaken(evidence: Evidence): readonly Found[] {
  const { history } = evidence;
  const isOfVolatile = volatileEffects(evidence);
  const taken = new TakenTurns(history);
  const found: Found[] = [];
  const unwatched = new Set<string>();
  for (const fact of history) {
    if (fact.kind !== "effect" || fact.what !== "attempt" || !isOfVolatile(fact)) continue;
    if (!taken.wereWatched(fact)) unwatched.add(fact.key);
    else if (!unwatched.has(fact.key) && !taken.has(fact))
      found.push({ atMs: fact.atMs, what: `the effect ${fact.name} (${fact.key}) was performed, and its turn was never taken` });
  }
  return found;
}

/** Turns of volatile entities, as those who watch were told of them. */
class TakenTurns {
  /** When each was shown first, ms. */
  readonly #shown = new Map<string, number>();
  /** By run, ms. */
  readonly #started = new Map<string, number>();
  readonly #ended = new Map<string, number>();

  constructor(history: History) {
    for (const fact of history) {
      if (fact.kind === "node" && fact.what === "started") this.#started.set(runOf(fact), fact.atMs);
      else if (fact.kind === "node" && ENDS.has(fact.what)) this.#ended.set(runOf(fact), fact.atMs);
      else if (fact.kind === "shown" && fact.isVolatile === true) {
        const turn = `${runOf(fact)} ${fact.entity} ${fact.incarnation}.${String(fact.revision)}`;
        if (!this.#shown.has(turn)) this.#shown.set(turn, fact.atMs);
      }
    }
  }

  /** A process that ends in the middle of a turn tells nobody of it. */
  wereWatched(fact: EffectFact): boolean {
    return (this.#started.get(runOf(fact)) ?? Number.POSITIVE_INFINITY) < fact.atMs && (this.#ended.get(runOf(fact)) ?? Number.POSITIVE_INFINITY) > fact.atMs;
  }

  has(fact: EffectFact): boolean {
    const { entity, incarnation, revision } = turnOf(fact);
    return (this.#shown.get(`${runOf(fact)} ${entity} ${incarnation}.${revision}`) ?? Number.POSITIVE_INFINITY) <= fact.atMs;
  }
}

const ENDS: ReadonlySet<NodeFact["what"]> = new Set(["exited", "failed-to-start", "gone", "killed"]);

function runOf({ node, run }: { readonly node: string; readonly run: number }): string {
  return `${node} ${String(run)}`;
}

function volatileEffects({ isVolatile }: Evidence): (fact: EffectFact) => boolean {
  return (fact) => {
    const { entity, incarnation } = turnOf(fact);
    return isVolatile(entity, incarnation);
  };
}
