// What a fault leaves: the entity as the supervisor of its cells (hosting H12, H13).
//
// V1. A fault takes back all that its input did. The cell goes on from the last committed state; the input is set aside and offered again, and parked at
//     its third failure.
// V2. A source that failed is started again; at its third failure the cell begins anew.
// V3. What made a temporary cell fail is parked at once: nobody is there to take it again, and its id or number has its last word (rules M1, M2).

import type { Address } from "../address.ts";
import { DroverError } from "../errors.ts";
import { isA } from "../is-a.ts";
import type { Refusal } from "../outcome.ts";
import { acceptedBy } from "./accepted.ts";
import type { Cell } from "./cell.ts";
import { hasOutgrown } from "./context-limit.ts";
import type { Input, InputResult } from "./contract.ts";
import { codeOf, type FaultPlace, shortened, SupervisedFault } from "./fault.ts";
import { messageOf } from "../message-of.ts";
import { type Interior, supervisedOf } from "./interior.ts";
import { attemptsOf, beginAttempt, endAttempt, openedByOthers, park, recordParked, track } from "./parking.ts";
import { countRestart, report } from "./report.ts";
import { giveUp, isWorthKeeping, restartAtOnce, restartFromCommitted, restartFromInitial, ruleOf } from "./restarts.ts";
import { unshelve } from "./shelf.ts";

const MAX_ATTEMPTS = 3;

type MessageInput = Extract<Input, { kind: "message" }>;
type FaultedResult = Extract<InputResult, { kind: "faulted" }>;

/** What a fault leaves, after all that its input did was taken back. `thrown` is what unwound it. */
export function handleFault(interior: Interior, input: Input, thrown: unknown): FaultedResult {
  interior.faults++;
  const offender = offenderOf(interior, input, thrown);
  const error = shortened(messageOf(isA(thrown, SupervisedFault) ? thrown.reason : thrown));
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
    // V3. While what it had is still there.
    const outcome = putAway(interior, input, offender.address, { error, ...fault }, `its actor has failed and is not started again: ${error}`);
    giveUp(interior, offender, error);
    return { kind: "faulted", error, ...fault, attempt, again: false, parked: true, outcome };
  }
  const parked = attempt >= MAX_ATTEMPTS;
  track(interior, input, parked ? undefined : attempt);
  const result = setAside(interior, input, offender, { error, ...fault, attempt }, parked);
  if (hasOutgrown(interior, interior.cells.get(offender.address) ?? offender)) restartAtOnce(interior, offender, error);
  else if (rule.restartFrom === "initial") restartFromInitial(interior, offender, error, input.kind !== "source" && input.kind !== "fault");
  else restartFromCommitted(interior, offender, error);
  return result;
}

/** The last resort: the input is parked, nothing is restarted. */
export function setAsideAtOnce(interior: Interior, input: Input, thrown: unknown): FaultedResult {
  interior.faults++;
  const error = shortened(messageOf(isA(thrown, SupervisedFault) ? thrown.reason : thrown));
  const fault = placeOf(interior, input, thrown);
  const address = interior.root?.address ?? interior.address;
  const attempt = attemptsOf(interior, input) + 1;
  countRestart(interior, address, error, fault);
  const outcome = putAway(interior, input, address, { error, ...fault }, `set aside: ${error}`);
  return { kind: "faulted", error, ...fault, attempt, again: false, parked: true, outcome };
}

/** Parked, whatever it is, with nothing of it left that would come again. @param reason told to its sender, now and under the same id later */
function putAway(interior: Interior, input: Input, address: Address, { error, ...fault }: FaultPlace & { readonly error: string }, reason: string): Refusal {
  const message = messageMeant(interior, input);
  const parked = park(interior, message ?? input, address, error);
  report(interior, "parked", address, `${input.kind}: ${error}`, { ...fault, parked });
  track(interior, input, undefined);
  const outcome: Refusal = { kind: "refused", accepts: [], reason };
  if (message !== undefined) setMessageAside(interior, input, message, outcome);
  else if (input.kind === "timer") interior.rest.delete("timers", input.timer);
  else if (input.kind === "performed") interior.rest.delete("pending", input.key);
  else if (input.kind === "answered") interior.rest.delete("asks", input.key);
  return outcome;
}

/** Where the failure began, or as much as the input says of it. */
function placeOf(interior: Interior, input: Input, thrown: unknown): FaultPlace {
  if (!isA(thrown, SupervisedFault)) return { code: codeOf(thrown), place: `${cellMeant(interior, input)?.address ?? interior.address}: its ${input.kind}` };
  return interior.failure ?? { code: codeOf(thrown.reason), place: `${thrown.cell.address}: its ${input.kind}` };
}

/** An input that hung or ended its process before may be stepped once more, or is parked at its third attempt (rules M4); one whose turn could not be stored has failed. */
export function attempt(interior: Interior, { of: suspect, crashes, cause, code, parkedAs, openedBy }: Extract<Input, { kind: "attempt" }>): InputResult {
  if (code !== undefined) return handleFault(interior, suspect, new DroverError(code, cause));
  const others = openedBy === undefined ? 0 : openedByOthers(interior, suspect, openedBy);
  const attempts = Math.max(attemptsOf(interior, suspect), others + crashes) + 1;
  if (attempts < MAX_ATTEMPTS) {
    if (openedBy === undefined) track(interior, suspect, attempts);
    else beginAttempt(interior, suspect, { attempt: attempts, others, by: openedBy });
    return { kind: "accepted" };
  }
  endAttempt(interior, suspect);
  const result = setAsideAtOnce(interior, suspect, parkedAs === undefined ? new Error(cause) : new DroverError(parkedAs, cause));
  // What leaves no record of its own (an id, a number, a row) may come again: it still has its attempts behind it.
  if (!isRecorded(suspect)) track(interior, suspect, MAX_ATTEMPTS);
  return result;
}

/** Has a record of its own (an id, a number, a row) that goes with it: it does not come again. */
export function isRecorded(input: Input): boolean {
  switch (input.kind) {
    case "message":
      return input.sender.kind !== "local";
    case "timer":
    case "performed":
    case "answered":
    case "postponed":
    case "shelved":
      return true;
    default:
      return false;
  }
}

/** It leaves its place, if it waited in one, and its id or number has its last word. */
function setMessageAside(interior: Interior, input: Input, message: MessageInput, outcome: Refusal): void {
  if (input.kind === "postponed") interior.rest.delete("stash", input.key);
  else if (input.kind === "shelved") unshelve(interior, input.key);
  recordParked(interior, message, outcome);
}

function setAside(interior: Interior, input: Input, offender: Cell, fault: FaultPlace & { readonly error: string; readonly attempt: number }, parked: boolean): FaultedResult {
  const { error, attempt } = fault;
  const base = { kind: "faulted", ...fault } as const;
  // A source that fails for ever says the same each time.
  if (parked && (input.kind !== "source" || isWorthKeeping(interior, offender))) {
    const number = park(interior, messageMeant(interior, input) ?? input, offender.address, error);
    report(interior, "parked", offender.address, `${input.kind}: ${error}`, { code: fault.code, place: fault.place, parked: number });
  }
  switch (input.kind) {
    case "message":
    case "postponed":
    case "shelved": {
      const message = messageMeant(interior, input);
      if (!parked || message === undefined) return { ...base, again: !parked, parked };
      const outcome: Refusal = { kind: "refused", accepts: acceptedBy(offender), reason: `set aside after ${String(attempt)} failures: ${error}` };
      setMessageAside(interior, input, message, outcome);
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
    case "start":
    case "children":
    case "delivered":
      return { ...base, again: !parked, parked };
    case "fault":
    case "ring":
    case "attempt":
    case "upgrade":
    case "forked":
      return { ...base, again: false, parked };
  }
}

function offenderOf(interior: Interior, input: Input, thrown: unknown): Cell | undefined {
  const named = isA(thrown, SupervisedFault) ? thrown.cell : cellMeant(interior, input);
  const present = named === undefined ? interior.root : interior.cells.get(supervisedOf(named).address);
  return present ?? interior.root;
}

/** The message that an input brings to its actor, wherever it has waited. */
export function messageMeant({ rest }: Interior, input: Input): MessageInput | undefined {
  switch (input.kind) {
    case "message":
      return input;
    case "postponed":
      return rest.get("stash", input.key)?.input;
    case "shelved":
      return rest.get("shelf", input.key)?.input;
    default:
      return undefined;
  }
}

/** The cell that an input is for. */
export function cellMeant(interior: Interior, input: Input): Cell | undefined {
  switch (input.kind) {
    case "message":
    case "postponed":
    case "shelved":
      return interior.cells.get(messageMeant(interior, input)?.to ?? "");
    case "source":
    case "fault":
      return interior.cells.get(input.cell);
    case "timer":
      return interior.cells.get(interior.rest.get("timers", input.timer)?.owner ?? "");
    default:
      return interior.root;
  }
}
