// Actors whose machine is another one than that which kept their state, under the same version (made-by.ts, M2): most changes only add, so that nobody is refused for it, and everybody is told.
//
// C1. A changed shape is known from the snapshot that says what it was made by; where the journal alone is read, from a turn that comes out otherwise.
// C2. What a state waits for and the machine does not have is named: where it is not mended it will be a fault when it is due.

import type { Address } from "../address.ts";
import { CellRef } from "../xstate/index.ts";
import type { Cell } from "./cell.ts";
import type { EntityState, JournalRecord, MadeBy, SupervisionReport } from "./contract.ts";
import type { Interior } from "./interior.ts";
import { fingerprintOfMade, madeByOf } from "./made-by.ts";
import { isHeardBy } from "./outward.ts";

type Made = MadeBy["types"][string];

/** @param hasDiverged a turn that was made by the same versions came out otherwise when it was run again */
export function changedMachines(
  interior: Interior,
  { snapshot, records }: { readonly snapshot: EntityState | undefined; readonly records: readonly JournalRecord[] },
  hasDiverged: boolean,
): readonly SupervisionReport[] {
  const { madeBy: now, fingerprint } = madeByOf(interior.type);
  const made = records.at(-1)?.made ?? (snapshot?.madeBy === undefined ? undefined : fingerprintOfMade(snapshot.madeBy));
  const isChanged = made !== undefined && made !== fingerprint;
  const lost = lostTimers(interior);
  const reports: SupervisionReport[] = [];
  const told = new Set<string>();
  for (const { address, plan, supervision } of interior.cells.values()) {
    const { name, version } = plan.actor;
    if (supervision === undefined || told.has(name)) continue;
    const before = snapshot?.madeBy?.types[name];
    const after = now.types[name];
    const timers = lost.get(name) ?? [];
    const isOther = isChanged && before !== undefined && after !== undefined && before.version === version && shown(before) !== shown(after);
    const isOtherwise = isChanged && hasDiverged && snapshot?.madeBy === undefined && address === interior.address;
    if (!isOther && !isOtherwise && timers.length === 0) continue;
    told.add(name);
    const was = isOther ? shown(before) : `fingerprint ${made ?? "unknown"}`;
    const is = isOther ? shown(after) : `fingerprint ${fingerprint}`;
    reports.push(reportOf(address, `version ${String(version)} of "${name}" has kept this state as ${was}; what is registered as that version is ${is}`, timers));
  }
  return reports;
}

function reportOf(offender: Address, reason: string, timers: readonly string[]): SupervisionReport {
  const waits = timers.length === 0 ? "" : `. Timers that mean nothing to it, and will be faults: ${timers.join(", ")}`;
  return {
    context: "machine_changed",
    offender,
    reason: `${reason}. Raise the version; \`drover doctor --machine\` tells what becomes of stored actors${waits}`,
    code: "DROVER_MACHINE_CHANGED",
    place: offender,
    restarts: 0,
  };
}

function shown({ machine, schema }: Made): string {
  return `${machine === undefined ? "a reducer" : `machine "${machine}"`} with the shape ${schema}`;
}

/** C2. With their actors, by actor type. */
function lostTimers(interior: Interior): ReadonlyMap<string, readonly string[]> {
  const lost = new Map<string, string[]>();
  for (const [, row] of interior.rest.entries("timers")) {
    const cell = interior.cells.get(row.owner);
    if (cell?.incarnation !== row.incarnation || !isTo(row.to, cell) || isHeardBy(cell, row.event as { readonly type: string })) continue;
    const { name } = cell.plan.actor;
    const names = lost.get(name) ?? [];
    names.push(`${row.name} of ${cell.address}`);
    lost.set(name, names);
  }
  return lost;
}

function isTo(to: unknown, cell: Cell): boolean {
  return typeof to === "object" && to !== null && CellRef.is(to) && CellRef.cellOf(to) === cell;
}
