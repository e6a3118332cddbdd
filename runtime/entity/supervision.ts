// What a fault leaves: the entity as the supervisor of its cells (hosting H12, H13).
//
// V1. A fault takes back all that its input did. The cell goes on from the last committed state; the input is set aside and offered again, and parked at
//     its third failure.
// V2. A source that failed is started again; at its third failure the cell begins anew.

import type { Refusal } from "../outcome.ts";
import { acceptedBy } from "./accepted.ts";
import type { Cell } from "./cell.ts";
import type { Input, InputResult } from "./contract.ts";
import { codeOf, type FaultPlace, messageOf, SupervisedFault } from "./fault.ts";
import { type Interior, supervisedOf } from "./interior.ts";
import { attemptsOf, park, recordParked, track } from "./parking.ts";
import { countRestart, report } from "./report.ts";
import { giveUp, isWorthKeeping, restartFromInitial, ruleOf } from "./restarts.ts";

const MAX_ATTEMPTS = 3;

type FaultedResult = Extract<InputResult, { kind: "faulted" }>;

/** What a fault leaves, after all that its input did was taken back. `thrown` is what unwound it. */
export function handleFault(interior: Interior, input: Input, thrown: unknown): FaultedResult {
  interior.faults++;
  const offender = offenderOf(interior, input, thrown);
  const error = messageOf(thrown instanceof SupervisedFault ? thrown.reason : thrown);
  const fault = placeOf(interior, input, thrown);
  const attempt = attemptsOf(interior, input) + 1;
  const address = offender?.address ?? interior.address;
  countRestart(interior, address, error, fault);
  report(interior, "child_terminated", address, error, fault);
  if (offender === undefined) {
    track(interior, input, attempt);
    if (attempt >= MAX_ATTEMPTS) report(interior, "entity_failed", address, `did not start: ${error}`, fault);
    return { kind: "faulted", error, ...fault, attempt, again: attempt < MAX_ATTEMPTS, parked: false };
  }
  const rule = ruleOf(interior, offender);
  if (rule.restart === "temporary") {
    giveUp(interior, offender, error);
    return { kind: "faulted", error, ...fault, attempt, again: false, parked: true, outcome: { kind: "no-such-actor" } };
  }
  const parked = attempt >= MAX_ATTEMPTS;
  track(interior, input, parked ? undefined : attempt);
  const result = setAside(interior, input, offender, { error, ...fault, attempt }, parked);
  if (rule.restartFrom === "initial") restartFromInitial(interior, offender, error, input.kind !== "source" && input.kind !== "fault");
  else if ((interior.cells.get(offender.address)?.life ?? "ended") !== "ended") report(interior, "child_restarted", offender.address, error);
  return result;
}

/** The last resort: the input is parked, nothing is restarted. */
export function setAsideAtOnce(interior: Interior, input: Input, thrown: unknown): FaultedResult {
  interior.faults++;
  const error = messageOf(thrown instanceof SupervisedFault ? thrown.reason : thrown);
  const fault = placeOf(interior, input, thrown);
  const address = interior.root?.address ?? interior.address;
  const attempt = attemptsOf(interior, input) + 1;
  countRestart(interior, address, error, fault);
  park(interior, input, address, error);
  report(interior, "parked", address, `${input.kind}: ${error}`, fault);
  track(interior, input, undefined);
  const outcome: Refusal = { kind: "refused", accepts: [], reason: `set aside: ${error}` };
  if (input.kind === "message") recordParked(interior, input, outcome);
  else if (input.kind === "timer") interior.rest.delete("timers", input.timer);
  else if (input.kind === "performed") interior.rest.delete("pending", input.key);
  else if (input.kind === "answered") interior.rest.delete("asks", input.key);
  return { kind: "faulted", error, ...fault, attempt, again: false, parked: true, outcome };
}

/** Where the failure began, or as much as the input says of it. */
function placeOf(interior: Interior, input: Input, thrown: unknown): FaultPlace {
  if (!(thrown instanceof SupervisedFault)) return { code: codeOf(thrown), place: `${cellMeant(interior, input)?.address ?? interior.address}: its ${input.kind}` };
  return interior.failure ?? { code: codeOf(thrown.reason), place: `${thrown.cell.address}: its ${input.kind}` };
}

/** An input that hung its process before may be stepped once more, or is parked at its third attempt (rules M4). */
export function attempt(interior: Interior, { of: suspect, crashes, cause }: Extract<Input, { kind: "attempt" }>): InputResult {
  const attempts = Math.max(attemptsOf(interior, suspect), crashes) + 1;
  if (attempts < MAX_ATTEMPTS) {
    track(interior, suspect, attempts);
    return { kind: "accepted" };
  }
  const result = setAsideAtOnce(interior, suspect, new Error(cause));
  // What leaves no record of its own (an id, a number, a row) may come again: it still has its attempts behind it.
  const isRecorded = suspect.kind === "message" ? suspect.sender.kind !== "local" : suspect.kind === "timer" || suspect.kind === "performed" || suspect.kind === "answered";
  if (!isRecorded) track(interior, suspect, MAX_ATTEMPTS);
  return result;
}

function setAside(interior: Interior, input: Input, offender: Cell, fault: FaultPlace & { readonly error: string; readonly attempt: number }, parked: boolean): FaultedResult {
  const { error, attempt } = fault;
  const base = { kind: "faulted", ...fault } as const;
  // A source that fails for ever says the same each time.
  if (parked && (input.kind !== "source" || isWorthKeeping(interior, offender))) {
    park(interior, input, offender.address, error);
    report(interior, "parked", offender.address, `${input.kind}: ${error}`, { code: fault.code, place: fault.place });
  }
  switch (input.kind) {
    case "message": {
      if (!parked) return { ...base, again: true, parked };
      const outcome: Refusal = { kind: "refused", accepts: acceptedBy(offender), reason: `set aside after ${String(attempt)} failures: ${error}` };
      recordParked(interior, input, outcome);
      return { ...base, again: false, parked, outcome };
    }
    case "timer":
      // Not parked: it is still armed and due, so that it fires again.
      if (parked) interior.rest.delete("timers", input.timer);
      return { ...base, again: false, parked };
    case "source": {
      const source = interior.cells.get(input.cell);
      if (source?.incarnation !== input.incarnation) return { ...base, again: false, parked };
      if (input.said.kind !== "done" && input.said.kind !== "error") return { ...base, again: !parked, parked };
      if (parked) restartFromInitial(interior, offender, error, false);
      // One that begins anew has sources of its own.
      else if (ruleOf(interior, offender).restartFrom === "committed")
        interior.effects.push({ kind: "source.start", cell: source.address, incarnation: source.incarnation, key: source.key as string });
      return { ...base, again: false, parked };
    }
    case "performed":
      if (parked) interior.rest.delete("pending", input.key);
      return { ...base, again: !parked, parked };
    case "answered":
      if (parked) interior.rest.delete("asks", input.key);
      return { ...base, again: !parked, parked };
    case "postponed": {
      const row = interior.rest.get("stash", input.key);
      if (!parked || row === undefined) return { ...base, again: !parked, parked };
      interior.rest.delete("stash", input.key);
      recordParked(interior, row.input, { kind: "refused", accepts: acceptedBy(offender), reason: `set aside after ${String(attempt)} failures: ${error}` });
      return { ...base, again: false, parked };
    }
    case "start":
    case "children":
    case "delivered":
      return { ...base, again: !parked, parked };
    case "fault":
    case "attempt":
      return { ...base, again: false, parked };
  }
}

function offenderOf(interior: Interior, input: Input, thrown: unknown): Cell | undefined {
  const named = thrown instanceof SupervisedFault ? thrown.cell : cellMeant(interior, input);
  const present = named === undefined ? interior.root : interior.cells.get(supervisedOf(named).address);
  return present ?? interior.root;
}

/** The cell that an input is for. */
export function cellMeant(interior: Interior, input: Input): Cell | undefined {
  switch (input.kind) {
    case "message":
      return interior.cells.get(input.to);
    case "source":
    case "fault":
      return interior.cells.get(input.cell);
    case "postponed":
      return interior.cells.get(interior.rest.get("stash", input.key)?.input.to ?? "");
    case "timer":
      return interior.cells.get(interior.rest.get("timers", input.timer)?.owner ?? "");
    default:
      return interior.root;
  }
}
