// The checkers that judge every run.

import { isPromise } from "../../xstate/index.ts";
import { thrownBy } from "../thrown.ts";
import { acknowledgedKept } from "./acknowledged-kept.ts";
import { actedOn } from "./acted-on.ts";
import { askedFor } from "./asked-for.ts";
import { allStopped } from "./all-stopped.ts";
import { idempotentConfirmed, onceAtMostOnce, stateNeverReplayed } from "./effects-once.ts";
import { onceSettled } from "./effects-settled.ts";
import type { Checker, Evidence, Violation } from "./evidence.ts";
import { noMeansNo } from "./no-means-no.ts";
import { nothingBeforeCommit } from "./nothing-before-commit.ts";
import { oneChain } from "./one-chain.ts";
import { oneOwner } from "./one-owner.ts";
import { outcomesKept } from "./outcomes-kept.ts";
import { recoveryExact } from "./recovery-exact.ts";
import { replayExact } from "./replay-exact.ts";
import { replicaEqualsOwner } from "./replica-equals-owner.ts";
import { sameAnswer } from "./same-answer.ts";
import { sendersHear } from "./senders-hear.ts";
import { senderOrder } from "./sender-order.ts";
import { sentArrives } from "./sent-arrives.ts";
import { shelfEmpties } from "./shelf-empties.ts";
import { storeKeepsItsWord } from "./store-keeps-its-word.ts";
import { takenOnce } from "./taken-once.ts";
import { timersByPolicy } from "./timers-by-policy.ts";
import { timersInOrder } from "./timers-in-order.ts";
import { timersInTime } from "./timers-in-time.ts";
import { timersOnce } from "./timers-once.ts";

export { replayExact };
export { type Checker, type CommittedTurn, type Evidence, evidenceOf, type Violation } from "./evidence.ts";

export const standardCheckers: readonly Checker[] = [
  oneOwner,
  nothingBeforeCommit,
  storeKeepsItsWord,
  acknowledgedKept,
  actedOn,
  askedFor,
  noMeansNo,
  takenOnce,
  sameAnswer,
  outcomesKept,
  senderOrder,
  sentArrives,
  onceAtMostOnce,
  onceSettled,
  stateNeverReplayed,
  idempotentConfirmed,
  timersOnce,
  timersInTime,
  timersInOrder,
  timersByPolicy,
  allStopped,
  replayExact,
  recoveryExact,
  shelfEmpties,
  sendersHear,
  replicaEqualsOwner,
  oneChain,
];

/** What holds although a store went back to an older copy of itself (rules T1). */
export const checkersAfterRestore: readonly Checker[] = [allStopped, replayExact, recoveryExact, shelfEmpties, sendersHear, replicaEqualsOwner, oneChain];

/** In the order of time. What a checker throws is a finding: nothing is known of its promise then. */
export function judge(evidence: Evidence, checkers: readonly Checker[]): readonly Violation[] {
  return checkers
    .flatMap((checker) => findingsOf(checker, evidence).map((found) => ({ promise: checker.promise, checker: checker.name, ...found })))
    .sort((one, other) => one.atMs - other.atMs || (one.checker < other.checker ? -1 : 1));
}

function findingsOf(checker: Checker, evidence: Evidence): ReturnType<Checker["check"]> {
  const atMs = evidence.history.at(-1)?.atMs ?? 0;
  try {
    const found: unknown = checker.check(evidence);
    if (Array.isArray(found)) return found as ReturnType<Checker["check"]>;
    return [{ atMs, what: `its check returned ${isPromise(found) ? "a promise" : typeof found}, a list of findings is expected at once` }];
  } catch (cause) {
    return [{ atMs, what: thrownBy("its check", cause) }];
  }
}
