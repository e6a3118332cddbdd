// The entity's door: who may send what, whether it came before, whether the state takes it (hosting H10; rules M1, M2, E1).

import { createHash } from "node:crypto";

import { entityOf } from "../address.ts";
import type { MessageSpec, Speaker } from "../actor/index.ts";
import { isA } from "../is-a.ts";
import type { Refusal } from "../outcome.ts";
import { type Destination, ForeignRef, type StepEvent } from "../xstate/index.ts";
import { acceptedBy } from "./accepted.ts";
import type { Cell } from "./cell.ts";
import type { EventData, Input, InputResult, Sender, TakenEntry } from "./contract.ts";
import { ExpiryOrder } from "./expiry-order.ts";
import type { Interior } from "./interior.ts";
import { shortened } from "./fault.ts";
import { answered, answerOf, decline } from "./outward.ts";
import { MAX_DEPTH, NotPlain } from "./plain.ts";
import { isSentAgain } from "./sent-again.ts";
import { shelve, unshelve } from "./shelf.ts";
import { type AcceptedBefore, postpone } from "./stash.ts";
import type { SenderRow } from "./rest-tables.ts";
import { bytesOfData } from "./row-weight.ts";
import { hasRoomFor, MAX_REFUSALS_BYTES, takenLimit } from "./table-limits.ts";

type EntitySender = Extract<Sender, { kind: "entity" }>;
type OutsideSender = Extract<Sender, { kind: "outside" }>;

export type MessageInput = Extract<Input, { kind: "message" }>;

/** Outcomes of messages from outside that are kept; then new ones are refused (rules M2). */
export const MAX_TAKEN = 10_000;
/** Nothing from outside may expire later than this from now, ms (rules M2), with a minute for clocks that differ. */
const MAX_KEEP_MS = 24 * 3_600_000 + 60_000;
/** How long an expired outcome may stay in a table that has room, ms: all of them are looked through then. */
const EVICTION_MS = 5_000;
/** Where other tables take up all the room, and nothing says for how long. */
const RETRY_AFTER_MS = 1_000;
const NOBODY: Destination = { kind: "nobody" };
/** Its own protocol is asked about it; see `take`. */
const UNHEARD_REPLY: Destination = { kind: "nobody", asked: "" };
const NOTHING = (): undefined => undefined;
const KEPT_REFUSALS = 16;
const KEPT_HISTORIES = 8;

/** Whoever asked would wait for what never comes. */
const UNANSWERED = { path: "/type", message: "has no reply: tell it instead of asking it" };

export function admit(interior: Interior, input: MessageInput): InputResult {
  switch (input.sender.kind) {
    case "outside":
      return admitOutside(interior, input, input.sender);
    case "entity":
      return admitEntity(interior, input, input.sender);
    case "local":
      return take(interior, input, NOBODY);
  }
}

// ---- from outside: by id, until it expires

function admitOutside(interior: Interior, input: MessageInput, sender: OutsideSender): InputResult {
  const { now } = interior.stamp;
  if (!(sender.expiresAt > now)) return { kind: "too-old" };
  if (sender.expiresAt > now + MAX_KEEP_MS) return { kind: "invalid", problems: [{ path: "/expiresAt", message: "is more than 24 hours ahead" }], accepts: [] };
  const fingerprint = sender.fingerprint ?? fingerprintOf(input.to, input.event, sender);
  const known = interior.rest.get("taken", sender.id);
  if (known !== undefined && isKept(known, interior.stamp)) return known.fingerprint === fingerprint ? { kind: "duplicate", entry: known } : { kind: "id-reused" };
  const limit = takenLimit(interior, isRepliedTo(interior, input));
  evictExpired(interior, limit);
  const isKnownLater = isRemembered(sender);
  if (isKnownLater && isFull(interior, limit)) return { kind: "full", retryAfterMs: msUntilRoom(interior, limit) };
  const entry: TakenEntry = {
    id: sender.id,
    ...lifeOf(interior, sender),
    fingerprint,
    to: input.to,
    outcome: { kind: "accepted", revision: interior.revision + 1 },
    wantsReply: input.wantsReply,
  };
  const mark = interior.undo.mark();
  // Entered before the step, which may answer at once.
  note(interior, entry, isKnownLater);
  const result = take(interior, input, replyOf(input));
  if (result.kind === "accepted") return result;
  interior.undo.backTo(mark);
  // A refusal by state is an outcome that the same id hears again; a malformed message may be mended and sent anew.
  if (result.kind === "refused") note(interior, { ...entry, outcome: result }, isKnownLater);
  return result;
}

/** What is not known later was taken, or refused, all the same: its turn is written, whatever else it comes to. */
function note(interior: Interior, entry: TakenEntry, isKnownLater: boolean): void {
  if (isKnownLater) keepOutcome(interior, entry);
  else interior.undo.push(NOTHING);
}

/** Until it expires, the same id hears this (rules M2). Sent again: that it was taken, and no more (A1). */
export function keepOutcome(interior: Interior, entry: TakenEntry): void {
  if (entry.outcome.kind !== "accepted" && isSentAgain(entry.id)) {
    interior.rest.delete("taken", entry.id);
    return;
  }
  // Not known after a restore: the table is looked through once.
  const { earliest } = interior;
  if (earliest !== undefined) interior.earliest = { wall: Math.min(earliest.wall, entry.expiresAt), elapsed: Math.min(earliest.elapsed, entry.keptUntil ?? 0) };
  interior.rest.put("taken", entry.id, entry);
  if (interior.byExpiry?.add(entry.id, entry.expiresAt, interior.rest.size("taken")) === false) interior.byExpiry = undefined;
}

/** Whether its id is worth knowing: not one that nobody was told, of a message that never comes again (rules M2). */
export function isRemembered({ repeatedMs }: OutsideSender): boolean {
  return repeatedMs === undefined || repeatedMs > 0;
}

/** By both clocks: a wall clock that is set right by days forgets nothing, and hosted time stands still while nobody hosts the entity. */
export function lifeOf({ stamp }: Interior, sender: OutsideSender): Pick<TakenEntry, "expiresAt" | "keptUntil"> {
  const expiresAt = sender.repeatedMs === undefined ? sender.expiresAt : Math.min(sender.expiresAt, stamp.now + sender.repeatedMs);
  return { expiresAt, keptUntil: stamp.elapsed + Math.max(0, Math.min(MAX_KEEP_MS, expiresAt - stamp.now)) };
}

/** Whether its id is still known (rules M2). */
export function isKept({ expiresAt, keptUntil = 0 }: Pick<TakenEntry, "expiresAt" | "keptUntil">, { now, elapsed }: { readonly now: number; readonly elapsed: number }): boolean {
  return expiresAt > now || keptUntil > elapsed;
}

/** Whether room for a reply is needed. */
function isRepliedTo(interior: Interior, input: MessageInput): boolean {
  return interior.cells.get(input.to)?.plan.actor.messages.specOf(input.event.type)?.reply !== undefined && replyOf(input).kind !== "nobody";
}

function isFull({ rest }: Interior, limit: number): boolean {
  return rest.size("taken") >= MAX_TAKEN || rest.bytesIn("taken") > limit;
}

/** Until so many have expired, the oldest first, that there is room; ms. */
function msUntilRoom(interior: Interior, limit: number): number {
  const { rest, stamp } = interior;
  const rows = rest.size("taken");
  const bytes = rest.bytesIn("taken");
  const known = interior.roomAgain;
  if (known?.rows === rows && known.bytes === bytes && known.limit === limit && known.at > stamp.now) return known.at - stamp.now;
  let rowsOver = rows - MAX_TAKEN + 1;
  let bytesOver = bytes - limit;
  let at = stamp.now + RETRY_AFTER_MS;
  const seen = new Set<string>();
  for (const { id, at: expiresAt } of orderOf(interior).inOrder()) {
    if (seen.has(id) || rest.get("taken", id)?.expiresAt !== expiresAt) continue;
    seen.add(id);
    at = expiresAt;
    rowsOver--;
    bytesOver -= rest.bytesOf("taken", id);
    if (rowsOver <= 0 && bytesOver <= 0) break;
  }
  interior.roomAgain = { rows, bytes, limit, at };
  return Math.max(1, at - stamp.now);
}

/** Takes out what has expired by both clocks, once the first of it did so a while ago, so that many go at once; in a full table at once, and by the wall clock alone. */
function evictExpired(interior: Interior, limit: number): void {
  if (isFull(interior, limit)) {
    evictInOrder(interior);
    return;
  }
  const { rest, stamp, earliest } = interior;
  const hasExpired = (expiresAt: number, keptUntil: number, sinceMs: number): boolean => expiresAt + sinceMs <= stamp.now && keptUntil <= stamp.elapsed;
  const isDue = (expiresAt: number, keptUntil: number): boolean => hasExpired(expiresAt, keptUntil, EVICTION_MS);
  // Nothing is due before the earliest of each clock is. Decided by the table alone, so that a replay evicts in the same turns.
  if (earliest !== undefined && !isDue(earliest.wall, earliest.elapsed)) return;
  let wall = Number.POSITIVE_INFINITY;
  let elapsed = Number.POSITIVE_INFINITY;
  let isAnyDue = false;
  const expired: string[] = [];
  for (const [id, { expiresAt, keptUntil = 0 }] of rest.entries("taken")) {
    isAnyDue ||= isDue(expiresAt, keptUntil);
    if (hasExpired(expiresAt, keptUntil, 0)) expired.push(id);
  }
  if (isAnyDue) for (const id of expired) rest.delete("taken", id);
  for (const [, { expiresAt, keptUntil = 0 }] of rest.entries("taken")) [wall, elapsed] = [Math.min(wall, expiresAt), Math.min(elapsed, keptUntil)];
  interior.earliest = { wall, elapsed };
  if (!isAnyDue) return;
  interior.byExpiry = undefined;
  // A turn that is taken back brings them back.
  interior.undo.push(() => {
    interior.earliest = undefined;
  });
}

/** Of a full table, where each message may find that one more has expired: without a look through all of them. */
function evictInOrder(interior: Interior): void {
  const { rest, stamp } = interior;
  const order = orderOf(interior);
  for (let next = order.takeBy(stamp.now); next !== undefined; next = order.takeBy(stamp.now)) if (rest.get("taken", next.id)?.expiresAt === next.at) rest.delete("taken", next.id);
}

function orderOf(interior: Interior): ExpiryOrder {
  return (interior.byExpiry ??= new ExpiryOrder(interior.rest.entries("taken")));
}

/**
 * Tells a repeated message from another one under the same id; the order of keys does not count. One that is sent again is the same whoever does it.
 * @throws NotPlain for what cannot be read through, e.g. a circle
 */
export function fingerprintOf(to: string, event: EventData, { id, author }: Pick<OutsideSender, "id" | "author">): string {
  const hash = createHash("sha256");
  hash.update(JSON.stringify(isSentAgain(id) ? [to] : [to, author]));
  try {
    hash.update(canonical(event, 0));
  } catch (error) {
    throw isA(error, NotPlain) ? error : new NotPlain("", "something that throws when it is read");
  }
  return hash.digest("base64url").slice(0, 22);
}

function canonical(value: unknown, depth: number): string {
  if (typeof value === "bigint") throw new NotPlain("", "one with a bigint in it, which JSON does not carry");
  if (typeof value !== "object" || value === null) return value === undefined ? "null" : JSON.stringify(value);
  if (depth > MAX_DEPTH) throw new NotPlain("", `nested deeper than ${String(MAX_DEPTH)} levels, or contains itself`);
  if (Array.isArray(value)) return `[${value.map((item) => canonical(item, depth + 1)).join(",")}]`;
  const record = value as Readonly<Record<string, unknown>>;
  return `{${Object.keys(record)
    .filter((key) => record[key] !== undefined)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonical(record[key], depth + 1)}`)
    .join(",")}}`;
}

// ---- from another entity: by its number in the sender's line

function admitEntity(interior: Interior, input: MessageInput, sender: EntitySender): InputResult {
  return admitNumbered(interior, sender, () => takeFromEntity(interior, input, sender));
}

/** The next number of a line, once (rules M1). */
function admitNumbered(interior: Interior, sender: EntitySender, work: () => InputResult): InputResult {
  const row = interior.rest.get("senders", sender.entity);
  const line = lineOf(row, sender);
  if (typeof line === "string") return { kind: "dropped", reason: line };
  if (sender.seq <= line.seq) {
    const refusal = line.refusals.find(([seq]) => seq === sender.seq)?.[1];
    return refusal ?? { kind: "duplicate", entry: undefined };
  }
  if (line.expected !== undefined && sender.seq !== line.expected)
    return { kind: "dropped", reason: `out of order: ${String(line.expected)} is expected, not ${String(sender.seq)}` };
  // What is known of a sender is never forgotten (rules M1): a new one needs room for that.
  if (row === undefined && !hasRoomFor(interior, MAX_REFUSALS_BYTES)) return { kind: "full", retryAfterMs: RETRY_AFTER_MS };
  const mark = interior.undo.mark();
  const record = (refusals: SenderRow["refusals"]): void => {
    interior.rest.put("senders", sender.entity, { incarnation: sender.incarnation, seq: sender.seq, epoch: Math.max(sender.epoch, row?.epoch ?? 0), past: line.past, refusals });
  };
  record(line.refusals);
  const result = work();
  if (result.kind === "accepted") return result;
  interior.undo.backTo(mark);
  if (!isFinal(result)) return result;
  record(withRefusal(line.refusals, sender.seq, result));
  return result;
}

/** The newest of them, so that a repetition of one hears the same. */
export function withRefusal(refusals: SenderRow["refusals"], seq: number, refusal: Refusal): SenderRow["refusals"] {
  const kept = [...refusals.slice(1 - KEPT_REFUSALS), [seq, refusal] as const];
  while (kept.length > 1 && bytesOfData(kept) > MAX_REFUSALS_BYTES) kept.shift();
  return kept;
}

export type AnswerInput = Extract<Input, { kind: "answered" }>;

/** A reply to an ask of this entity. Recorded as taken even when nobody waits for it any more, so that its line goes on. */
export function admitAnswer(interior: Interior, input: AnswerInput): InputResult {
  const { sender } = input;
  if (sender?.kind === "entity") return admitNumbered(interior, sender, () => takeAnswer(interior, input.key, input.answer));
  return answered(interior, input.key, input.answer) ? { kind: "accepted" } : { kind: "dropped", reason: "nobody waits for this answer" };
}

/** Taken even when nobody waits any more, so that the line goes on. */
function takeAnswer(interior: Interior, key: string, answer: AnswerInput["answer"]): InputResult {
  if (!answered(interior, key, answer)) interior.drop("answer");
  return { kind: "accepted" };
}

function takeFromEntity(interior: Interior, input: MessageInput, sender: EntitySender): InputResult {
  // In its turn: it does not overtake what the same sender sent before.
  if (input.answers !== undefined) return input.shelve === undefined ? takeAnswer(interior, input.answers, answerOf(input.event)) : shelve(interior, input);
  if (sender.expiresAt !== undefined && sender.expiresAt <= interior.stamp.now) return { kind: "too-old" };
  return take(interior, input, replyOf(input));
}

interface Line {
  readonly seq: number;
  /** undefined: any number may begin the line. */
  readonly expected: number | undefined;
  readonly past: readonly string[];
  readonly refusals: SenderRow["refusals"];
}

function lineOf(row: SenderRow | undefined, sender: EntitySender): Line | string {
  // A line that is not known begins where the sender's outbox begins: this receiver may have lost its memory, the sender has not.
  const fresh = (past: readonly string[]): Line => ({ seq: 0, expected: sender.oldest, past, refusals: [] });
  if (row === undefined) return fresh([]);
  if (sender.epoch < row.epoch) return `epoch ${String(sender.epoch)} of ${sender.entity} is over: ${String(row.epoch)} was seen`;
  // What lies below the sender's oldest had its last word elsewhere (no such actor, refused at a door): those numbers never come and are skipped (rules M1).
  if (row.incarnation === sender.incarnation) return { seq: row.seq, expected: Math.max(row.seq + 1, sender.oldest ?? 0), past: row.past, refusals: row.refusals };
  if (row.past.includes(sender.incarnation)) return `history ${sender.incarnation} of ${sender.entity} was replaced`;
  return fresh(pastWith(row));
}

/** The histories of a sender that are over, when another one begins. */
export function pastWith({ past, incarnation }: SenderRow): readonly string[] {
  return [...past.slice(1 - KEPT_HISTORIES), incarnation];
}

/** Whether a refusal is the last word on a message, so that its number is skipped (rules M1). */
function isFinal(result: InputResult): result is Extract<Refusal, { kind: "refused" | "invalid" | "id-reused" | "no-such-actor" | "deadline" | "too-old" }> {
  switch (result.kind) {
    case "refused":
    case "invalid":
    case "id-reused":
    case "no-such-actor":
    case "deadline":
    case "too-old":
      return true;
    default:
      return false;
  }
}

// ---- into the cell

/** @param before of a message that is offered again */
function take(interior: Interior, input: MessageInput, replyTo: Destination, before?: AcceptedBefore): InputResult {
  const cell = interior.cells.get(input.to);
  if (cell === undefined || (input.incarnation !== undefined && input.incarnation !== cell.incarnation)) return { kind: "no-such-actor" };
  if (cell.supervision === undefined) return takeInner(interior, input, cell);
  const { messages } = cell.plan.actor;
  const checked = messages.check(input.event, speakerOf(input.sender));
  if (!checked.ok) return { kind: "invalid", problems: checked.problems, accepts: acceptedBy(cell) };
  if (input.wantsReply && messages.specOf(input.event.type)?.reply === undefined) return { kind: "invalid", problems: [UNANSWERED], accepts: acceptedBy(cell) };
  if (input.shelve !== undefined) return shelve(interior, input);
  const taken = interior.offer(
    cell,
    withDoorFields(
      input.event,
      messages.specOf(input.event.type),
      input,
      "id" in replyTo || "key" in replyTo || "asked" in replyTo ? { ...replyTo, asked: `${cell.plan.actor.name} ${input.event.type}` } : replyTo,
    ),
  );
  if (taken === true) return { kind: "accepted" };
  const isPostponed = taken === false ? messages.specOf(input.event.type)?.postpone === true && cell.snapshot.status === "active" : taken.postponed;
  if (isPostponed) return postpone(interior, input, before);
  const guard = input.reads?.guard;
  const reason = taken === false || taken.reason === undefined ? undefined : shortened(taken.reason);
  return { kind: "refused", accepts: acceptedBy(cell), ...(reason === undefined ? {} : { reason }), ...(guard === undefined || guard.open === true ? {} : { guard }) };
}

function speakerOf({ kind }: Sender): Speaker {
  return kind === "local" ? "host" : kind;
}

/** A postponed message, when its actor's state has changed. It was accepted before: what becomes of it now is told to whoever waits for a reply. */
export function takePostponed(interior: Interior, { key }: Extract<Input, { kind: "postponed" }>): InputResult {
  const row = interior.rest.get("stash", key);
  if (row === undefined) return { kind: "dropped", reason: "the postponed message was taken before" };
  interior.rest.delete("stash", key);
  return takeAccepted(interior, row.input, "postponed", { stash: key });
}

/** A shelved message when the mailbox has room for it again. It was accepted before, too. */
export function takeShelved(interior: Interior, { key }: Extract<Input, { kind: "shelved" }>): InputResult {
  const input = unshelve(interior, key);
  if (input === undefined) return { kind: "dropped", reason: "the shelved message was taken before" };
  if (input.answers !== undefined) return takeAnswer(interior, input.answers, answerOf(input.event));
  const { now } = interior.stamp;
  const isOver = input.wantsReply && input.answerBy !== undefined && input.answerBy <= now;
  return takeAccepted(interior, input, "shelved", { stash: undefined }, isOver ? { kind: "deadline" } : undefined);
}

/** @param verdict on it, where its state need not be asked */
function takeAccepted(interior: Interior, input: MessageInput, how: "postponed" | "shelved", before: AcceptedBefore, verdict?: Refusal): InputResult {
  const { sender } = input;
  interior.takeInput(input);
  const replyTo = replyOf(input);
  const isOver = sender.kind !== "local" && sender.expiresAt !== undefined && sender.expiresAt <= interior.stamp.now;
  const result: InputResult = isOver ? { kind: "too-old" } : (verdict ?? take(interior, input, replyTo, before));
  if (result.kind === "accepted") return result;
  if (input.wantsReply) decline(interior, replyTo, result as Refusal);
  if (sender.kind === "outside" && isSentAgain(sender.id)) interior.rest.delete("taken", sender.id);
  return { kind: "dropped", reason: `the ${how} message came to nothing: ${result.kind}` };
}

/** Of what was told under an id that nobody knows nobody ever asks for a reply. */
function replyOf({ sender, replyKey, wantsReply }: MessageInput): Destination {
  if (sender.kind === "outside") return wantsReply || sender.repeatedMs === undefined ? { kind: "outside-reply", id: sender.id } : UNHEARD_REPLY;
  return sender.kind === "local" || replyKey === undefined ? NOBODY : { kind: "entity-reply", entity: sender.entity, key: replyKey };
}

/** What a machine made has no door: only its own kind reaches it, through a ref. */
function takeInner(interior: Interior, input: MessageInput, cell: Cell): InputResult {
  if (input.sender.kind !== "local" || input.incarnation === undefined) return { kind: "no-such-actor" };
  if (input.event.type.startsWith("xstate.")) return { kind: "dropped", reason: "a type that begins with xstate. comes from the host alone" };
  interior.deliver(cell, input.event);
  return { kind: "accepted" };
}

function withDoorFields(event: StepEvent, spec: MessageSpec | undefined, input: MessageInput, replyTo: Destination): StepEvent {
  if (spec === undefined || (spec.reply === undefined && spec.from === undefined && spec.reads === undefined && input.reads === undefined)) return event;
  const full: Record<string, unknown> = { ...event };
  if (spec.from !== undefined) full["sender"] = input.sender.kind === "entity" ? input.sender.entity : entityOf(input.to);
  if (spec.reply !== undefined) full["replyTo"] = new ForeignRef(replyTo);
  if (spec.reads !== undefined || input.reads !== undefined) {
    const read: Record<string, unknown> = {};
    for (const name of spec.reads ?? []) read[name] = null;
    for (const [name, signal] of Object.entries(input.reads?.signals ?? {})) {
      read[name] = signal.value === undefined || signal.ageMs === undefined ? null : { value: signal.value, ageMs: signal.ageMs };
    }
    full["read"] = read;
    if (input.reads?.guard !== undefined) full["guard"] = input.reads.guard;
  }
  return full as unknown as StepEvent;
}
