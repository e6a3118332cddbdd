// Siblings that wait for one that cannot run now, under rest-for-one and one-for-all (hosting H12, H14).
//
// B1. Whoever waits for its restart holds back those that come after it in the order of the configuration, as OTP's supervisor and Drover's own tree do (supervision/lane.ts L2);
//     under one-for-all all of them, unless it failed in its start: then those before it have started, and go on.
// B2. Who is held back follows from the restart timers and the configuration: nothing else is kept of it. What it runs outside of its turns is off, also after a recovery; for messages it is as
//     one that waits for its own restart. One that has not started since, or was to begin anew meanwhile, stands there as stopped.
// B3. It is let go by the attempt that succeeds, and where whoever holds it back comes to a normal end or leaves the configuration.

import { type Address, childAddress } from "../address.ts";
import type { Cell } from "./cell.ts";
import type { Interior } from "./interior.ts";
import { restartReason } from "./outward.ts";
import type { ChildRow } from "./rest-tables.ts";

export type IsHeldBack = (row: ChildRow | undefined) => boolean;

interface Holder {
  readonly row: ChildRow;
  readonly isFirst: boolean;
}

export function addressOf(interior: Interior, spec: { readonly kind: string; readonly id: string }): Address {
  return childAddress(interior.address, spec.kind, spec.id);
}

export function rowOf(interior: Interior, { supervision }: Cell): ChildRow | undefined {
  return supervision?.kind === "child" ? interior.rest.get("children", supervision.spec) : undefined;
}

/** In their order of starting. */
export function rowsInOrder(interior: Interior, isMeant: (row: ChildRow) => boolean): readonly ChildRow[] {
  return [...interior.rest.entries("children")]
    .map(([, row]) => row)
    .filter(isMeant)
    .sort((a, b) => a.order - b.order);
}

/** It has not started; it does not run, and no restart of its own is due. */
export function isHeldFromStarting({ life, snapshot }: Cell): boolean {
  return life === "ended" && snapshot.status === "stopped";
}

export function failedInItsStart({ life, snapshot }: Cell): boolean {
  return life === "ended" && snapshot.status === "error";
}

/** B1, as it stands now. */
export function heldBack(interior: Interior): IsHeldBack {
  if (!Object.values(interior.type.children).some(({ strategy }) => strategy !== "one-for-one")) return isNotHeld;
  const holders: Holder[] = [];
  for (const [, timer] of interior.rest.entries("timers")) {
    if (restartReason(timer) === undefined) continue;
    const cell = interior.cells.get(timer.owner);
    const row = cell?.incarnation === timer.incarnation ? rowOf(interior, cell) : undefined;
    if (cell !== undefined && row !== undefined) holders.push({ row, isFirst: failedInItsStart(cell) });
  }
  return (row) =>
    row !== undefined &&
    holders.some(({ row: other, isFirst }) => {
      if (other.kind !== row.kind || other.id === row.id) return false;
      const strategy = interior.type.children[row.kind]?.strategy;
      return strategy !== undefined && strategy !== "one-for-one" && (other.order < row.order || (strategy === "one-for-all" && !isFirst));
    });
}

/** Asked of one alone, which costs nothing where its kind joins no fates. */
export function isHeldBack(interior: Interior, row: ChildRow | undefined): boolean {
  return row !== undefined && interior.type.children[row.kind]?.strategy !== "one-for-one" && heldBack(interior)(row);
}

export function isNotHeld(): boolean {
  return false;
}
