// Inputs that made their cell fail: how often, and what is set aside for good (hosting H13).

import type { Address } from "../address.ts";
import type { Refusal } from "../outcome.ts";
import { fingerprintOf, isRemembered, keepOutcome, lifeOf, pastWith, withRefusal } from "./admission.ts";
import type { Cell } from "./cell.ts";
import { encodeCell } from "./cell-record.ts";
import type { EventData, Input, Sender } from "./contract.ts";
import type { Interior } from "./interior.ts";
import { bytesOfData } from "./row-weight.ts";
import type { OpenAttempt } from "./rest-tables.ts";
import { MAX_MESSAGE_BYTES, MAX_PARKED_BYTES } from "./table-limits.ts";

const MAX_PARKED = 100;
const MAX_TRACKED = 1_000;

/** @returns its number in the entity's history */
export function park(interior: Interior, input: Input | undefined, offender: Address, reason: string, state?: Cell): string {
  const { rest } = interior;
  const at = rest.next("parked");
  const row = input?.kind === "timer" ? rest.get("timers", input.timer) : undefined;
  rest.put("parked", String(at), {
    at: interior.stamp.now,
    offender,
    reason,
    input: input === undefined ? null : bounded(input, { kind: input.kind }),
    ...(state === undefined ? {} : { state: bounded(safeRecord(state, interior), {}) }),
    ...(input?.kind === "timer" && row?.generation === input.generation ? { timer: { key: input.timer, row } } : {}),
  });
  // They go in their order, so that those which are there have numbers without gaps.
  while (rest.size("parked") > MAX_PARKED || (rest.size("parked") > 1 && rest.bytesIn("parked") > MAX_PARKED_BYTES)) rest.delete("parked", String(at - rest.size("parked") + 1));
  return String(at);
}

/** Of what is too large to be kept for whoever looks for the cause, that much. */
function bounded(value: unknown, instead: object): unknown {
  const bytes = bytesOfData(value);
  return bytes > MAX_MESSAGE_BYTES ? { ...instead, tooLarge: bytes } : value;
}

function safeRecord(cell: Cell, interior: Interior): unknown {
  try {
    return encodeCell(cell, interior);
  } catch {
    return null;
  }
}

/** The parked message's last word, so that its id or number is answered and skipped. */
export function recordParked(interior: Interior, input: Extract<Input, { kind: "message" }>, outcome: Refusal): void {
  const { sender } = input;
  if (sender.kind === "outside") {
    if (!isRemembered(sender)) return;
    keepOutcome(interior, {
      id: sender.id,
      ...lifeOf(interior, sender),
      fingerprint: sender.fingerprint ?? fingerprintOf(input.to, input.event, sender),
      to: input.to,
      outcome,
      wantsReply: input.wantsReply,
    });
  } else if (sender.kind === "entity") {
    const row = interior.rest.get("senders", sender.entity);
    // It may have waited while its sender's line went on, or was replaced: a line never goes back (rules M1).
    if (row?.past.includes(sender.incarnation) === true) return;
    const isSameLine = row?.incarnation === sender.incarnation;
    interior.rest.put("senders", sender.entity, {
      incarnation: sender.incarnation,
      seq: Math.max(sender.seq, isSameLine ? row.seq : 0),
      epoch: Math.max(sender.epoch, row?.epoch ?? 0),
      past: row === undefined ? [] : isSameLine ? row.past : pastWith(row),
      refusals: withRefusal(isSameLine ? row.refusals : [], sender.seq, outcome),
    });
  }
}

/** Which input it was, over all its attempts: what comes off the shelf is the message that it was before, wherever it failed then. */
export function keyOf(interior: Interior, input: Input): string {
  // As of the last commit: the turn that takes it has taken it off.
  const message = input.kind === "shelved" ? interior.rest.committed("shelf", input.key)?.input : undefined;
  return inputKey(message === undefined || message.sender.kind === "local" ? input : message);
}

function inputKey(input: Input): string {
  switch (input.kind) {
    case "start":
    case "children":
    case "upgrade":
    case "forked":
      return input.kind;
    case "message":
      // Putting it on the shelf does not step its actor, and says nothing of how that will go.
      return `${input.shelve === undefined ? "" : "shelving "}${messageKey(input.sender, input.to, input.event)}`;
    case "timer":
      return `timer ${input.timer} ${String(input.generation)}`;
    case "ring":
      return `ring ${input.parked}`;
    case "source":
      return `source ${input.cell} ${String(input.incarnation)}`;
    case "performed":
      return `performed ${input.key}`;
    case "fault":
      return `fault ${input.cell}`;
    case "delivered":
      return `delivered ${input.receiver} ${String(input.seq)}${input.under === undefined ? "" : ` ${input.under}`}`;
    case "answered":
      return `answered ${input.key}`;
    case "postponed":
      return `postponed ${input.key}`;
    case "shelved":
      return `shelved ${input.key}`;
    case "attempt":
      return `attempt at ${inputKey(input.of)}`;
  }
}

export function messageKey(sender: Sender, to: string, event: EventData): string {
  if (sender.kind === "outside") return `outside ${sender.id}`;
  if (sender.kind === "entity") return `entity ${sender.entity} ${sender.incarnation} ${String(sender.seq)}`;
  return `local ${to} ${shown(event)}`;
}

/** A node's own word to a volatile actor may hold what JSON does not carry. */
function shown(event: EventData): string {
  try {
    return JSON.stringify(event).slice(0, 512);
  } catch {
    return event.type;
  }
}

/** An input that was taken after all has no failures any more; one that its actor has postponed neither, since that step ended well. */
export function forgive(interior: Interior, input: Input): void {
  if (interior.rest.size("attempts") > 0) interior.rest.delete("attempts", keyOf(interior, input));
}

/** Notes how often an input has failed; undefined forgets it. */
export function track(interior: Interior, input: Input, attempt: number | undefined): void {
  const key = keyOf(interior, input);
  if (attempt === undefined) interior.rest.delete("attempts", key);
  else put(interior, key, attempt);
}

function put({ rest }: Interior, key: string, attempt: number | OpenAttempt): void {
  // Those that never came again hold the table. One that fails once more is counted anew: it is set aside later, where one that finds no room never would be.
  if (rest.size("attempts") >= MAX_TRACKED && !rest.has("attempts", key)) for (const [old] of [...rest.entries("attempts")]) rest.delete("attempts", old);
  rest.put("attempts", key, attempt);
}

/** Begins the names of attempts whose steps have come to no end yet. */
const OPEN = "open ";

/** It is about to be stepped, for the how manieth time. */
export function beginAttempt(interior: Interior, input: Input, opened: OpenAttempt): void {
  put(interior, OPEN + keyOf(interior, input), opened);
}

/** Its step has come to an end: whatever it was, it did not end the process. */
export function endAttempt(interior: Interior, input: Input): void {
  if (interior.rest.size("attempts") > 0) interior.rest.delete("attempts", OPEN + keyOf(interior, input));
}

/** How often other nodes than this one have stepped it without an end, as far as is known. */
export function openedByOthers(interior: Interior, input: Input, node: string): number {
  if (interior.rest.size("attempts") === 0) return 0;
  const row = interior.rest.get("attempts", OPEN + keyOf(interior, input));
  return row === undefined || typeof row === "number" ? 0 : row.by === node ? row.others : row.attempt;
}

/** How often this input has made its cell fail so far. */
export function attemptsOf(interior: Interior, input: Input): number {
  const row = interior.rest.get("attempts", keyOf(interior, input));
  return typeof row === "number" ? row : 0;
}
