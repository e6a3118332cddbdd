// S2, S3, S7. What a step asks for is committed with it: a message that it sends is in the outbox, a declared effect waits for its confirmation, a timer is armed anew, and one that it cancels is
// armed no longer.
//
// A1. Told by the steps themselves (offered-messages.ts). Of a turn with a fault nothing is judged: what its input asked for was taken back. Nor of an upgrade, which takes no steps.
// A2. Of what a timer was asked last counts. One of an actor that has ended in the turn is gone with it.

import type { TimerRow } from "../../entity/index.ts";
import type { OutboxRow } from "../../entity/contract.ts";
import type { Wish } from "../offered-messages.ts";
import { rowsOf } from "../open-work.ts";
import type { Checker, CommittedTurn } from "./evidence.ts";
import { standingTurns } from "./standing-turns.ts";

type TimerWish = Extract<Wish, { kind: "arm" | "cancel" }>;

export const askedFor: Checker = {
  name: "what a step asks for is committed",
  promise: "S2, S3, S7",
  check: (evidence) => {
    const found: { atMs: number; what: string }[] = [];
    const armed = new Map<string, number>();
    for (const turn of standingTurns(evidence)) {
      const { store, entity, incarnation, atMs, record, steps } = turn;
      const name = `${store} ${entity} ${incarnation}`;
      if (steps?.wishes !== undefined && steps.wishes.length > 0 && isJudged(turn))
        for (const what of missingIn(turn, steps.wishes, (timer) => armed.get(`${name} ${timer}`))) found.push({ atMs, what: `${entity} r${String(turn.revision)}: ${what}` });
      for (const [key, row] of rowsOf(record, "timers")) {
        if (row === undefined) armed.delete(`${name} ${key}`);
        else armed.set(`${name} ${key}`, (row as TimerRow).generation);
      }
    }
    return found;
  },
};

/** A1. */
function isJudged({ record }: CommittedTurn): boolean {
  return record.results.every(({ kind }) => kind !== "faulted") && record.inputs.every(({ kind }) => kind !== "upgrade" && kind !== "attempt");
}

/** @param armedBefore the generation of a timer that is armed */
function* missingIn({ record }: CommittedTurn, wishes: readonly Wish[], armedBefore: (key: string) => number | undefined): Generator<string> {
  const wanted = new Map<string, number>();
  const timers = new Map<string, TimerWish>();
  for (const wish of wishes) {
    if (wish.kind === "send") count(wanted, `message to ${wish.receiver} (${wish.type})`);
    else if (wish.kind === "perform") count(wanted, `effect ${wish.name}`);
    else timers.set(`${String(wish.incarnation)}:${wish.timer}`, wish);
  }
  const is = new Map<string, number>();
  for (const row of rowsOf(record, "outbox")) if (row.length > 1) count(is, `message to ${(row[1] as OutboxRow).receiver} (${(row[1] as OutboxRow).event.type})`);
  for (const row of rowsOf(record, "pending")) if (row.length > 1) count(is, `effect ${(row[1] as { readonly name: string }).name}`);
  for (const [what, times] of wanted)
    if ((is.get(what) ?? 0) < times) yield `its steps asked for ${String(times)} times a ${what}, and its turn has ${String(is.get(what) ?? 0)} of them`;
  if (timers.size === 0) return;
  const rows = new Map(rowsOf(record, "timers").map(([key, row]) => [key, row as TimerRow | undefined]));
  for (const [key, { kind, timer, actor, incarnation }] of timers) {
    if (hasEnded(record, actor, incarnation)) continue;
    const before = armedBefore(key);
    const row = rows.get(key);
    if (kind === "arm" && (row === undefined || row.generation === before)) yield `${actor} armed the timer ${timer}, and its turn has not armed it`;
    if (kind === "cancel" && (rows.has(key) ? row !== undefined : before !== undefined)) yield `${actor} cancelled the timer ${timer}, and it is still armed`;
  }
}

/** A2. */
function hasEnded({ outcome }: CommittedTurn["record"], actor: string, incarnation: number): boolean {
  return outcome.ended.includes(actor) || outcome.cells.some((cell) => cell.address === actor && (cell.incarnation !== incarnation || cell.status !== "active"));
}

function count(counts: Map<string, number>, what: string): void {
  counts.set(what, (counts.get(what) ?? 0) + 1);
}
