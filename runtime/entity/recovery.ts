// What a recovery must say and do: nothing that awaits an answer may meet silence (rules F1, F2).

import type { Cell } from "./cell.ts";
import type { Effect, Input, OutboxRow } from "./contract.ts";
import { heldBack, rowOf } from "./held-back.ts";
import { type Interior, supervisedOf } from "./interior.ts";
import { awaitsRestart, rowKey, traceOfTask } from "./outward.ts";
import type { PendingEffect } from "./rest-tables.ts";
import { releasedInputs } from "./stash.ts";

export interface Pending extends PendingEffect {
  readonly key: string;
}

/** Committed declared effects that are not confirmed, oldest first. */
export function pendingEffects(interior: Interior): readonly Pending[] {
  return [...interior.rest.committedEntries("pending")].map(([key, row]) => ({ ...row, key })).sort((a, b) => a.since - b.since || (a.key < b.key ? -1 : 1));
}

/** Committed rows of the outbox by receiver, in order of their numbers; those of former incarnations first. */
export function outboxOf(interior: Interior): ReadonlyMap<OutboxRow["receiver"], readonly OutboxRow[]> {
  const byReceiver = new Map<OutboxRow["receiver"], OutboxRow[]>();
  for (const [, row] of interior.rest.committedEntries("outbox")) {
    const rows = byReceiver.get(row.receiver);
    if (rows === undefined) byReceiver.set(row.receiver, [row]);
    else rows.push(row);
  }
  for (const rows of byReceiver.values()) rows.sort((a, b) => nthOf(a) - nthOf(b) || a.seq - b.seq);
  return byReceiver;
}

function nthOf({ under }: OutboxRow): number {
  return under?.nth ?? Number.MAX_SAFE_INTEGER;
}

/** Something of it is under way whose end it must hear of. */
export function isUnfinished(interior: Interior): boolean {
  const { rest } = interior;
  return rest.size("outbox") > 0 || rest.size("pending") > 0 || awaitsWord(interior);
}

/** All that is under way of it are messages to others and effects that may be done twice: a recovery goes on with them as if nothing had been. */
export function isRepeatable(interior: Interior): boolean {
  if (awaitsWord(interior)) return false;
  for (const [, { class: declared }] of interior.rest.committedEntries("pending")) if (declared !== "idempotent") return false;
  return true;
}

/** Of an ask, a source or the shelf. */
function awaitsWord(interior: Interior): boolean {
  const { rest } = interior;
  return rest.size("asks") > 0 || rest.size("shelf") > 0 || sourceCells(interior).length > 0;
}

/** @param fresh effects that are about to be performed for the first time: they await nothing yet */
export function recoveryInputs(interior: Interior, now: number, fresh: readonly Effect[] = []): readonly Input[] {
  const inputs: Input[] = [];
  const isFresh = among(fresh);
  for (const effect of pendingEffects(interior)) {
    if (isFresh(effect.key)) continue;
    if (effect.class === "once") inputs.push({ kind: "performed", key: effect.key, outcome: { kind: "unknown" } });
    else if (effect.class === "state") inputs.push({ kind: "performed", key: effect.key, outcome: { kind: "dropped" } });
  }
  for (const cell of sourceCells(interior)) {
    if (!mayRunAgain(cell) && !isFresh(cell.key as string)) {
      inputs.push({
        kind: "source",
        cell: cell.address,
        incarnation: cell.incarnation,
        said: { kind: "error", error: { kind: "unknown", reason: "the node stopped while the task ran" } },
        ...traceOfTask(interior, cell),
      });
    }
  }
  for (const [key, ask] of [...interior.rest.entries("asks")].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (ask.deadline <= now) inputs.push({ kind: "answered", key, answer: { kind: "unknown", reason: "no answer came before the deadline" } });
  }
  return [...releasedInputs(interior), ...inputs];
}

/** @param fresh as above: they are not among these */
export function recoveryEffects(interior: Interior, fresh: readonly Effect[] = []): readonly Effect[] {
  const effects: Effect[] = [];
  const isFresh = among(fresh);
  const isHeld = heldBack(interior);
  for (const cell of sourceCells(interior)) {
    if (mayRunAgain(cell) && !isFresh(cell.key as string) && !isHeld(rowOf(interior, supervisedOf(cell))))
      effects.push({ kind: "source.start", cell: cell.address, incarnation: cell.incarnation, key: cell.key as string });
  }
  for (const { cell, incarnation, key, name, params, class: declared, author, messageId, trace } of pendingEffects(interior)) {
    if (declared === "idempotent" && !isFresh(key))
      effects.push({ kind: "act", cell, incarnation, key, name, params, declared, cause: { author, messageId, ...(trace === undefined ? {} : { trace }) } });
  }
  for (const rows of outboxOf(interior).values()) for (const row of rows) if (!isFresh(rowKey(row.receiver, row.seq, row.under?.incarnation))) effects.push({ kind: "send", row });
  return effects;
}

function among(effects: readonly Effect[]): (key: string) => boolean {
  const keys = new Set(
    effects.flatMap((effect) => (effect.kind === "send" ? [rowKey(effect.row.receiver, effect.row.seq, effect.row.under?.incarnation)] : "key" in effect ? [effect.key] : [])),
  );
  return (key) => keys.has(key);
}

/** Sources that run outside of the turn; an ask runs inside, by the outbox. */
function sourceCells(interior: Interior): readonly Cell[] {
  return (
    [...interior.cells.values()]
      .filter((cell) => cell.plan.logic.kind === "source" && cell.plan.logic.mark?.kind !== "ask" && cell.life === "running")
      // What made it fail is not started again before its time (hosting H14).
      .filter((cell) => !awaitsRestart(interior, supervisedOf(cell)))
      .sort(inOrder(interior))
  );
}

/** Those of the root first, then those of the children in the order of the configuration, whichever of them has begun anew since; of one actor in the order in which they began. */
function inOrder(interior: Interior): (a: Cell, b: Cell) => number {
  const placeOf = (cell: Cell): number => {
    const { supervision } = supervisedOf(cell);
    return supervision?.kind === "child" ? (interior.rest.get("children", supervision.spec)?.order ?? 0) : -1;
  };
  return (a, b) => placeOf(a) - placeOf(b) || a.incarnation - b.incarnation;
}

/** Incarnations of what may run outside of the turn, in the order of starting. */
export function sourceOrder(interior: Interior): readonly number[] {
  return [...interior.cells.values()]
    .filter(({ plan }) => plan.logic.kind === "source")
    .sort(inOrder(interior))
    .map(({ incarnation }) => incarnation);
}

/** Of an actor that the supervisor keeps: those that a restart of it starts again. */
export function sourcesToRunAgain(interior: Interior, supervised: Cell): readonly Cell[] {
  return sourceCells(interior).filter((cell) => mayRunAgain(cell) && supervisedOf(cell) === supervised);
}

function mayRunAgain(cell: Cell): boolean {
  const { logic } = cell.plan;
  return !(logic.kind === "source" && logic.mark?.kind === "task" && logic.mark.class === "once");
}
