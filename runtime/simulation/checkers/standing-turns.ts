// Which of the turns that stores have taken they still stand on at the end: by what was committed, not by what is retained. A type that keeps states forgets its records, and
// loses nothing by that; a disk that went back to its last flush has its history to there, and what was written again from there.

import type { Kept } from "../history.ts";
import type { CommittedTurn, Evidence } from "./evidence.ts";

/** Several ask. */
const known = new WeakMap<Evidence, readonly CommittedTurn[]>();

export function standingTurns(evidence: Evidence): readonly CommittedTurn[] {
  let turns = known.get(evidence);
  if (turns === undefined) known.set(evidence, (turns = found(evidence)));
  return turns;
}

function found({ history, turns }: Evidence): readonly CommittedTurn[] {
  const histories = new Map<string, CommittedTurn[]>();
  for (const turn of turns) {
    const key = `${turn.store} ${turn.entity}`;
    let before = histories.get(key);
    if (before?.[0]?.incarnation !== turn.incarnation) histories.set(key, (before = []));
    while ((before.at(-1)?.revision ?? 0) >= turn.revision) before.pop();
    before.push(turn);
  }
  return history.flatMap((fact) => {
    if (fact.kind !== "kept") return [];
    return (histories.get(`${fact.store} ${fact.entity}`) ?? []).filter((turn) => standsIn(fact, turn));
  });
}

/** Records are forgotten from the beginning on, up to a state that contains them; in what is left there is no hole. */
function standsIn({ incarnation, revision, records }: Kept, turn: CommittedTurn): boolean {
  if (turn.incarnation !== incarnation || turn.revision > revision) return false;
  const oldest = records[0]?.revision ?? Number.POSITIVE_INFINITY;
  return turn.revision < oldest || records[turn.revision - oldest]?.revision === turn.revision;
}
