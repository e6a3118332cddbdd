// S3, F1, F2. How a `once` effect is closed is what is known of it: as done or failed where its implementation said so in that run, else its actor receives `unknown`. It is never silence.
//
// E1. Where nothing is noted of what effects do, as of a node with a program of its own, their words are nobody's to compare.
// E2. What an earlier run left open is closed by the next one that has recovered its entity, in its first turns.

import type { Input, JournalRecord } from "../../entity/contract.ts";
import type { PendingEffect } from "../../entity/index.ts";
import type { EffectFact } from "../history.ts";
import { rowsOf } from "../open-work.ts";
import type { Checker, CommittedTurn, Evidence } from "./evidence.ts";
import { OwnerPresence } from "./owner-presence.ts";
import { standingTurns } from "./standing-turns.ts";

type Performed = Extract<Input, { kind: "performed" }>;

interface Found {
  readonly atMs: number;
  readonly what: string;
}

interface Open {
  readonly row: PendingEffect;
  readonly turn: CommittedTurn;
}

/** Its owner there and undisturbed, an entity that was recovered has said by then what became of its effects. */
const WITHIN_MS = 5_000;
/** What is read for its recovery, and its first commits. */
const STORE_WAYS = 8;

export const onceSettled: Checker = {
  name: "a once effect is closed by what is known of it",
  promise: "S3, F1, F2",
  check: (evidence) => [...guessed(evidence), ...leftOpen(evidence)],
};

function guessed({ history, turns }: Evidence): readonly Found[] {
  const found: Found[] = [];
  const open = new Map<string, PendingEffect>();
  const noted = notedIn(history);
  for (const turn of turns) {
    const { atMs, record } = turn;
    for (const { key, outcome } of settledIn(record)) {
      const row = open.get(key);
      if (row === undefined) continue;
      const guess = noted.isGuess(key, outcome, turn);
      if (guess !== undefined)
        found.push({ atMs, what: `the once effect ${row.name} (${key}) of ${row.cell} was closed as ${outcome.kind}, ${guess}: its actor must hear "unknown"` });
    }
    const said = new Set(record.inputs.map((input) => performedIn(input)?.key));
    for (const change of rowsOf(record, "pending")) {
      const [key, row] = change;
      if (change.length > 1) {
        if ((row as PendingEffect).class === "once") open.set(key, row as PendingEffect);
        continue;
      }
      const before = open.get(key);
      if (before !== undefined && !said.has(key))
        found.push({ atMs, what: `the once effect ${before.name} (${key}) of ${before.cell} is gone, and no input says what became of it` });
      open.delete(key);
    }
  }
  return found;
}

/** E2. */
function leftOpen(evidence: Evidence): readonly Found[] {
  const { history, storeMs } = evidence;
  const open = openIn(standingTurns(evidence));
  if (open.size === 0) return [];
  const owners = new OwnerPresence(history);
  const recovered = new Map<string, number>();
  const found: Found[] = [];
  for (const fact of history) {
    if (fact.kind === "loaded") recovered.set(`${fact.node} ${String(fact.run)} ${fact.entity}`, fact.atMs);
    if (fact.kind !== "live") continue;
    const { node, run: number, entity, atMs } = fact;
    for (const [key, { row, turn }] of open) {
      if (turn.entity !== entity || turn.incarnation !== fact.incarnation || turn.store !== node || turn.run === number) continue;
      const run = owners.runsOn(turn.store).find((each) => each.node === node && each.run === number);
      const sinceMs = recovered.get(`${node} ${String(number)} ${entity}`);
      if (run === undefined || sinceMs === undefined || owners.undisturbedMs(run, sinceMs, atMs) <= WITHIN_MS + STORE_WAYS * storeMs) continue;
      found.push({ atMs, what: `the once effect ${row.name} (${key}) of ${row.cell} was not confirmed when its run ended, and its actor has heard nothing since` });
    }
  }
  return found;
}

function openIn(turns: readonly CommittedTurn[]): ReadonlyMap<string, Open> {
  const open = new Map<string, Open>();
  for (const turn of turns)
    for (const change of rowsOf(turn.record, "pending")) {
      const [key, row] = change;
      if (change.length === 1) open.delete(key);
      else if ((row as PendingEffect).class === "once") open.set(key, { row: row as PendingEffect, turn });
    }
  return open;
}

/** Those that counted. */
function settledIn(record: JournalRecord): readonly Performed[] {
  return record.inputs.filter((input, index): input is Performed => input.kind === "performed" && record.results[index]?.kind === "accepted");
}

function performedIn(input: Input): Performed | undefined {
  const meant = input.kind === "attempt" ? input.of : input;
  return meant.kind === "performed" ? meant : undefined;
}

interface Noted {
  /** Why this run could not know it; undefined: it could. */
  readonly isGuess: (key: string, outcome: Performed["outcome"], turn: CommittedTurn) => string | undefined;
}

function notedIn(history: Evidence["history"]): Noted {
  const nodes = new Set<string>();
  const attempted = new Set<string>();
  const said = new Set<string>();
  const nameOf = (run: { readonly node: string; readonly run: number }, what: EffectFact["what"], key: string): string => `${run.node} ${String(run.run)} ${what} ${key}`;
  for (const fact of history) {
    if (fact.kind !== "effect") continue;
    nodes.add(fact.node);
    if (fact.what === "attempt") attempted.add(fact.key);
    else said.add(nameOf(fact, fact.what, fact.key));
  }
  return {
    isGuess: (key, outcome, turn) => {
      if (outcome.kind === "dropped") return "which tells it nothing";
      // E1.
      if (!nodes.has(turn.node)) return undefined;
      if (outcome.kind === "done" && !said.has(nameOf(turn, "confirmed", key))) return "and was not confirmed in this run";
      // What a node does not supply fails without an attempt.
      return outcome.kind === "failed" && attempted.has(key) && !said.has(nameOf(turn, "failed", key)) ? "and did not fail in this run" : undefined;
    },
  };
}
