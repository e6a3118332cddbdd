// S3, M2. Who is told that a message was not taken is told the truth: no turn that the store stands on had taken it by then, under that id. What its actor itself has answered, e.g. that it
// declines, is the answer to a message that was taken.

import { entityOf, parseAddress } from "../../address.ts";
import type { TakenEntry } from "../../entity/contract.ts";
import { rowsOf } from "../open-work.ts";
import type { Checker } from "./evidence.ts";
import { standingTurns } from "./standing-turns.ts";

/** Words after which the sender may take the message for not acted on (outcome.ts). */
const NO: ReadonlySet<string> = new Set(["refused", "invalid", "full", "deadline", "not-stored", "too-old"]);

export const noMeansNo: Checker = {
  name: "what was told not to be taken was not",
  promise: "S3, M2",
  check: (evidence) => {
    // Places in the history tell what was first: a word, its repetition and a commit may have one time.
    const { history } = evidence;
    /** Where the commit of the turn that took it began, by entity and id. */
    const taken = new Map<string, number>();
    const begun = new Map<string, number[]>();
    history.forEach((fact, at) => {
      if (fact.kind !== "asked") return;
      const turn = `${fact.entity} ${fact.incarnation} ${String(fact.revision)}`;
      const places = begun.get(turn);
      if (places === undefined) begun.set(turn, [at]);
      else places.push(at);
    });
    /** Kinds of what an actor has answered, by entity and id. */
    const answered = new Map<string, Set<string>>();
    for (const { entity, incarnation, revision, record, at: writtenAt } of standingTurns(evidence)) {
      for (const [id, row] of rowsOf(record, "taken")) {
        const kind = (row as TakenEntry | undefined)?.answer?.kind;
        if (kind === undefined) continue;
        const key = `${entity} ${id}`;
        answered.set(key, (answered.get(key) ?? new Set()).add(kind));
      }
      record.inputs.forEach((input, index) => {
        if (input.kind !== "message" || input.sender.kind !== "outside" || record.results[index]?.kind !== "accepted") return;
        // Those before it, of the same revision, came to nothing.
        const at = begun.get(`${entity} ${incarnation} ${String(revision)}`)?.findLast((begunAt) => begunAt < writtenAt);
        if (at !== undefined) taken.set(`${entity} ${input.sender.id}`, at);
      });
    }
    const found: { atMs: number; what: string }[] = [];
    history.forEach((fact, at) => {
      if (fact.kind !== "told" || !NO.has(fact.outcome.kind)) return;
      const key = `${entityOf(parseAddress(fact.to))} ${fact.id}`;
      const takenAt = taken.get(key);
      if (takenAt === undefined || takenAt > at || answered.get(key)?.has(fact.outcome.kind) === true) return;
      const began = history[takenAt] as (typeof history)[number];
      found.push({ atMs: fact.atMs, what: `${fact.id} to ${fact.to} was told "${fact.outcome.kind}", and a turn whose commit began at ${began.atMs.toFixed(3)} ms has taken it` });
    });
    return found;
  },
};
