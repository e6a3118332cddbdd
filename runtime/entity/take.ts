// What one input does to the entity.

import { admit, admitAnswer, takePostponed, takeShelved } from "./admission.ts";
import type { Cell } from "./cell.ts";
import type { EffectOutcome, Input, InputResult } from "./contract.ts";
import { fork } from "./fork.ts";
import { traceOf } from "./inside.ts";
import type { Interior } from "./interior.ts";
import { answered, fire, rowKey } from "./outward.ts";
import { isEvent } from "../xstate/index.ts";
import { ringAgain } from "./parked-timers.ts";
import { restartIsDue } from "./restarts.ts";
import { reconcile, startRoot } from "./children.ts";
import { attempt } from "./supervision.ts";
import { upgrade } from "./upgrading.ts";

const ACCEPTED: InputResult = { kind: "accepted" };

/** @throws SupervisedFault, or what unwound the input otherwise */
export function takeInput(interior: Interior, input: Input): InputResult {
  switch (input.kind) {
    case "start":
      if (interior.root !== undefined && interior.root.life !== "ended") return dropped("the entity has started before");
      interior.setLabels(input.labels);
      startRoot(interior, input.input, input.bareSnapshot);
      return ACCEPTED;
    case "children":
      if (interior.root === undefined) return dropped("the entity has not started");
      return reconcile(interior, input.specs);
    case "message":
      return admit(interior, input);
    case "timer": {
      if (interior.rest.get("timers", input.timer)?.generation === input.generation && restartIsDue(interior, input.timer)) return ACCEPTED;
      const late = fire(interior, input);
      return late === undefined ? ACCEPTED : dropped(late);
    }
    case "ring":
      return ringAgain(interior, input);
    case "source":
      return takeSaid(interior, input);
    case "performed":
      return takePerformed(interior, input);
    case "fault": {
      const cell = living(interior, input.cell, input.incarnation);
      if (cell === undefined) return dropped("the actor has gone");
      interior.noteFailure(cell, undefined, Object.assign(new Error(input.error), { code: input.code }), input.where);
      interior.fail(cell, new Error(input.error));
      return ACCEPTED;
    }
    case "delivered":
      return takeReceipt(interior, input);
    case "answered":
      return admitAnswer(interior, input);
    case "postponed":
      return takePostponed(interior, input);
    case "shelved":
      return takeShelved(interior, input);
    case "attempt":
      return attempt(interior, input);
    case "upgrade":
      upgrade(interior);
      return ACCEPTED;
    case "forked":
      return fork(interior, input);
  }
}

function dropped(reason: string): InputResult {
  return { kind: "dropped", reason };
}

/** The cell, if that incarnation of it lives: nothing else is meant (hosting H5). */
function living(interior: Interior, address: string, incarnation: number): Cell | undefined {
  const cell = interior.cells.get(address);
  return cell?.incarnation === incarnation && cell.life === "running" ? cell : undefined;
}

function takeSaid(interior: Interior, input: Extract<Input, { kind: "source" }>): InputResult {
  const cell = living(interior, input.cell, input.incarnation);
  if (cell?.plan.logic.kind !== "source") return dropped("the source was stopped before it said this");
  const { said } = input;
  switch (said.kind) {
    case "done":
      interior.setSnapshot(cell, { ...cell.snapshot, status: "done", output: said.output });
      interior.finish(cell);
      return ACCEPTED;
    case "error":
      interior.noteFailure(cell, undefined, said.error, `source "${cell.id}"`);
      interior.fail(cell, said.error);
      return ACCEPTED;
    case "next":
      interior.setSnapshot(cell, { ...cell.snapshot, context: said.value });
      interior.tellParent(cell);
      return ACCEPTED;
    case "event": {
      const event: unknown = said.event;
      if (!isEvent(event)) return dropped("a source said something that is no event");
      if (event.type.startsWith("xstate.")) return dropped("a type that begins with xstate. comes from the host alone");
      if (cell.parent !== undefined) interior.deliver(cell.parent, event);
      return ACCEPTED;
    }
    case "emit":
      if (!isEvent(said.event)) return dropped("a source emitted something that is no event");
      interior.outward.emit(interior, cell, said.event);
      return ACCEPTED;
  }
}

function takePerformed(interior: Interior, input: Extract<Input, { kind: "performed" }>): InputResult {
  const { key, outcome } = input;
  const pending = interior.rest.get("pending", key);
  if (pending === undefined) return dropped("no effect waits under this key");
  interior.rest.delete("pending", key);
  if (outcome.kind === "done" || outcome.kind === "dropped") return ACCEPTED;
  const cell = living(interior, pending.cell, pending.incarnation);
  const type = `effect.${outcome.kind}`;
  if (cell === undefined || cell.plan.actor.messages.specOf(type)?.internal !== true) {
    interior.drop("effect-outcome");
    interior.effects.push({ kind: "log", cell: pending.cell, label: type, value: { effect: pending.name, key, reason: reasonOf(outcome) } });
    return ACCEPTED;
  }
  const guard = outcome.kind === "refused" ? outcome.guard : undefined;
  interior.takeInput(input, { author: pending.author, messageId: pending.messageId, ...traceOf(pending) });
  interior.deliver(cell, { type, effect: pending.name, key, params: pending.params, reason: reasonOf(outcome), ...(guard === undefined ? {} : { guard }) });
  return ACCEPTED;
}

function reasonOf(outcome: Exclude<EffectOutcome, { kind: "done" | "dropped" }>): string {
  switch (outcome.kind) {
    case "failed":
      return outcome.error;
    case "refused":
      return outcome.reason;
    case "unknown":
      return outcome.reason ?? "the node stopped before it was confirmed";
  }
}

/** A final receipt takes the row out of the outbox; a refused ask has its answer with it. */
function takeReceipt(interior: Interior, input: Extract<Input, { kind: "delivered" }>): InputResult {
  const key = rowKey(input.receiver, input.seq, input.under);
  const row = interior.rest.get("outbox", key);
  if (row === undefined) return dropped("the message was confirmed before");
  const { outcome } = input;
  if (outcome.kind === "full" || outcome.kind === "owner-away" || outcome.kind === "unknown")
    return { kind: "dropped", reason: `"${outcome.kind}" may pass: the message stays in the outbox` };
  interior.rest.delete("outbox", key);
  if (outcome.kind !== "accepted" && row.replyKey !== undefined) answered(interior, row.replyKey, outcome);
  return ACCEPTED;
}
