// What leaves a cell: timers, messages to other entities, answers, declared effects, asks (rules F1, F2, K1, M1, M2).
//
// O1. A timer is named by its owner's incarnation and its id; arming an armed name replaces it (named difference N4).
// O2. A message to another entity is an outbox row with the next number of the line to that entity; it leaves the outbox with a final receipt.
// O3. A declared effect stays pending until it is confirmed; a task and an ask have a deadline on the elapsed clock.

import { type Address, entityOf, parseAddress } from "../address.ts";
import { DroverError } from "../errors.ts";
import { isA } from "../is-a.ts";
import type { Refusal } from "../outcome.ts";
import { policyProblem } from "../timer-policies.ts";
import { CellRef, type Destination, encodeTold, ForeignRef, isAfterTimer, isEvent, isMeantBy, isWellFormed, NotCarried, type StepAction, type StepEvent } from "../xstate/index.ts";
import type { Cell } from "./cell.ts";
import type { EventData, Input, OutboxRow, TakenEntry, TimerPolicy } from "./contract.ts";
import { messageOf } from "../message-of.ts";
import { traceOf } from "./inside.ts";
import type { Interior, Outward } from "./interior.ts";
import { forgetTimers, renameParked } from "./parked-rows.ts";
import { plainCopy } from "./plain.ts";
import { report } from "./report.ts";
import type { TimerRow } from "./rest-tables.ts";
import { bytesOfData } from "./row-weight.ts";
import { hasReplyRoom, hasRowRoom, MAX_MESSAGE_BYTES } from "./table-limits.ts";
import { clockOf, goneOn, isSetBack, nextDue, rhythmOf } from "./timer-policy.ts";

/** Rows that may wait for receivers, over all of them. */
const MAX_OUTBOX = 10_000;
/** Declared effects that may wait for confirmation. */
const MAX_PENDING = 10_000;

/** Of the timers that end tasks and asks. */
const DEADLINE_TIMER = "deadline";
/** Their event. */
const DEADLINE = "drover.deadline";

export const outward: Omit<Outward, "ended"> = {
  send: (interior, cell, to, event) => {
    guarded(interior, cell, () => {
      send(interior, cell, to, event);
    });
  },
  arm: (interior, cell, action) => {
    guarded(interior, cell, () => {
      armAction(interior, cell, action);
    });
  },
  cancel: (interior, cell, timer) => {
    guarded(interior, cell, () => {
      const key = timerKey(cell.incarnation, timerName(timer) ?? "");
      interior.rest.delete("timers", key);
      forgetTimers(interior.rest, (each) => each === key);
    });
  },
  act: (interior, cell, action) => {
    guarded(interior, cell, () => {
      act(interior, cell, action);
    });
  },
  emit: (interior, cell, event) => {
    guarded(interior, cell, () => {
      emit(interior, cell, event);
    });
  },
  sourceStarted,
  forget: (interior, cell) => {
    if (interior.rest.size("timers") > 0)
      for (const [key, row] of [...interior.rest.entries("timers")]) if (row.incarnation === cell.incarnation && !isHandedOn(cell, row)) interior.rest.delete("timers", key);
    forgetTimers(interior.rest, (_, row) => row.incarnation === cell.incarnation);
    if (cell.key !== undefined) interior.rest.delete("asks", cell.key);
  },
};

/** What a step asked for and cannot have makes its cell fail, as a throw in the step would. */
function guarded(interior: Interior, cell: Cell, work: () => void): void {
  let refused: RefusedAction | undefined;
  try {
    work();
  } catch (error) {
    if (!isA(error, RefusedAction)) throw error;
    refused = error;
  }
  if (refused === undefined) return;
  interior.noteFailure(cell, undefined, refused.reason);
  interior.fail(cell, interior.keep(refused.reason));
}

class RefusedAction extends Error {
  readonly reason: DroverError | NotCarried;

  constructor(reason: DroverError | NotCarried) {
    super(reason.message);
    this.reason = reason;
  }
}

function refuse(message: string, code: "DROVER_SEND_INVALID" | "DROVER_DELAY_INVALID" | "DROVER_MESSAGE_TOO_LARGE" = "DROVER_SEND_INVALID"): never {
  throw new RefusedAction(new DroverError(code, message));
}

function plain(what: string, value: unknown): unknown {
  try {
    return value === undefined ? null : plainCopy(value);
  } catch (error) {
    return refuse(`${what}: ${messageOf(error)}`);
  }
}

/** What leaves an entity, as plain data of a bounded size. */
function sendable({ address }: Cell, what: string, value: unknown): unknown {
  const copy = plain(what, value);
  const bytes = bytesOfData(copy);
  if (bytes > MAX_MESSAGE_BYTES) refuse(`${address}: ${what} has about ${String(bytes)} bytes, the limit is ${String(MAX_MESSAGE_BYTES)}`, "DROVER_MESSAGE_TOO_LARGE");
  return copy;
}

/** What a record cannot hold is refused here, as long as the step that made it can still fail. */
function kept(interior: Interior, what: string, value: unknown): unknown {
  try {
    return encodeTold(value, interior, what);
  } catch (error) {
    throw isA(error, NotCarried) ? new RefusedAction(error) : error;
  }
}

// ---- messages

function emit(interior: Interior, cell: Cell, event: unknown): void {
  if (!isEvent(event)) refuse("an event is an object with a type");
  interior.emit(cell, event, interior.durable ? (kept(interior, `the emitted "${event.type}"`, event) as EventData) : undefined);
}

function send(interior: Interior, cell: Cell, to: unknown, given: unknown): void {
  if (!isEvent(given)) refuse("an event is an object with a type");
  const event = given.type === "xstate.error" ? { type: `xstate.error.actor.${cell.id}`, error: given["data"], actorId: cell.id } : given;
  if (typeof to === "object" && to !== null && CellRef.is(to)) {
    const target = CellRef.cellOf(to) as Cell;
    if (target.host === interior) interior.deliver(target, event);
    else sendAway(interior, cell, parseAddress(target.address), event);
    return;
  }
  if (!(to instanceof ForeignRef)) refuse(`Unable to send event '${event.type}' from ${cell.address}: there is no such actor`);
  const { destination } = to;
  switch (destination.kind) {
    case "actor":
      sendTo(interior, cell, destination.address as Address, event);
      return;
    case "outside-reply":
      answerOutside(interior, destination.id, () => replyEvent(interior, cell, destination.asked, event));
      return;
    case "entity-reply":
      addRow(interior, {
        receiver: destination.entity as Address,
        to: destination.entity as Address,
        event: replyEvent(interior, cell, destination.asked, event),
        wantsReply: false,
        answers: destination.key,
      });
      return;
    case "nobody":
      if (destination.asked !== undefined) replyEvent(interior, cell, destination.asked, event);
      return;
  }
}

function sendTo(interior: Interior, cell: Cell, address: Address, event: StepEvent): void {
  if (entityOf(address) !== interior.address) {
    sendAway(interior, cell, address, event);
    return;
  }
  const target = interior.cells.get(address);
  if (target === undefined) interior.drop("event");
  else interior.deliver(target, event);
}

function sendAway(interior: Interior, cell: Cell, to: Address, event: StepEvent): void {
  addRow(interior, { receiver: entityOf(to), to, event: sendable(cell, `the event '${event.type}' to ${to}`, event) as EventData, wantsReply: false });
}

function addRow(interior: Interior, row: Omit<OutboxRow, "seq">): void {
  const { rest } = interior;
  if (rest.size("outbox") >= MAX_OUTBOX) refuse(`the outbox of ${interior.address} is full: ${String(MAX_OUTBOX)} messages wait for their receivers`);
  if (!hasRowRoom(interior, "outbox"))
    refuse(`the outbox of ${interior.address} is full: ${String(rest.size("outbox"))} messages of about ${String(rest.bytesIn("outbox"))} bytes wait for their receivers`);
  const seq = interior.rest.get("lines", row.receiver) ?? 1;
  interior.rest.put("lines", row.receiver, seq + 1);
  const full: OutboxRow = { ...row, seq, ...traceOf(interior.cause) };
  interior.rest.put("outbox", rowKey(row.receiver, seq), full);
  interior.effects.push({ kind: "send", row: full });
}

/** @param under the former incarnation that it was numbered under */
export function rowKey(receiver: Address, seq: number, under?: string): string {
  return under === undefined ? `${receiver} ${String(seq)}` : `${receiver} ${String(seq)} ${under}`;
}

/** Says to whoever waits that there will be no reply. */
export function decline(interior: Interior, to: Destination, refusal: Refusal): void {
  const made = { type: "decline", refusal };
  if (to.kind === "outside-reply") answerOutside(interior, to.id, () => made);
  else if (to.kind === "entity-reply") addRow(interior, { receiver: to.entity as Address, to: to.entity as Address, event: made, wantsReply: false, answers: to.key });
}

/** The first answer counts; it is kept beside the message's outcome until that expires (rules M2). */
function answerOutside(interior: Interior, id: string, event: () => EventData): void {
  const entry = interior.rest.get("taken", id);
  if (entry === undefined || entry.answer !== undefined) {
    interior.drop("reply");
    return;
  }
  const made = answerOf(event());
  const answer: TakenEntry["answer"] = hasReplyRoom(interior, made) ? made : { kind: "unknown", reason: noReplyRoom(interior, bytesOfData(made)) };
  const answered: TakenEntry = { ...entry, answer };
  interior.rest.put("taken", id, answered);
  interior.effects.push({ kind: "answer", id, answer });
}

/** The same for whoever waits and for whoever comes again: what is not kept is told to nobody. */
function noReplyRoom({ address, rest }: Interior, bytes: number): string {
  return `taken and acted on; there is no room for its reply of about ${String(bytes)} bytes: ${address} keeps ${String(rest.bytesIn("taken"))} bytes of replies and outcomes already`;
}

/** What may be sent to where an answer is wanted, as plain data: `reply(value)`, which the protocol of the message checks (hosting A1), or `decline(refusal)`. */
function replyEvent(interior: Interior, cell: Cell, asked: string | undefined, event: StepEvent): EventData {
  const [actor = "", message = ""] = asked?.split(" ") ?? [];
  if (event.type === "decline") return { type: "decline", refusal: sendable(cell, `the refusal of "${message}"`, event["refusal"]) };
  const value = sendable(cell, `the reply to "${message}"`, event["value"]);
  const checked = interior.type.types.get(actor)?.messages.checkReply(message, value);
  if (checked?.ok === false)
    refuse(
      `the reply to "${message}" does not fit the protocol of ${actor}: ${checked.problems.map(({ path, message: what }) => `${path === "" ? "/" : path} ${what}`).join("; ")}`,
    );
  return { type: "reply", value };
}

/** The answer that such an event carries. */
export function answerOf(event: EventData): { readonly kind: "replied"; readonly value: unknown } | Refusal {
  return event.type === "decline" ? (event["refusal"] as Refusal) : { kind: "replied", value: event["value"] };
}

// ---- timers

function timerKey(incarnation: number, name: string): string {
  return `${String(incarnation)}:${name}`;
}

/** A timer of the cell goes on as that of another name and event: due when it was due, in its place among equal ones. */
export function renameTimer({ rest }: Interior, { incarnation }: Cell, name: string, next: string): void {
  const [key, nextKey] = [timerKey(incarnation, name), timerKey(incarnation, next)];
  const renamed = (row: TimerRow): TimerRow => ({ ...row, name: next, event: { ...(row.event as StepEvent), type: next } });
  renameParked(rest, key, nextKey, renamed);
  const row = rest.get("timers", key);
  if (row === undefined) return;
  rest.delete("timers", key);
  rest.put("timers", nextKey, renamed(row));
}

function armAction(interior: Interior, cell: Cell, action: Extract<StepAction, { kind: "send" }>): void {
  const delay = action.delay as number;
  if (!Number.isFinite(delay))
    refuse(`a delay of ${String(delay)} ms${typeof action.timer === "string" ? ` for the timer "${action.timer}"` : ""} is no number of milliseconds`, "DROVER_DELAY_INVALID");
  const problem = policyProblem(`policy of the timer${typeof action.timer === "string" ? ` "${action.timer}"` : ""}`, action.policy);
  if (problem !== undefined) refuse(problem, "DROVER_DELAY_INVALID");
  if (!isEvent(action.event)) refuse("an event is an object with a type");
  if (typeof action.to !== "object" || action.to === null || !(CellRef.is(action.to) || action.to instanceof ForeignRef))
    refuse(`Unable to send event '${action.event.type}' from ${cell.address}: there is no such actor`);
  const { rest } = interior;
  if (!hasRowRoom(interior, "timers"))
    refuse(`${String(rest.size("timers"))} timers of ${interior.address} with about ${String(rest.bytesIn("timers"))} bytes are armed`, "DROVER_DELAY_INVALID");
  const key = arm(interior, cell, timerName(action.timer), action.to, action.event, delay, action.policy);
  const bytes = rest.bytesOf("timers", key);
  if (bytes <= MAX_MESSAGE_BYTES) return;
  rest.delete("timers", key);
  refuse(`${cell.address}: the event '${action.event.type}' of a timer has about ${String(bytes)} bytes, the limit is ${String(MAX_MESSAGE_BYTES)}`, "DROVER_MESSAGE_TOO_LARGE");
}

/** It is a key of the record; as in bare XState what is no text stands for its text. */
function timerName(given: unknown): string | undefined {
  if (given === undefined) return undefined;
  const name = messageOf(given);
  return isWellFormed(name) ? name : refuse("the id of a delayed event is no text");
}

function arm(interior: Interior, cell: Cell, named: string | undefined, to: unknown, event: StepEvent, delay: number, policy: TimerPolicy): string {
  const generation = interior.rest.next("timer");
  const name = named ?? `~${String(generation)}`;
  const { firing, stamp } = interior;
  const clock = clockOf(policy);
  const rhythm = rhythmOf(policy, delay);
  const isOwn = firing?.incarnation === cell.incarnation && firing.name === name;
  const next =
    rhythm === undefined ? { due: (clock === "wall" ? stamp.now : stamp.elapsed) + Math.max(0, delay), late: 0 } : nextDue(rhythm, stamp.now, isOwn ? firing : undefined);
  const key = timerKey(cell.incarnation, name);
  forgetTimers(interior.rest, (each) => each === key);
  interior.rest.put("timers", key, {
    owner: cell.address,
    incarnation: cell.incarnation,
    name,
    to,
    event,
    clock,
    due: next.due,
    ...(rhythm === undefined ? {} : { rhythm: { ...rhythm, late: next.late } }),
    generation,
    ...(isForNobody(to, event) ? { isForNobody: true } : {}),
    ...traceOf(interior.cause),
  });
  return key;
}

/** What leads out of a state is awaited by it, whatever the step that arms it goes on to. */
function isForNobody(to: unknown, event: StepEvent): boolean {
  return typeof to === "object" && to !== null && CellRef.is(to) && !isAfterTimer(event.type) && !isHeardBy(CellRef.cellOf(to) as Cell, event);
}

/** The trace of what a task was begun for, as the timer of its deadline keeps it. */
export function traceOfTask(interior: Interior, { incarnation }: Cell): { readonly trace?: string } {
  return traceOf(interior.rest.get("timers", timerKey(incarnation, DEADLINE_TIMER)) ?? {});
}

/** A key that no timer of a machine can have. */
function restartKey(cell: Cell): string {
  return `${String(cell.incarnation)}!restart`;
}

/** The cell begins anew when this is due (hosting H14); arming it again replaces it. */
export function armRestart(interior: Interior, cell: Cell, reason: string, delay: number): void {
  const generation = interior.rest.next("timer");
  const due = interior.stamp.elapsed + delay;
  const event = { type: "drover.restart", reason };
  interior.rest.put("timers", restartKey(cell), { owner: cell.address, incarnation: cell.incarnation, name: "restart", to: null, event, clock: "elapsed", due, generation });
}

/** Why the timer's cell is to begin anew; undefined for any other timer: those speak to somebody. */
export function restartReason(row: TimerRow): string | undefined {
  return row.to === null ? (row.event as { readonly reason: string }).reason : undefined;
}

/** Of a child that comes to its end while it waits: who was held back until then is let go by whoever hears of the end. */
function isHandedOn({ supervision, snapshot }: Cell, row: TimerRow): boolean {
  return supervision?.kind === "child" && snapshot.status === "done" && restartReason(row) !== undefined;
}

export function forgetRestart(interior: Interior, cell: Cell): void {
  interior.rest.delete("timers", restartKey(cell));
}

/** Whether the cell waits to begin anew. */
export function awaitsRestart(interior: Interior, cell: Cell): boolean {
  return interior.rest.get("timers", restartKey(cell)) !== undefined;
}

/** The firing of a timer: it is gone with the same commit (rules K1). */
export function fire(interior: Interior, input: Extract<Input, { kind: "timer" }>): string | undefined {
  const row = interior.rest.get("timers", input.timer);
  if (row?.generation !== input.generation) return "the timer is not armed any more";
  interior.rest.delete("timers", input.timer);
  const { rhythm } = row;
  const { now } = interior.stamp;
  // Its time may lie ahead: of a clock that was set back, or that has come back since.
  if (rhythm !== undefined && input.missed === true && (rhythm.atMost === 0 || row.due > now)) {
    const next = goneOn(row, rhythm, now);
    // Armed with nothing between its times it could never be caught up with: it waits for its next arming.
    if (next.due > now || isSetBack(row, now)) interior.rest.put("timers", input.timer, { ...row, ...next, generation: interior.rest.next("timer") });
    return undefined;
  }
  if (row.trace !== undefined) interior.takeInput(input, { author: undefined, messageId: undefined, trace: row.trace });
  const event = row.event as StepEvent;
  const owner = interior.cells.get(row.owner);
  if (owner?.incarnation !== row.incarnation) return "the timer's actor has gone";
  if (event.type === DEADLINE) {
    deadline(interior, owner);
    return undefined;
  }
  if (typeof row.to === "object" && row.to !== null && CellRef.is(row.to)) {
    const target = CellRef.cellOf(row.to) as Cell;
    if (target.life === "ended" || target.host !== interior) {
      interior.drop("timer");
      return undefined;
    }
    if (!isHeardBy(target, event)) return row.isForNobody === true ? undefined : unheard(interior, target, row);
  }
  interior.firing = { incarnation: row.incarnation, name: row.name, due: row.due, late: lateness(rhythm?.late ?? 0, input.missed) };
  try {
    guarded(interior, owner, () => {
      send(interior, owner, row.to, event);
    });
  } finally {
    interior.firing = undefined;
  }
  return undefined;
}

/** A machine that waits for nothing of this kind was not the one that armed it. */
export function isHeardBy({ plan: { logic }, snapshot, life }: Cell, { type }: StepEvent): boolean {
  return logic.kind !== "machine" || life !== "running" || isMeantBy(logic.machine, snapshot, type);
}

/** A state's own delay leads on where nothing else may: that it does not is the actor's fault. What the actor was to hear later and knows nothing of is a dead letter. */
function unheard(interior: Interior, cell: Cell, { name, event }: TimerRow): string | undefined {
  const { type } = event as StepEvent;
  const { actor } = cell.plan;
  const state = JSON.stringify((cell.snapshot as { readonly value?: unknown }).value);
  const reason = `the timer "${name}" means nothing in ${state} to the machine that is registered as version ${String(actor.version)} of "${actor.name}"`;
  if (!isAfterTimer(type)) {
    const unknown = `${reason}: no state of it takes "${type}"`;
    report(interior, "machine_changed", cell.address, unknown, { code: "DROVER_MACHINE_CHANGED", place: cell.address });
    return unknown;
  }
  const error = new DroverError("DROVER_MACHINE_CHANGED", `${reason}: another one armed it`);
  interior.noteFailure(cell, type, error);
  interior.fail(cell, interior.keep(error));
  return undefined;
}

/** The first missed firing of a row is not known as late before it fires. */
function lateness(late: number, isMissed: true | undefined): number {
  return late === 0 && isMissed === true ? 1 : late;
}

/**
 * Due on each clock, in the order of firing: by due time, equal ones by arming; elapsed before wall. Also those behind which the wall clock was set back.
 * @param wall undefined: it is not trusted
 */
export function dueRows(timers: Iterable<readonly [string, TimerRow]>, elapsed: number, wall: number | undefined): readonly (readonly [string, TimerRow])[] {
  const due: (readonly [string, TimerRow])[] = [];
  for (const entry of timers) {
    const [, row] = entry;
    if (row.clock === "elapsed" ? row.due <= elapsed : wall !== undefined && (row.due <= wall || isSetBack(row, wall))) due.push(entry);
  }
  return due.sort(([, a], [, b]) => (a.clock === b.clock ? a.due - b.due || a.generation - b.generation : a.clock === "elapsed" ? -1 : 1));
}

// ---- effects, tasks, asks

function act(interior: Interior, cell: Cell, action: Extract<StepAction, { kind: "act" }>): void {
  const declared = action.effectClass;
  const params = declared === undefined ? action.params : sendable(cell, `the parameters of "${action.name}"`, action.params);
  const key = interior.workKey(cell.address);
  if (declared !== undefined) {
    if (interior.rest.size("pending") >= MAX_PENDING) refuse(`${String(MAX_PENDING)} effects of ${interior.address} wait for confirmation`);
    if (!hasRowRoom(interior, "pending"))
      refuse(`${String(interior.rest.size("pending"))} effects of ${interior.address} with about ${String(interior.rest.bytesIn("pending"))} bytes wait for confirmation`);
    interior.rest.put("pending", key, {
      cell: cell.address,
      incarnation: cell.incarnation,
      name: action.name,
      params,
      class: declared,
      since: interior.stamp.now,
      author: interior.cause.author,
      messageId: interior.cause.messageId,
      ...traceOf(interior.cause),
    });
  }
  interior.effects.push({
    kind: "act",
    cell: cell.address,
    incarnation: cell.incarnation,
    key,
    name: action.name,
    params,
    declared,
    ...(action.run === undefined ? {} : { run: action.run }),
    cause: interior.cause,
  });
}

function sourceStarted(interior: Interior, cell: Cell): void {
  const mark = cell.plan.logic.kind === "source" ? cell.plan.logic.mark : undefined;
  if (mark === undefined || mark.kind === "subscription") return;
  if (mark.kind === "task") {
    arm(interior, cell, DEADLINE_TIMER, cell.ref, { type: DEADLINE }, mark.withinMs, "remaining");
    return;
  }
  const asked = cell.input as { readonly to?: unknown; readonly body?: unknown; readonly withinMs?: unknown } | undefined;
  const withinMs = asked?.withinMs;
  // An ask is the entity's own work: nothing outside is started for it.
  interior.effects = interior.effects.filter((effect) => !(effect.kind === "source.start" && effect.incarnation === cell.incarnation));
  let problem: string | undefined;
  try {
    const to = parseAddress(String(asked?.to));
    if (typeof withinMs !== "number" || !Number.isFinite(withinMs) || withinMs <= 0) throw new Error("withinMs is a positive number of milliseconds");
    const remainingMs = remainingOf(interior);
    if (remainingMs <= 0) {
      interior.fail(cell, { kind: "deadline" });
      return;
    }
    const awaitedMs = Math.min(withinMs, remainingMs);
    const expiresAt = interior.stamp.now + awaitedMs;
    interior.rest.put("asks", cell.key as string, { cell: cell.address, incarnation: cell.incarnation, deadline: expiresAt });
    addRow(interior, {
      receiver: entityOf(to),
      to,
      event: { ...(sendable(cell, "the body of an ask", asked?.body ?? {}) as Readonly<Record<string, unknown>>), type: mark.message },
      wantsReply: true,
      replyKey: cell.key as string,
      expiresAt,
    });
    arm(interior, cell, DEADLINE_TIMER, cell.ref, { type: DEADLINE }, awaitedMs, "remaining");
  } catch (error) {
    problem = messageOf(error);
  }
  if (problem !== undefined) interior.fail(cell, { kind: "invalid", problems: [{ path: "", message: problem }], accepts: [] });
}

/** What whoever asked this entity still waits, ms: an answer to an ask of its own is of no use to it after that. */
function remainingOf({ input, stamp }: Interior): number {
  return input?.kind === "message" && input.answerBy !== undefined ? input.answerBy - stamp.now : Number.POSITIVE_INFINITY;
}

function deadline(interior: Interior, cell: Cell): void {
  if (cell.life === "ended") return;
  const { logic } = cell.plan;
  const isTask = logic.kind === "source" && logic.mark?.kind === "task";
  if (isTask) interior.effects.push({ kind: "source.stop", cell: cell.address, incarnation: cell.incarnation });
  interior.fail(cell, { kind: "unknown", reason: isTask ? "the task did not end before its deadline" : "no answer came before the deadline" });
}

/** An answer to an ask of this entity; false when nobody waits for it. */
export function answered(interior: Interior, key: string, answer: Extract<Input, { kind: "answered" }>["answer"]): boolean {
  const waiting = interior.rest.get("asks", key);
  if (waiting === undefined) return false;
  interior.rest.delete("asks", key);
  const cell = interior.cells.get(waiting.cell);
  if (cell?.incarnation !== waiting.incarnation || cell.life !== "running") return false;
  if (answer.kind === "replied") {
    interior.setSnapshot(cell, { ...cell.snapshot, status: "done", output: answer.value });
    interior.finish(cell);
  } else interior.fail(cell, answer);
  return true;
}
