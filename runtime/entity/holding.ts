// What a supervised actor runs outside of its turns, switched off and on: while it is held back (held-back.ts), and to be restarted from its committed state.

import type { Cell } from "./cell.ts";
import { addressOf, heldBack, isHeldBack, rowOf, rowsInOrder } from "./held-back.ts";
import type { Interior } from "./interior.ts";
import { armRestart, awaitsRestart } from "./outward.ts";
import { sourcesToRunAgain } from "./recovery.ts";
import { report } from "./report.ts";

/** It begins anew after the delay, and holds back whom it must until then, the last one first. */
export function awaitRestart(interior: Interior, cell: Cell, reason: string, delay: number): void {
  const wasHeld = heldBack(interior);
  const wasWaiting = awaitsRestart(interior, cell);
  armRestart(interior, cell, reason, delay);
  const own = rowOf(interior, cell);
  if (own === undefined || wasWaiting) return;
  const isHeld = heldBack(interior);
  for (const row of rowsInOrder(interior, ({ kind }) => kind === own.kind).toReversed()) {
    const other = interior.cells.get(addressOf(interior, row));
    if (other !== undefined && isHeld(row) && !wasHeld(row)) turnOff(interior, other);
  }
}

/** What begins with this turn has not begun: it is taken back. */
export function turnOff(interior: Interior, cell: Cell): void {
  const sources = new Set(sourcesToRunAgain(interior, cell).map(({ incarnation }) => incarnation));
  const isOf = (kind: "source.start" | "source.stop"): Set<number> =>
    new Set(interior.effects.flatMap((effect) => (effect.kind === kind && sources.has(effect.incarnation) ? [effect.incarnation] : [])));
  const [starting, stopping] = [isOf("source.start"), isOf("source.stop")];
  if (starting.size > 0) interior.effects = interior.effects.filter((effect) => !(effect.kind === "source.start" && starting.has(effect.incarnation)));
  for (const source of sourcesToRunAgain(interior, cell).toReversed())
    if (!starting.has(source.incarnation) && !stopping.has(source.incarnation))
      interior.effects.push({ kind: "source.stop", cell: source.address, incarnation: source.incarnation });
}

/** Its sources stop (restarts.ts V5, V6). @returns starts it again, unless it has ended or is held back by then */
export function suspend(interior: Interior, cell: Cell, reason: string): () => void {
  const again = sourcesToRunAgain(interior, cell).filter(
    ({ incarnation }) => !interior.effects.some((effect) => effect.kind === "source.start" && effect.incarnation === incarnation),
  );
  for (const { address, incarnation } of again.toReversed()) interior.effects.push({ kind: "source.stop", cell: address, incarnation });
  return () => {
    if (cell.life !== "running" || isHeldBack(interior, rowOf(interior, cell))) return;
    for (const { address, incarnation, key, life } of again)
      if (life === "running") interior.effects.push({ kind: "source.start", cell: address, incarnation, key: key as string });
    report(interior, "child_restarted", cell.address, reason);
  };
}
